"""A web page in a mail as text, its links kept. Pure; never fails, never recurses; renders nothing and fetches nothing.

Where a page has more elements than any letter needs, its marks are only taken off: a tree of them takes the square of
its depth to build.
"""

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

MOST_MARKS = 12_000  # of `<`; the tree of the worst page of so many takes a sixth of a second
LARGEST = 4 * 1024 * 1024  # letters

# fmt: off
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tr", "ul",
))
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"))
_UNSEEN = frozenset(("head", "script", "style", "title", "noscript", "template", "svg", "object", "iframe"))
# fmt: on
_BLANKS = re.compile(r"[ \t\r\n\f\u200b\u2060\ufeff]+")
_MARK = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<\s*(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LINK = ("http://", "https://", "mailto:", "tel:")


def text_of_page(page: str) -> str:
    """What a person would read there."""
    page = page[:LARGEST]
    if page.count("<") > MOST_MARKS:
        return _marks_off(page)
    root = LexborHTMLParser(page).root
    walk = _Walk()
    if root is not None:
        walk.over(root)
    return walk.text()


def _marks_off(page: str) -> str:
    text = unescape(_MARK.sub(" ", _BREAK.sub("\n", page)))
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in text.split("\n"))


class _Walk:
    """Over a tree, in its order, down and up again."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0  # of quotations
        self._kept = 0  # depth of <pre>
        self._links: list[tuple[str, int]] = []
        self._space = False

    def over(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        while node is not None:
            down = node.child if self._enter(node) else None
            if down is not None:
                node = down
                continue
            node = self._next(node, root)

    def _next(self, node: LexborNode, root: LexborNode) -> LexborNode | None:
        here: LexborNode | None = node
        while here is not None:
            self._leave(here)
            if here.mem_id == root.mem_id:
                return None
            following = here.next
            if following is not None:
                return following
            here = here.parent
        return None

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def _enter(self, node: LexborNode) -> bool:
        """Whether there is something to see inside."""
        tag = node.tag or ""
        if tag == "-text":
            self._say(node.text_content or "")
            return False
        if tag in _UNSEEN or (tag.startswith(("-", "!")) and tag != "-document"):
            return False
        if tag == "br":
            self._end_line(always=True)
        elif tag in _BLOCKS:
            self._begin_block(tag)
        elif tag in ("td", "th"):
            self._space = True
        elif tag == "img":
            self._image(node)
        elif tag == "a":
            self._links.append(((node.attributes.get("href") or "").strip(), len(self._line)))
        return not self._is_hidden(node)

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in _BLOCKS:
            self._end_line()
            if tag in _APART:
                self._blank_line()
            self._depth -= tag == "blockquote"
            self._kept -= tag == "pre"

    @staticmethod
    def _is_hidden(node: LexborNode) -> bool:
        style = node.attributes.get("style")
        return style is not None and _HIDDEN.search(style[:2000]) is not None

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

    def _image(self, node: LexborNode) -> None:
        words = (node.attributes.get("alt") or "").strip()
        if words:
            self._say(f" [{words[:200]}] ")

    def _end_link(self, target: str, start: int) -> None:
        shown = "".join(self._line[start:]).strip()
        bare = target.split(":", 1)[-1].strip("/")
        if target.lower().startswith(_LINK) and (not shown or bare not in shown):
            self._line.append(f"{' ' if shown else ''}({target[:2000]})")

    def _end_line(self, *, always: bool = False) -> None:
        words = "".join(self._line).rstrip().replace("\xa0", " ")
        self._line.clear()
        self._space = False
        if words.strip() or always:
            self._lines.append(f"{'>' * min(self._depth, 50)}{' ' if self._depth else ''}{words}".rstrip())

    def _blank_line(self) -> None:
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(">" * min(self._depth, 50))
