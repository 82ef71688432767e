"""Questions that are answered already: `/faq`, and those that look like one that is about to be sent. Sends nothing.

Everybody may read them. Whatever the chat of a stranger asks for is answered with the address of the page.
"""

from collections.abc import Sequence

from answering.faq import Offer, in_language
from bot.heard import id_in
from bot.markup import bold, escape, lines, paragraphs
from bot.turn import Rows, Turn, shortened
from facts.languages import N_, Language
from storage.faq import published, published_entries
from storage.tables import Category, FaqEntry

PAGE = 8  # questions on a page
LONGEST_OFFERED = 600  # characters of an answer among others: the whole one is on the page
TITLE = N_("Frequently asked questions")
Listed = Sequence[tuple[FaqEntry, Category | None]]


def begin(turn: Turn) -> None:
    """`/faq`: by category when they do not fit on one page."""
    _ = turn.html
    rows = published(turn.session)
    if not rows:
        text = _("There are no answers for everybody yet. Write your question with /domanda: a person answers.")
        turn.say(text, [[turn.to_menu()]])
    elif len(rows) > PAGE and len(_categories(rows)) > 1:
        _show_categories(turn, rows)
    else:
        _show_questions(turn, rows, 0)


def show_stranger(turn: Turn) -> None:
    """Who is not known here reads them on the page."""
    _ = turn.html
    turn.say(_('You find the frequently asked questions here: <a href="{url}">{url}</a>', url=_address(turn)))


def press(turn: Turn, argument: str) -> None:
    """`k:<category>:<page>`: its questions (0: those of none). `k:e:<entry>`: its answer. Else the beginning."""
    what, _sep, rest = argument.partition(":")
    rows = published(turn.session)
    if what == "e":
        _show_answer(turn, rows, id_in(rest))
    elif what.isascii() and what.isdigit() and rows:
        theirs = [row for row in rows if _key(row[1]) == int(what)]
        _show_questions(turn, theirs or rows, max(0, id_in(rest)))
    else:
        begin(turn)


def _show_categories(turn: Turn, rows: Listed) -> None:
    _ = turn.html
    buttons = [
        [turn.named(f"{_name(turn, category)} ({len(theirs)})", f"k:{key}:0")]
        for key, (category, theirs) in _categories(rows).items()
    ]
    turn.say(lines(bold(_(TITLE)), _("What are you interested in?")), [*buttons, [turn.to_menu()]], instead=True)


def _show_questions(turn: Turn, rows: Listed, page: int) -> None:
    """A page of them; a page that is not there is the last one."""
    _ = turn.html
    pages = -(-len(rows) // PAGE)
    page = min(page, pages - 1)
    shown = [in_language(entry, turn.language) for entry, _category in rows[page * PAGE : (page + 1) * PAGE]]
    number = page * PAGE
    asked = lines(*(f"{number + at}. {it.question}" for at, it in enumerate(shown, 1)))
    buttons = [[turn.named(f"{number + at}. {it.question}", f"k:e:{it.id}")] for at, it in enumerate(shown, 1)]
    if pages > 1:
        following = (page + 1) % pages
        key = _key(rows[0][1])
        more = turn.button(N_("More ({page} of {pages}) ▶"), f"k:{key}:{following}", page=following + 1, pages=pages)
        buttons.append([more])
    turn.say(
        paragraphs(bold(_(TITLE)), asked, _("Press a question to read its answer.")),
        [*buttons, [turn.button(N_("◀ Back"), "k:"), turn.to_menu()]],
        instead=True,
    )


def _show_answer(turn: Turn, rows: Listed, entry_id: int) -> None:
    found = next(((entry, category) for entry, category in rows if entry.id == entry_id), None)
    if found is None:
        begin(turn)
        return
    offer = in_language(found[0], turn.language)
    back = turn.button(N_("◀ Back"), f"k:{_key(found[1])}:0")
    turn.say(paragraphs(bold(offer.question), escape(offer.answer)), [[back, turn.to_menu()]], instead=True)


# -- offered before a question is sent


def still_published(turn: Turn, ids: Sequence[int]) -> Sequence[Offer]:
    return [in_language(entry, turn.language) for entry in published_entries(turn.session, ids)]


def offered(turn: Turn, offers: Sequence[Offer]) -> str:
    """Each with its answer, or the beginning of it and where to read the rest."""
    _ = turn.html
    texts = []
    for number, it in enumerate(offers, 1):
        title = f"{number}. {it.question}" if len(offers) > 1 else it.question
        answer = escape(_cut(it.answer))
        if len(it.answer) > LONGEST_OFFERED:
            url = f"{_address(turn)}#faq-{it.id}"
            answer = lines(answer, _('<a href="{url}">Read all of it</a>', url=url))
        texts.append(lines(bold(title), answer))
    return paragraphs(*texts)


def opinions(turn: Turn, offers: Sequence[Offer]) -> Rows:
    """The buttons that say which of them was the answer."""
    if len(offers) == 1:
        return [[turn.step(N_("👍 Yes, that is my answer"), f"helped-{offers[0].id}")]]
    numbered = enumerate(offers, 1)
    return [[turn.step(N_("👍 No. {n} is my answer"), f"helped-{it.id}", n=number)] for number, it in numbered]


def _cut(answer: str) -> str:
    return answer if len(answer) <= LONGEST_OFFERED else shortened(answer, LONGEST_OFFERED)


def _address(turn: Turn) -> str:
    return turn.house.links.faq(turn.language)


def _key(category: Category | None) -> int:
    return category.id if category is not None else 0


def _name(turn: Turn, category: Category | None) -> str:
    if category is None:
        return turn.plain(N_("Other questions"))
    return category.name_en if turn.language is Language.EN and category.name_en else category.name


def _categories(rows: Listed) -> dict[int, tuple[Category | None, list[FaqEntry]]]:
    """In the order of the page, each with what it has."""
    found: dict[int, tuple[Category | None, list[FaqEntry]]] = {}
    for entry, category in rows:
        found.setdefault(_key(category), (category, []))[1].append(entry)
    return found
