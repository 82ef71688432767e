"""A form's definition as a JSON document, as a version keeps it, and back. Pure. Refuses a document that is no form."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from intake.forms.nodes import About, Ask, Bound, Choice, Definition, Group, Node, Path, Question, QuestionType, Rules

FORMAT = 2  # 1 was the form of six fixed kinds of questions, before XLSForm
_ENUMS = {"type": QuestionType, "bound": Bound, "ask": Ask}


class BadDocument(ValueError):
    """It is not a form's definition, or of a format that this version does not know."""


def to_document(form: Definition) -> dict[str, Any]:
    """What is empty is left out."""
    return {
        "format": FORMAT,
        "key": form.key,
        "title": dict(form.title),
        "languages": list(form.languages),
        "version": form.version,
        "about": form.about.value,
        "children": [_node(one) for one in form.children],
        "lists": {name: [_choice(one) for one in choices] for name, choices in form.lists.items()},
    }


def from_document(document: Mapping[str, Any]) -> Definition:
    """Raises BadDocument."""
    if document.get("format") != FORMAT:
        raise BadDocument(f"a form's definition of format {document.get('format')!r}, not {FORMAT}")
    try:
        return Definition(
            key=document["key"],
            title=document["title"],
            languages=tuple(document["languages"]),
            children=tuple(_read(one, ()) for one in document["children"]),
            lists={name: tuple(Choice(**one) for one in found) for name, found in document["lists"].items()},
            version=document.get("version", ""),
            about=About(document.get("about", About.PROJECT)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDocument(f"not a form's definition: {type(error).__name__} {error}") from error


def _choice(one: Choice) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "label": dict(one.label)}
    return found | ({"more": dict(one.more)} if one.more else {})


def _node(one: Node) -> dict[str, Any]:
    found = {
        each.name: getattr(one, each.name) for each in fields(one) if each.name not in {"path", "rules", "children"}
    }
    kept: dict[str, Any] = {name: dict(value) if isinstance(value, Mapping) else value for name, value in found.items()}
    kept["rules"] = {
        each.name: getattr(one.rules, each.name) for each in fields(Rules) if getattr(one.rules, each.name)
    }
    kept = {name: value for name, value in kept.items() if value not in ("", {}, None, False, 0)}
    if isinstance(one, Group):
        kept["children"] = [_node(each) for each in one.children]
    return kept


def _values(one: Any) -> dict[str, Any]:
    found = {each.name: getattr(one, each.name) for each in fields(one)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in found.items() if value != ""}


def _read(document: Mapping[str, Any], around: Path) -> Node:
    values = dict(document)
    path = (*around, values["name"])
    rules = Rules(**values.pop("rules", {}))
    label = values.pop("label", {})
    if "children" in values:
        children = tuple(_read(one, path) for one in values.pop("children"))
        return Group(path=path, label=label, rules=rules, children=children, **values)
    for name, enum in _ENUMS.items():
        if name in values:
            values[name] = enum(values[name])
    return Question(path=path, label=label, rules=rules, **values)
