"""The deadlines: making one in two steps, who is late, letting off, stopping, why somebody was reminded."""

import re
from datetime import timedelta
from enum import StrEnum
from html import unescape

import pytest
from sqlmodel import col, select

from desk.labels import LABELS
from facts.recurrence import ONCE, monthly
from intake.builtin import ensure_builtin_forms
from reminders.again import remind_tomorrow
from reminders.deadlines import create_deadline
from reminders.sweep import remind_one
from storage.reports import close_obligation
from storage.tables import (
    Deadline,
    Obligation,
    ObligationState,
    Organization,
    Project,
    Referent,
    Subject,
    Target,
    TargetKind,
)
from tests.desk.conftest import Desk

NEW = "/desk/deadlines/new"


def furnish(desk: Desk) -> dict[str, str]:
    """Two projects of Melzo, one of Corsico, a form; a monthly wish over everything."""
    with desk.house.database.write() as session:
        form = ensure_builtin_forms(session, desk.house.clock()).form_id
        cast = desk.cast(session)
        place = cast.an_organization("Melzo")
        projects = [cast.a_project(place, title=title) for title in ("Ex mercato", "Biblioteca")]
        cast.a_project(cast.an_organization("Corsico"), title="Cascina")
        cast.a_referent("Ada Esempio", place, (projects[0],), chat=100)
    return {
        "title": "Monitoraggio mensile",
        "form_id": str(form),
        "often": "monthly",
        "day": "10",
        "first_on": "2026-12-01",
        "zone": "Europe/Rome",
        "opens": "20",
        "scope": "all",
        "step": "check",
    }


def a_deadline(desk: Desk, days: int) -> int:
    """Due once, so many days from today, for every project."""
    wish = furnish(desk)
    with desk.house.database.write() as session:
        return create_deadline(
            session,
            title="Rendicontazione",
            form_id=int(wish["form_id"]),
            subject=Subject.PROJECT,
            rule=ONCE,
            first_on=(desk.house.clock() + timedelta(days=days)).date(),
            until=None,
            zone="Europe/Rome",
            opens_days_before=20,
            targets=(),
            created_by=desk.people["Olga"],
            now=desk.house.clock(),
        ).id


def an_obligation(desk: Desk, deadline: int, title: str = "Ex mercato") -> int:
    with desk.house.database.read() as session:
        return session.exec(
            select(Obligation.id)
            .join(Project, col(Project.id) == col(Obligation.project_id))
            .where(Obligation.deadline_id == deadline, Project.title == title)
        ).one()


