"""`raccordo serve` with every log line there is, for the search for secrets. Quiet only where the app itself is."""

import logging
import sys

from app.cli import main
from app.commands import running
from app.logging import set_up_logging


def loudly(_level: int = logging.INFO) -> None:
    set_up_logging(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)


if __name__ == "__main__":
    setattr(running, "set_up_logging", loudly)  # noqa: B010 - mypy knows that a module's names are not assigned
    sys.argv = ["raccordo", "serve"]
    main()
