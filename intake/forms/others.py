"""`or_other`: one more choice, and beside the question another one that asks what it is. Pure.

The file of a form says only that there is an "other"; who fills it in meets a choice and a question like any.
"""

from dataclasses import replace

from intake.forms.nodes import Choice, Definition, Group, Node, Question, QuestionType, Rules, Texts

OTHER = "other"

_CHOICE = {"it": "Altro", "en": "Other"}
_QUESTION = {"it": "Altro: che cosa?", "en": "Other: what is it?"}


def with_others(form: Definition) -> Definition:
    """The form as it is filled in; the same one where nothing has an "other"."""
    if not any(one.other for one in form.questions):
        return form
    lists = {one.choices: form.lists[one.choices] for one in form.questions if one.other and one.choices in form.lists}
    more = Choice(OTHER, _texts(form, _CHOICE))
    widened = {f"{name} {OTHER}": (*choices, more) for name, choices in lists.items()}
    children = tuple(each for node in form.children for each in _widened(form, node))
    return replace(form, children=children, lists={**form.lists, **widened})


def _widened(form: Definition, node: Node) -> tuple[Node, ...]:
    if isinstance(node, Group):
        inside = tuple(each for child in node.children for each in _widened(form, child))
        return (replace(node, children=inside),)
    if isinstance(node, Question) and node.other:
        return (replace(node, choices=f"{node.choices} {OTHER}"), _what_it_is(form, node))
    return (node,)


def _what_it_is(form: Definition, one: Question) -> Question:
    name = f"{one.name}_{OTHER}"
    rules = Rules(relevant=f"selected(../{one.name}, '{OTHER}')", required="true()")
    label, path = _texts(form, _QUESTION), (*one.path[:-1], name)
    return Question(
        name, path, label, rules, row=one.row, type=QuestionType.TEXT, title=label, ask=one.ask, private=one.private
    )


def _texts(form: Definition, texts: Texts) -> Texts:
    return {language: texts.get(language, texts["en"]) for language in form.languages}