def text_of(page: str) -> str:
    """What is read, without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


def made(desk: Desk) -> list[Deadline]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Deadline)))


async def press(desk: Desk, who: str, wish: dict[str, str]) -> tuple[int, str]:
    answer = await desk.browser(who).send_form(NEW, page=NEW, **wish)
    return answer.status_code, answer.text


async def test_without_deadlines_the_page_says_what_to_do(desk: Desk) -> None:
    page = (await desk.browser("Olga").get("/desk/deadlines")).text

    assert "Ancora nessuna scadenza" in page
    assert NEW in page


async def test_checking_shows_the_next_days_and_keeps_nothing(desk: Desk) -> None:
    wish = furnish(desk)

    status, text = await press(desk, "Olga", {**wish})

    assert status == 200
    assert "giovedì 10 dicembre 2026" in text
    assert "domenica 10 gennaio 2027" in text
    assert len(re.findall("<li>[a-zì]+ 10 ", text)) == 12
    assert re.search(r"Aggiornamenti attesi ogni volta</dt><dd>3<", text)
    assert made(desk) == []


async def test_checking_says_how_many_are_reminded_and_how_many_have_nobody(desk: Desk) -> None:
    _status, text = await press(desk, "Olga", furnish(desk))

    assert re.search(r"Chi riceve i promemoria</dt><dd>Un referente<br>Per 2 aggiornamenti non c", text)


async def test_the_row_leads_to_letting_off_for_those_who_may(desk: Desk) -> None:
    deadline = a_deadline(desk, days=-3)
    url = f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}?waiving=1"

    lists = [f"/desk/deadlines/{deadline}?which=late", "/desk/deadlines/late"]
    olgas = [(await desk.browser("Olga").get(one)).text for one in lists]
    ritas = [(await desk.browser("Rita").get(one)).text for one in lists]
    page = (await desk.browser("Olga").get(url)).text

    assert [f'href="{url}#not-needed"' in one for one in olgas] == [True, True]
    assert ["waiving" in one for one in ritas] == [False, False]
    assert re.search(r'id="not-needed" open>', page)


async def test_making_it_asks_three_projects_each_month(desk: Desk) -> None:
    wish = furnish(desk)

    answer = await desk.browser("Olga").send_form(NEW, page=NEW, **(wish | {"step": "create"}))

    (deadline,) = made(desk)
    assert answer.headers["location"] == f"/desk/deadlines/{deadline.id}"
    assert (deadline.title, deadline.rule, deadline.created_by) == (
        "Monitoraggio mensile",
        monthly(10),
        desk.people["Olga"],
    )
    with desk.house.database.read() as session:
        periods = session.exec(select(Obligation.period).where(Obligation.deadline_id == deadline.id)).all()
    assert periods.count("2026-12") == 3


async def test_going_back_keeps_everything_typed(desk: Desk) -> None:
    wish = furnish(desk)

    status, text = await press(desk, "Olga", wish | {"step": "edit", "scope": "some", "organizations": "Melzo"})

    assert status == 200
    assert 'value="Monitoraggio mensile"' in text
    assert "Melzo</textarea>" in text
    assert re.search(r'id="f-scope-some"[^>]+checked', text)


@pytest.mark.parametrize(
    ("scope", "kind", "count"),
    [
        ({"scope": "some", "organizations": "melzo\n comune di Corsico "}, TargetKind.ORGANIZATION, 2),
        ({"scope": "some", "programme": "PROGRAMME"}, TargetKind.PROGRAMME, 1),
        ({"scope": "some", "cups": "CUP"}, TargetKind.PROJECT, 1),
    ],
)
async def test_a_scope_is_kept(desk: Desk, scope: dict[str, str], kind: TargetKind, count: int) -> None:
    wish = furnish(desk)
    with desk.house.database.read() as session:
        project = session.exec(select(Project)).all()[0]
        place = session.get_one(Organization, project.implementing_body_id)
    scope = {
        key: value.replace("PROGRAMME", str(project.programme_id)).replace("CUP", project.cup)
        for key, value in scope.items()
    }

    await press(desk, "Olga", wish | scope | {"step": "create"})

    assert place.name == "Melzo"
    with desk.house.database.read() as session:
        targets = session.exec(select(Target)).all()
    assert [target.kind for target in targets] == [kind] * count


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"title": ""}, "title", "Dai un titolo"),
        ({"day": "32"}, "day", "da 1 a 31"),
        ({"day": "¹"}, "day", "da 1 a 31"),
        ({"first_on": ""}, "first_on", "Scegli un giorno"),
        ({"until": "ieri"}, "until", "Scegli un giorno"),
        ({"until": "2026-11-30"}, "until", "viene prima di quella iniziale"),
        ({"often": "once", "due_on": ""}, "due_on", "Scegli un giorno"),
        ({"opens": "mille"}, "opens", "da 0 a 366"),
        ({"scope": "some", "organizations": "Melzoo"}, "organizations", "Intendevi Melzo"),
        ({"scope": "some"}, "scope", "almeno un programma"),
        ({"scope": "some", "measures": "M9"}, "measures", "Nessun programma"),
        ({"excluded": "Atlantide"}, "excluded", "Atlantide"),
        ({"often": "always"}, "often", "Scegli una di queste voci"),
        ({"often": "quarterly", "month": "13"}, "month", "Scegli una di queste voci"),
        ({"often": "weekly", "weekday": "7"}, "weekday", "Scegli una di queste voci"),
        ({"grace": "91"}, "grace", "da 0 a 90"),
        ({"scope": "some", "cups": "G59J21O15600007"}, "cups", "G59J21015600007"),
        ({"scope": "some", "cups": "G59J21015600007"}, "cups", "Nessun progetto ha il CUP"),
    ],
)
async def test_a_mistake_is_said_beside_its_field(desk: Desk, wrong: dict[str, str], field: str, said: str) -> None:
    wish = furnish(desk)

    status, text = await press(desk, "Olga", wish | wrong | {"step": "create"})

    assert status == 422
    error = re.search(rf'id="e-{field}">(.+?)</p>', text)
    assert error is not None
    assert said.lower() in error[1].lower()
    assert made(desk) == []


async def test_what_the_rules_refuse_is_said_and_nothing_typed_is_lost(desk: Desk) -> None:
    status, text = await press(desk, "Olga", furnish(desk) | {"first_on": "2020-01-01"})

    assert status == 422
    assert 'class="alert alert-danger"' in text
    assert 'value="Monitoraggio mensile"' in text


async def test_a_deadline_in_the_past_warns_that_it_is_late_at_once(desk: Desk) -> None:
    wish = furnish(desk) | {"often": "once", "due_on": "2026-11-20"}

    status, text = await press(desk, "Olga", wish)

    assert status == 200
    assert "3 aggiornamenti sarebbero subito in ritardo" in text


async def test_the_list_counts_who_is_late(desk: Desk) -> None:
    deadline = a_deadline(desk, days=-3)

    page = (await desk.browser("Rita").get("/desk/deadlines")).text

    assert f"/desk/deadlines/{deadline}?which=late" in page
    assert re.search(r'badge bg-danger">3<', page)


async def test_who_is_late_names_project_and_referent(desk: Desk) -> None:
    deadline = a_deadline(desk, days=-3)

    page = (await desk.browser("Rita").get("/desk/deadlines/late")).text

    assert f"/desk/deadlines/{deadline}/obligations/" in page
    assert "Ada Esempio" in page
    assert "3 giorni fa" in page
    assert page.count(">Nessuno<") == 2


async def test_nobody_is_late_when_the_day_has_not_come(desk: Desk) -> None:
    a_deadline(desk, days=3)

    assert "Nessuno è in ritardo" in (await desk.browser("Rita").get("/desk/deadlines/late")).text


async def test_each_obligation_lies_in_one_heap(desk: Desk) -> None:
    deadline = a_deadline(desk, days=3)
    rita, url = desk.browser("Rita"), f"/desk/deadlines/{deadline}"
    with desk.house.database.write() as session:
        row = session.get_one(Obligation, an_obligation(desk, deadline, "Cascina"))
        row.state = ObligationState.DONE
        session.add(row)

    awaited, done = (await rita.get(f"{url}?which=open")).text, (await rita.get(f"{url}?which=done")).text

    assert re.findall(r'class="count">(\d+)<', awaited) == ["0", "2", "1", "0"]
    assert "Cascina" not in awaited
    assert "Cascina" in done


async def test_an_obligation_tells_why_somebody_was_reminded(desk: Desk) -> None:
    deadline = a_deadline(desk, days=7)
    with desk.house.database.write() as session:
        while remind_one(session, desk.house.clock()):
            pass
    obligation = an_obligation(desk, deadline)

    page = (await desk.browser("Rita").get(f"/desk/deadlines/{deadline}/obligations/{obligation}")).text

    assert "7 giorni prima della scadenza: abbiamo preparato un promemoria" in text_of(page)
    assert "è previsto un promemoria a tutti quelli che lo seguono" in text_of(page)


async def test_letting_somebody_off_keeps_the_reason(desk: Desk) -> None:
    deadline = a_deadline(desk, days=3)
    url = f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}"
    olga = desk.browser("Olga")

    without = await olga.send_form(f"{url}/waive", page=url, reason=" ")
    answer = await olga.send_form(f"{url}/waive", page=url, reason="Progetto concluso")
    again = await olga.send_form(f"{url}/waive", page="/desk/questions", reason="Ancora")

    assert without.status_code == 422
    assert 'id="e-reason"' in without.text
    assert answer.status_code == again.status_code == 303
    page = (await olga.get(url)).text
    assert "Progetto concluso" in page
    assert "Non si attendeva già più" in page
    assert "/waive" not in page


async def test_stopping_asks_for_a_reason_and_lets_everybody_off(desk: Desk) -> None:
    deadline = a_deadline(desk, days=3)
    url = f"/desk/deadlines/{deadline}/stop"
    olga = desk.browser("Olga")

    asked = await olga.get(url)
    without = await olga.send_form(url, page=url, reason="")
    await olga.send_form(url, page=url, reason="Bando annullato")

    assert "3 aggiornamenti" in asked.text
    assert without.status_code == 422
    with desk.house.database.read() as session:
        assert not session.get_one(Deadline, deadline).active
        states = set(session.exec(select(Obligation.state)))
    assert states == {ObligationState.WAIVED}
    assert "/stop" not in (await olga.get(f"/desk/deadlines/{deadline}")).text


@pytest.mark.parametrize(
    "url",
    [
        "/desk/deadlines/9999",
        "/desk/deadlines/9999/stop",
        "/desk/deadlines/9999/version",
        "/desk/deadlines/9999/obligations/{obligation}",
        "/desk/deadlines/{deadline}/obligations/9999",
    ],
)
async def test_what_is_not_there_is_said_kindly(desk: Desk, url: str) -> None:
    deadline = a_deadline(desk, days=3)
    here = {"deadline": deadline, "obligation": an_obligation(desk, deadline)}

    assert (await desk.browser("Olga").get(url.format(**here))).status_code == 404


async def test_an_obligation_of_another_deadline_is_not_waived(desk: Desk) -> None:
    deadline = a_deadline(desk, days=3)
    obligation = an_obligation(desk, deadline)

    answer = await desk.browser("Olga").send_form(
        f"/desk/deadlines/{deadline + 1}/obligations/{obligation}/waive", page=NEW, reason="Sbagliato"
    )

    assert answer.status_code == 404
    with desk.house.database.read() as session:
        assert session.get_one(Obligation, obligation).state is ObligationState.OPEN


# --- Carla may not

PAGES = ["/desk/deadlines", "/desk/deadlines/late", "/desk/deadlines/1", "/desk/deadlines/1/obligations/1"]
FORMS = [NEW, "/desk/deadlines/1/stop", "/desk/deadlines/1/version"]


@pytest.mark.parametrize("url", PAGES + FORMS)
async def test_carla_who_has_no_account_sees_no_deadline(desk: Desk, url: str) -> None:
    assert (await desk.browser().get(url)).status_code == 303


@pytest.mark.parametrize("who", ["Rita", "Vera"])
@pytest.mark.parametrize("url", [NEW, "/desk/deadlines/{deadline}/stop", "/desk/deadlines/{deadline}/version"])
async def test_readers_and_volunteers_have_no_forms_for_deadlines(desk: Desk, who: str, url: str) -> None:
    deadline = a_deadline(desk, days=3)

    assert (await desk.browser(who).get(url.format(deadline=deadline))).status_code == 403


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
@pytest.mark.parametrize(
    "button",
    [
        NEW,
        "/desk/deadlines/{deadline}/stop",
        "/desk/deadlines/{deadline}/version",
        "/desk/deadlines/{deadline}/obligations/{obligation}/waive",
    ],
)
async def test_readers_and_volunteers_press_no_button(desk: Desk, who: str | None, button: str) -> None:
    deadline = a_deadline(desk, days=3)
    url = button.format(deadline=deadline, obligation=an_obligation(desk, deadline))
    page = "/desk/questions" if who else "/desk/sign-in"

    answer = await desk.browser(who).send_form(url, page=page, reason="no", step="create", revision="1")

    assert answer.status_code == (403 if who else 303)
    with desk.house.database.read() as session:
        assert session.get_one(Deadline, deadline).version == 1
        assert set(session.exec(select(Obligation.state))) == {ObligationState.OPEN}


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_readers_and_volunteers_are_shown_no_such_button(desk: Desk, who: str) -> None:
    deadline = a_deadline(desk, days=3)
    browser = desk.browser(who)

    pages = [
        (await browser.get(url)).text
        for url in (
            "/desk/deadlines",
            f"/desk/deadlines/{deadline}",
            f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}",
        )
    ]

    assert not any(button in page for page in pages for button in (NEW, "/stop", "/version", "/waive"))


async def test_the_obligation_says_who_asked_to_be_reminded_tomorrow_and_what_became_of_it(desk: Desk) -> None:
    deadline = a_deadline(desk, days=1)
    page = f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}"
    with desk.house.database.write() as session:
        while remind_one(session, desk.house.clock()):
            pass
        ada = session.exec(select(Referent.id)).one()
        assert remind_tomorrow(session, ada, "100", "", desk.house.clock()) is not None

    waiting = (await desk.browser("Rita").get(page)).text
    with desk.house.database.write() as session:
        close_obligation(session, an_obligation(desk, deadline), desk.house.clock())
        while remind_one(session, desk.house.clock() + timedelta(days=1)):
            pass
    decided = (await desk.browser("Rita").get(page)).text

    asked = "Ada Esempio · ha chiesto di ricordarglielo di nuovo il 25 novembre 2026, 08:30."
    assert asked in text_of(waiting)
    assert "Ada Esempio · Di nuovo: nessun promemoria: l'aggiornamento era già arrivato." in text_of(decided)


@pytest.mark.parametrize("words", LABELS, ids=lambda words: words.__name__)
def test_every_word_of_ours_has_words_for_people(words: type[StrEnum]) -> None:
    assert set(LABELS[words]) == set(words)
