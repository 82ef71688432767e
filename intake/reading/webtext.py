"""A web page in a mail as text, its links kept. Pure; never fails; renders nothing, fetches nothing, builds no tree.

Looks at each mark once, from the beginning to the end: parsers that build the tree of a page take the square of its
depth, or of the number of attributes of one element. What a style hides is shown.
"""

import re
from html import unescape

LARGEST = 2_000_000  # letters

# fmt: off
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tr", "ul",
))
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"))
# fmt: on
# Quotes hold something only after `=`: an apostrophe elsewhere in a mark must not swallow the rest of the page.
_TOKEN = re.compile(
    r"(?P<unseen><(?P<which>script|style|title|iframe|svg|noscript)\b[^<>]*+>)|<!--(?P<comment>)"
    r"|<(?P<end>/?)(?P<tag>[a-zA-Z][^\s/>]{0,40})"
    r"(?P<rest>(?>[^>=]|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+)(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)|(?P<text>[^<]++|<)",
    re.IGNORECASE,
)
_HREF = re.compile(r"\shref\s*+=\s*+(?:\"([^\"]*+)|'([^']*+)|([^\s\"'>]++))", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*+=\s*+(?:\"([^\"]*+)|'([^']*+)|([^\s\"'>]++))", re.IGNORECASE)
_DATA = re.compile(r"data:[^\"'\s<>]{100,}+")
_BLANKS = re.compile(r"[ \t\r\n\f\u200b\u2060\ufeff]+")
_LINK = ("http://", "https://", "mailto:", "tel:")
LONGEST_MARK = 20_000  # letters of a mark that are looked at


def text_of_page(page: str) -> str:
    """What a person would read there, of the first LARGEST letters; pictures that it holds itself are not counted."""
    walk = _Walk(without_pictures(page)[:LARGEST])
    return walk.text()


def without_pictures(page: str) -> str:
    return _DATA.sub("data:", page) if "data:" in page else page


class _Walk:
    """Over a page, mark by mark."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0  # of quotations
        self._kept = 0  # depth of <pre>
        self._link: tuple[str, int] | None = None
        self._space = False
        self._without_end: set[str] = set()

    def text(self) -> str:
        at = 0
        while (found := _TOKEN.match(self._page, at)) is not None and found.end() > at:
            at = self._take(found)
        self._close_link()
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def _take(self, found: re.Match[str]) -> int:
        """And where to go on."""
        if found["text"]:
            self._say(unescape(found["text"]))
        elif found["comment"] is not None:
            return self._past("-->", found.end())
        elif found["unseen"]:
            return self._past(f"</{found['which'].lower()}", found.end())
        elif found["tag"]:
            tag, rest = found["tag"].lower(), found["rest"][:LONGEST_MARK]
            if found["end"]:
                self._leave(tag)
            else:
                self._enter(tag, rest)
        return found.end()

    def _past(self, end: str, start: int) -> int:
        """After the next such end; where there is none, nothing is passed over. Not looked for twice in vain."""
        if end in self._without_end:
            return start
        at = re.compile(re.escape(end), re.IGNORECASE).search(self._page, start)
        if at is None:
            self._without_end.add(end)
            return start
        return at.end() if end == "-->" else at.start()

    def _enter(self, tag: str, rest: str) -> None:
        if tag == "br":
            self._end_line(always=True)
        elif tag in _BLOCKS:
            self._begin_block(tag)
        elif tag in ("td", "th"):
            self._space = True
        elif tag == "img":
            words = _attribute(_ALT, rest)
            self._say(f" [{words[:200]}] " if words else "")
        elif tag == "a":
            self._close_link()
            self._link = (_attribute(_HREF, rest), len(self._line))

    def _leave(self, tag: str) -> None:
        if tag == "a":
            self._close_link()
        elif tag in _BLOCKS:
            self._end_line()
            if tag in _APART:
                self._blank_line()
            self._depth = max(0, self._depth - (tag == "blockquote"))
            self._kept = max(0, self._kept - (tag == "pre"))

    def _begin_block(self, tag: str) -> None:
        self._end_line()
        if tag in _APART:
            self._blank_line()
        self._depth += tag == "blockquote"
        self._kept += tag == "pre"
        if tag == "li":
            self._line.append("- ")
        if tag == "hr":
            self._line.append("_" * 20)
            self._end_line()

    def _say(self, text: str) -> None:
        if self._kept:
            *whole, last = text.replace("\r\n", "\n").split("\n")
            for line in whole:
                self._line.append(line)
                self._end_line(always=True)
            self._line.append(last)
            return
        gathered = _BLANKS.sub(" ", text)
        if gathered.strip(" "):
            if (self._space or gathered[0] == " ") and self._line and not self._line[-1].endswith(" "):
                self._line.append(" ")
            self._line.append(gathered.strip(" "))
            self._space = gathered[-1] == " "
        else:
            self._space |= bool(gathered)

    def _close_link(self) -> None:
        if self._link is None:
            return
        (target, start), self._link = self._link, None
        shown = "".join(self._line[start:]).strip()
        bare = target.split(":", 1)[-1].strip("/")
        if target.lower().startswith(_LINK) and (not shown or bare not in shown):
            self._line.append(f"{' ' if self._line else ''}({target[:2000]})")

    def _end_line(self, *, always: bool = False) -> None:
        words = "".join(self._line).rstrip().replace("\xa0", " ")
        self._line.clear()
        self._space = False
        if self._link is not None:
            self._link = (self._link[0], 0)
        if words.strip() or always:
            self._lines.append(f"{'>' * min(self._depth, 50)}{' ' if self._depth else ''}{words}".rstrip())

    def _blank_line(self) -> None:
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(">" * min(self._depth, 50))


def _attribute(pattern: re.Pattern[str], rest: str) -> str:
    found = pattern.search(rest)
    return "" if found is None else unescape("".join(found.groups(default=""))).strip()
