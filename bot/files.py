"""Files, places and contacts that people send: written down, and put where they belong. Fetches nothing.

They belong to what the person is doing: the thread they reply to, the update or question they are writing. Sent on
their own they may become a question, or go along with an update. For what cannot be had there is a way to that very
place, on the person's own page.
"""

from collections.abc import Sequence

from bot import asking, circulars, filling, threads, updating
from bot.asked import takes_files, takes_text
from bot.markup import lines, paragraphs
from bot.menu import ORIGINALS
from bot.screens import show_step
from bot.steps import filling_now, item_now, move_to, step_after
from bot.turn import Turn, shortened
from delivery.words import PERSONAL_PAGE, Button, Words
from facts.languages import N_, Language, Speaker, speaking
from intake.expected import Expected, WhyMissing, expect
from intake.files import LIMIT, MIB
from intake.forms.filling import Item
from intake.forms.hearing import hear_ahead, weigh
from intake.forms.nodes import QuestionType
from intake.forms.values import MOST_ENCLOSED
from storage import attachments
from storage.tables import Attachment, DraftKind, FileKind, FileState

MOST_NAMED = 5
PLACELESS = frozenset({FileKind.LOCATION, FileKind.CONTACT})  # nothing in them is a file

KINDS = {
    FileKind.FILE: N_("file"),
    FileKind.PHOTO: N_("photo"),
    FileKind.VOICE: N_("voice message"),
    FileKind.VIDEO: N_("video"),
    FileKind.LOCATION: N_("place"),
    FileKind.CONTACT: N_("contact"),
}
WHY = {
    WhyMissing.TOO_LARGE: N_(
        "“{name}” is too large for Telegram: from here I can only fetch files up to {limit} MB. "
        "Leave it on your page: it ends up in the very same place."
    ),
    WhyMissing.REFUSED: N_(
        "I cannot take “{name}”: no programs, scripts or web pages. "
        "If you have it as a PDF, for example, leave it here: it ends up in the very same place."
    ),
    WhyMissing.EXPIRED: N_(
        "Telegram does not hand me “{name}”. Leave it on your page: it ends up in the very same place."
    ),
}


def take(turn: Turn) -> None:
    """A message with something in it that is no part of an album."""
    if turn.heard.enclosed is None:
        cannot_read(turn)
    else:
        place(turn, [write_down(turn)])


def cannot_read(turn: Turn) -> None:
    """Stickers, polls, games, what Telegram will invent tomorrow: kept raw, and said so."""
    _ = turn.html
    turn.say(
        _(
            "I cannot read this kind of message. You can write to me, or send photos, files, voice messages, "
            "a place or a contact."
        ),
        [[turn.link(N_("Open my page"), PERSONAL_PAGE)], [turn.to_menu()]],
        key=f"album:{turn.chat}:{turn.heard.album}" if turn.heard.album else None,
    )


def write_down(turn: Turn, album_id: int | None = None, name: str = "") -> Attachment:
    """What this message brought, before it is known where it belongs; under another `name` where its own is taken."""
    heard, enclosed = turn.heard, turn.heard.enclosed
    assert enclosed is not None
    what = Expected(
        kind=enclosed.kind,
        name=name or enclosed.name or turn.plain(KINDS[enclosed.kind]),
        size=enclosed.size,
        type_claimed=enclosed.type,
        file_id=enclosed.file_id,
        file_unique_id=enclosed.unique_id,
        provider_id=heard.message,
        caption=heard.text,
        detail=dict(enclosed.detail),
    )
    person, inbox = turn.person.id, turn.inbox_id
    return expect(turn.session, what, referent_id=person, inbox_id=inbox, now=turn.now, album_id=album_id)


def place(turn: Turn, files: Sequence[Attachment]) -> None:
    """Puts them where they belong and says where that is. `turn.heard.text` holds the words that came with them."""
    hint = turn.note = _about_originals(turn, files)
    if not (threads.continue_thread(turn, files) or circulars.continue_circular(turn, files)):
        turn.note = ""
        updating.lost_project(turn)
        turn.note = lines(received(turn, files), hint)
        if turn.open_work is None:
            asking.offer(turn, files)
        elif turn.work.kind is DraftKind.UPDATE:
            _add_to_update(turn, files)
        else:
            asking.hear_files(turn, files)
    tell_missing(turn, files)


