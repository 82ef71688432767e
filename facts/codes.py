"""Reads CUP, CIG and ISTAT codes as people write them. Pure; refuses to guess: it suggests.

ValueError
└── InvalidCode(reason, suggestion)
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from facts.languages import N_

CUP = re.compile(r"[B-J][0-9]{2}[A-J][0-9]{11}")
PROVISIONAL_CUP = re.compile(r"PROV[0-9]{10}")
CLASSIC_CIG = re.compile(r"[0-9]{7}[0-9A-F]{3}")
SMART_CIG = re.compile(r"[XYZ][0-9A-F]{9}")
LETTER_CIG = re.compile(r"[A-W][0-9A-F]{9}")

CHECKED_LETTERS = {"A": 1, "B": 2}  # the families published so far whose checksum is known (verified on open data)
DIGIT_FOR = str.maketrans("OQILSZ", "001152")
LETTER_FOR = str.maketrans("168", "IGB")


class Reason(StrEnum):
    """Why a code was refused."""

    EMPTY = "empty"
    LENGTH = "length"
    SHAPE = "shape"
    CONFUSED = "confused"  # right but for letters and digits that look alike: there is a suggestion
    CHECKSUM = "checksum"
    PLACEHOLDER = "placeholder"


SENTENCES = {
    Reason.EMPTY: N_("There is no code here."),
    Reason.LENGTH: N_("The code is too short or too long."),
    Reason.SHAPE: N_("The code has letters or digits where they should not be."),
    Reason.CONFUSED: N_("A letter and a digit that look alike may have been swapped."),
    Reason.CHECKSUM: N_("A character of the code is wrong: the check characters do not match."),
    Reason.PLACEHOLDER: N_("This is a placeholder, not a real code."),
}


class InvalidCode(ValueError):
    """The text is not a code of this kind. `suggestion` is a valid code that looks the same, never used unasked."""

    def __init__(self, reason: Reason, suggestion: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.suggestion = suggestion

    @property
    def sentence(self) -> str:
        """The message id of the explanation."""
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Cup:
    """A project's unique code, normalised; `provisional` when still `PROV…`."""

    value: str
    provisional: bool = False

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Cig:
    """A tender's code, normalised; `checked` is False for families (from C on) whose checksum nobody has published."""

    value: str
    checked: bool = True

    def __str__(self) -> str:
        return self.value


def read_cup(text: str) -> Cup:
    """The CUP in a text such as `CUP: g59j 2101 5600 007`. There is no checksum. Raises InvalidCode."""
    code = re.sub(r"^(CODICE)?CUP(NUMERO|NR|N)?(?=[A-Z0-9])", "", _bare(text))
    if CUP.fullmatch(code):
        return Cup(code)
    if PROVISIONAL_CUP.fullmatch(code):
        return Cup(code, provisional=True)
    raise _refused(code, _plausible_cup(code), lengths=(14,) if code.startswith("PROV") else (15,))


def _plausible_cup(code: str) -> str | None:
    if code.startswith("PR") and PROVISIONAL_CUP.fullmatch("PROV" + code[4:].translate(DIGIT_FOR)):
        return "PROV" + code[4:].translate(DIGIT_FOR)
    letters = {0, 3}
    swapped = "".join(c.translate(LETTER_FOR if i in letters else DIGIT_FOR) for i, c in enumerate(code))
    return swapped if CUP.fullmatch(swapped) else None


def read_cig(text: str) -> Cig:
    """The CIG in a text, its checksum verified where one is known. Raises InvalidCode."""
    code = re.sub(r"^(CODICE)?(SMART)?CIG(NUMERO|NR|N)?(?=[A-Z0-9])", "", _bare(text))
    if re.fullmatch(r"(.)\1*", code) and len(code) == 10 and code[0] in "0X":
        raise InvalidCode(Reason.PLACEHOLDER)  # 0000000000 passes the classic checksum and means "no CIG"
    if _verified(code):
        return Cig(code)
    swapped = code.translate(DIGIT_FOR)
    suggestion = next((c for c in (swapped, code[:1] + swapped[1:]) if c != code and _verified(c)), None)
    if suggestion is None and LETTER_CIG.fullmatch(code) and code[0] not in CHECKED_LETTERS:
        return Cig(code, checked=False)
    if suggestion is None and any(p.fullmatch(code) for p in (CLASSIC_CIG, SMART_CIG, LETTER_CIG)):
        raise InvalidCode(Reason.CHECKSUM)
    raise _refused(code, suggestion, lengths=(10,))


def _verified(code: str) -> bool:
    """The three checksums, each verified on every code of the ANAC open data it covers."""
    if CLASSIC_CIG.fullmatch(code):
        return int(code[7:], 16) == int(code[:7]) * 211 % 4091
    if SMART_CIG.fullmatch(code):
        return int(code[1:3], 16) == int(code[3:], 16) * 211 % 251
    if LETTER_CIG.fullmatch(code) and code[0] in CHECKED_LETTERS:
        return int(code[7:], 16) == (int(code[1:7], 16) + CHECKED_LETTERS[code[0]]) * 211 % 4091
    return False


def read_istat(text: str) -> str:
    """A municipality's six-digit ISTAT code, its leading zeros restored (spreadsheets lose them). Raises InvalidCode.

    The first three digits are the province, the last three the municipality: `000` means "all of them"
    in some files and is no municipality.
    """
    code = _bare(re.sub(r"[.,]0+\s*$", "", text))
    if not re.fullmatch(r"[0-9]{4,6}", code):
        raise _refused(code, None, lengths=(4, 5, 6))
    code = code.zfill(6)
    province, municipality = int(code[:3]), int(code[3:])
    if 201 <= province <= 299 and municipality:
        # 215 is Milan as a metropolitan city; municipalities keep the old province number, 015
        raise InvalidCode(Reason.SHAPE, f"{province - 200:03}{municipality:03}")
    if not 1 <= province <= 199 or not municipality:
        raise InvalidCode(Reason.SHAPE)
    return code


def _bare(text: str) -> str:
    """Capital letters and digits only: spaces of any kind, dots, dashes and colons go."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).upper()


def _refused(code: str, suggestion: str | None, *, lengths: tuple[int, ...]) -> InvalidCode:
    if not code:
        return InvalidCode(Reason.EMPTY)
    if suggestion is not None:
        return InvalidCode(Reason.CONFUSED, suggestion)
    return InvalidCode(Reason.SHAPE if len(code) in lengths else Reason.LENGTH)
