"""The process that reads mail: one question after the other, from standard input to standard output.

Started by `intake/post/process.py`. Loads no database, knows no setting and no key, opens no connection. Whatever a
mail makes of it, it can take neither more memory nor more time than it was given.
"""

import resource
import sys
from typing import Any, BinaryIO

import orjson

from intake.mail import read
from intake.reading.frames import LENGTHS, READY, answer, frame, lengths, refusal

MEMORY = 1024 * 1024 * 1024  # bytes of address space
SECONDS = 15  # of computing, for one mail


def main() -> None:
    """Until there are no more questions."""
    _confine()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    _say(target, frame(READY))
    while len(head := source.read(LENGTHS.size)) == LENGTHS.size:
        heading, content = lengths(head)
        asked = orjson.loads(source.read(heading))
        _give_seconds()
        _say(target, _answer(asked, source.read(content)))


def _answer(asked: dict[str, Any], raw: bytes) -> bytes:
    try:
        return answer(read(raw, authserv_id=asked["authserv_id"], own=frozenset(asked["own"]), trust=asked["trust"]))
    except Exception as error:  # it promises to raise nothing; if it does, this mail alone pays
        return refusal(type(error).__name__)


def _say(target: BinaryIO, words: bytes) -> None:
    target.write(words)
    target.flush()


def _confine() -> None:
    """What this process may have for good. It writes no file and leaves no image of its memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _give_seconds() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
