"""Bytes of a mail as text, whatever their label says. Pure; never fails, and asks no codec that it does not know.

Labels are often wrong: iso-8859-1 and us-ascii are read as cp1252, which is what Windows means by them; what is no
utf-8 is cp1252; what is labelled with nothing that we know is utf-8 or else cp1252.
"""

import re
from encodings.aliases import aliases

_TEXT = [
    "utf_8",
    "utf_16",
    "utf_16_be",
    "utf_16_le",
    "utf_32",
    "utf_32_be",
    "utf_32_le",
    "utf_7",
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "cp437",
    "cp850",
    "cp852",
    "cp855",
    "cp858",
    "cp866",
    "iso8859_2",
    "iso8859_3",
    "iso8859_4",
    "iso8859_5",
    "iso8859_6",
    "iso8859_7",
    "iso8859_8",
    "iso8859_9",
    "iso8859_10",
    "iso8859_13",
    "iso8859_14",
    "iso8859_15",
    "iso8859_16",
    "koi8_r",
    "koi8_u",
    "mac_roman",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "euc_jp",
    "shift_jis",
    "iso2022_jp",
    "euc_kr",
]
# A fixed list: "punycode" and "idna" are quadratic, and for an unknown name Python looks for a module of that name.
_CODECS = {name: name for name in _TEXT} | {alias: name for alias, name in aliases.items() if name in _TEXT}
_CODECS |= {name.replace("iso8859_", "iso_8859_"): name for name in _TEXT if name.startswith("iso8859_")}
_CODECS |= {"gb2312": "gb18030", "gbk": "gb18030", "macintosh": "mac_roman", "x_mac_roman": "mac_roman"}
_WINDOWS = frozenset(
    [
        "ascii",
        "us_ascii",
        "ansi_x3_4_1968",
        "iso_8859_1",
        "iso8859_1",
        "latin_1",
        "latin1",
        "l1",
        "cp819",
        "windows_1252",
        "cp1252",
        "x_ansi",
    ]
)
_UTF_8 = frozenset(("", "utf_8", "utf8", "unicode_1_1_utf_8"))
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


def decoded(data: bytes, label: str = "") -> str:
    """The text, without NUL and without halves of surrogate pairs, which no database takes."""
    name = _NOT_LETTERS.sub("_", label[:40].lower()).strip("_")
    if name in _WINDOWS:
        text = _windows(data)
    elif name in _UTF_8 or name not in _CODECS:
        text = _utf_8(data)
    else:
        text = _by(_CODECS[name], data)
    return text.replace("\x00", "").removeprefix("\ufeff")


def _utf_8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _windows(data)


def _windows(data: bytes) -> str:
    return data.decode("cp1252", "replace")


def _by(codec: str, data: bytes) -> str:
    try:
        return _SURROGATES.sub("\ufffd", data.decode(codec, "replace"))
    except (UnicodeError, LookupError, ValueError):
        return _utf_8(data)
