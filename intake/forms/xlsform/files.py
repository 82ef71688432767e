"""Opens the file of a form: Excel, or the same tables in Markdown. Pure. Refuses others, with what to do."""

from pathlib import PurePath

from facts.languages import N_
from intake.forms.outcomes import Sentence
from intake.forms.xlsform.excel import OLD, PASSWORD, read_excel
from intake.forms.xlsform.findings import Findings, Place, sentence
from intake.forms.xlsform.markdown import NO_TABLE, read_markdown
from intake.forms.xlsform.tables import Tables

LARGEST_FILE = 16 << 20  # bytes

EMPTY = N_("The file is empty.")
LARGE = N_("The file has {size} MB: a form has {most} at most. Take the pictures out of it.")
CSV = N_("The file is a CSV, which has one sheet only. Save it as “Excel Workbook (*.xlsx)” and send that.")

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls, and of an .xlsx with a password


_EXCEL = frozenset({".xlsx", ".xlsm", ".xls"})


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def too_large(size: int) -> Sentence | None:
    """What to say about a file of so many bytes, before one of them is read."""
    if size <= LARGEST_FILE:
        return None
    return sentence(LARGE, size=-(-size >> 20), most=LARGEST_FILE >> 20)  # 16 MB and a byte are not 16 MB


def open_tables(content: bytes, name: str, found: Findings) -> Tables | None:
    """Goes by the content. None when it cannot be read; then there are problems. Raises Enough."""
    large = too_large(len(content))
    if large is not None:
        found.add(Place(), large)
    elif not content.strip():
        found.problem(Place(), EMPTY)
    elif content.startswith(_OLE):
        found.problem(Place(), PASSWORD if "EncryptedPackage".encode("utf-16-le") in content else OLD)
    elif content.startswith(_ZIP):
        return read_excel(content, found)
    elif b"\0" in content or (PurePath(name).suffix.casefold() in _EXCEL and not _is_text(content)):
        found.problem(Place(), NO_TABLE)
    elif PurePath(name).suffix.casefold() == ".csv":
        found.problem(Place(), CSV)
    else:
        return read_markdown(content, found)
    return None
