"""An update that was sent is corrected: by its referent, or because staff sent it back. Nothing is overwritten."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from delivery.words import Words, plain_text
from facts.languages import Language
from intake.builtin import ensure_builtin_forms
from intake.catalogue import Catalogue, InUse
from intake.correcting import Overtaken, TooLate, begin_correction, may_correct
from intake.drafting import Prior, filling_of
from intake.handing_in import Door, hand_in
from intake.reviewing import MovedOn, NobodyThere, accept, give_back, reopen
from intake.updates import Concern, record_update
from storage.drafts import Work, change_draft, find_draft
from storage.reviews import changes_of, correction_of, find_update, open_remarks
from storage.tables import Channel, Draft, DraftState, Outbox, Project, Referent, Review, Staff, Update
from tests.cast import Cast

ANSWERS = {"phase": "03005", "progress": "45", "spent": "200000", "expected_end": "2027-06-30", "problems": "no"}
LATER = timedelta(hours=1)


@dataclass
class Scene:
    cast: Cast
    ada: Referent
    bruno: Referent
    officer: Staff
    project: Project
    form: InUse
    update: Update

    def begun(self, who: Referent | None = None, after: timedelta = timedelta(0)) -> Draft:
        who = who or self.ada
        made = begin_correction(
            self.cast.session,
            self.update,
            who.id,
            self.cast.now + after,
            channel=Channel.WEB,
            state=DraftState.PARKED,
            step="progress",
        )
        found = find_draft(self.cast.session, made.id)
        assert found is not None
        return found

    def sent(self, draft: Draft, after: timedelta = LATER, **answers: Any) -> Update:
        """The draft with other answers, handed in."""
        now = self.cast.now + after
        values = {**draft.answers, **answers}
        work = Work(
            draft.id,
            draft.kind,
            draft.form_version_id,
            draft.project_id,
            None,
            draft.obligation_id,
            {key: value for key, value in values.items() if value is not None},
            draft.step,
            {},
            draft.revision,
            {},
            corrects_id=draft.corrects_id,
        )
        filling = filling_of(self.form, work, Prior({}, None), now=now, zone="Europe/Rome", language=Language.IT)
        door = Door(draft.referent_id, Channel.WEB, "Europe/Rome")
        return hand_in(self.cast.session, work, self.form, filling, door, now=now, reason="Cifra sbagliata")


@pytest.fixture
def scene(cast: Cast) -> Scene:
    version = ensure_builtin_forms(cast.session, cast.now)
    form = Catalogue().version(cast.session, version.id)
    town = cast.an_organization()
    project = cast.a_project(town)
    ada = cast.a_referent("Ada Esempio", town, (project,), chat=11)
    bruno = cast.a_referent("Bruno Esempio", town, (project,), chat=12)
    update = record_update(
        cast.session,
        referent_id=ada.id,
        about=Concern(project.id),
        form=form,
        answers=ANSWERS,
        channel=Channel.TELEGRAM,
        now=cast.now,
    )
    return Scene(cast, ada, bruno, cast.a_staff(), project, form, update)


def test_a_correction_keeps_what_was_there_who_changed_it_by_which_door_and_why(scene: Scene) -> None:
    corrected = scene.sent(scene.begun(), spent="210000", problems="yes", problem="Crepa")

    assert corrected.id == scene.update.id
    assert corrected.answers == ANSWERS | {"spent": "210000", "problems": "yes", "problem": "Crepa"}
    found = {one.key: one for one in changes_of(scene.cast.session, corrected.id)}
    assert found.keys() == {"spent", "problems", "problem"}
    spent = found["spent"]
    assert (spent.before, spent.after, spent.reason) == ({"value": "200000"}, {"value": "210000"}, "Cifra sbagliata")
    assert (spent.referent_id, spent.channel) == (scene.ada.id, Channel.WEB)
    assert found["problem"].before == {}
    scene.cast.session.refresh(scene.project)
    assert scene.project.spent_cents == 21_000_000
    assert len(scene.cast.session.exec(select(Update)).all()) == 1


def test_an_answer_that_falls_away_is_kept_as_a_change_too(scene: Scene) -> None:
    scene.sent(scene.begun(), problems="yes", problem="Crepa")

    scene.sent(scene.begun(after=LATER), after=2 * LATER, problems="no", problem=None)

    last = changes_of(scene.cast.session, scene.update.id)[-1]
    assert (last.key, last.before, last.after) == ("problem", {"value": "Crepa"}, {})


def test_an_older_update_corrected_does_not_change_the_register(scene: Scene) -> None:
    record_update(
        scene.cast.session,
        referent_id=scene.ada.id,
        about=Concern(scene.project.id),
        form=scene.form,
        answers=ANSWERS | {"spent": "300000"},
        channel=Channel.TELEGRAM,
        now=scene.cast.now,
    )

    scene.sent(scene.begun(), spent="210000")

    scene.cast.session.refresh(scene.project)
    assert scene.project.spent_cents == 30_000_000


def test_two_who_correct_different_answers_keep_both(scene: Scene) -> None:
    adas, brunos = scene.begun(), scene.begun(scene.bruno)

    scene.sent(adas, spent="210000")
    corrected = scene.sent(brunos, after=2 * LATER, progress="50")

    assert (corrected.answers["spent"], corrected.answers["progress"]) == ("210000", "50")


def test_two_who_correct_the_same_answer_are_not_put_over_each_other(scene: Scene) -> None:
    adas, brunos = scene.begun(), scene.begun(scene.bruno)
    scene.sent(adas, spent="210000")

    with pytest.raises(Overtaken) as overtaken:
        scene.sent(brunos, after=2 * LATER, spent="220000")

    assert overtaken.value.answers == {"spent": "210000"}
    found = find_update(scene.cast.session, scene.update.id)
    assert found is not None
    assert found.answers["spent"] == "210000"


def test_the_window_is_a_week_or_until_the_day_it_was_due(scene: Scene) -> None:
    session, now, zone = scene.cast.session, scene.cast.now, "Europe/Rome"
    late = now + timedelta(days=8)
    assert may_correct(session, scene.update, now + timedelta(days=7), zone)
    assert not may_correct(session, scene.update, late, zone)

    version = scene.cast.session.get_one(Draft, scene.begun().id).form_version_id
    deadline = scene.cast.a_deadline(ensure_builtin_forms(session, now), late.date())
    scene.update.obligation_id = scene.cast.an_obligation(deadline, scene.project, late.date(), late).id
    assert version == scene.form.version_id
    assert may_correct(session, scene.update, late, zone)


def test_what_staff_have_accepted_is_not_corrected_any_more(scene: Scene) -> None:
    session, now = scene.cast.session, scene.cast.now
    draft = scene.begun()

    accept(session, scene.update.id, 0, by=scene.officer.id, now=now)

    found = find_update(session, scene.update.id)
    assert found is not None
    assert (found.review, found.reviewed_by) == (Review.ACCEPTED, scene.officer.id)
    assert not may_correct(session, found, now, "Europe/Rome")
    with pytest.raises(TooLate):
        scene.sent(draft, spent="1")
    reopen(session, found.id, found.revision, by=scene.officer.id, now=now)
    session.refresh(found)
    assert found.review is Review.RECEIVED


def test_of_two_who_review_the_second_is_told(scene: Scene) -> None:
    accept(scene.cast.session, scene.update.id, 0, by=scene.officer.id, now=scene.cast.now)

    with pytest.raises(MovedOn):
        accept(scene.cast.session, scene.update.id, 0, by=scene.officer.id, now=scene.cast.now)


def test_a_remark_reaches_the_referent_with_the_way_to_answer_just_that(scene: Scene) -> None:
    session, now = scene.cast.session, scene.cast.now
    late = now + timedelta(days=30)

    give_back(session, scene.update, scene.form, {"spent": "Con o senza <IVA>?"}, by=scene.officer.id, now=late)

    draft = correction_of(session, scene.update.id, scene.ada.id)
    assert draft is not None
    row = session.exec(select(Outbox)).one()
    words = Words.from_json(row.body)
    assert "• Speso finora: Con o senza <IVA>?" in plain_text(words.html)
    assert [button.data for line in words.buttons for button in line if button.data] == [f"m:resume-{draft.id}"]
    assert (draft.state, draft.answers, draft.step) == (DraftState.PARKED, ANSWERS, "spent")
    found = find_update(session, scene.update.id)
    assert found is not None
    assert found.review is Review.RETURNED
    assert may_correct(session, found, late, "Europe/Rome")
    assert open_remarks(session, found.id) == {"spent": "Con o senza <IVA>?"}

    scene.sent(draft, after=timedelta(days=31), spent="244000")
    assert open_remarks(session, scene.update.id) == {}
    again = find_update(session, scene.update.id)
    assert again is not None
    assert again.review == "received"


def test_nobody_is_asked_when_the_referent_is_gone(scene: Scene) -> None:
    scene.update.referent_id = None
    scene.cast.session.flush()

    with pytest.raises(NobodyThere):
        give_back(scene.cast.session, scene.update, scene.form, {"spent": "?"}, by=scene.officer.id, now=scene.cast.now)


def test_a_correction_that_was_begun_is_gone_on_with(scene: Scene) -> None:
    draft = scene.begun()
    assert change_draft(scene.cast.session, draft.id, draft.revision, scene.cast.now, answers={"phase": "03006"})

    assert scene.begun().id == draft.id
