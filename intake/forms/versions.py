"""What is different between two versions of a form, question by question, in sentences. Pure."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from facts.languages import N_, Language, speaking
from intake.forms.nodes import Ask, Choice, Definition, Group, Node, Path, Question, Texts
from intake.forms.outcomes import Sentence
from intake.forms.xlsform.findings import Value, sentence
from intake.forms.xlsform.texts import language_name

YES = N_("Yes")
SET = N_("{what}: now “{new}”, before nothing.")
TAKEN_AWAY = N_("{what}: before “{old}”, now nothing.")
OTHERWISE = N_("{what}: before “{old}”, now “{new}”.")
SET_IN = N_("{what} in {language}: now “{new}”, before nothing.")
TAKEN_AWAY_IN = N_("{what} in {language}: before “{old}”, now nothing.")
OTHERWISE_IN = N_("{what} in {language}: before “{old}”, now “{new}”.")
MOVED = N_("It is asked at another place.")
RENAMED = N_("It may be “{name}” under a new name: answers given so far stay with the old one.")
NEW_CHOICE = N_("New choice: “{label}” ({name}).")
NO_CHOICE = N_("Choice taken away: “{label}” ({name}).")
CHOICE_OTHERWISE = N_("Choice {name} in {language}: before “{old}”, now “{new}”.")
CHOICES_MOVED = N_("The choices are in another order.")

_TEXTS: tuple[tuple[str, Callable[[Question], Texts]], ...] = (
    (N_("Hint"), lambda one: one.hint),
    (N_("Short label"), lambda one: one.title),
    (N_("Message when it is not answered"), lambda one: one.required_message),
    (N_("Message when it is not allowed"), lambda one: one.constraint_message),
)
_RULES: tuple[tuple[str, str], ...] = (
    (N_("Asked when"), "relevant"),
    (N_("Must be answered"), "required"),
    (N_("Allowed when"), "constraint"),
    (N_("Calculation"), "calculation"),
    (N_("Choices shown when"), "choice_filter"),
    (N_("Answer in advance"), "default"),
    (N_("Number of repetitions"), "repeat_count"),
)
_VALUES: tuple[tuple[str, Callable[[Question], str]], ...] = (
    (N_("Type"), lambda one: str(one.type)),
    (N_("With “other”"), lambda one: YES if one.other else ""),
    (N_("Read-only"), lambda one: YES if one.read_only else ""),
    (N_("Parameters"), lambda one: " ".join(f"{name}={value}" for name, value in sorted(one.parameters.items()))),
    (N_("Kept as"), lambda one: str(one.bound or "")),
    (N_("How often it is asked"), lambda one: "" if one.ask is Ask.ALWAYS else str(one.ask)),
    (N_("Never by Telegram"), lambda one: YES if one.private else ""),
)
LABEL, TITLE, LANGUAGES, ABOUT = N_("Label"), N_("Title"), N_("Languages"), N_("Filled in for")
APPEARANCE = N_("Appearance")


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """`path` () is the form itself. `label`: of the newer version where there is one."""

    kind: Kind
    path: Path
    label: Texts
    sentences: tuple[Sentence, ...] = ()


def compare(old: Definition, new: Definition) -> tuple[Change, ...]:
    """In the order of the newer version, what was removed last. () when both ask the same."""
    moved = _moved(old, new)
    gone = [node for path, node in old.nodes.items() if path not in new.nodes]
    changes = [Change(Kind.CHANGED, (), new.title, tuple(_of_form(old, new)))]
    for path, node in new.nodes.items():
        before = old.nodes.get(path)
        if before is None:
            changes.append(Change(Kind.ADDED, path, node.label, tuple(_renamed(node, gone))))
        else:
            told = [*_of_node(before, node, old, new), *([sentence(MOVED)] if path in moved else [])]
            changes.append(Change(Kind.CHANGED, path, node.label, tuple(told)))
    changes += [Change(Kind.REMOVED, node.path, node.label) for node in gone]
    return tuple(one for one in changes if one.sentences or one.kind is not Kind.CHANGED)


def _of_form(old: Definition, new: Definition) -> Iterator[Sentence]:
    yield from _texts(TITLE, old.title, new.title)
    yield from _value(LANGUAGES, ", ".join(old.languages), ", ".join(new.languages))
    yield from _value(ABOUT, old.about, new.about)


def _of_node(old: Node, new: Node, old_form: Definition, new_form: Definition) -> Iterator[Sentence]:
    yield from _texts(LABEL, old.label, new.label)
    if isinstance(old, Question) and isinstance(new, Question):
        for what, text in _TEXTS:
            yield from _texts(what, text(old), text(new))
        for what, value in _VALUES:
            yield from _value(what, value(old), value(new))
        yield from _choices(old_form.lists.get(old.choices, ()), new_form.lists.get(new.choices, ()))
    else:
        yield from _value(_VALUES[0][0], _kind(old), _kind(new))
    for what, name in _RULES:
        yield from _value(what, getattr(old.rules, name), getattr(new.rules, name))
    yield from _value(APPEARANCE, old.appearance, new.appearance)


def _kind(node: Node) -> str:
    if isinstance(node, Group):
        return "repeat" if node.repeats else "group"
    return str(node.type) if isinstance(node, Question) else ""


def _choices(old: tuple[Choice, ...], new: tuple[Choice, ...]) -> Iterator[Sentence]:
    before, now = ({one.name: one for one in choices} for choices in (old, new))
    for name, one in now.items():
        if name not in before:
            yield sentence(NEW_CHOICE, label=_any(one.label), name=name)
            continue
        for language in {**before[name].label, **one.label}:
            was, is_ = before[name].label.get(language, "—"), one.label.get(language, "—")
            if was != is_:
                yield sentence(CHOICE_OTHERWISE, name=name, language=language_name(language), old=was, new=is_)
    for name, one in before.items():
        if name not in now:
            yield sentence(NO_CHOICE, label=_any(one.label), name=name)
    if [name for name in before if name in now] != [name for name in now if name in before]:
        yield sentence(CHOICES_MOVED)


def _texts(what: str, old: Texts, new: Texts) -> Iterator[Sentence]:
    for language in {**old, **new}:
        was, is_ = old.get(language, ""), new.get(language, "")
        if was != is_:
            msgid = OTHERWISE_IN if was and is_ else SET_IN if is_ else TAKEN_AWAY_IN
            yield _said(msgid, what, was, is_, language=language_name(language))


def _value(what: str, old: str, new: str) -> Iterator[Sentence]:
    if old != new:
        yield _said(OTHERWISE if old and new else SET if new else TAKEN_AWAY, what, old, new)


def _said(msgid: str, what: str, old: str, new: str, **more: Value) -> Sentence:
    return sentence(msgid, what=_translated(what), old=_shown(old), new=_shown(new), **more)


def _shown(text: str) -> Value:
    return _translated(YES) if text in {YES, "true()"} else text


def _translated(msgid: str) -> Callable[[Language], str]:
    return lambda language: speaking(language)(msgid)


def _renamed(node: Node, gone: list[Node]) -> Iterator[Sentence]:
    same = [one for one in gone if _kind(one) == _kind(node) and one.label == node.label and node.label]
    if len(same) == 1:
        yield sentence(RENAMED, name="/".join(same[0].path))


def _moved(old: Definition, new: Definition) -> set[Path]:
    """What is in both, but not where its neighbours are."""
    before = [path for path in old.nodes if path in new.nodes]
    now = [path for path in new.nodes if path in old.nodes]
    if before == now:
        return set()
    blocks = difflib.SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
    kept = {path for block in blocks for path in now[block.b : block.b + block.size]}
    return set(now) - kept


def _any(texts: Texts) -> str:
    return next(iter(texts.values()), "")
