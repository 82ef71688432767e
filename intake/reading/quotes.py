"""What was written now, apart from what a mail repeats and how it is signed. Pure; looks at each line once.

Nothing is dropped: what is folded away is handed out beside. What somebody wrote below or inside a quotation is what
they wrote now, so only lines marked with `>` are folded there; a quotation without marks, as Outlook makes it, goes on
to the end. Where it has everything, nothing is folded.
"""

import re

LONGEST_LINE = 400  # letters of a line that are looked at
LONGEST_SIGNATURE = 12  # lines after a "--" without its blank

_BEFORE = r"[\s*_]*"
_QUOTED = re.compile(r"\s{0,3}>")
_BLANK = re.compile(r"[\s>]*\Z")
_WROTE_END = re.compile(
    r"(?:(?:ha|hai|hanno) |\A\s*)scritto\s?:?[\s*_]*\Z|\bscrive(?:va)?\s?:[\s*_]*\Z|\bwrote\s?:?[\s*_]*\Z"
    r"|a écrit\s?:[\s*_]*\Z|\bschrieb\b[^:]{0,80}:[\s*_]*\Z|escribió\s?:[\s*_]*\Z",
    re.IGNORECASE,
)
_WROTE_BEGIN = re.compile(
    rf"{_BEFORE}(?:il (?:giorno\b|\d|lun|mar|mer|gio|ven|sab|dom|gen|feb)|in data\b|on\b|le \d|am \d|el )",
    re.IGNORECASE,
)
_SAYS_WHEN = re.compile(r"\d{1,2}[:.]\d\d|\d{4}|@")
_SEPARATOR = re.compile(
    r"\s*[-_*=]{2,}\s*(?:messaggio (?:originale|inoltrato|inoltrato da\b.*)|original message|forwarded message"
    r"|ursprüngliche nachricht|message d'origine|inoltrato da\b.{0,200}|forwarded by\b.{0,200})"
    r"\s*[-_*=]*\s*\Z",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"inoltrat|forward", re.IGNORECASE)
