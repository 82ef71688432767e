"""Why an expression cannot be used, sayable in both languages. Pure."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from facts.languages import Speaker


class BadExpression(ValueError):
    """`msgid` with `values` is a sentence for who writes forms; `position` counts characters from 1, None for none."""

    def __init__(self, msgid: str, values: Mapping[str, object] | None = None, position: int | None = None) -> None:
        super().__init__(msgid)
        self.msgid = msgid
        self.values = dict(values or {})
        self.position = position

    def say(self, _: Speaker) -> str:
        return _(self.msgid, **self.values)

    def __str__(self) -> str:
        return self.msgid.format(**self.values)


def likely(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant; empty when none is near. Capitals do not count."""
    folded = {one.casefold(): one for one in known}
    found = get_close_matches(name.casefold(), folded, 1, 0.6)
    return folded[found[0]] if found else ""
