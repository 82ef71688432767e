"""One person registered twice becomes one: everything of the other moves, clashes are resolved, old links lead on."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from intake.delegation import delegate
from registry.merging import NotThere, merge
from registry.report import RegistryRefused
from storage import halts
from storage.delegations import held_by, standing_in
from storage.desk_people import referents_page
from storage.merging import MOVED, RULED, likely_pairs
from storage.people import new_invitation, new_personal_link, projects_of, referent_at, referent_with_link
from storage.reply_addresses import About, remember, reply_address
from storage.tables import (
    AccessRequest,
    AccessState,
    Address,
    Addressee,
    Again,
    Album,
    AnswerChange,
    Attachment,
    Audit,
    Channel,
    Circular,
    Decision,
    Delegation,
    Draft,
    DraftKind,
    DraftState,
    Extension,
    Feed,
    Following,
    HaltKind,
    Inbox,
    Letter,
    LetterKind,
    LetterState,
    Membership,
    Obligation,
    Organization,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Question,
    Reason,
    Referent,
    Snooze,
    Staff,
    Standing,
    Step,
    Update,
)
from tests.cast import Cast

TODAY = date(2026, 11, 24)


@dataclass
class Twice:
    """Ada is registered twice, in one place: `old` follows the market, `new` the library."""

    cast: Cast
    place: Organization
    market: Project
    library: Project
    old: Referent
    new: Referent
    olga: Staff

    @property
    def session(self) -> Session:
        return self.cast.session

    def merge(self) -> Referent:
        return merge(self.session, self.old.id, self.new.id, by=self.olga.id, now=self.cast.now).referent

    def draft(self, person: Referent, state: DraftState = DraftState.OPEN) -> Draft:
        row: Draft = self.cast.add(
            Draft(
                kind=DraftKind.UPDATE,
                referent_id=person.id,
                project_id=self.market.id,
                channel=Channel.TELEGRAM,
                state=state,
                created_at=self.cast.now,
                touched_at=self.cast.now,
            )
        )
        return row

    def obligation(self) -> Obligation:
        deadline = self.cast.a_deadline(self.cast.a_form(), TODAY)
        return self.cast.an_obligation(deadline, self.market, TODAY, self.cast.now)

    def step(self, obligation: Obligation) -> Step:
        row: Step = self.cast.add(Step(obligation_id=obligation.id, rung_id=3, offset_days=0, due_at=self.cast.now))
        return row

    def decision(self, step: Step, person: Referent) -> Decision:
        row: Decision = self.cast.add(
            Decision(
                step_id=step.id,
                referent_id=person.id,
                outcome=Outcome.SENT,
                reason=Reason.DUE,
                decided_at=self.cast.now,
            )
        )
        return row

    def snooze(self, obligation: Obligation, person: Referent) -> Snooze:
        row: Snooze = self.cast.add(
            Snooze(
                referent_id=person.id,
                obligation_id=obligation.id,
                why=Again.ASKED,
                again_at=self.cast.now,
                created_at=self.cast.now,
            )
        )
        return row

    def album(self, person: Referent, closed_at: datetime | None = None) -> Album:
        row: Album = self.cast.add(
            Album(
                chat="11",
                group_id=f"g{person.id}",
                referent_id=person.id,
                created_at=self.cast.now,
                closed_at=closed_at,
            )
        )
        return row


@pytest.fixture
def twice(cast: Cast) -> Twice:
    place = cast.an_organization()
    market, library = cast.a_project(place), cast.a_project(place, title="Biblioteca")
    old = cast.a_referent("Ada Esempio", place, (market,), email="ada.esempio@example.org")
    new = cast.a_referent("ada  esempio", place, (library,), chat=12)
    return Twice(cast, place, market, library, old, new, cast.a_staff())


def _keys_to_referents() -> set[tuple[str, str]]:
    return {
        (table.name, key.parent.name)
        for table in SQLModel.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "referent"
    }


def test_every_column_that_names_a_referent_is_treated() -> None:
    assert _keys_to_referents() == {*MOVED, *RULED}
    assert not {*MOVED} & {*RULED}


def fill_every_table(twice: Twice) -> None:
    """At least one row of the old one in each column that names a referent."""
    cast, old, now = twice.cast, twice.old, twice.cast.now
    form = cast.a_form("another")
    question = cast.a_question(old)
    obligation = twice.obligation()
    twice.decision(twice.step(obligation), old)
    twice.snooze(obligation, old)
    cast.add(Extension(obligation_id=obligation.id, referent_id=old.id, wanted_on=TODAY, asked_at=now))
    cast.add(Feed(token_hash="a calendar", referent_id=old.id, created_at=now))
    twice.draft(old)
    twice.album(old, closed_at=now)
    update = cast.add(
        Update(
            project_id=twice.market.id,
            referent_id=old.id,
            form_version_id=form.id,
            channel=Channel.WEB,
            answers={},
            received_at=now,
        )
    )
    cast.add(AnswerChange(update_id=update.id, key="k", referent_id=old.id, channel=Channel.WEB, created_at=now))
    cast.add(Attachment(size=1, name="a.pdf", referent_id=old.id, created_at=now))
    outbox = cast.add(
        Outbox(
            kind=OutboxKind.NOTICE,
            channel=Channel.EMAIL,
            address="ada.esempio@example.org",
            referent_id=old.id,
            question_id=question.id,
            dedupe_key="n:1",
            body={},
            next_at=now,
            created_at=now,
        )
    )
    remember(twice.session, "t" * 32, old.id, About(outbox_id=outbox.id), now)
    cast.add(AccessRequest(chat="99", referent_id=old.id, state=AccessState.APPROVED, created_at=now, touched_at=now))
    new_invitation(twice.session, old.id, "ada.esempio@example.org", now)
    new_personal_link(twice.session, old.id, now)
    a_letter(twice)
    circular = a_circular(twice)
    cast.add(Addressee(circular_id=circular.id, referent_id=old.id))
    other, another = cast.a_referent("Dora Esempio", twice.place), cast.a_referent("Elio Esempio", twice.place)
    delegations = ((old.id, other.id), (another.id, old.id))
    for absent, substitute in delegations:
        cast.add(Delegation(referent_id=absent, substitute_id=substitute, until=TODAY, created_at=now, ended_at=now))
    other.substitute_id = another.successor_id = another.merged_into_id = old.id
    twice.session.flush()


def a_circular(twice: Twice) -> Circular:
    now = twice.cast.now
    row: Circular = twice.cast.add(Circular(created_by=twice.olga.id, created_at=now, changed_at=now))
    return row


def test_a_circular_for_both_tells_them_once(twice: Twice) -> None:
    circular, told = a_circular(twice), a_circular(twice)
    for person in (twice.old, twice.new):
        twice.cast.add(Addressee(circular_id=circular.id, referent_id=person.id))
        twice.cast.add(Addressee(circular_id=told.id, referent_id=person.id, decided_at=twice.cast.now))

    twice.merge()

    rows = twice.session.execute(select(col(Addressee.circular_id), col(Addressee.referent_id))).all()
    assert sorted(map(tuple, rows)) == sorted(
        [(circular.id, twice.new.id), (told.id, twice.old.id), (told.id, twice.new.id)]
    )


def a_letter(twice: Twice) -> None:
    now = twice.cast.now
    inbox = twice.cast.add(
        Inbox(kind="mail", account="a", provider_id="1", payload_hash="h" * 64, payload=b"x", lane="1", received_at=now)
    )
    twice.cast.add(
        Letter(
            inbox_id=inbox.id,
            channel=Channel.EMAIL,
            fingerprint="f" * 64,
            kind=LetterKind.MESSAGE,
            state=LetterState.HELD,
            standing=Standing.UNVERIFIED,
            referent_id=twice.old.id,
            received_at=now,
        )
    )


def named(session: Session, referent_id: int) -> dict[tuple[str, str], int]:
    found = {}
    for name, column in sorted(_keys_to_referents()):
        table = SQLModel.metadata.tables[name]
        count = session.execute(select(func.count()).select_from(table).where(table.c[column] == referent_id))
        found[name, column] = count.scalar_one()
    return found


def test_everything_of_the_other_moves(twice: Twice) -> None:
    fill_every_table(twice)
    before = named(twice.session, twice.old.id)
    assert all(before.values()), [key for key, count in before.items() if not count]  # or nothing would be shown

    twice.merge()

    assert not any(named(twice.session, twice.old.id).values())
    after = named(twice.session, twice.new.id)
    assert all(after.values()), [key for key, count in after.items() if not count]
    assert twice.old.merged_into_id == twice.new.id


def test_old_links_and_addresses_lead_to_the_one_who_stays(twice: Twice, now: datetime) -> None:
    page = new_personal_link(twice.session, twice.old.id, now)
    remember(twice.session, "t" * 32, twice.old.id, About(), now)

    twice.merge()

    assert referent_with_link(twice.session, page, now) == twice.new
    assert referent_at(twice.session, Channel.EMAIL, "ada.esempio@example.org") == twice.new
    key = reply_address(twice.session, "t" * 32)
    assert key is not None
    assert key.referent_id == twice.new.id
    assert [one.title for one in projects_of(twice.session, twice.new.id)] == ["Biblioteca", "Ex mercato"]
    assert [line.id for line in referents_page(twice.session, now)[0]] == [twice.new.id]


def test_what_both_follow_is_followed_since_the_earlier_day_with_the_role_that_is_written(twice: Twice) -> None:
    early = twice.cast.now - timedelta(days=200)
    twice.cast.add(Following(referent_id=twice.old.id, project_id=twice.library.id, since=early))
    twice.session.get_one(Membership, (twice.new.id, twice.place.id)).role = ""

    twice.merge()

    assert twice.session.get_one(Following, (twice.new.id, twice.library.id)).since == early
    assert twice.session.get_one(Membership, (twice.new.id, twice.place.id)).role == "RUP"


def test_of_two_open_drafts_one_is_put_by(twice: Twice) -> None:
    theirs, mine = twice.draft(twice.old), twice.draft(twice.new)

    twice.merge()

    assert twice.session.get_one(Draft, mine.id).state is DraftState.OPEN
    put_by = twice.session.get_one(Draft, theirs.id)
    assert (put_by.state, put_by.referent_id, put_by.revision) == (DraftState.PARKED, twice.new.id, 1)


def test_what_was_decided_for_both_stays_the_proof_of_both(twice: Twice) -> None:
    step = twice.step(twice.obligation())
    theirs, mine = twice.decision(step, twice.old), twice.decision(step, twice.new)

    twice.merge()

    assert twice.session.get_one(Decision, theirs.id).referent_id == twice.old.id
    assert twice.session.get_one(Decision, mine.id).referent_id == twice.new.id


def test_what_both_wait_for_comes_again_once(twice: Twice) -> None:
    obligation = twice.obligation()
    theirs, mine = twice.snooze(obligation, twice.old), twice.snooze(obligation, twice.new)

    twice.merge()

    assert twice.session.get_one(Snooze, theirs.id).reason is Reason.OVERTAKEN
    assert twice.session.get_one(Snooze, mine.id).decided_at is None


def test_of_two_chats_that_of_the_one_who_stays_goes_on(twice: Twice, now: datetime) -> None:
    twice.cast.add(Address(referent_id=twice.old.id, channel=Channel.TELEGRAM, value="11", created_at=now))

    twice.merge()

    assert referent_at(twice.session, Channel.TELEGRAM, "12") == twice.new
    assert referent_at(twice.session, Channel.TELEGRAM, "11") is None
    told = twice.session.scalars(select(Outbox).where(col(Outbox.address) == "11")).one()
    assert told.referent_id is None


def test_a_chat_that_works_goes_before_one_that_does_not(twice: Twice, now: datetime) -> None:
    twice.cast.add(Address(referent_id=twice.old.id, channel=Channel.TELEGRAM, value="11", created_at=now))
    mine = select(Address).where(col(Address.referent_id) == twice.new.id)
    twice.session.scalars(mine).one().unreachable_since = now

    twice.merge()

    assert referent_at(twice.session, Channel.TELEGRAM, "11") == twice.new


def test_photos_that_are_coming_in_are_waited_for(twice: Twice) -> None:
    twice.album(twice.old)

    with pytest.raises(RegistryRefused):
        twice.merge()

    assert twice.old.merged_into_id is None


def test_nobody_stands_in_for_themselves(twice: Twice, now: datetime) -> None:
    delegate(twice.session, twice.old.id, twice.new.id, TODAY, today=TODAY, now=now)
    twice.new.substitute_id = twice.old.id
    twice.old.substitute_id = twice.new.id

    twice.merge()

    assert held_by(twice.session, twice.new.id) is None
    assert twice.session.get_one(Referent, twice.new.id).substitute_id is None
    assert [one.title for one in projects_of(twice.session, twice.new.id)] == ["Biblioteca", "Ex mercato"]
    assert twice.session.get_one(Following, (twice.new.id, twice.market.id)).delegation_id is None


def test_an_absence_and_a_substitute_go_along(twice: Twice, now: datetime) -> None:
    dora = twice.cast.a_referent("Dora Esempio", twice.place, (), chat=13)
    twice.old.substitute_id = dora.id
    delegate(twice.session, twice.old.id, dora.id, TODAY, today=TODAY, now=now)

    twice.merge()

    held = held_by(twice.session, twice.new.id)
    assert held is not None
    assert held.substitute_id == dora.id
    assert twice.new.substitute_id == dora.id
    # what the one who stays follows is handed over, too
    assert [one.title for one in projects_of(twice.session, dora.id)] == ["Biblioteca", "Ex mercato"]
    assert len(standing_in(twice.session, dora.id)) == 1


def test_of_two_absences_that_of_the_one_who_stays_goes_on(twice: Twice, now: datetime) -> None:
    dora = twice.cast.a_referent("Dora Esempio", twice.place, (), chat=13)
    elio = twice.cast.a_referent("Elio Esempio", twice.place, (), chat=14)
    delegate(twice.session, twice.old.id, dora.id, TODAY, today=TODAY, now=now)
    delegate(twice.session, twice.new.id, elio.id, TODAY, today=TODAY, now=now)

    twice.merge()

    held = held_by(twice.session, twice.new.id)
    assert held is not None
    assert held.substitute_id == elio.id
    assert projects_of(twice.session, dora.id) == []


def test_who_is_gone_is_not_merged_again_nor_into(twice: Twice, now: datetime) -> None:
    dora = twice.cast.a_referent("Dora Esempio", twice.place)
    twice.merge()

    for gone, stays in ((twice.old.id, twice.new.id), (dora.id, twice.old.id), (dora.id, dora.id), (dora.id, 999)):
        with pytest.raises(NotThere):
            merge(twice.session, gone, stays, by=twice.olga.id, now=now)
    assert dora.merged_into_id is None


def test_it_is_in_the_log(twice: Twice) -> None:
    twice.cast.a_question(twice.old)

    twice.merge()

    row = twice.session.scalars(select(Audit).where(col(Audit.action) == "referent.merge")).one()
    assert (row.object_id, row.detail["into"], row.detail["moved"]["question"]) == (twice.old.id, twice.new.id, 1)
    assert twice.session.scalars(select(Question)).one().referent_id == twice.new.id


def test_likely_pairs_are_proposed_and_others_are_not(twice: Twice) -> None:
    cast = twice.cast
    elsewhere = cast.an_organization("Corsico")
    cast.a_referent("Ada Esempio", elsewhere)  # of the same name, somewhere else
    elio = cast.a_referent("Elio Esempio", elsewhere, email="e.esempio@example.org")
    again = cast.a_referent("E. Esempio", twice.place, email="e.esempio@comune.example.org")
    for number, domain in enumerate(("one.example.org", "two.example.org")):
        cast.a_referent(f"Ufficio {number}", twice.place, email=f"info@{domain}")

    found = {(one.one.id, one.other.id, one.same_name) for one in likely_pairs(twice.session)}

    assert found == {(twice.old.id, twice.new.id, True), (elio.id, again.id, False)}
    twice.merge()
    assert {(one.one.id, one.other.id) for one in likely_pairs(twice.session)} == {(elio.id, again.id)}


@pytest.mark.parametrize("both", [False, True])
def test_a_stop_goes_on_for_whoever_stays(twice: Twice, both: bool) -> None:
    session, now, olga = twice.session, twice.cast.now, twice.olga.id
    halts.begin(session, HaltKind.REFERENT, twice.old.id, "In malattia", olga, now)
    if both:
        halts.begin(session, HaltKind.REFERENT, twice.new.id, "In ferie", olga, now)

    twice.merge()

    (still,) = halts.holding(session)
    assert still.halt.target_id == twice.new.id
    assert still.halt.reason == ("In ferie" if both else "In malattia")