_BEGIN_FORWARDED = re.compile(
    r"\s*(?:inizio(?: del)? messaggio inoltrato|begin forwarded message)\s*:\s*\Z", re.IGNORECASE
)
_FROM_LINE = re.compile(rf"{_BEFORE}(?:da|from|mittente|von|de)\s?:[*_]*\s*\S", re.IGNORECASE)
_HEADING_LINE = re.compile(
    rf"{_BEFORE}(?:inviato|data|a|cc|ccn|oggetto|per|priorità|importanza|allegati|rispondi a|sent|date|to|bcc|subject"
    r"|importance|attachments|reply-to|gesendet|an|betreff|envoyé|à|objet|da|from)(?: il)?\s?:",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*_{10,}\s*\Z")
_PHONE = re.compile(
    r"\s*(?:(?:inviato|inviata|spedito) (?:da|dal|dalla|con|tramite) |sent (?:from|with|via) "
    r"|(?:scarica|ottieni|get) outlook )"
    r"[^.!?(<]{0,120}\.?(?:\s?[(<][^\s()<>]{1,200}[)>])?\s*\Z",
    re.IGNORECASE,
)


def fold(text: str) -> tuple[str, str]:
    """What was written now, and the rest."""
    lines = text.split("\n")
    folded, forwarded = _Folding(lines).folded()
    seen = [line for line, gone in zip(lines, folded, strict=True) if not gone]
    rest = [line for line, gone in zip(lines, folded, strict=True) if gone]
    if forwarded and not "".join(seen).strip():
        return _tidy(lines), ""
    return _tidy(seen), _tidy(rest)


def _tidy(lines: list[str]) -> str:
    """Without blanks at the ends of lines and of the whole, one empty line at a time."""
    kept: list[str] = []
    for line in lines:
        one = line.rstrip()
        if one or (kept and kept[-1]):
            kept.append(one)
    return "\n".join(kept).strip("\n")


class _Folding:
    """One mail's lines. Marks those to be folded away."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = [line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] for line in lines]
        self._gone = [False] * len(lines)
        self._forwarded = False

    def folded(self) -> tuple[list[bool], bool]:
        """And whether a quotation to the end leaves nothing to be seen: then it is what was meant to be said."""
        end = self._fold_to_the_end()
        self._fold_marked(end)
        self._fold_signatures(end)
        return self._gone, self._forwarded

    def _fold_to_the_end(self) -> int:
        """From where an unmarked quotation begins; the number of lines when there is none."""
        for number, line in enumerate(self._lines):
            start = self._unmarked_from(number, line)
            if start is not None:
                self._gone[start:] = [True] * (len(self._lines) - start)
                self._forwarded = True
                return start
        return len(self._lines)

    def _unmarked_from(self, number: int, line: str) -> int | None:
        if not line or line.isspace() or _QUOTED.match(line):
            return None
        if _SEPARATOR.match(line) or _BEGIN_FORWARDED.match(line):
            return None if self._marked_follows(number) else number
        if _FROM_LINE.match(line) and self._is_heading(number):
            above = self._line_above(number)
            return above if above >= 0 and _RULE.match(self._lines[above]) else number
        if _WROTE_END.search(line) and not self._marked_follows(number):
            return self._attribution_from(number, sure=False)
        return None

    def _is_heading(self, number: int) -> bool:
        """Da, Inviato, A, Oggetto: three of them at least among the next lines, which may be wrapped."""
        following = [line for line in self._lines[number + 1 : number + 12] if line.strip()]
        return sum(_HEADING_LINE.match(line) is not None for line in following[:8]) >= 2

    def _line_above(self, number: int) -> int:
        above = number - 1
        while above >= max(0, number - 3) and not self._lines[above].strip():
            above -= 1
        return above if above >= max(0, number - 3) else -1

    def _marked_follows(self, number: int) -> bool:
        for line in self._lines[number + 1 : number + 5]:
            if line.strip():
                return _QUOTED.match(line) is not None
        return False

    def _attribution_from(self, number: int, *, sure: bool) -> int | None:
        """Where "Il giorno … ha scritto:" begins, which mailers wrap. `sure`: a marked line follows."""
        if _WROTE_BEGIN.match(self._lines[number]):
            return number
        for start in range(number - 1, max(-1, number - 4), -1):
            if not self._lines[start].strip() or _QUOTED.match(self._lines[start]):
                break
            if _WROTE_BEGIN.match(self._lines[start]):
                return start
        if sure or _SAYS_WHEN.search(self._lines[number]):
            return number if sure or self._lines[number].rstrip().endswith(":") else None
        return None

    def _fold_marked(self, end: int) -> None:
        """Lines with `>`, the blank ones among them, and who is said to have written them."""
        last = -1  # the last marked line, when only blank ones have come since
        for number in range(end):
            line = self._lines[number]
            if _QUOTED.match(line):
                if last < 0:
                    self._fold_attribution(number)
                else:
                    self._gone[last:number] = [True] * (number - last)
                self._gone[number] = True
                last = number
            elif line and not line.isspace():
                last = -1

    def _fold_attribution(self, number: int) -> None:
        above = self._line_above(number)
        if above < 0 or self._gone[above]:
            return
        line = self._lines[above]
        if _SEPARATOR.match(line) or _BEGIN_FORWARDED.match(line):
            self._gone[above:number] = [True] * (number - above)
            return
        start = self._attribution_from(above, sure=True) if _WROTE_END.search(line) else None
        if start is not None:
            self._gone[start:number] = [True] * (number - start)

    def _fold_signatures(self, end: int) -> None:
        """In each stretch between quotations: from "-- " on, and the line that a telephone adds at its end."""
        start = 0
        for number in range(end + 1):
            if number == end or self._gone[number]:
                if number > start:
                    self._fold_signature(start, number)
                start = number + 1

    def _fold_signature(self, start: int, end: int) -> None:
        for number in range(start, end):
            line = self._lines[number].rstrip("\r")
            if line == "-- " or (line in ("--", "— ", "—") and end - number <= LONGEST_SIGNATURE):
                self._gone[number:end] = [True] * (end - number)
                end = number
                break
        last = end - 1
        while last >= start and not self._lines[last].strip():
            last -= 1
        if last >= start and _PHONE.match(self._lines[last]):
            self._gone[last:end] = [True] * (end - last)
