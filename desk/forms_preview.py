"""A form as people will meet it, before anybody does: the messages of the chat beside the page. Pure; asks nothing.

Everything is shown, also what is asked only after certain answers: who publishes a form wants to see all of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from desk.fill_page import FormPage, page_of
from desk.house import DeskHouse
from facts.languages import Language
from intake.forms.filling import Filling, More, begin
from intake.forms.nodes import Definition, Group, Node, Question
from intake.forms.others import with_others
from intake.forms.plan import Plan
from intake.forms.standing import Known

# What Telegram knows and we use; links are shown as their words.
_MARKS = frozenset({"b", "strong", "i", "em", "u", "s", "code", "pre", "blockquote"})


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message of the chat."""

    text: Markup
    buttons: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """`chat` is empty in a house without a bot."""

    language: Language
    chat: tuple[Bubble, ...]
    page: FormPage


def preview(house: DeskHouse, form: Definition, language: Language) -> Preview:
    whole = all_of_it(form)
    chat = tuple(Bubble(as_page(one.html), one.buttons) for one in house.chat_preview(whole, language))
    filling = _begun(whole, house.clock().astimezone(ZoneInfo(house.zone)), language)
    return Preview(language, chat, page_of(filling, language))


def _begun(form: Definition, now: datetime, language: Language) -> Filling:
    """With each repeat once."""
    filling = begin(Plan(form), Known(now, language=language.value))
    while empty := next((one for one in filling.items if isinstance(one, More) and not one.number), None):
        filling = filling.add(empty.key).filling
    return filling


def all_of_it(form: Definition) -> Definition:
    """The same form, in which everything is asked and every choice is there: nothing hangs on an answer."""
    widened = with_others(form)
    return replace(widened, children=tuple(_unconditional(node) for node in widened.children))


def _unconditional(node: Node) -> Node:
    rules = replace(node.rules, relevant="", choice_filter="", repeat_count="")
    if isinstance(node, Group):
        return replace(node, rules=rules, children=tuple(_unconditional(one) for one in node.children))
    # its "other" is in the list by now, and asked behind it
    return replace(node, rules=rules, other=False) if isinstance(node, Question) else replace(node, rules=rules)


def as_page(html: str) -> Markup:
    """A message in Telegram's HTML as ours: its marks without any attribute, its line breaks; the rest is only text."""
    reader = _Message()
    reader.feed(html)
    reader.close()
    return Markup("").join(reader.parts)


class _Message(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[Markup] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _MARKS:
            self.parts.append(Markup("<{}>").format(tag))

    def handle_endtag(self, tag: str) -> None:
        if tag in _MARKS:
            self.parts.append(Markup("</{}>").format(tag))

    def handle_data(self, data: str) -> None:
        self.parts.append(Markup("<br>").join(escape(line) for line in data.split("\n")))
