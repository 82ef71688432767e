"""The name of a file that somebody left, as it may be shown. Pure: also for who reads mail in a process of its own."""

import unicodedata
from pathlib import PurePosixPath

NAME_LENGTH = 120


def safe_name(name: str) -> str:
    """A name to show: no folders, nothing invisible, 120 characters at most with its ending kept."""
    base = " ".join(printable(name.replace("\\", "/").rpartition("/")[2]).split()).rstrip(". ").lstrip(" ")
    if len(base) > NAME_LENGTH:
        ending = suffix(base)[:20]
        base = base[: NAME_LENGTH - len(ending)] + base[len(base) - len(ending) :]
    return base if base.strip(".") else "file"


def printable(text: str) -> str:
    # Format characters (Cf) can turn the order of letters around: "fdp.exe" shown as "exe.pdf".
    return "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"})


def suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
