"""The second foreign client, in an environment of its own: aiogram calls every method and reads every answer."""

import asyncio
from pathlib import Path

import orjson
import pytest

from sandbox.methods import NAMES
from sandbox.telegram import TelegramSandbox
from tests.conftest import needed
from tests.sandbox.conftest import TOKEN, served
from tests.sandbox.foreign import CannotMake, aiogram_python

SCRIPT = Path(__file__).with_name("aiogram_client.py")
KINDS = ["callback_query", "edited_message", "message", "my_chat_member"]
CONTENTS = {
    *(
        "text",
        "document",
        "photo",
        "video",
        "voice",
        "location",
        "contact",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
    ),
    *("forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"),
}

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return aiogram_python()
    except CannotMake:
        needed("aiogram (in .venv-aiogram)", "python -m tests.sandbox.foreign, once, with a network")
        raise


async def test_aiogram_calls_every_method_and_its_models_read_every_answer(python: Path) -> None:
    async with served(TelegramSandbox(TOKEN, limits=False)) as url:
        process = await asyncio.create_subprocess_exec(
            str(python), str(SCRIPT), url, TOKEN, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, complaint = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 0, complaint.decode()
    report = orjson.loads(out)
    assert report["unknown"] == []
    assert set(report["methods"]) == {*NAMES, "getUpdates"}
    assert report["polled"] == report["posted"] == KINDS
    assert set(report["contents"]) == CONTENTS
    assert report["errors"] == [
        "TelegramBadRequest",  # the topic is gone
        "TelegramMigrateToChat",
        "TelegramForbiddenError",  # thrown out
        "TelegramRetryAfter",
        "TelegramUnauthorizedError",
        "TelegramConflictError",
        "TelegramEntityTooLarge",
        "TelegramServerError",
        "TelegramNetworkError",  # the answer got lost
        "TelegramForbiddenError",  # blocked
    ]
