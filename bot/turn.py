"""One thing heard and the means to answer it: who, where they were, what to say. Decides nothing by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from bot.heard import Heard, Kind
from bot.house import House
from bot.markup import paragraphs
from delivery.outbox import queue
from delivery.words import Button, Words
from facts.calendar import local_date
from facts.languages import N_, Language, Speaker, speaking
from intake.forms.filling import Filling
from storage.attachments import of_draft
from storage.drafts import Person, Scene, Subject, Work, change_draft, find_draft, insert_draft, scene_at
from storage.tables import Channel, Draft, DraftKind, DraftState, OutboxKind

LABEL = 58  # characters of a button; a phone shows about 40 and cuts the rest
BLANK = Work(0, DraftKind.UPDATE, None, None, None, None, {}, "", {}, 0, {})

Rows = Sequence[Sequence[Button]]


class DraftMoved(Exception):
    """The draft was changed through another door meanwhile; the worker tries again and sees where it is now."""


@dataclass(slots=True)
class Turn:
    """`scene` is None for a stranger. `said` counts the answers, for their keys.

    `recall`: after the answer, a question written and not sent is offered again. `note` goes before the next answer.
    `source`: what was heard is the answer to this question, or these words; kept with the next change of the draft.
    `filling`: draft, revision, and how it stands: see `bot/steps.py`.
    """

    house: House
    session: Session
    heard: Heard
    inbox_id: int
    now: datetime
    scene: Scene | None = None
    said: int = 0
    speaks: Language | None = None
    recall: bool = False
    note: str = ""
    source: dict[str, Any] | None = None
    filling: tuple[int, int, Filling] | None = None

    @property
    def person(self) -> Person:
        assert self.scene is not None, "strangers are answered before"
        return self.scene.person

    @property
    def work(self) -> Work:
        assert self.scene is not None
        assert self.scene.work is not None, "the caller knows that a draft is open"
        return self.scene.work

    @property
    def open_work(self) -> Work | None:
        return self.scene.work if self.scene else None

    @property
    def subject(self) -> Subject:
        assert self.scene is not None
        assert self.scene.subject is not None, "a draft without its project has been cancelled"
        return self.scene.subject

    @property
    def language(self) -> Language:
        """Of the person; of the phone for a stranger, unless `speaks` says otherwise."""
        if self.speaks is not None:
            return self.speaks
        if self.scene is not None:
            return Language(self.scene.person.language)
        return Language.EN if self.heard.language.startswith("en") else self.house.language

    @property
    def html(self) -> Speaker:
        """For texts: values are escaped."""
        return speaking(self.language, html=True)

    @property
    def plain(self) -> Speaker:
        """For buttons."""
        return speaking(self.language)

    @property
    def today(self) -> date:
        return local_date(self.now, self.house.zone)

    @property
    def chat(self) -> str:
        return str(self.heard.chat)

    # -- saying ------------------------------------------------------------------------------------

    def say(
        self,
        html: str,
        rows: Rows = (),
        *,
        question_id: int | None = None,
        key: str | None = None,
        instead: bool = False,
    ) -> None:
        """Queues one answer. `key`: said once, however many messages ask for it.

        `instead`: in place of the message whose button was pressed.
        """
        self.said += 1
        if self.note:
            html, self.note = paragraphs(self.note, html), ""
        pressed = self.heard.message if instead and self.heard.kind is Kind.BUTTON else ""
        queue(
            self.session,
            Words(html=str(html), buttons=tuple(tuple(row) for row in rows if row), replaces=pressed or None),
            kind=OutboxKind.DIALOGUE,
            channel=Channel.TELEGRAM,
            address=self.chat,
            now=self.now,
            dedupe_key=key or self._key(),
            referent_id=self.scene.person.id if self.scene else None,
            question_id=question_id,
            inbox_id=self.inbox_id,
        )

    def _key(self) -> str:
        """One message, one answer; a stranger's album, which nobody gathers, is answered once for all its parts."""
        if self.scene is None and self.heard.album:
            return f"album:{self.chat}:{self.heard.album}:{self.said}"
        return f"in{self.inbox_id}:{self.said}"

    def button(self, msgid: str, data: str, /, **values: object) -> Button:
        """A button that says a sentence."""
        return Button(shortened(self.plain(msgid, **values)), data=data)

    def named(self, label: str, data: str) -> Button:
        """A button with a text of its own."""
        return Button(shortened(label), data=data)

    def link(self, msgid: str, url: str, /, **values: object) -> Button:
        """A button that opens a page."""
        return Button(shortened(self.plain(msgid, **values)), url=url)

    def step(self, msgid: str, value: str, /, **values: object) -> Button:
        """The same, answering the open draft as it is now."""
        return self.button(msgid, self.data(value), **values)

    def option(self, label: str, value: str) -> Button:
        """A button of the open draft with a text of its own."""
        return Button(shortened(label), data=self.data(value))

    def data(self, value: str) -> str:
        return f"d:{self.work.id}:{self.work.revision}:{value}"

    def to_menu(self) -> Button:
        return self.button(N_("Menu"), "m:menu")

    # -- the draft ---------------------------------------------------------------------------------

    def move(self, **values: Any) -> Work:
        """Changes the open draft by compare-and-set. Raises DraftMoved."""
        work = self.work
        if self.source is not None and self.heard.message:
            values.setdefault("sources", work.sources | {self.heard.message: self.source})
            self.source = None
        self._change(**values)
        moved = replace(work, revision=work.revision + 1, **values)
        assert self.scene is not None
        self.scene = replace(self.scene, work=moved)
        return moved

    def close(self, state: DraftState) -> None:
        """The open draft is sent, put aside or cancelled; nothing is open then."""
        self._change(state=state)
        self.forget_draft()

    def forget_draft(self) -> None:
        """Nothing is open any more."""
        assert self.scene is not None
        self.scene = replace(self.scene, work=None, subject=None)

    def begin(self, work: Work) -> Work:
        """A new open draft. What was open is put aside when it is worth it."""
        self.put_aside()
        assert self.scene is not None
        begun = insert_draft(self.session, self.person.id, self.now, work)
        self.scene = replace(self.scene, work=begun, subject=None)
        return begun

    def put_aside(self) -> None:
        """What was begun is taken up again later: an update with a project or something in it, a question with words.

        The rest is not worth keeping.
        """
        work = self.open_work
        if work is not None:
            question = work.kind is DraftKind.QUESTION and bool(work.answers.get("text"))
            keep = question or (work.kind is DraftKind.UPDATE and self._worth_keeping(work))
            self.close(DraftState.PARKED if keep else DraftState.CANCELLED)
            self.recall = self.recall or question

    def _worth_keeping(self, work: Work) -> bool:
        """Of an update. A photo sent while the project was being asked was lost once."""
        return work.project_id is not None or bool(work.answers) or bool(of_draft(self.session, work.id))

    def look_again(self) -> None:
        """Reads the scene afresh: the draft has got another project."""
        self.scene = scene_at(self.session, Channel.TELEGRAM, str(self.heard.sender))

    def _change(self, **values: Any) -> None:
        if not change_draft(self.session, self.work.id, self.work.revision, self.now, **values):
            raise DraftMoved(self.work.id)

    def own_draft(self, draft_id: int) -> Draft | None:
        """A draft of this person, in whatever state; None for a foreign or unknown one alike."""
        draft = find_draft(self.session, draft_id)
        return draft if draft is not None and draft.referent_id == self.person.id else None


def shortened(text: str, limit: int = LABEL) -> str:
    """Cut at a word, with an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    word = cut.rfind(" ")
    return (cut[:word] if word > limit // 2 else cut).rstrip(" ,;:-") + "…"
