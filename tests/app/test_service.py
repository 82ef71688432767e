"""What a process takes on, and what it leaves to others."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.alone import AlreadyServed, take_alone
from app.checks import Finding, check_all
from app.service import build
from app.settings import Settings

TOKEN = "700000002:AAserviceserviceserviceserviceservice"


def _settings(folder: Path, database_url: str) -> Settings:
    return Settings.model_construct(
        data_dir=folder / "data",
        database_url=SecretStr(database_url),
        telegram_token=SecretStr(TOKEN),
        telegram_api_url="http://127.0.0.1:9",  # nobody listens there
        smtp_url=SecretStr("smtp://127.0.0.1:9"),
        mail_from="Raccordo <raccordo@example.org>",
    )


@pytest.mark.parametrize(
    ("without", "loops"),
    [
        ([], {"worker", "dispatch", "clock", "telegram", "greeting"}),
        (["clock"], {"worker", "dispatch", "telegram", "greeting"}),
        (["dispatch"], {"worker", "clock", "telegram", "greeting"}),
        (["telegram"], {"worker", "clock"}),
        (["mail"], {"worker", "clock", "telegram", "greeting"}),
    ],
)
async def test_a_process_that_lacks_a_channel_does_not_send_for_all(
    database_url: str, tmp_path: Path, without: list[str], loops: set[str]
) -> None:
    service = await build(_settings(tmp_path, database_url), without=[*without, "web"])

    assert set(service.loops) == loops
    await service.rooms.close()
    if service.lock is not None:
        service.lock.close()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_check_tells_a_folder_that_other_processes_do_not_use(database_url: str, tmp_path: Path) -> None:
    async def shared(folder: Path) -> Finding:
        settings = _settings(folder, database_url)
        settings.telegram_token = settings.smtp_url = SecretStr("")
        return next(each for each in await check_all(settings) if each.name == "DATA_DIR shared")

    first, again, elsewhere = [await shared(tmp_path / name) for name in ("one", "one", "two")]

    assert first.ok
    assert again.ok
    assert not elsewhere.ok
    assert "is not the folder" in elsewhere.detail


def test_one_sqlite_file_is_served_by_one_process(tmp_path: Path) -> None:
    file = tmp_path / "raccordo.db"

    with take_alone(file), pytest.raises(AlreadyServed, match="another raccordo"):
        take_alone(file)

    take_alone(file).close()
