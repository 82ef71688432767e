"""A desk where everything has happened once: each thing that a page can show, in each state it can be in."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from answering import approval, bulk, entrusting, faq, groups, joining, moves, saved_filters, tags
from answering.answer import Said, answer, note
from answering.bulk import Act, Wanted
from answering.joining import Seen
from app.demo_circulars import show_circulars
from app.demo_knowledge import learn
from desk.security import welcome_link
from intake import publishing
from intake.builtin import ensure_builtin_forms
from intake.delegation import delegate
from intake.forms.xlsform.reading import read_xlsform
from reminders import acts, closures
from storage import feeds
from storage.letters import add_letter
from storage.people import new_personal_link
from storage.register import count_some
from storage.tables import (
    AccessRequest,
    AccessState,
    Attachment,
    Category,
    Channel,
    Circular,
    CircularState,
    Closure,
    Decision,
    Draft,
    DraftKind,
    FaqEntry,
    FileKind,
    FileState,
    FormVersion,
    Halt,
    HaltKind,
    Inbox,
    InboxState,
    Ladder,
    Letter,
    LetterKind,
    LetterState,
    Message,
    Obligation,
    Office,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Project,
    Question,
    QuestionState,
    Reason,
    Referent,
    Review,
    Role,
    Rung,
    SavedAnswer,
    Staff,
    Standing,
    Step,
    Unit,
    Update,
)
from storage.tables.deadlines import STANDARD_LADDER
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.forms import BROKEN, changed

ZONE = "Europe/Rome"
LONG = "Rifunzionalizzazione-e-riqualificazione-energetica dell'ex mercato coperto di via Circonvallazione Esterna"
WORDS = {"format": "csv", "kind": "xlsx", "key": "project-update", "number": 1}
EVERYTHING = Path(__file__).parents[1] / "desk" / "data" / "everything.md"
ANSWERS = {"phase": "03005", "progress": "40", "spent": "250000.00", "expected_end": "2027-06-30", "problems": "no"}


@dataclass
class Everything:
    """By the name that addresses give a thing: its number. `more`: addresses that show other states of the same."""

    things: dict[str, Any]
    more: list[str]


@dataclass
class _Office:
    """Who acts while it is furnished, and about what."""

    session: Session
    cast: Cast
    desk: Desk
    form: FormVersion
    project: Project
    ada: Referent

    def who(self, name: str) -> int:
        return self.desk.people[name]


def furnish(desk: Desk) -> Everything:
    """Into an empty database. Rows as the rules leave them; what would need a provider is written down as it ends."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        form = ensure_builtin_forms(session, cast.now)
        town = cast.an_organization("Comune di Abbiategrasso", "015002")
        project = cast.a_project(town, title=LONG)
        ada = cast.a_referent("Ada Esempio", town, (project,), chat=1001, email="ada@example.org")
        office = _Office(session, cast, desk, form, project, ada)
        _the_office(session)
        learn(session, office.who("Olga"), cast.now)
        things: dict[str, Any] = {"organization_id": town.id, "project_id": project.id, "referent_id": ada.id}
        things |= WORDS | {"form_id": form.form_id, "staff_id": office.who("Vera")}
        more = [*_people(office), *_questions(office, things), *_knowledge(office, things)]
        more += [*_updates(office, things), *_circulars(office, things), *_deadlines(office, things)]
        more += [*_post(office, things), *_forms(office, things), *_doors(office, things)]
        return Everything(things, more)


def _the_office(session: Session) -> None:
    session.merge(
        Office(
            id=1,
            name="Ufficio Welfare metropolitano e rigenerazione urbana",
            authority="Città metropolitana di Milano",
            hours="lunedì-venerdì, 9:00-12:30",
            phone="02 0000 0000",
            email="raccordo@example.org",
            controller="Città metropolitana di Milano",
            dpo_contact="dpo@example.org",
        )
    )


def _people(office: _Office) -> list[str]:
    """A colleague who stands in, one who is away, one who left, one registered twice, one nobody reaches."""
    cast, now = office.cast, office.cast.now
    town = cast.an_organization("Melzo", "015142")
    bruno = cast.a_referent("Bruno Esempio", town, (office.project,), email="bruno@example.org")
    twice = cast.a_referent("Bruno Esempio", town, (office.project,), email="bruno.esempio@example.org")
    gone = cast.a_referent("Gino Esempio", town)
    gone.left_at, gone.successor_id = now, bruno.id
    nobody = cast.a_referent("Nora Esempio", town, (cast.a_project(town),))
    cast.also_of(office.ada, town, "RUP")
    office.ada.substitute_id = bruno.id
    delegate(office.session, office.ada.id, bruno.id, date(2026, 12, 20), today=now.date(), now=now)
    bruno.away_from, bruno.away_until, bruno.substitute_id = date(2026, 11, 20), date(2026, 12, 4), nobody.id
    return [
        *(f"/desk/referents/{one.id}" for one in (bruno, twice, gone, nobody)),
        f"/desk/referents/{bruno.id}/merge?other={twice.id}",
        "/desk/referents?q=nessuno+che+si+chiami+cos%C3%AC",
    ]


