"""Lines of a header as people mean them: 8-bit letters, encoded words, parameters in pieces. Pure; never fails.

Encoded words are read more kindly than RFC 2047 §5 writes them: inside quotes, without blanks between them, with a
letter cut in two by the end of one.
"""

import binascii
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from intake.reading.charsets import decoded

MOST_PARAMETERS = 100

_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\r\n]*)\?=")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*+"|[^;]*)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_BASE64_GROUP = 4

Word = tuple[str, str, bytes]  # charset, how it was encoded, the bytes


def written(value: bytes) -> str:
    """A header's bytes as letters. Nothing is decoded beyond that; line ends are blanks."""
    return decoded(value).replace("\r", "").replace("\n", "")


def words(value: bytes) -> str:
    """What a header says, for people: encoded words decoded, blanks gathered."""
    return said(written(value))


def said(text: str) -> str:
    """As `words`, of letters."""
    if "=?" in text:
        text = _decoded_words(text)
    return _BLANKS.sub(" ", text).strip()


def _decoded_words(text: str) -> str:
    pieces: list[str] = []
    waiting: list[Word] = []
    end = 0
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        if between.strip() or not waiting:
            pieces += [_joined(waiting), between]
            waiting = []
        waiting.append((found[1].lower(), found[2].lower(), _bytes_of(found[2], found[3])))
        end = found.end()
    return "".join([*pieces, _joined(waiting), text[end:]])


def _joined(found: Iterable[Word]) -> str:
    """Neighbours of one charset together: mailers cut letters of several bytes in two."""
    result: list[str] = []
    charset, content = "", bytearray()
    for one, _how, data in found:
        if one != charset:
            result.append(decoded(bytes(content), charset))
            charset, content = one, bytearray()
        content += data
    return "".join(result) + decoded(bytes(content), charset)


def _bytes_of(how: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if how in "bB":
        return from_base64(raw)
    return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)


def from_base64(data: bytes) -> bytes:
    """Whatever is base64 in it."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = _NOT_BASE64.sub(b"", data)
        rest = len(letters) % _BASE64_GROUP
        whole = letters[:-1] if rest == 1 else letters
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % _BASE64_GROUP))


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """The first word of a header in lower case, and its parameters (RFC 2045 §5.1, RFC 2231)."""
    text = written(value)
    first, _, _ = text.partition(";")
    found: dict[str, str] = {}
    for number, one in enumerate(_PARAMETER.finditer(text)):
        if number >= MOST_PARAMETERS:
            break
        found.setdefault(one[1].lower(), _unquoted(one[2].strip()))
    if any("*" in name for name in found):
        found = _put_together(found)
    return _BLANKS.sub("", first).lower(), found


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def _put_together(found: dict[str, str]) -> dict[str, str]:
    """`name*0*=utf-8''a%20; name*1=b` as `name`. A name in the new form goes before the same in the old one."""
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    plain: dict[str, str] = {}
    for name, value in found.items():
        base, star, rest = name.partition("*")
        number = rest.rstrip("*") or "0"
        if star and number.isdecimal() and len(number) <= 3:
            pieces.setdefault(base, {})[int(number)] = (value, name.endswith("*"))
        else:
            plain[name] = value
    return plain | {base: _from_pieces([parts[n] for n in sorted(parts)]) for base, parts in pieces.items()}


def _from_pieces(parts: list[tuple[str, bool]]) -> str:
    charset, first = "", parts[0][0]
    if parts[0][1] and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
    values = [(first, parts[0][1]), *parts[1:]]
    raw = [unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace") for value, encoded in values]
    return decoded(b"".join(raw), charset)
