"""What our own mail server found out about the sender's domain (RFC 8601). Pure; believes nobody else's header."""

import re

from intake.reading.headers import written

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|\\.|[();]|[^"\\();]+|.', re.DOTALL)
_DMARC = re.compile(r"\s*dmarc(?:\s*/\s*1)?\s*=\s*([a-z]+)(.*)", re.IGNORECASE | re.DOTALL)
_FROM = re.compile(r"(?:^|\s)header\s*\.\s*from\s*=\s*([^\s;]+)", re.IGNORECASE)


def passed_domain(values: list[bytes], authserv_id: str, sender: str) -> str:
    """The domain of `sender` when DMARC has passed for it, else "".

    Only the topmost header with our id counts: a server that knows its trade puts its own on top, and one further down
    came with the mail. `values` in their order from the top.
    """
    if not authserv_id:
        return ""
    for value in values:
        items = _items(written(value))
        if items[0].split()[:1] == [authserv_id.lower()]:
            return _of_results(items[1:], sender.rpartition("@")[2])
    return ""


def _of_results(items: list[str], domain: str) -> str:
    results = [found for item in items if (found := _DMARC.fullmatch(item)) is not None]
    if len(results) != 1 or results[0][1].lower() != "pass":
        return ""
    named = _FROM.findall(results[0][2])
    if len(named) != 1:
        return ""
    return domain if named[0].strip('"').rstrip(".").lower() == domain and domain else ""


def _items(text: str) -> list[str]:
    """Between semicolons, without comments; quoted strings hold neither."""
    items: list[list[str]] = [[]]
    depth = 0
    for found in _TOKEN.finditer(text):
        piece = found[0]
        if piece in ("(", ")"):
            depth = max(0, depth + (1 if piece == "(" else -1))
        elif depth == 0 and piece == ";":
            items.append([])
        elif depth == 0:
            items[-1].append(piece)
    first, *rest = (" ".join("".join(item).split()) for item in items)
    return [first.lower(), *rest]
