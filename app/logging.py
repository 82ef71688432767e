"""How log lines look: one per event, ids only, JSON when nobody is watching. Never a token."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# A bot token, or a personal key in a path: whatever a library logs, it does not leave.
SECRETS = re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}|(?<=/r/)[a-z2-7]{16,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blots out secrets in every text of a log line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = SECRETS.sub("***", value)
    return event


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return SECRETS.sub("***", super().format(record))


def set_up_logging(level: int = logging.INFO) -> None:
    """Sends everything to stderr. httpx names the bot token in its INFO lines, so it is kept to warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # telegram would write whole messages, and an invitation is a key.
    for name in ("httpx", "httpcore", "telegram", "apscheduler", "aiosmtplib", "mail.log"):
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
