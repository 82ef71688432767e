"""What the column `type` says: a question, the beginning or end of a group, or something else. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from facts.languages import N_
from intake.forms.nodes import QuestionType
from intake.forms.xlsform.columns import near

_T = QuestionType
_TYPES = {
    _T.TEXT: ("string", "q string", "add text prompt"),
    _T.INTEGER: ("int", "q int", "add integer prompt"),
    _T.DECIMAL: ("q decimal", "add decimal prompt"),
    _T.DATE: ("q date", "add date prompt"),
    _T.TIME: (),
    _T.DATE_TIME: ("datetime", "date time", "q datetime", "q date time", "add datetime prompt", "add date time prompt"),
    _T.RANGE: (),
    _T.GEOPOINT: ("location", "gps", "q location", "q geopoint", "add location prompt"),
    _T.IMAGE: ("photo", "q picture", "q image", "add image prompt", "add photo prompt"),
    _T.FILE: ("add file prompt",),
    _T.AUDIO: ("q audio", "add audio prompt"),
    _T.NOTE: ("q note", "add note prompt"),
    _T.ACKNOWLEDGE: ("q acknowledge", "add acknowledge prompt", "trigger"),
    _T.CALCULATE: ("q calculate", "add calculate prompt"),
    _T.HIDDEN: (),
}
_QUESTIONS = {name.casefold(): type_ for type_, aliases in _TYPES.items() for name in (type_, *aliases)}
_SELECTS = {
    "select_one": _T.SELECT_ONE,
    "select one": _T.SELECT_ONE,
    "select one from": _T.SELECT_ONE,
    "select one using": _T.SELECT_ONE,
    "select1": _T.SELECT_ONE,
    "add select one prompt using": _T.SELECT_ONE,
    "select_multiple": _T.SELECT_MULTIPLE,
    "select multiple": _T.SELECT_MULTIPLE,
    "select multiple from": _T.SELECT_MULTIPLE,
    "select multiple using": _T.SELECT_MULTIPLE,
    "select all that apply": _T.SELECT_MULTIPLE,
    "select all that apply from": _T.SELECT_MULTIPLE,
    "add select multiple prompt using": _T.SELECT_MULTIPLE,
    "rank": _T.RANK,
}
_GROUPS = {"group": False, "lgroup": True, "repeat": True, "looped group": True}
_SELECT = re.compile(
    rf"(?P<what>{'|'.join(sorted(_SELECTS, key=len, reverse=True))})"
    r"(?: (?P<list>\S+))?(?P<other> (?:or specify other|or_other|or other))?",
    re.IGNORECASE,
)
_CONTROL = re.compile(rf"(?P<what>begin|end)[ _](?P<kind>{'|'.join(_GROUPS)})", re.IGNORECASE)

USE_FILE = N_("The type “{type}” is not asked by Raccordo. Use “file”.")
USE_TEXT = N_("The type “{type}” is not asked by Raccordo. Use “text”.")
USE_POINT = N_(
    "The type “{type}” is not asked by Raccordo. Use “geopoint”, inside a repeat when there are several points."
)
USE_LIST = N_(
    "The type “{type}” takes its choices from elsewhere. Put them in the sheet “choices” and use “select_one”."
)
USE_REPEAT = N_("The type “{type}” is not asked by Raccordo. Use “begin_repeat”.")
USE_QUESTIONS = N_("The type “{type}” is not asked by Raccordo. Use single questions in a group.")

# What would be lost with the answers. By the first word or words.
_UNASKED = {
    "video": USE_FILE, "q video": USE_FILE, "add video prompt": USE_FILE,
    "barcode": USE_TEXT, "q barcode": USE_TEXT, "add barcode prompt": USE_TEXT,
    "geotrace": USE_POINT, "q geotrace": USE_POINT, "geoshape": USE_POINT, "q geoshape": USE_POINT, "osm": USE_POINT,
    "select_one_from_file": USE_LIST, "select one from file": USE_LIST, "select_multiple_from_file": USE_LIST,
    "select multiple from file": USE_LIST, "select_one_external": USE_LIST, "cascading_select": USE_LIST,
    "cascading select": USE_LIST,
    "begin loop": USE_REPEAT, "begin_loop": USE_REPEAT, "end loop": USE_REPEAT, "end_loop": USE_REPEAT,
    "begin_score": USE_QUESTIONS, "end_score": USE_QUESTIONS, "score__row": USE_QUESTIONS,
    "begin_rank": USE_QUESTIONS, "end_rank": USE_QUESTIONS, "rank__level": USE_QUESTIONS,
    "begin_kobomatrix": USE_QUESTIONS, "end_kobomatrix": USE_QUESTIONS,
}  # fmt: skip
# What a device or a file would add by itself: the expression that stands for it, "" when nothing does.
_AUTOMATIC = {
    "start": "once(now())", "start time": "once(now())", "get start time": "once(now())",
    "end": "now()", "end time": "now()", "get end time": "now()",
    "today": "once(today())", "get today": "once(today())",
    "deviceid": "", "imei": "", "device id": "", "get device id": "", "uri:deviceid": "", "username": "",
    "uri:username": "", "email": "", "uri:email": "", "phonenumber": "", "phone number": "", "get phone number": "",
    "uri:phonenumber": "", "simserial": "", "sim id": "", "get sim id": "", "uri:simserial": "", "subscriberid": "",
    "subscriber id": "", "get subscriber id": "", "uri:subscriberid": "", "audit": "", "background-audio": "",
    "background-geopoint": "", "start-geopoint": "", "csv-external": "", "xml-external": "",
}  # fmt: skip
KNOWN = (
    *map(str, _TYPES), "select_one", "select_multiple", "rank",
    "begin_group", "end_group", "begin_repeat", "end_repeat",
)  # fmt: skip


class Step(StrEnum):
    """What a row is."""

    QUESTION = "question"
    BEGIN = "begin"
    END = "end"
    AUTOMATIC = "automatic"
    UNASKED = "unasked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kind:
    """`advice`: what to use instead (a msgid); `likely`: the type that is probably meant; `stands_for`: see above."""

    step: Step
    type: QuestionType = QuestionType.TEXT
    list: str = ""
    other: bool = False
    repeats: bool = False
    advice: str = ""
    likely: str = ""
    stands_for: str = ""


def kind_of(text: str) -> Kind:
    """Names are compared without case and with single spaces; a list's name is taken as it is."""
    text = " ".join(text.split())
    folded = text.casefold()
    control = _CONTROL.fullmatch(text)
    if control:
        step = Step.BEGIN if control["what"].casefold() == "begin" else Step.END
        return Kind(step, repeats=_GROUPS[control["kind"].casefold()])
    if folded in _QUESTIONS:
        return Kind(Step.QUESTION, _QUESTIONS[folded])
    if folded in _AUTOMATIC:
        return Kind(Step.AUTOMATIC, stands_for=_AUTOMATIC[folded])
    advice = _advice(folded)
    if advice:
        return Kind(Step.UNASKED, advice=advice)
    return _select(text) or Kind(Step.UNKNOWN, likely=_meant(text))


def _select(text: str) -> Kind | None:
    found = _SELECT.fullmatch(text)
    if found is None:
        return None
    if found["list"] and found["list"].startswith("${"):
        return Kind(Step.UNASKED, advice=USE_LIST)
    return Kind(Step.QUESTION, _SELECTS[found["what"].casefold()], found["list"] or "", bool(found["other"]))


def _advice(folded: str) -> str:
    return _UNASKED.get(folded) or next((told for name, told in _UNASKED.items() if folded.startswith(f"{name} ")), "")


def _meant(text: str) -> str:
    first = text.split(maxsplit=1)[0] if text else ""
    return near(text, KNOWN, cutoff=0.7) or near(first, KNOWN, cutoff=0.7)


def type_cell(type_: QuestionType, list_name: str = "", *, other: bool = False) -> str:
    """What stands in the column for a question."""
    return " ".join(part for part in (str(type_), list_name, "or_other" if other else "") if part)
