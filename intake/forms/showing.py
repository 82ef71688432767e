"""Says a stored answer in a person's language. Pure; never raises for an answer of another form version: see `fits`."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from facts.dates import show_date
from facts.languages import N_, Language, speaking
from facts.numbers import show_cents, show_percentage
from intake.forms.definition import Field, FieldType, Form

NOTHING = N_("—")
YES = N_("Yes")
NO = N_("No")


def show(field: Field, value: Any, language: Language) -> str:
    """Plain text for an answer; a dash for none."""
    if value is None or value == "":
        return NOTHING
    match field.type:
        case FieldType.CHOICE:
            choice = field.choice(value)
            return choice.label[language] if choice else str(value)
        case FieldType.PERCENTAGE:
            return show_percentage(Decimal(value), language)
        case FieldType.MONEY:
            return show_cents(value, language)
        case FieldType.DATE:
            return show_date(date.fromisoformat(value), language)
        case FieldType.YES_TEXT:
            return (value["text"] or speaking(language)(YES)) if value["any"] else speaking(language)(NO)
        case FieldType.TEXT:
            return str(value)


def fits(field: Field, value: Any) -> bool:
    """Whether a value kept by an earlier version (or by another program) is an answer to this field."""
    try:
        return _is_answer(field, value)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return False


def _is_answer(field: Field, value: Any) -> bool:
    match field.type:
        case FieldType.CHOICE:
            return field.choice(value) is not None
        case FieldType.PERCENTAGE:
            return isinstance(value, str) and 0 <= Decimal(value) <= 100
        case FieldType.MONEY:
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case FieldType.DATE:
            return bool(date.fromisoformat(value))
        case FieldType.YES_TEXT:
            return isinstance(value["any"], bool) and isinstance(value["text"], str)
        case FieldType.TEXT:
            return isinstance(value, str)


def missing_answers(form: Form, answers: Mapping[str, Any]) -> list[str]:
    """The fields that must still be answered before an update can be sent."""
    return [
        one.name
        for one in form.fields
        if not fits(one, answers.get(one.name)) and not (one.optional and one.name not in answers)
    ]
