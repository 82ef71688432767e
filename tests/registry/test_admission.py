"""What the desk decides about a request: who is let in, as whom, for what, and what they are told."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from delivery.words import plain_text
from facts.recurrence import ONCE
from registry.admission import Admission, NoSuchRequest, Overtaken, approve, refuse
from registry.report import RegistryRefused
from reminders.sweep import remind_one
from storage.access import similar_referents
from storage.people import (
    address_of,
    mark_unreachable,
    organizations_of,
    projects_of,
    reachable_addresses,
    referent_at,
)
from storage.tables import (
    AccessRequest,
    AccessState,
    Audit,
    Channel,
    Following,
    Membership,
    Organization,
    OrganizationKind,
    Outbox,
    OutboxKind,
    Project,
    Referent,
    Staff,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

DARIO = Admission("Dario Esempio", "Abbiategrasso")


@pytest.fixture
def abbiategrasso(cast: Cast) -> Organization:
    return cast.an_organization("Abbiategrasso")


@pytest.fixture
def market(cast: Cast, abbiategrasso: Organization) -> Project:
    return cast.a_project(abbiategrasso, title="Ex mercato")


@pytest.fixture
def olga(cast: Cast) -> Staff:
    return cast.a_staff("Olga Esempio")


def a_request(cast: Cast, organization: Organization | None, chat: str = "44", **other: Any) -> AccessRequest:
    values: dict[str, Any] = {
        "name": "Dario Esempio",
        "email": "dario@example.org",
        "state": AccessState.WAITING,
    } | other
    row: AccessRequest = cast.add(
        AccessRequest(
            chat=chat,
            organization_id=organization.id if organization else None,
            organization="" if organization else "Consorzio",
            created_at=cast.now,
            touched_at=cast.now,
            **values,
        )
    )
    return row


def told(session: Session) -> list[tuple[str, str]]:
    rows = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.NOTICE).order_by(col(Outbox.id)))
    return [(row.address, plain_text(row.body["html"])) for row in rows]


def test_a_new_person_is_registered_linked_and_told(
    cast: Cast, abbiategrasso: Organization, market: Project, olga: Staff
) -> None:
    request = a_request(cast, abbiategrasso)
    admission = Admission("Dario Esempio", "Abbiategrasso", role="RUP")

    dario = approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now)

    assert referent_at(cast.session, Channel.TELEGRAM, "44") == dario
    address = address_of(cast.session, dario.id, Channel.EMAIL)
    assert address is not None
    assert (address.value, address.verified_at) == ("dario@example.org", cast.now)
    assert projects_of(cast.session, dario.id) == [market]
    assert cast.session.get_one(Membership, (dario.id, abbiategrasso.id)).role == "RUP"
    ((chat, text),) = told(cast.session)
    assert chat == "44"
    assert text.startswith("✅ Dario Esempio, l'ufficio ha detto di sì. Ora questa chat è la tua.")
    assert "Sei con noi per: Abbiategrasso.\n\nSegui un progetto." in text


def test_the_decision_is_written_down(
    cast: Cast, abbiategrasso: Organization, market: Project, olga: Staff, now: datetime
) -> None:
    request = a_request(cast, abbiategrasso)

    dario = approve(cast.session, request.id, DARIO, revision=0, by=olga.id, now=now)

    cast.session.refresh(request)
    assert (request.state, request.decided_by, request.decided_at) == (AccessState.APPROVED, olga.id, now)
    assert request.referent_id == dario.id
    act = cast.session.exec(select(Audit).where(Audit.action == "access.approve")).one()
    assert (act.actor_id, act.object_id, act.detail) == (olga.id, request.id, {"referent": dario.id, "known": False})


def test_only_the_chosen_projects_are_followed(
    cast: Cast, abbiategrasso: Organization, market: Project, olga: Staff
) -> None:
    library = cast.a_project(abbiategrasso, title="Biblioteca")
    request = a_request(cast, abbiategrasso)
    admission = Admission("Dario Esempio", "Abbiategrasso", cups=[library.cup])

    dario = approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now)

    assert projects_of(cast.session, dario.id) == [library]


def test_somebody_known_gets_the_chat_and_the_one_before_is_told(
    cast: Cast, abbiategrasso: Organization, market: Project, olga: Staff
) -> None:
    ada = cast.a_referent("Ada Esempio", chat=11)
    request = a_request(cast, abbiategrasso)
    admission = Admission("Ada Esempio", "Abbiategrasso", referent_id=ada.id)

    assert approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now) == ada

    assert referent_at(cast.session, Channel.TELEGRAM, "44") == ada
    assert referent_at(cast.session, Channel.TELEGRAM, "11") is None
    assert referent_at(cast.session, Channel.EMAIL, "dario@example.org") == ada
    assert [address for address, _text in told(cast.session)] == ["11", "44"]
    assert projects_of(cast.session, ada.id) == [market]
    assert len(cast.session.exec(select(Referent)).all()) == 1


def test_a_known_person_gets_one_more_organisation(cast: Cast, abbiategrasso: Organization, olga: Staff) -> None:
    corsico = cast.an_organization("Corsico")
    park = cast.a_project(corsico, title="Parco")
    ada = cast.a_referent("Ada Esempio", abbiategrasso, chat=11)
    request = a_request(cast, corsico, "11", name="Ada Esempio", email="", referent_id=ada.id)

    approve(cast.session, request.id, Admission("", "Corsico"), revision=0, by=olga.id, now=cast.now)

    assert organizations_of(cast.session, ada.id) == [abbiategrasso, corsico]
    assert projects_of(cast.session, ada.id) == [park]
    ((chat, text),) = told(cast.session)
    assert chat == "11"
    assert "Sei con noi per: Abbiategrasso, Corsico." in text
    assert "questa chat" not in text


@pytest.mark.parametrize("whose", ["dario@example.org", "altra@example.org"])
def test_who_could_not_be_reached_hears_what_they_missed(
    cast: Cast, abbiategrasso: Organization, market: Project, olga: Staff, whose: str
) -> None:
    ada = cast.a_referent("Ada Esempio", abbiategrasso, (market,), email=whose)
    mark_unreachable(cast.session, Channel.EMAIL, whose, "550 no such user", cast.now)
    a_new_deadline(cast, rule=ONCE, first_on=date(2026, 11, 25))
    assert remind_one(cast.session, cast.now)
    request = a_request(cast, abbiategrasso)
    admission = Admission("Ada Esempio", "Abbiategrasso", referent_id=ada.id)

    approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now)
    assert remind_one(cast.session, cast.now)

    (row,) = cast.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)).all()
    assert (row.address, row.referent_id) == ("44", ada.id)
    assert not remind_one(cast.session, cast.now)


def test_a_mailbox_from_which_the_code_was_read_works_again(
    cast: Cast, abbiategrasso: Organization, olga: Staff
) -> None:
    ada = cast.a_referent("Ada Esempio", email="dario@example.org")
    mark_unreachable(cast.session, Channel.EMAIL, "dario@example.org", "550 mailbox full", cast.now)
    request = a_request(cast, abbiategrasso)
    admission = Admission("Ada Esempio", "Abbiategrasso", referent_id=ada.id)

    approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now)

    assert set(reachable_addresses(cast.session, ada.id)) == {Channel.EMAIL, Channel.TELEGRAM}


def test_an_organisation_typed_by_hand_becomes_a_new_actor(cast: Cast, olga: Staff) -> None:
    request = a_request(cast, None)
    admission = Admission("Dario Esempio", "Consorzio", new_actor=True)

    dario = approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now)

    (organization,) = organizations_of(cast.session, dario.id)
    assert (organization.name, organization.kind) == ("Consorzio", OrganizationKind.OTHER)
    assert "Per ora non segui nessun progetto" in told(cast.session)[0][1]


def test_an_unknown_organisation_is_refused_beside_its_field(cast: Cast, olga: Staff) -> None:
    request = a_request(cast, None)

    with pytest.raises(RegistryRefused, match="No organisation is called Consorzio") as refused:
        approve(cast.session, request.id, Admission("Dario", "Consorzio"), revision=0, by=olga.id, now=cast.now)

    assert getattr(refused.value, "field", "") == "organization"


def test_the_mailbox_of_somebody_else_makes_no_new_person(cast: Cast, abbiategrasso: Organization, olga: Staff) -> None:
    cast.a_referent("Bruno Esempio", email="dario@example.org")
    carla = cast.a_referent("Carla Esempio")
    request = a_request(cast, abbiategrasso)

    for admission in (DARIO, Admission("Carla", "Abbiategrasso", referent_id=carla.id)):
        attempt = cast.session.begin_nested()
        with pytest.raises(RegistryRefused, match="already the address of Bruno Esempio"):
            approve(cast.session, request.id, admission, revision=0, by=olga.id, now=cast.now)
        attempt.rollback()


def test_a_chat_that_is_somebody_elses_by_now_is_not_taken_from_them(
    cast: Cast, abbiategrasso: Organization, olga: Staff
) -> None:
    cast.a_referent("Bruno Esempio", chat=44)
    request = a_request(cast, abbiategrasso)

    with pytest.raises(RegistryRefused, match="belongs to Bruno Esempio"):
        approve(cast.session, request.id, DARIO, revision=0, by=olga.id, now=cast.now)


def test_of_two_officers_the_second_is_told_who_was_first(cast: Cast, abbiategrasso: Organization, olga: Staff) -> None:
    ugo = cast.a_staff("Ugo Esempio")
    request = a_request(cast, abbiategrasso)
    approve(cast.session, request.id, DARIO, revision=0, by=olga.id, now=cast.now)

    with pytest.raises(Overtaken, match="Olga Esempio has decided"):
        refuse(cast.session, request.id, "Non ti conosciamo", revision=0, by=ugo.id, now=cast.now)

    assert len(told(cast.session)) == 1


def test_what_was_withdrawn_cannot_be_decided(cast: Cast, abbiategrasso: Organization, olga: Staff) -> None:
    request = a_request(cast, abbiategrasso, state=AccessState.CANCELLED)

    with pytest.raises(Overtaken, match="withdrawn"):
        approve(cast.session, request.id, DARIO, revision=0, by=olga.id, now=cast.now)


def test_an_unknown_request_is_not_there(cast: Cast, olga: Staff) -> None:
    with pytest.raises(NoSuchRequest):
        refuse(cast.session, 99, "No", revision=0, by=olga.id, now=cast.now)


def test_a_refusal_says_why_and_how_to_ask_again(cast: Cast, abbiategrasso: Organization, olga: Staff) -> None:
    request = a_request(cast, abbiategrasso)

    refuse(cast.session, request.id, "Scrivi dall'indirizzo <comunale>", revision=0, by=olga.id, now=cast.now)

    row = cast.session.exec(select(Outbox)).one()
    assert (row.address, row.referent_id) == ("44", None)
    assert "Motivo: Scrivi dall'indirizzo <comunale>" in plain_text(row.body["html"])
    assert row.body["buttons"] == [[{"text": "Chiedi l'accesso", "data": "a:ask"}]]
    cast.session.refresh(request)
    assert (request.state, request.reason) == (AccessState.REFUSED, "Scrivi dall'indirizzo <comunale>")
    assert cast.session.exec(select(Referent)).all() == []


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501])
def test_a_refusal_needs_a_reason_of_a_readable_length(
    cast: Cast, abbiategrasso: Organization, olga: Staff, reason: str
) -> None:
    request = a_request(cast, abbiategrasso)

    with pytest.raises(RegistryRefused):
        refuse(cast.session, request.id, reason, revision=0, by=olga.id, now=cast.now)

    assert request.state is AccessState.WAITING


def test_a_known_person_is_refused_where_they_are_reached(cast: Cast, abbiategrasso: Organization, olga: Staff) -> None:
    ada = cast.a_referent("Ada Esempio", email="ada@example.org")
    request = a_request(cast, abbiategrasso, "11", referent_id=ada.id)

    refuse(cast.session, request.id, "Non ti conosciamo", revision=0, by=olga.id, now=cast.now)

    assert [address for address, _text in told(cast.session)] == ["ada@example.org"]


def test_who_it_may_be_is_told_by_address_name_and_organisation(cast: Cast, abbiategrasso: Organization) -> None:
    colleague = cast.a_referent("Zoe Esempio", abbiategrasso)
    namesake = cast.a_referent("ESEMPIO Dàrio")
    owner = cast.a_referent("Eva Esempio", email="dario@example.org")
    cast.a_referent("Carla Esempio", cast.an_organization("Corsico"))
    request = a_request(cast, abbiategrasso)

    similar = similar_referents(cast.session, request)

    assert [(one.referent, one.same_address, one.same_name, one.same_organization) for one in similar] == [
        (owner, True, False, False),
        (namesake, False, True, False),
        (colleague, False, False, True),
    ]
    assert list(similar[2].organizations) == ["Abbiategrasso"]


def test_a_new_person_owes_nothing_of_before(
    cast: Cast, abbiategrasso: Organization, market: Project, olga: Staff
) -> None:
    request = a_request(cast, abbiategrasso)
    later = cast.now + timedelta(days=1)

    dario = approve(cast.session, request.id, DARIO, revision=0, by=olga.id, now=later)

    assert cast.session.get_one(Following, (dario.id, market.id)).since == later
