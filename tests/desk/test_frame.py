"""What holds for every page: headers, forms, refusals, files."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from sqlmodel import Session, func, select

from desk import pages
from desk.app import Check
from storage.people import new_personal_link
from storage.tables import Question, StaffSession
from tests.desk.conftest import Clock, Desk

PUBLIC = ("/", "/privacy", "/accessibility", "/desk/sign-in", "/healthz", "/readyz", "/metrics", "/nowhere")
STATIC = (
    "/static/raccordo.css",
    "/static/icon.svg",
    "/static/bootstrap-italia/css/bootstrap-italia.min.css",
    "/static/bootstrap-italia/svg/sprites.svg",
    "/static/htmx/htmx-2.min.js",
)


@pytest.mark.parametrize("path", PUBLIC + STATIC)
async def test_every_answer_carries_the_security_headers(desk: Desk, path: str) -> None:
    headers = (await desk.browser().get(path)).headers

    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers  # not over http


async def test_pages_are_not_kept_by_caches_and_files_may_be(desk: Desk) -> None:
    browser = desk.browser("Olga")

    page, file = await browser.get("/desk/questions"), await browser.get("/static/raccordo.css")

    assert page.headers["cache-control"] == "no-store"
    assert file.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", STATIC)
async def test_the_files_of_the_pages_are_served(desk: Desk, path: str) -> None:
    assert (await desk.browser().get(path)).status_code == 200


async def test_every_file_our_style_sheet_names_exists(desk: Desk) -> None:
    browser = desk.browser()
    sheet = (await browser.get("/static/raccordo.css")).text

    found = {path: (await browser.get(path)).status_code for path in re.findall(r'url\("([^"]+)"\)', sheet)}

    assert found
    assert set(found.values()) == {200}


def test_no_template_has_inline_style_or_script() -> None:
    guilty = [
        path.name
        for path in (Path(pages.__file__).parent / "templates").rglob("*.html")
        if re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|\|\s*safe", path.read_text(encoding="utf-8"))
    ]

    assert guilty == []


async def test_there_is_no_description_of_the_interface(desk: Desk) -> None:
    browser = desk.browser()

    seen = [(await browser.get(path)).status_code for path in ("/docs", "/redoc", "/openapi.json")]

    assert seen == [404] * 3


def every_route(desk: Desk, method: str, *, number: str = "1", token: str = "1") -> list[str]:
    found: list[str] = []

    def walk(routes: object) -> None:
        for route in routes:  # type: ignore[attr-defined]  # a list of Starlette's routes
            if isinstance(route, APIRoute) and method in (route.methods or ()):
                found.append(re.sub(r"\{[^}]+\}", number, route.path.replace("{token}", token)))
            elif hasattr(route, "original_router"):
                walk(route.original_router.routes)

    walk(desk.app.routes)
    return found


def test_the_walk_over_the_routes_finds_them(desk: Desk) -> None:
    assert "/desk/questions/1/answer" in every_route(desk, "POST")
    assert "/desk/questions" in every_route(desk, "GET")


@pytest.mark.parametrize("number", ["0", "-1", str(2**31), str(2**63), "9" * 30])
async def test_a_number_that_no_database_could_hold_is_a_page_that_does_not_exist(desk: Desk, number: str) -> None:
    with desk.house.database.write() as session:
        key = new_personal_link(session, desk.cast(session).a_referent().id, desk.house.clock())
    anna = desk.browser("Anna")
    looks, changes = (
        [path for path in every_route(desk, m, number=number, token=key) if number in path.split("/")]
        for m in ("GET", "POST")
    )

    seen = {path: (await anna.get(path)).status_code for path in looks}
    pressed = {
        path: (await anna.send_form(path, page="/desk/questions", version="1", text="x")).status_code
        for path in changes
    }

    assert len(seen) > 10
    assert seen == dict.fromkeys(looks, 404)
    assert pressed == dict.fromkeys(changes, 404)


async def test_no_form_is_taken_without_its_token(desk: Desk) -> None:
    browser = desk.browser("Anna")

    seen = {path: (await browser.post(path, data={"version": "1", "text": "x"})) for path in every_route(desk, "POST")}

    assert {path: answer.status_code for path, answer in seen.items()} == dict.fromkeys(seen, 403)


async def test_a_form_with_somebody_elses_token_is_refused(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        question = cast.a_question(cast.a_referent())
    ugo = await desk.browser("Ugo").get("/desk/questions")
    token = ugo.text.split('name="csrf" value="')[1].split('"')[0]

    answer = await desk.browser("Olga").post(
        f"/desk/questions/{question.id}/take", data={"csrf": token, "version": "1"}
    )

    assert answer.status_code == 403
    assert "ricarica la pagina" in answer.text


async def test_nobody_sees_the_desk_without_signing_in(desk: Desk) -> None:
    browser = desk.browser()
    inside = [path for path in every_route(desk, "GET") if path.startswith("/desk/")]
    inside = [path for path in inside if not path.startswith(("/desk/sign-in", "/desk/welcome/1"))]

    seen = {path: (await browser.get(path)).headers.get("location", "") for path in inside}

    assert len(seen) > 2
    assert [path for path, location in seen.items() if not location.startswith("/desk/sign-in")] == []


async def test_nobody_changes_anything_at_the_desk_without_signing_in(desk: Desk) -> None:
    browser = desk.browser()
    inside = [path for path in every_route(desk, "POST") if path.startswith("/desk/")]
    inside = [path for path in inside if path not in ("/desk/sign-in", "/desk/welcome/1")]

    answers = [await browser.send_form(path, version="1", text="x") for path in inside]

    assert {(answer.status_code, answer.headers.get("location")) for answer in answers} == {(303, "/desk/sign-in")}


async def test_a_reader_changes_nothing(desk: Desk) -> None:
    browser = desk.browser("Rita")
    inside = [path for path in every_route(desk, "POST") if path.startswith("/desk/")]
    inside = [path for path in inside if path not in ("/desk/sign-out", "/desk/welcome/1")]
    # What is theirs, they do change: how they sign in, their own account, the filters that they keep.
    inside = [path for path in inside if not path.startswith(("/desk/sign-in", "/desk/account", "/desk/filters"))]

    seen = {
        path: (await browser.send_form(path, page="/desk/questions", version="1", text="x")).status_code
        for path in inside
    }

    assert seen == dict.fromkeys(inside, 403)


async def test_errors_are_kind_sentences(desk: Desk) -> None:
    browser = desk.browser("Olga")

    nowhere, no_number = await browser.get("/desk/nowhere"), await browser.get("/desk/questions/abc")

    assert (nowhere.status_code, no_number.status_code) == (404, 404)
    assert "Questa pagina non esiste" in nowhere.text
    assert '"detail"' not in no_number.text


async def test_our_own_mistakes_are_pages_too_and_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        question = cast.a_question(cast.a_referent())
    monkeypatch.setattr("answering.moves._note", lambda *_, **__: 1 / 0)

    answer = await desk.browser("Olga").send_form(
        f"/desk/questions/{question.id}/take", page=f"/desk/questions/{question.id}", version="1"
    )

    assert answer.status_code == 500
    assert "dipende da noi" in answer.text
    assert "ZeroDivision" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    with desk.house.database.read() as session:
        kept = session.get(Question, question.id)
    assert kept is not None
    assert kept.version == 1


async def test_a_commit_that_fails_never_answers_well(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        question = cast.a_question(cast.a_referent())
    browser = desk.browser("Olga")
    await browser.get("/desk/questions")

    def full(_: Session) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Session, "commit", full)
    answer = await browser.send_form(
        f"/desk/questions/{question.id}/take", page=f"/desk/questions/{question.id}", version="1"
    )

    assert answer.status_code == 500


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(desk: Desk) -> None:
    browser = desk.browser()
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            read += 1
            yield b"x" * 1024 * 1024

    declared = await browser.post("/desk/sign-in", content=b"x", headers={"content-length": str(61 * 1024 * 1024)})
    form = {"content-type": "multipart/form-data; boundary=x"}
    endless = await browser.post("/desk/sign-in", content=chunks(), headers=form)

    assert (declared.status_code, endless.status_code) == (413, 413)
    assert read < 70


async def test_looking_around_writes_nothing(desk: Desk, clock: Clock) -> None:
    browser = desk.browser("Olga")
    clock.move(minutes=5)

    for path in ("/desk/questions", "/desk/questions?q=a%25b", "/"):
        assert (await browser.get(path)).status_code == 200

    with desk.house.database.read() as session:
        assert session.exec(select(func.count()).select_from(StaffSession)).one() == 1
        assert session.exec(select(StaffSession.seen_at)).one() == clock.now


# --- health


async def test_alive_and_ready(desk: Desk) -> None:
    browser = desk.browser()

    alive, ready = await browser.get("/healthz"), await browser.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert ready.json()["checks"]["database"]["ok"] is True


async def test_one_part_that_is_stale_makes_the_whole_not_ready(desk: Desk, checks: list[Check]) -> None:
    checks.append(Check("telegram", ok=False, detail="no successful poll for 120 s"))

    answer = await desk.browser().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["telegram"]["detail"] == "no successful poll for 120 s"


async def test_the_figures_count_what_is_in_the_database(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent()
        cast.a_question(ada)
        cast.a_question(ada)

    answer = await desk.browser().get("/metrics")

    assert 'raccordo_questions{state="new"} 2.0' in answer.text
    assert 'raccordo_outbox_rows{state="queued"} 0.0' in answer.text
    assert 'raccordo_inbox_rows{state="dead"} 0.0' in answer.text
    assert "raccordo_obligations_late 0.0" in answer.text


async def test_robots_and_security_contact(desk: Desk) -> None:
    browser = desk.browser()

    robots, contact = await browser.get("/robots.txt"), await browser.get("/.well-known/security.txt")

    assert "Disallow: /r/" in robots.text
    assert "Contact: " in contact.text
    assert "Expires: 2027-11-23" in contact.text


@pytest.mark.parametrize("path", ["/", "/privacy", "/accessibility", "/desk/sign-in", "/nowhere"])
async def test_every_page_is_italian_and_links_privacy_and_accessibility(desk: Desk, path: str) -> None:
    page = (await desk.browser().get(path)).text

    assert '<html lang="it">' in page
    assert 'data-element="accessibility-link"' in page
    assert 'data-element="privacy-policy-link"' in page
