"""Compares the sentences in the code with their Italian. Never changes a translation; adds and removes with `--write`.

    python tools/messages.py                      every problem, exit 1 when there is one
    python tools/messages.py --room bot           only what concerns one room
    python tools/messages.py --write [--room bot] also adds what is missing (empty) and removes what is unused

A sentence is the literal first argument of `_(…)`, `N_(…)` or `….ngettext(…)`, in Python or in a
Jinja file below a folder named `templates`, or a label of a form definition (`forms/*.json`). It lives
in one file: that of a room which says it (the alphabetically first when it is new), or `common.po`.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, normalize, read_po
from jinja2 import Environment, TemplateSyntaxError, nodes

ROOMS = ("answering", "app", "bot", "delivery", "desk", "facts", "intake", "registry", "reminders", "storage")
COMMON = "common"
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}  # how many leading arguments are sentences
FORM_TEXTS = {"title", "label", "hint", "question", "constraint_message"}
WIDTH = 110
HEADER = r"""msgid ""
msgstr ""
"Language: it\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"""


@dataclass(frozen=True)
class Problem:
    """Something that a reader would see wrong: what, which sentence, in which room or file."""

    kind: str
    sentence: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind:<11} {self.where}: {self.sentence!r}"


@dataclass(frozen=True)
class Call:
    """One place where a sentence is said. `values` is None when they cannot be known (`**values`, `N_`)."""

    forms: tuple[str, ...]
    place: str
    values: frozenset[str] | None


@dataclass
class Sentence:
    """An English sentence (and its plural), and the rooms that say it."""

    forms: tuple[str, ...]
    rooms: set[str] = field(default_factory=set)

    @property
    def home(self) -> str:
        return min(self.rooms)


def check(root: Path, room: str | None = None) -> list[Problem]:
    """Every problem of the tree at `root`, or of one room, sorted."""
    calls, problems = read_calls(root)
    sentences, conflicts = gather(calls)
    try:
        catalogues = read_catalogues(root)
    except PoFileError as error:
        return [Problem("broken", str(error), "catalogue")]
    found = [*problems, *conflicts, *_unlike(sentences, catalogues)]
    return sorted(
        {p for p in found if room is None or re.match(rf"{room}\b", p.where)},
        key=lambda p: (p.where, p.kind, p.sentence),
    )


def _unlike(sentences: dict[str, Sentence], catalogues: dict[str, Catalog]) -> Iterator[Problem]:
    written: dict[str, str] = {}
    for name, catalogue in catalogues.items():
        for message in _messages(catalogue):
            key = _key(message)
            if key in written:
                yield Problem("twice", key, f"{name}.po (and {written[key]}.po)")
            written.setdefault(key, name)
            if key not in sentences:
                yield Problem("unused", key, f"{name}.po")
            else:
                yield from _unfit(sentences[key], message, f"{name}.po")
    for key, sentence in sentences.items():
        if key not in written:
            yield Problem("missing", key, sentence.home)


def _unfit(sentence: Sentence, message: Message, where: str) -> Iterator[Problem]:
    """What is wrong with one translation."""
    key, italian = sentence.forms[0], _strings(message)
    if not all(italian):
        yield Problem("empty", key, where)
    elif message.fuzzy:
        yield Problem("fuzzy", key, where)
    elif len(italian) != len(sentence.forms):
        yield Problem("plural", key, where)
    elif placeholders(sentence.forms[-1]) != placeholders(italian[-1]) or _invents(sentence, italian[0]):
        yield Problem("placeholder", key, where)
    elif tags(sentence.forms[-1]) != tags(italian[-1]):
        yield Problem("tags", key, where)


def _invents(sentence: Sentence, italian: str) -> bool:
    """Whether the singular names a value that English has not; it may leave `{n}` out ("un progetto")."""
    allowed = frozenset[str]().union(*(placeholders(form) for form in sentence.forms))
    return not placeholders(italian) <= allowed


def placeholders(text: str) -> frozenset[str]:
    """Names between braces; a text with stray braces has the one name `{}`, which no call can fill."""
    try:
        fields = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        return frozenset({"{}"})
    return frozenset(re.split(r"[.\[]", name)[0] or "{}" for name in fields)


def tags(text: str) -> list[str]:
    return sorted(re.findall(r"</?[a-z][^>]*>", text))


def read_calls(root: Path) -> tuple[list[tuple[str, Call]], list[Problem]]:
    """Every call in every room, and what is wrong with the calls themselves."""
    calls, problems = [], []
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            for found in _in_file(path, path.relative_to(root).as_posix()):
                if isinstance(found, Problem):
                    problems.append(found)
                else:
                    calls.append((room, found))
                    problems.extend(_unfilled(found))
    return calls, problems


def _in_file(path: Path, name: str) -> list[Call | Problem]:
    try:
        if path.suffix == ".py":
            return list(_in_python(path.read_text(encoding="utf-8"), name))
        if "templates" in path.parts and path.is_file():
            return list(_in_template(path.read_text(encoding="utf-8"), name))
        if "forms" in path.parts and path.suffix == ".json":
            return list(_in_form(json.loads(path.read_text(encoding="utf-8")), name))
    except (SyntaxError, TemplateSyntaxError, json.JSONDecodeError) as error:
        return [Problem("broken", str(error), name)]
    return []


def _unfilled(call: Call) -> Iterator[Problem]:
    """Placeholders that the call does not fill would be a KeyError, or braces before the reader's eyes."""
    wanted = frozenset[str]().union(*(placeholders(form) for form in call.forms))
    if call.values is not None and not wanted <= call.values:
        yield Problem("unfilled", call.forms[0], call.place)


