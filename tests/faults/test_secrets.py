"""T36: whatever happens, no secret is in the log."""

import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.webhook import SECRET_HEADER, secret_for
from delivery.links import Links
from desk.security import sign_in_as
from intake.invitations import invite
from storage.database import Database
from storage.staff import add_staff
from storage.tables import Role
from tests.cast import Cast
from tests.faults.conftest import kind_of
from tests.faults.harness import TOKEN, Sandbox, Serve, serving, wait_until
from tests.faults.table import LINES, Line

pytestmark = pytest.mark.faults

SMTP_PASSWORD = "SegretaDellaPosta-93"
SECRET_KEY = "chiave-segreta-degli-esempi-4711-4711"
PASSWORD = "UnaPasswordScrittaMale-77"
CHAT = 3001


def test_no_secret_is_in_the_log(database_url: str, sandbox: Sandbox, tmp_path: Path) -> None:
    database = Database(database_url)
    start_token, personal_token, cookie = people_with_keys(database)
    sandbox.add_people([CHAT])

    with serving(
        tmp_path / "house",
        sandbox,
        database_url,
        RACCORDO_SMTP_URL=f"smtp://raccordo:{SMTP_PASSWORD}@127.0.0.1:{sandbox.smtp_port}",
        RACCORDO_SECRET_KEY=SECRET_KEY,
    ) as serve:
        serve.program = ("-m", "tests.faults.loud")
        serve.start()
        serve.wait_ready()
        use_pages(serve, personal_token, cookie)
        use_telegram(serve, start_token)
        break_the_network(serve)
        wait_until(lambda: "outbox.retry" in serve.log.read_text(), 30, "a message fails", 0.2)
        serve.stop()
        use_the_webhook(serve)

    log = serve.log.read_text()
    secrets = {
        "bot token": TOKEN,
        "SMTP password": SMTP_PASSWORD,
        "secret key": SECRET_KEY,
        "secret of the webhook": secret_for(SECRET_KEY.encode(), TOKEN.partition(":")[0]),
        "invitation": start_token,
        "personal page": personal_token,
        "session": cookie,
        "password typed": PASSWORD,
        **{f"data key {number}": key for number, key in enumerate(data_keys(serve))},
    }
    found = [name for name, secret in secrets.items() if secret in log]
    lines = len(log.splitlines())
    LINES.append(
        Line(
            "T36 secrets in the log",
            kind_of(database_url),
            len(secrets),
            0,
            0,
            0,
            f"{len(found)} found in {lines} lines",
        )
    )
    assert "outbox.sent" in log, "the log of this run says nothing"
    assert "telegram.poll-failed" in log, "the network did not break"
    assert "telegram.webhook-set" in log, "nothing came by webhook"
    assert found == []
    database.close()


def data_keys(serve: Serve) -> list[str]:
    """The digits of each key in the file that `serve` made."""
    found = re.findall(r"^\w+:([0-9a-f]{64})$", (serve.folder / "raccordo.data-keys").read_text(), re.MULTILINE)
    assert len(found) == 2, "one that seals and one that recognises"
    return found


def people_with_keys(database: Database) -> tuple[str, str, str]:
    """An invited referent and an officer who has signed in: the keys of the invitation, the page, the session."""
    now = datetime.now(UTC)
    with database.write() as session:
        cast = Cast(session, now)
        organization = cast.an_organization("Ente di prova")
        referent = cast.a_referent(
            "Ada Esempio", organization, (cast.a_project(organization),), email="ada@example.org"
        )
        invited = invite(session, referent.id, now, Links("http://localhost", bot="prova"))
        officer = add_staff(session, email="olga@example.org", name="Olga Esempio", role=Role.OFFICER, now=now)
        cookie = sign_in_as(session, officer.id, now)
    return invited.start_link.partition("start=")[2], invited.personal_link.rpartition("/")[2], cookie


def use_pages(serve: Serve, personal_token: str, cookie: str) -> None:
    """Good and bad visits: each leaves what it leaves in the log."""
    with httpx.Client(base_url=serve.url, timeout=10) as client:
        client.get(f"/r/{personal_token}")
        client.get(f"/r/{personal_token}/nothing")
        client.get("/desk/questions", headers={"cookie": f"raccordo_session={cookie}"})
        client.post("/desk/sign-in", data={"email": "olga@example.org", "password": PASSWORD})
        client.get("/readyz")
        client.get("/metrics")


def use_telegram(serve: Serve, start_token: str) -> None:
    serve.sandbox.send(CHAT, f"/start {start_token}")
    button = wait_until(lambda: first_button(serve.sandbox), 30, "the invitation is answered", 0.1)
    serve.sandbox.press(CHAT, *button)
    before = serve.sandbox.size()
    serve.sandbox.send(CHAT, "/menu")
    wait_until(lambda: serve.sandbox.heard(before, b"sendMessage"), 30, "the menu is shown")


def use_the_webhook(serve: Serve) -> None:
    """The same service, started anew in the other mode: a post that is taken, and one that is not."""
    serve.settings["RACCORDO_TELEGRAM_MODE"] = "webhook"
    serve.sandbox.set_faults([])
    before = serve.sandbox.size()
    serve.start()
    serve.wait_ready()
    serve.sandbox.send(CHAT, "/menu")
    wait_until(lambda: serve.sandbox.heard(before, b'"posted"'), 30, "a post arrives")
    httpx.post(f"{serve.url}/telegram/{TOKEN.partition(':')[0]}", headers={SECRET_HEADER: "wrong"})
    wait_until(lambda: "telegram.post-refused" in serve.log.read_text(), 30, "a post is refused")
    serve.stop()


def first_button(sandbox: Sandbox) -> tuple[int, str] | None:
    for message in sandbox.chat(CHAT)["messages"]:
        for row in message["raw"].get("reply_markup", {}).get("inline_keyboard", []):
            return message["id"], row[0]["callback_data"]
    return None


def break_the_network(serve: Serve) -> None:
    """Answers get lost, polls are refused: exceptions with addresses in them."""
    serve.sandbox.set_faults(
        [
            {"method": "sendMessage", "drop": "before", "times": 2},
            {"method": "getUpdates", "status": 401, "description": "Unauthorized", "times": 1},
            {"method": "getUpdates", "drop": "before", "times": 1},
        ]
    )
    serve.sandbox.send(CHAT, "/aiuto")
    wait_until(lambda: "telegram.poll-failed" in serve.log.read_text(), 40, "a poll fails", 0.2)