def _questions(office: _Office, things: dict[str, Any]) -> list[str]:
    session, cast, now = office.session, office.cast, office.cast.now
    olga, vera = office.who("Olga"), session.get_one(Staff, office.who("Vera"))
    things["category_id"] = category = session.exec(select(Category.id)).first()
    asked = {
        word: cast.a_question(office.ada, f"La domanda {word}: {LONG}? " * 3, project_id=office.project.id, **other)
        for word, other in _QUESTIONS.items()
    }
    things["question_id"] = asked["nuova"].id
    number = {word: question.id for word, question in asked.items()}
    asked["nuova"].category_id, asked["nuova"].urgent = category, True
    tag = tags.add(session, olga, "parere-della-soprintendenza-in-attesa", now=now)
    tags.put(session, number["nuova"], olga, tag, now=now)
    note(session, number["nuova"], office.who("Ugo"), "@Olga Esempio, puoi guardare tu?", now=now, calls=olga)
    cast.add(_a_file(office, message_id=_first_message(session, number["nuova"]), sha256="a" * 43))
    moves.take(session, number["presa"], olga, version=1, now=now)
    answer(session, number["partente"], olga, "Sì, con una variante.", version=1, now=now)
    earlier = now - timedelta(hours=2)
    answer(session, number["risposta"], olga, "Sì, ma mandateci il verbale.", version=1, now=earlier, awaits=True)
    approval.propose(session, number["proposta"], Said(vera, "Penso di sì."), version=1, now=now)
    approval.propose(session, number["restituita"], Said(vera, "Credo di no."), version=1, now=now)
    approval.give_back(session, number["restituita"], olga, "Manca la data.", version=2, now=now)
    approval.propose(session, number["corretta"], Said(vera, "Entro il 10 dicembre."), version=1, now=earlier)
    approval.approve(session, number["corretta"], olga, "Entro il 20 dicembre.", version=2, now=earlier)
    moves.close(session, number["chiusa"], olga, version=1, now=now)
    joining.merge(session, Seen(number["doppia"], 1), Seen(number["unita"], 1), olga, now=now)
    many = [Seen(number[word], 1) for word in ("sciolta", "lontana")]
    who = bulk.Who(olga, now, ZONE)
    things["bulk_id"] = bulk.do(session, [*many, Seen(number["chiusa"], 1)], Wanted(Act.CLOSE), who).id
    saved_filters.save(session, olga, "Urgenti di Abbiategrasso", "view=all&urgent=1", shared=True, now=now)
    pages = [f"/desk/questions/{one}" for one in number.values()]
    views = ("new", "mine", "approve", "mentioned", "all")
    return [
        *pages,
        f"/desk/questions/{number['nuova']}/merge?into={number['presa']}",
        f"/desk/questions/{number['unita']}/split",
        *(f"/desk/questions?view={view}" for view in views),
        "/desk/questions?q=soprintendenza",
        "/desk/questions?bar=1",
        "/desk/questions?view=all&q=qualcosa+che+nessuno+ha+chiesto",
    ]


_QUESTIONS: dict[str, dict[str, Any]] = {
    **{word: {} for word in ("nuova", "presa", "partente", "risposta", "proposta", "restituita", "corretta")},
    **{word: {} for word in ("chiusa", "doppia", "unita", "sciolta")},
    "lontana": {"channel": Channel.EMAIL},
}


def _first_message(session: Session, question_id: int) -> int:
    return session.exec(select(Message.id).where(Message.question_id == question_id)).first() or 0


def _a_file(office: _Office, **other: Any) -> Attachment:
    name = "verbale-della-seduta-del-consiglio-comunale-del-ventiquattro-novembre.pdf"
    return Attachment(size=123_456, name=name, referent_id=office.ada.id, created_at=office.cast.now, **other)


