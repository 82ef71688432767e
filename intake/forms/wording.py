"""What a form says to who fills it in: its texts, with the answers that they repeat (`${name}`). Pure."""

import re

from facts.languages import Language
from intake.forms.filling import Filling
from intake.forms.nodes import Path, Question, Texts, path_of, say
from intake.forms.values import show

_REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")


def worded(filling: Filling, key: str, texts: Texts, language: Language) -> str:
    """A text of the node under `key`, in a language. An answer that is not there yet is said as a dash."""
    text = say(texts, language, filling.plan.form.languages)
    if "${" not in text:
        return text
    return _REFERENCE.sub(lambda found: _answer(filling, key, found[1], language), text)


def _answer(filling: Filling, key: str, name: str, language: Language) -> str:
    form = filling.plan.form
    paths = [path for path in form.named.get(name, ()) if isinstance(form.nodes.get(path), Question)]
    if not paths:
        return f"${{{name}}}"
    near = key_near(key, max(paths, key=lambda path: _in_common(path, path_of(key))))
    question = form.at(near)
    assert isinstance(question, Question)
    return show(form, question, filling.worth(near, question), language)


def key_near(key: str, path: Path) -> str:
    """The key of another path as seen from `key`: in the same repetitions, as far as they are around both."""
    steps = key.split("/")
    shared = _in_common(path[:-1], path_of(key))
    return "/".join([*steps[:shared], *path[shared:]])


def _in_common(one: Path, other: Path) -> int:
    """How many names they begin with alike."""
    for number, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return number
    return min(len(one), len(other))
