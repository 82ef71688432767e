"""Who is called upon in an internal note: by `@name` in its text, or chosen beside it. They are told by mail.

A first name is enough while one colleague has it. When several do, the note is refused: whoever wrote it says which.
What is nobody's name is text.
"""

import re
from collections.abc import Sequence

from answering.refusal import Refused
from facts.folding import fold
from facts.languages import N_
from storage.tables import Staff

_AT = re.compile(r"(?<![\w.@])@(?=\w)")  # not the one inside an e-mail address


def called_upon(text: str, colleagues: Sequence[Staff], chosen: int = 0) -> list[int]:
    """Whose names stand there, each once; `chosen`: one more, by number."""
    found = [one.id for one in colleagues if one.id == chosen]
    for at in _AT.finditer(text):
        found += _named(text[at.end() :], colleagues)
    return list(dict.fromkeys(found))


def _named(rest: str, colleagues: Sequence[Staff]) -> list[int]:
    words = fold(rest[:200].replace("\n", " ")).split()
    whole = [one for one in colleagues if _begins(words, fold(one.name).split())]
    fitting = whole or [one for one in colleagues if _begins(words, fold(one.name).split()[:1])]
    if len(fitting) > 1:
        names = ", ".join(one.name for one in fitting)
        raise Refused(
            N_("“@{word}” could be several colleagues: {names}. Write name and surname."), word=words[0], names=names
        )
    return [one.id for one in fitting]


def _begins(words: list[str], name: list[str]) -> bool:
    return bool(name) and words[: len(name)] == name