def _knowledge(office: _Office, things: dict[str, Any]) -> list[str]:
    """Answers at hand and published ones are there; one more is proposed, from a question, one withdrawn."""
    session, now = office.session, office.cast.now
    wished = faq.Wished("Entro quando si risponde?", "Entro tre giorni lavorativi.")
    things["saved_id"] = session.exec(select(SavedAnswer.id)).first()
    things["entry_id"] = session.exec(select(FaqEntry.id)).first()
    question = session.exec(select(Question.id).where(Question.state == QuestionState.ANSWERED)).first()
    proposed = faq.propose(session, office.who("Vera"), wished, question_id=question, now=now)
    other = faq.propose(session, office.who("Vera"), faq.Wished("E poi?", "Poi si vedrà."), question_id=None, now=now)
    faq.withdraw(session, other.id, office.who("Olga"), version=1, now=now)
    group = groups.add_group(session, office.who("Anna"), "Adda Martesana", now=now)
    groups.put_in(session, group.id, office.who("Anna"), [things["organization_id"]], "", now=now)
    things["group_id"] = group.id
    local = entrusting.Wished(Role.OFFICER, group_id=group.id)
    entrusting.entrust(session, office.who("Vera"), office.who("Anna"), local, now=now)
    empty = groups.add_group(session, office.who("Anna"), "Alto Milanese", now=now)
    return [
        *(f"/desk/faq/{one.id}" for one in (proposed, other)),
        f"/desk/faq/new?question={question}",
        *(f"/desk/office/groups/{empty.id}{end}" for end in ("", "/drop")),
        f"/desk/questions/{question}",
    ]


def _circulars(office: _Office, things: dict[str, Any]) -> list[str]:
    """One that was sent and answered, one that is written and waits, one that is on its way, one that was stopped."""
    session, now = office.session, office.cast.now
    show_circulars(session, office.who("Olga"), office.who("Vera"), now, ZONE)
    rows = list(session.exec(select(Circular).order_by("id")))
    sent, draft = rows[0], rows[-1]
    things["circular_id"] = draft.id
    for state in (CircularState.SENDING, CircularState.STOPPED, CircularState.DISCARDED):
        copy = Circular(**sent.model_dump(exclude={"id"}) | {"state": state})
        office.cast.add(copy)
        rows.append(copy)
    office.cast.add(_a_file(office, circular_id=draft.id, sha256="b" * 43))
    parts = ("", "/preview", "/preview?channel=email", "/preview?channel=telegram&language=en")
    return [
        *(f"/desk/circulars/{row.id}" for row in rows),
        *(f"/desk/circulars/{draft.id}{part}" for part in parts),
        f"/desk/circulars/{draft.id}/people?q=Ada",
        f"/r/{things['token']}/circulars/{sent.id}",
    ]


def _updates(office: _Office, things: dict[str, Any]) -> list[str]:
    """Received, accepted, returned; a draft that is ready to be sent, and one with a question of each type."""
    cast, now = office.cast, office.cast.now
    rows = [
        cast.add(
            Update(
                project_id=office.project.id,
                referent_id=office.ada.id,
                form_version_id=office.form.id,
                channel=Channel.TELEGRAM,
                answers=ANSWERS,
                received_at=now - timedelta(days=days),
                review=review,
            )
        )
        for days, review in ((31, Review.ACCEPTED), (2, Review.RETURNED), (1, Review.RECEIVED))
    ]
    draft = Draft(
        kind=DraftKind.UPDATE,
        referent_id=office.ada.id,
        project_id=office.project.id,
        form_version_id=office.form.id,
        channel=Channel.WEB,
        answers=ANSWERS,
        created_at=now,
        touched_at=now,
    )
    things["update_id"], things["draft_id"] = rows[-1].id, cast.add(draft).id
    cast.add(_a_file(office, update_id=rows[-1].id, sha256="c" * 43))
    things["token"] = token = new_personal_link(office.session, office.ada.id, now)
    return [
        *(f"/desk/updates/{row.id}" for row in rows),
        *(f"/r/{token}/sent/{row.id}" for row in rows),
        f"/r/{token}/fill?form_id={office.form.form_id}",
        *_everything(office),
    ]


def _everything(office: _Office) -> list[str]:
    """On the page of somebody else: they have one draft each."""
    cast, now = office.cast, office.cast.now
    town = cast.an_organization("Corsico")
    project = cast.a_project(town)
    cesare = cast.a_referent("Cesare Esempio", town, (project,), email="cesare@example.org")
    form = read_xlsform(EVERYTHING.read_bytes().replace(b"Tutto", b"Ogni tipo"), "everything.md").form
    assert form is not None
    draft = Draft(
        kind=DraftKind.UPDATE,
        referent_id=cesare.id,
        project_id=project.id,
        form_version_id=publishing.publish(office.session, form, now=now).id,
        channel=Channel.WEB,
        answers={"payment[1]/what": "Un muro", "works": "yes"},
        repetitions={"payment": 1},
        created_at=now,
        touched_at=now,
    )
    page = f"/r/{new_personal_link(office.session, cesare.id, now)}"
    here = f"{page}/drafts/{cast.add(draft).id}"
    return [here, f"{here}/remove?key=payment[1]", page]