def _about_originals(turn: Turn, files: Sequence[Attachment]) -> str:
    """With somebody's first photo, once: nothing in Telegram tells them."""
    photos = [one.id for one in files if one.kind is FileKind.PHOTO]
    if not photos or attachments.sent_photos_before(turn.session, turn.person.id, min(photos)):
        return ""
    return turn.html(ORIGINALS)


def received(turn: Turn, files: Sequence[Attachment]) -> str:
    """ "📎 relazione.pdf", "📎 5 foto": what was understood; what cannot be had is told apart."""
    _ = turn.html
    coming = [one for one in files if one.state is not FileState.MISSING]
    if not coming:
        return ""
    return _("📎 Received: {what}", what=summed_up(turn, coming))


def summed_up(turn: Turn, files: Sequence[Attachment]) -> str:
    """Plain: what each is, documents by their names; of many, how many."""
    if len(files) > 1 and all(one.kind is FileKind.PHOTO for one in files):
        return turn.plain.ngettext("one photo", "{n} photos", len(files))
    if len(files) > MOST_NAMED:
        return turn.plain.ngettext("one file", "{n} files", len(files))
    return ", ".join(
        shortened(one.name, 60) if one.kind is FileKind.FILE else turn.plain(KINDS[one.kind]) for one in files
    )


def _add_to_update(turn: Turn, files: Sequence[Attachment]) -> None:
    """They go along with the update. The words below them answer the question, when it asks for words."""
    attachments.put_in_draft(turn.session, [one.id for one in files], turn.work.id)
    item, _ = item_now(turn), turn.html
    if isinstance(item, Item) and not item.question.private:
        if takes_files(item.question):
            _answer_with(turn, item, files)
            return
        if item.question.type is QuestionType.GEOPOINT and (place := _place_in(files)) is not None:
            filling.take(turn, item, weigh(filling_now(turn), item, place))
            return
        if turn.heard.text and _takes_words(turn, item):
            filling.hear_answer(turn)
            return
    show_step(turn, _("It goes along with this update."))


def _takes_words(turn: Turn, item: Item) -> bool:
    """Whether the words below a photo are the answer: of a question for words, or a story where a yes opens one."""
    return takes_text(item.question) or hear_ahead(filling_now(turn), item, turn.heard.text) is not None


def _answer_with(turn: Turn, item: Item, files: Sequence[Attachment]) -> None:
    """They are the answer, beside those that were one already. A place or a contact is none."""
    found = filling_now(turn)
    given = [*found.answers.get(item.key, []), *(one.id for one in files if one.kind not in PLACELESS)]
    if len(given) > MOST_ENCLOSED:
        show_step(turn, turn.html(N_("There are too many files: {n} at most."), n=MOST_ENCLOSED))
    elif not given:
        show_step(turn, turn.html(N_("It goes along with this update.")))
    else:
        changed = found.change({item.key: given}).filling
        move_to(turn, changed, turn.work.step if turn.work.memory.get("editing") else step_after(changed, item.key))
        show_step(turn)


def _place_in(files: Sequence[Attachment]) -> list[float] | None:
    """Latitude and longitude of a place that was sent."""
    found = next((one.detail for one in files if one.kind is FileKind.LOCATION), {})
    values = [found.get("latitude"), found.get("longitude")]
    return [float(one) for one in values if one is not None] if None not in values else None


def tell_missing(turn: Turn, files: Sequence[Attachment]) -> None:
    """At once, and with the way to that very place. One message for all of them."""
    missing = [one for one in files if one.state is FileState.MISSING]
    if missing:
        turn.say(
            paragraphs(*(_why_missing(turn.html, one.name, WhyMissing(one.error or "")) for one in missing)),
            [[_upload_button(turn.plain, one.id, one.name)] for one in missing],
        )


def missing_words(language: str, attachment_id: int, name: str, why: WhyMissing) -> Words:
    """The same for one file, when it turns out later that it cannot be had."""
    html, plain = speaking(Language(language), html=True), speaking(Language(language))
    subject = plain(N_("A file has not arrived: {name}"), name=shortened(name, 60))
    return Words(_why_missing(html, name, why), subject, ((_upload_button(plain, attachment_id, name),),))


def _why_missing(_: Speaker, name: str, why: WhyMissing) -> str:
    return "⚠️ " + _(WHY[why], name=shortened(name, 80), limit=LIMIT // MIB)


def _upload_button(_: Speaker, attachment_id: int, name: str) -> Button:
    label = _(N_("⬆️ Leave “{name}”"), name=shortened(name, 30))
    return Button(shortened(label), url=f"{PERSONAL_PAGE}/upload/{attachment_id}")
