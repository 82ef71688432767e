"""How log lines look: one per event, ids only, JSON when nobody is watching. Never a token, never an error's words."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

import structlog

# A bot token, a personal key in a path, a data key: whatever a library logs, it does not leave.
SECRETS = re.compile(
    r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}|(?<=/r/)[a-z2-7]{16,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|(?<=seal:)[0-9a-fA-F]{64}|(?<=match:)[0-9a-fA-F]{64}"
)


def redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blots out secrets in every text of a log line."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = SECRETS.sub("***", value)
    return event


def without_words(error: BaseException | None) -> str:
    """Classes and frames of an error and of what led to it, oldest first as Python shows them.

    What an error says may be about a person: PostgreSQL's DETAIL names the e-mail address that is there twice.
    """
    return "\n\n".join(reversed([_one_without_words(one) for one in _led_to(error)]))


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _one_without_words(error: BaseException) -> str:
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    lines = [f"{frames}{type(error).__module__}.{type(error).__qualname__}"]
    if isinstance(error, BaseExceptionGroup):
        lines += [without_words(one) for one in error.exceptions]
    return "\n\n".join(lines)


ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def _exception_text(exc_info: ExcInfo) -> str:
    return without_words(exc_info[1])


class _Line:
    """Writes a line where stderr is. Drops it when that cannot be: a full disk under the log would end every loop."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, message: str) -> None:
        with suppress(OSError):
            print(message, file=self._stream, flush=True)

    log = debug = info = warning = error = critical = exception = msg


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return SECRETS.sub("***", super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return _exception_text(ei)


def set_up_logging(level: int = logging.INFO) -> None:
    """Sends everything to stderr. httpx names the bot token in its INFO lines, so it is kept to warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # telegram would write whole messages, and an invitation is a key.
    for name in ("httpx", "httpcore", "telegram", "apscheduler", "aiosmtplib", "mail.log"):
        logging.getLogger(name).setLevel(logging.WARNING)
    line = _Line(sys.stderr)
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.ExceptionRenderer(_exception_text),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: line,
    )
