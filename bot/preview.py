"""How the chat would ask a form, message by message, before anybody is asked. Pure: sends nothing, keeps nothing."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.asked import ON_THE_WEB_ONLY, Asked, Asking, ask_more, notes_before, options, question_text
from bot.markup import bold, lines
from bot.steps import is_asked_here
from facts.languages import N_, Language, speaking
from intake.forms.filling import Filling, Item, More, begin
from intake.forms.nodes import Definition
from intake.forms.plan import Plan
from intake.forms.standing import Known

Message = tuple[str, tuple[tuple[str, ...], ...]]  # Telegram's HTML, and the labels of the buttons


def preview(form: Definition, language: Language, now: datetime, zone: str) -> list[Message]:
    """One message for each question of the form without answers, each repeat begun once; then what notes remain."""
    filling = begin(Plan(form), Known(now.astimezone(ZoneInfo(zone)), language=language.value))
    while empty := next((one for one in filling.items if isinstance(one, More) and not one.number), None):
        filling = filling.add(empty.key).filling
    found = [_shown(filling, one, language) for one in filling.items if is_asked_here(filling, one)]
    return found + [(note, ()) for note in notes_before(filling, None, language)]


def _shown(filling: Filling, one: Item | More, language: Language) -> Message:
    asked = (
        ask_more(filling, one, speaking(language, html=True))
        if isinstance(one, More)
        else _asked(filling, one, language)
    )
    return str(asked.html), tuple(tuple(label for label, _value in row) for row in asked.rows)


def _asked(filling: Filling, item: Item, language: Language) -> Asked:
    _, html = speaking(language), speaking(language, html=True)
    asking = Asking(filling, item, _)
    n, total = filling.progress(item.key)
    header = html(N_("{n} of {total} · {title}"), n=n, total=total, title="…")
    if item.question.private:
        ways = tuple((_(label), "") for label in (N_("◀ Back"), N_("Go on ▶"), N_("✖ Cancel")))
        text = lines(header, bold(asking.words(item.question.label)), "🔒 " + html(ON_THE_WEB_ONLY))
        return Asked(text, (((_(N_("🌐 Answer on the web")), ""),), ways))
    skip = [] if filling.is_required(item) else [_(N_("Skip ▶"))]
    ways = tuple((label, "") for label in (_(N_("◀ Back")), *skip, _(N_("🌐 Web")), _(N_("✖ Cancel"))))
    rows = tuple(tuple(row) for row in options(asking))
    return Asked(question_text(asking, header), (*rows, ways))
