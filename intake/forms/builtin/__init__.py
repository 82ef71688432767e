"""The forms that come with Raccordo: Markdown tables, read when asked for. Pure but for reading its own files."""

import functools
from pathlib import Path

from intake.forms.nodes import Definition

PROJECT_UPDATE = "project-update"
KEYS = (PROJECT_UPDATE, "project-census", "local-need", "event-registration")


def builtin_file(key: str) -> bytes:
    """The file of one of `KEYS`, as anybody may take it for a beginning."""
    return (Path(__file__).parent / f"{key}.md").read_bytes()


@functools.cache
def builtin_form(key: str) -> Definition:
    """One of `KEYS`."""
    from intake.forms.xlsform.reading import read_xlsform

    reading = read_xlsform(builtin_file(key), f"{key}.md", ours=True)
    assert reading.form is not None, reading.problems
    return reading.form
