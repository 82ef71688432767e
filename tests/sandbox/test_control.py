"""Playing the people from another process, and the ledger that stays on disk."""

import asyncio
import sys
from pathlib import Path

import httpx
import orjson
from starlette.responses import PlainTextResponse
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from sandbox.pages import sandbox_app
from sandbox.telegram import Person, TelegramSandbox
from sandbox.wire import Receive, Scope, Send
from tests.sandbox.conftest import TOKEN


async def test_a_person_is_played_over_http(web: httpx.AsyncClient, bot: Bot) -> None:
    await web.post("/sandbox/people", json={"user_id": 7, "first_name": "Bruno"})
    sent = await web.post("/sandbox/people/7/send", json={"text": "/start"})
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("ok", callback_data="d")]])
    shown = await bot.send_message(7, "Ciao", reply_markup=markup)
    pressed = await web.post("/sandbox/people/7/press", json={"message_id": shown.message_id, "data": "d"})
    await bot.answer_callback_query(pressed.json()["query_id"], "fatto")
    chat = (await web.get("/sandbox/people/7/chat")).json()
    newer = (await web.get("/sandbox/people/7/chat", params={"after": chat["version"]})).json()

    assert sent.json()["raw"]["text"] == "/start"
    assert [message["raw"]["text"] for message in chat["messages"]] == ["/start", "Ciao"]
    assert chat["presses"][0]["text"] == "fatto"
    assert newer["messages"] == []


async def test_a_file_is_replaced_over_http(web: httpx.AsyncClient, ada: Person) -> None:
    sent = ada.sends_document("a.pdf", caption="Prima")
    url = f"/sandbox/people/{ada.id}/edit"

    as_json = await web.post(url, json={"message_id": sent.id, "document": {"name": "b.pdf"}})
    form = {"message_id": str(sent.id), "text": ""}
    as_form = await web.post(url, data=form, files={"document": ("c.pdf", b"%PDF-1.4", "application/pdf")})
    two = [("document", (name, b"%PDF-1.4", "application/pdf")) for name in ("d.pdf", "e.pdf")]
    refused = [
        await web.post(url, data=form, files=two),
        await web.post(url, json={"message_id": sent.id}),
        await web.post(f"/sandbox/people/{ada.id}/send", files={"text": (None, b"")}),
    ]

    assert (as_json.json()["raw"]["document"]["file_name"], as_json.json()["raw"]["caption"]) == ("b.pdf", "Prima")
    assert as_form.json()["raw"]["document"]["file_name"] == "c.pdf"
    assert "caption" not in as_form.json()["raw"]
    assert [answer.status_code for answer in refused] == [409, 422, 422]


async def test_what_a_person_could_not_do_is_refused(web: httpx.AsyncClient, ada: Person) -> None:
    sent = ada.sends("ciao")

    nobody = await web.post("/sandbox/people/99/send", json={"text": "x"})
    no_button = await web.post(f"/sandbox/people/{ada.id}/press", json={"message_id": sent.id, "data": "d"})
    nonsense = await web.post(f"/sandbox/people/{ada.id}/send", json={})
    await web.post(f"/sandbox/people/{ada.id}/block", json={"blocked": True})
    blocked = await web.post(f"/sandbox/people/{ada.id}/send", json={"text": "x"})

    assert [answer.status_code for answer in (nobody, no_button, nonsense, blocked)] == [409, 409, 422, 409]


async def test_fault_rules_strike_as_often_as_told(web: httpx.AsyncClient, bot: Bot, ada: Person) -> None:
    rules = [{"method": "sendMessage", "chat_id": ada.id, "every": 2, "times": 1, "status": 502}]
    await web.post("/sandbox/faults", json={"rules": rules})

    outcomes = []
    for text in "abcd":
        try:
            await bot.send_message(ada.id, text)
            outcomes.append(text)
        except TelegramError:
            outcomes.append("fault")

    assert outcomes == ["a", "fault", "c", "d"]


async def test_the_chat_can_be_waited_for(web: httpx.AsyncClient, ada: Person) -> None:
    waiting = asyncio.create_task(web.get(f"/sandbox/people/{ada.id}/chat", params={"wait": 10}))
    asyncio.get_running_loop().call_later(0.05, ada.sends, "ciao")

    async with asyncio.timeout(60):
        chat = (await waiting).json()

    assert [message["raw"]["text"] for message in chat["messages"]] == ["ciao"]


async def test_the_ledger_is_also_lines_on_disk(tmp_path: Path) -> None:
    telegram = TelegramSandbox(TOKEN, ledger_path=tmp_path / "ledger.jsonl")
    telegram.add_person(1, "Ada").sends("ciao")

    lines = [orjson.loads(line) for line in (tmp_path / "ledger.jsonl").read_bytes().splitlines()]

    telegram.close()
    assert [(line["kind"], line["number"]) for line in lines] == [("queued", 1)]


async def test_the_sandbox_runs_alone_and_says_when_it_is_ready(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "sandbox", "--token", TOKEN, "--smtp-port", "0", "--ledger", str(ledger)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        ready = orjson.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        async with httpx.AsyncClient(base_url=ready["url"]) as client:
            me = (await client.get(f"/bot{TOKEN}/getMe")).json()
            counts = (await client.get("/sandbox/ledger")).json()["counts"]
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 60)

    assert me["result"]["is_bot"] is True
    assert counts == {"call getMe 200": 1}
    assert ready["smtp_port"] > 0
    assert len(ledger.read_bytes().splitlines()) == 1


async def test_beside_another_app_the_sandbox_answers_only_its_own_urls(telegram: TelegramSandbox) -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"other {scope['path']}")(scope, receive, send)

    app = sandbox_app(telegram, otherwise=other)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://demo") as client:
        answers = [await client.get(path) for path in ("/desk", "/botanica", f"/bot{TOKEN}/getMe", "/sandbox/people")]

    assert [answer.text for answer in answers[:2]] == ["other /desk", "other /botanica"]
    assert answers[2].json()["ok"]
    assert answers[3].json() == {"people": []}


async def test_pages_load_nothing_from_elsewhere(web: httpx.AsyncClient, ada: Person) -> None:
    for path in (f"/sandbox/chat/{ada.id}", "/sandbox/mail", "/sandbox/chat/99"):
        page = await web.get(path)

        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert "://" not in page.text
        assert " style=" not in page.text
