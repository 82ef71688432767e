"""Drafts of what staff write first: who may, what is refused, what a filter chooses."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from answering import circulars
from answering.circular_words import LONGEST_SUBJECT, Addressed, filled, words_for
from answering.circulars import LONGEST, Written, with_person, without_person
from answering.refusal import Denied, Refused
from facts.calendar import local_date
from facts.languages import Language
from storage import circulars as stored
from storage import recipients
from storage.recipients import Wanted
from storage.tables import Channel, CircularState, Referent, Role, Update, WhyNot
from tests.answering.circular_makers import WRITTEN, a_circular, an_officer
from tests.cast import Cast

READER = Addressed("Ada <Esempio>", Language.IT, ("Abbiategrasso",), ("Ex mercato", "Biblioteca"))


# --- the text


def test_a_volunteer_may_prepare_one_and_a_reader_may_not(cast: Cast) -> None:
    draft = a_circular(cast, [])

    assert (draft.state, draft.version) == (CircularState.DRAFT, 1)
    with pytest.raises(Denied):
        circulars.begin(cast.session, an_officer(cast, role=Role.READER).id, WRITTEN, now=cast.now)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Written("", "Testo"), "subject"),
        (Written("Avviso", " \x00 "), "text"),
        (Written("Avviso", "Testo", "Notice", ""), "neither"),
        (Written("A" * (LONGEST_SUBJECT + 1), "Testo"), "too long"),
        (Written("Avviso", "A" * (LONGEST + 1)), "too long"),
        (Written("Avviso", "Buongiorno {cognome}"), "placeholder"),
        (Written("Avviso {}", "Testo"), "placeholder"),
        (Written("Avviso", "Testo", "Notice", "Dear {surname}"), "placeholder"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_reason(cast: Cast, wrong: Written, said: str) -> None:
    with pytest.raises(Refused, match=said):
        circulars.begin(cast.session, an_officer(cast).id, wrong, now=cast.now)


def test_placeholders_are_filled_in_either_language_and_lone_braces_stay() -> None:
    said = filled("{nome} / { NAME } / {ente} / {progetti} / {", READER)

    assert said == "Ada <Esempio> / Ada <Esempio> / Abbiategrasso / Ex mercato, Biblioteca / {"


def test_who_has_no_organisation_or_project_reads_a_whole_sentence() -> None:
    nobody = Addressed("Ada", Language.EN)

    assert filled("{ente}: {progetti}", nobody) == "your organisation: no project"


def test_a_name_in_braces_is_not_filled_again() -> None:
    assert filled("{nome}", replace(READER, name="{ente}")) == "{ente}"


def test_what_staff_write_is_never_markup(cast: Cast) -> None:
    draft = a_circular(cast, [], Written("<i>Avviso</i>", "{nome} <b>"))

    for channel in (Channel.TELEGRAM, Channel.EMAIL):
        html = words_for(draft, READER, channel, "Ufficio <esempio>").html
        assert "Ada &lt;Esempio&gt; &lt;b&gt;" in html
        assert "<i>Avviso" not in html


def test_who_reads_english_gets_english_where_there_is_any(cast: Cast) -> None:
    reader = replace(READER, language=Language.EN)
    both = a_circular(cast, [], Written("Avviso", "Testo", "Notice", "Dear {nome}"))
    italian = a_circular(cast, [], Written("Avviso", "Testo"))

    assert words_for(both, reader, Channel.EMAIL, "").subject == "Notice"
    assert "Dear Ada" in words_for(both, reader, Channel.EMAIL, "").html
    assert "Testo" in words_for(italian, reader, Channel.EMAIL, "").html
    assert "You get this message because" in words_for(italian, reader, Channel.EMAIL, "").html


def test_a_subject_that_placeholders_make_long_is_cut(cast: Cast) -> None:
    draft = a_circular(cast, [], Written("Avviso: {progetti}", "Testo"))
    many = replace(READER, projects=tuple(f"Progetto numero {number}" for number in range(30)))

    for channel in (Channel.TELEGRAM, Channel.EMAIL):
        subject = words_for(draft, many, channel, "").subject
        assert subject.endswith("…")
        assert len(subject) <= LONGEST_SUBJECT


# --- who changes it


def test_of_two_who_change_a_draft_the_second_is_told(cast: Cast) -> None:
    officer = an_officer(cast)
    draft = a_circular(cast, [])
    circulars.write(cast.session, draft.id, officer.id, WRITTEN, version=1, now=cast.now)

    with pytest.raises(Refused, match="colleague"):
        circulars.choose(cast.session, draft.id, officer.id, Wanted(by_filter=True), version=1, now=cast.now)


def test_a_draft_that_was_thrown_away_can_be_taken_back(cast: Cast) -> None:
    officer, draft = an_officer(cast), a_circular(cast, [])

    circulars.discard(cast.session, draft.id, officer.id, version=1, now=cast.now)
    with pytest.raises(Refused, match="thrown away"):
        circulars.write(cast.session, draft.id, officer.id, WRITTEN, version=2, now=cast.now)
    circulars.take_back(cast.session, draft.id, officer.id, version=2, now=cast.now)

    found = stored.find(cast.session, draft.id)
    assert found is not None
    assert found.state is CircularState.DRAFT


# --- for whom


class Town:
    """Ada and Bruno follow works under way in Abbiategrasso; Carla, of Corsico, a design; Dora follows nothing."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.abbiategrasso, self.corsico = cast.an_organization(), cast.an_organization("Corsico")
        self.programme, other = cast.a_programme(), cast.a_programme()
        self.market = cast.a_project(self.abbiategrasso, self.programme, phase="03005")
        self.library = cast.a_project(self.abbiategrasso, other, phase="03002")
        self.park = cast.a_project(self.corsico, self.programme, phase="03002")
        self.ada = cast.a_referent("Ada", self.abbiategrasso, (self.market, self.library), chat=1)
        self.bruno = cast.a_referent("Bruno", self.abbiategrasso, (self.market,), email="bruno@example.org")
        self.carla = cast.a_referent("Carla", self.corsico, (self.park,))
        self.dora = cast.a_referent("Dora")

    def names(self, **filter_: Any) -> list[str]:
        wanted = Wanted(by_filter=filter_.pop("by_filter", True), **filter_)
        wanted = Wanted.from_json(wanted.to_json())
        ids = recipients.chosen(self.cast.session, wanted, local_date(self.cast.now, "Europe/Rome"))
        return [self.cast.session.get_one(Referent, one).name for one in ids]


