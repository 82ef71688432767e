"""What docs/security.md says is shown by tests, is."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
SECURITY = (TESTS.parent / "docs" / "security.md").read_text()


def _named() -> list[tuple[str, str]]:
    """File and test of each mention; a mention without file means the file before it."""
    found, path = [], ""
    for file, test in re.findall(r"`([a-z_/]+\.py)?::(\w+)`", SECURITY):
        path = file or path
        found.append((path, test))
    return found


def test_every_test_that_it_names_is_there() -> None:
    missing = [f"{path}::{test}" for path, test in _named() if f"def {test}(" not in (TESTS / path).read_text()]

    assert len(_named()) > 40
    assert missing == []