def _deadlines(office: _Office, things: dict[str, Any]) -> list[str]:
    cast, now = office.cast, office.cast.now
    deadline = cast.a_deadline(office.form, date(2026, 12, 10), "Avanzamento dei lavori")
    late = cast.a_deadline(office.form, date(2026, 11, 10), "Verifica di ottobre")
    stopped = cast.a_deadline(office.form, date(2026, 11, 10), "Verifica di settembre", active=False)
    things["deadline_id"] = deadline.id
    soon = cast.an_obligation(deadline, office.project, date(2026, 12, 10), now + timedelta(days=16))
    things["obligation_id"] = soon.id
    overdue = cast.an_obligation(late, office.project, date(2026, 11, 10), now - timedelta(days=14))
    things["body_id"], things["month"] = things["organization_id"], "2026-11"
    soon.body_id = overdue.body_id = things["organization_id"]
    office.session.flush()
    count_some(office.session, now, 100)
    cast.add(Halt(kind=HaltKind.ALL, reason="Prova generale", began_at=now - timedelta(days=3), ended_at=now))
    halt = cast.add(Halt(kind=HaltKind.DEADLINE, target_id=late.id, reason="Il decreto proroga", began_at=now))
    things["halt_id"] = halt.id
    things["ladder_id"], things["rung_id"] = STANDARD_LADDER, 1
    own = cast.add(Ladder(name="Con parole proprie", created_at=now))
    cast.add(Rung(ladder_id=own.id, offset_days=-2, unit=Unit.WORKING_DAYS, text_it="Serve il SAL.", urgent=True))
    before = cast.add(Ladder(name="Di una volta", created_at=now, retired_at=now))
    return [
        *_changed(office, things, soon, overdue),
        *(f"/desk/ladders/{one.id}" for one in (own, before)),
        *(f"/desk/halts/new?kind={kind}" for kind in ("organization", f"deadline&target={deadline.id}")),
        "/desk/deadlines/new?template=blank",
        "/desk/deadlines/new?template=end-of-works",
        *(f"/desk/deadlines/{one.id}" for one in (late, stopped)),
        f"/desk/deadlines/{late.id}/obligations/{overdue.id}",
        f"/desk/register?deadline={late.id}&state=done",
    ]


def _changed(office: _Office, things: dict[str, Any], soon: Obligation, overdue: Obligation) -> list[str]:
    """A day in the calendar, one update that was given another day, and what is asked before it is done to many."""
    session, olga, now = office.session, office.who("Olga"), office.cast.now
    kept = closures.add(session, closures.Day(None, date(2026, 12, 24), False, "Vigilia di Natale"), olga, now)
    things |= {"closure_id": session.exec(select(Closure.id)).one(), "change_id": kept.act.id}
    who, seen = acts.Who(olga, now, "Alluvione"), [acts.Seen(soon.id, soon.version)]
    things["act_id"] = acts.postpone(session, soon.deadline_id, seen, date(2026, 12, 11), who).id
    late = f"/desk/deadlines/{overdue.deadline_id}"
    many = f"{late}/many?pick={overdue.id}.{overdue.version}&act="
    return [many + "postpone", many + "waive", f"{late}/close?period=2026-11"]