@pytest.fixture
def town(session: Session, cast: Cast) -> Town:
    return Town(cast)


def test_nobody_is_chosen_until_somebody_chooses(town: Town) -> None:
    assert town.names(by_filter=False) == []
    assert town.names() == ["Ada", "Bruno", "Carla", "Dora"]


def test_a_filter_narrows_by_organisation_programme_and_phase(town: Town) -> None:
    both = (town.abbiategrasso.id, town.corsico.id)

    assert town.names(organizations=(town.corsico.id,)) == ["Carla"]
    assert town.names(organizations=both) == ["Ada", "Bruno", "Carla"]
    assert town.names(programme=town.programme.id) == ["Ada", "Bruno", "Carla"]
    assert town.names(phase="03002") == ["Ada", "Carla"]


def test_programme_and_phase_must_fit_one_project(town: Town) -> None:
    assert town.names(programme=town.programme.id, phase="03002") == ["Carla"]


def test_a_filter_finds_who_is_late_and_who_never_sent_anything(town: Town) -> None:
    cast, form = town.cast, town.cast.a_form()
    deadline = cast.a_deadline(form, date(2026, 11, 20))
    cast.an_obligation(deadline, town.park, date(2026, 11, 20), cast.now)
    cast.an_obligation(deadline, town.market, date(2026, 11, 24), cast.now)
    cast.add(
        Update(
            project_id=town.market.id,
            referent_id=town.ada.id,
            form_version_id=form.id,
            answers={},
            channel=Channel.TELEGRAM,
            received_at=cast.now,
        )
    )

    assert town.names(late=True) == ["Carla"]
    assert town.names(silent=True) == ["Bruno", "Carla", "Dora"]
    assert town.names(silent=True, organizations=(town.abbiategrasso.id,)) == ["Bruno"]


def test_people_are_added_and_taken_out_by_hand(town: Town) -> None:
    wanted = with_person(Wanted(by_filter=True, organizations=(town.corsico.id,)), town.dora.id)
    wanted = without_person(wanted, town.carla.id)

    ids = recipients.chosen(town.cast.session, wanted, date(2026, 11, 24))
    back = recipients.chosen(town.cast.session, with_person(wanted, town.carla.id), date(2026, 11, 24))

    assert ids == [town.dora.id]
    assert back == [town.carla.id, town.dora.id]


def test_who_left_or_is_registered_twice_is_out_by_itself_with_the_reason(town: Town) -> None:
    town.ada.left_at = town.cast.now - timedelta(days=1)
    town.bruno.merged_into_id = town.carla.id
    town.cast.session.flush()
    wanted = Wanted(added=(town.ada.id, town.bruno.id, town.dora.id))

    assert recipients.chosen(town.cast.session, wanted, date(2026, 11, 24)) == [town.dora.id]
    assert recipients.gone(town.cast.session, wanted) == {town.ada.id: WhyNot.LEFT, town.bruno.id: WhyNot.MERGED}
    assert "Ada" not in town.names()


def test_a_filter_that_fits_nobody_chooses_nobody(town: Town) -> None:
    assert town.names(phase="03006") == []


def test_it_is_said_by_which_way_each_would_hear(town: Town) -> None:
    ids = [town.ada.id, town.bruno.id, town.carla.id]

    found = recipients.reach(town.cast.session, ids)
    lines = recipients.recipients(town.cast.session, ids, Wanted(added=(town.bruno.id,)))

    assert (found.people, found.unreached) == (3, 1)
    assert found.channels == {Channel.TELEGRAM: 1, Channel.EMAIL: 1}
    assert [(one.channel, one.added) for one in lines] == [
        (Channel.TELEGRAM, False),
        (Channel.EMAIL, True),
        (None, False),
    ]