def _in_python(source: str, name: str) -> Iterator[Call | Problem]:
    for node in ast.walk(ast.parse(source, name)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if called not in KEYWORDS or not node.args:
            continue
        place = f"{name}:{node.lineno}"
        forms = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args[: KEYWORDS[called]]]
        if isinstance(node.args[0], ast.JoinedStr):
            yield Problem("f-string", ast.unparse(node.args[0]), place)
        yield from _call(called, forms, place, [keyword.arg for keyword in node.keywords])


def _in_template(source: str, name: str) -> Iterator[Call | Problem]:
    tree = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]).parse(source, name)
    for node in tree.find_all(nodes.Call):
        function = node.node
        called = function.name if isinstance(function, nodes.Name) else getattr(function, "attr", "")
        if called not in KEYWORDS or not node.args:
            continue
        forms = [arg.value if isinstance(arg, nodes.Const) else None for arg in node.args[: KEYWORDS[called]]]
        unknown = [None] if node.dyn_kwargs else []
        yield from _call(called, forms, f"{name}:{node.lineno}", [*(pair.key for pair in node.kwargs), *unknown])


def _in_form(part: object, name: str) -> Iterator[Call]:
    """The labels of a form definition, unless they are written in each language in the definition itself."""
    if isinstance(part, list):
        for each in part:
            yield from _in_form(each, name)
    if isinstance(part, dict):
        for key, value in part.items():
            if key in FORM_TEXTS and isinstance(value, str) and value:
                yield Call((value,), name, None)
            else:
                yield from _in_form(value, name)


def _call(called: str, forms: Sequence[object], place: str, given: list[str | None]) -> Iterator[Call]:
    sentences = tuple(form for form in forms if isinstance(form, str) and form)
    if len(sentences) != KEYWORDS[called]:
        return  # a sentence from a variable: whoever filled the variable marked it with N_
    values = None if called == "N_" or None in given else frozenset(name for name in given if name)
    yield Call(sentences, place, values | {"n"} if values is not None and called == "ngettext" else values)


def gather(calls: Iterable[tuple[str, Call]]) -> tuple[dict[str, Sentence], list[Problem]]:
    """Sentences by their English; two plurals for one singular cannot both be translated."""
    sentences: dict[str, Sentence] = {}
    conflicts = []
    for room, call in calls:
        sentence = sentences.setdefault(call.forms[0], Sentence(call.forms))
        sentence.rooms.add(room)
        if sentence.forms != call.forms:
            conflicts.append(Problem("conflict", call.forms[0], call.place))
    return sentences, conflicts


def read_catalogues(root: Path) -> dict[str, Catalog]:
    """The Italian files by name, `common` first: it wins when a sentence is in two."""
    paths = sorted((root / "facts/locale/it").glob("*.po"), key=lambda path: (path.stem != COMMON, path.stem))
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="it", charset="utf-8", abort_invalid=True)


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def write(root: Path, room: str | None = None) -> list[str]:
    """Bring the catalogues in line, or one room's, keeping every translation in use; the names of the changed files.

    Refuses while a file is broken: its sentences would look unused and lose their Italian.
    """
    calls, problems = read_calls(root)
    if any(problem.kind == "broken" for problem in problems):
        return []
    sentences, _ = gather(calls)
    files = arranged(sentences, read_catalogues(root))
    changed = []
    for name, entries in sorted(files.items()):
        if room is not None and name != room:
            continue
        path = root / "facts/locale/it" / f"{name}.po"
        text = HEADER + "".join(_entry(*entry) for _, entry in sorted(entries.items()))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path.name)
    return changed


Entry = tuple[Sentence, Message | None]


def arranged(sentences: dict[str, Sentence], catalogues: dict[str, Catalog]) -> dict[str, dict[str, Entry]]:
    """Which file holds which sentence: where it is, when its room still says it; else its home."""
    best: dict[str, tuple[str, Message]] = {}
    for name, catalogue in catalogues.items():
        for message in _messages(catalogue):
            known = best.get(_key(message))
            if known is None or (not all(_strings(known[1])) and all(_strings(message))):
                best[_key(message)] = (name, message)
    files: dict[str, dict[str, Entry]] = {name: {} for name in catalogues}
    for key, sentence in sentences.items():
        found = best.get(key)
        place = found[0] if found and found[0] in sentence.rooms | {COMMON} else sentence.home
        files.setdefault(place, {})[key] = (sentence, found[1] if found else None)
    return files


def _entry(sentence: Sentence, message: Message | None) -> str:
    strings = _strings(message) if message else ()
    fits = len(strings) == len(sentence.forms)
    lines = ["", *(f"# {comment}" for comment in (message.user_comments if message else ()))]
    if message and message.fuzzy:
        lines.append("#, fuzzy")
    lines.append(f"msgid {normalize(sentence.forms[0], width=WIDTH)}")
    if len(sentence.forms) == 1:
        lines.append(f"msgstr {normalize(strings[0] if strings else '', width=WIDTH)}")
        return "\n".join([*lines, ""])
    lines.append(f"msgid_plural {normalize(sentence.forms[1], width=WIDTH)}")
    for index in range(2):
        lines.append(f"msgstr[{index}] {normalize(strings[index] if fits else '', width=WIDTH)}")
    return "\n".join([*lines, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the sentences in the code with their Italian.")
    parser.add_argument("--write", action="store_true", help="add what is missing, remove what is unused")
    parser.add_argument("--room", choices=[*ROOMS, COMMON], help="only this room's sentences and file")
    options = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    for name in write(root, options.room) if options.write else ():
        print(f"wrote       {name}")
    problems = check(root, options.room)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