def _post(office: _Office, things: dict[str, Any]) -> list[str]:
    """Mail of nobody we know, somebody who asks to be let in, what could not be processed and what did not arrive."""
    cast, now = office.cast, office.cast.now
    dead = cast.add(_received(office, "<morto@mail.example.org>", InboxState.DEAD, error="ValueError: no such thing"))
    things["inbox_id"] = dead.id
    letters = [_a_letter(office, state) for state in (LetterState.HELD, LetterState.DISCARDED)]
    things["letter_id"] = letters[0].id
    cast.add(_a_file(office, letter_id=letters[0].id, sha256="d" * 43))
    asks = [
        cast.add(
            AccessRequest(
                chat=str(chat),
                name="Dario Esempio",
                organization="Consorzio intercomunale per la rigenerazione delle aree dismesse",
                email="dario@example.org",
                state=state,
                created_at=now,
                touched_at=now,
            )
        )
        for chat, state in ((44, AccessState.WAITING), (45, AccessState.REFUSED))
    ]
    things["request_id"] = asks[0].id
    failed = cast.add(
        Outbox(
            kind=OutboxKind.REMINDER,
            channel=Channel.EMAIL,
            address="ada@example.org",
            referent_id=office.ada.id,
            dedupe_key="it-failed",
            body={"text": "Sì.", "html": "Sì.", "subject": "Mercato coperto"},
            state=OutboxState.DEAD,
            error="550 5.1.1 unknown user",
            next_at=now,
            created_at=now,
        )
    )
    things["outbox_id"] = failed.id
    step = cast.add(Step(obligation_id=things["obligation_id"], rung_id=1, offset_days=-7, due_at=now))
    told = {"outcome": Outcome.SENT, "reason": Reason.DUE, "decided_at": now, "outbox_id": failed.id}
    cast.add(Decision(step_id=step.id, referent_id=office.ada.id, **told))
    more = ["/desk/told?person=ada", "/desk/told?person=carla"]
    return [*more, *(f"/desk/letters/{one.id}" for one in letters), *(f"/desk/access/{one.id}" for one in asks)]


def _received(office: _Office, provider_id: str, state: InboxState, **other: Any) -> Inbox:
    return Inbox(
        kind="mail",
        account="ricevuti@ufficio.example.org",
        provider_id=provider_id,
        payload_hash="x" * 43,
        payload=b"From: Dario <dario@example.org>\r\nSubject: Bandi\r\n\r\nVorrei sapere dei bandi.",
        lane="mail:dario",
        state=state,
        received_at=office.cast.now,
        **other,
    )


def _a_letter(office: _Office, state: LetterState) -> Letter:
    row = office.cast.add(_received(office, f"<{state}@mail.example.org>", InboxState.DONE))
    return add_letter(
        office.session,
        f"a letter that is {state}",
        inbox_id=row.id,
        channel=Channel.EMAIL,
        provider_id=f"<{state}@mail.example.org>",
        kind=LetterKind.MESSAGE,
        state=state,
        standing=Standing.UNVERIFIED,
        sender="un.indirizzo.lunghissimo.di.un.ufficio.che.nessuno.conosce@comune.example.org",
        sender_name="Dario Esempio",
        subject="Bandi",
        text="Vorrei sapere dei bandi.",
        received_at=office.cast.now,
    )


def _forms(office: _Office, things: dict[str, Any]) -> list[str]:
    """A second version in use, a third proposed, and a file that has something wrong with it."""
    session, now, olga = office.session, office.cast.now, office.who("Olga")
    second = read_xlsform(changed(), "modulo.md")
    assert second.form is not None
    publishing.publish(session, second.form, now=now, source="modulo.md", by=olga)
    third = read_xlsform(changed("Quanto avete speso, IVA compresa?"), "modulo.md")
    propose: dict[str, Any] = {"by": olga, "now": now}
    good = publishing.propose(session, third, name="modulo.md", content=b"modulo", **propose)
    broken = read_xlsform(BROKEN.encode(), "sbagliato.md")
    bad = publishing.propose(session, broken, name="sbagliato.md", content=BROKEN.encode(), **propose)
    things["proposal_id"] = good.id
    return [
        f"/desk/forms/proposals/{bad.id}",
        f"/desk/forms/{things['form_id']}/compare?old=1&new=2",
        f"/desk/forms/{things['form_id']}/versions/2",
    ]


def _doors(office: _Office, things: dict[str, Any]) -> list[str]:
    """The key of Ada's page, a file that she is to leave there, and the first link of somebody new at the desk."""
    cast = office.cast
    missing = _a_file(office, kind=FileKind.FILE, state=FileState.MISSING, file_id="AgAC", draft_id=things["draft_id"])
    things["attachment_id"] = cast.add(missing).id
    things["calendar_key"] = feeds.add_feed(office.session, feeds.Owner(referent_id=office.ada.id), cast.now)[1]
    for name in office.desk.people:
        feeds.add_feed(office.session, feeds.Owner(staff_id=office.who(name)), cast.now)
    new = cast.a_staff("Nina Nuova", Role.VOLUNTEER)
    link = welcome_link(office.desk.house.links, new, office.desk.house.secret_key)
    return [
        link.removeprefix(office.desk.house.links.base_url),
        f"/desk/office/staff/{things['staff_id']}/role?to=reader",
        "/desk/referents/duplicates",
        "/desk/nowhere",
        "/r/nonsense",
        "/public/faq?q=cup",
        "/public/faq?q=nessuna+risposta+di+questo+genere",
    ]
