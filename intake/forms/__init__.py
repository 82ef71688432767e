"""Forms as data: what is asked, how an answer is read, doubted and shown. Pure: knows no channel and no database."""

from intake.forms.answers import Facts, More, Outcome, consider, parse
from intake.forms.definition import BadDefinition, Choice, Field, FieldType, Form, read_form
from intake.forms.outcomes import Answered, Doubt, Refusal, Sentence
from intake.forms.showing import fits, missing_answers, show

__all__ = [
    "Answered",
    "BadDefinition",
    "Choice",
    "Doubt",
    "Facts",
    "Field",
    "FieldType",
    "Form",
    "More",
    "Outcome",
    "Refusal",
    "Sentence",
    "consider",
    "fits",
    "missing_answers",
    "parse",
    "read_form",
    "show",
]
