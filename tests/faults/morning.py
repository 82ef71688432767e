"""`raccordo serve` whose clock shows a working morning: how long ago that began is in BEGUN, a time of the real clock.

All processes with the same BEGUN agree on what time it is.
"""

import os
import sys
from datetime import UTC, datetime
from functools import partial

from app import service
from app.cli import main
from tests.journeys.clocks import TUESDAY_MORNING

BEGUN = datetime.fromtimestamp(float(os.environ.get("BEGUN", "0")), UTC)


def clock() -> datetime:
    return TUESDAY_MORNING + (datetime.now(UTC) - BEGUN)


if __name__ == "__main__":
    setattr(service, "build", partial(service.build, clock=clock))  # noqa: B010 - mypy knows that a name is not assigned
    sys.argv = ["raccordo", "serve"]
    main()
