"""What `raccordo check` says of the provider by which staff sign in."""

from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.checks import Finding, check_all
from app.settings import Settings
from tests.oidc_provider import CLIENT, SECRET, local_provider


async def said(folder: Path, issuer: str, client: str = CLIENT) -> Finding:
    chosen = Settings(
        _env_file=None,
        data_dir=folder / "data",
        oidc_issuer=issuer,
        oidc_client_id=client,
        oidc_client_secret=SecretStr(SECRET),
    )
    return next(each for each in await check_all(chosen) if each.name == "OIDC_ISSUER")


async def test_it_answers_and_we_say_what_to_register_there(tmp_path: Path, now: datetime) -> None:
    with local_provider(lambda: now) as provider:
        found = await said(tmp_path, provider.issuer)

    assert found.ok
    assert "1 keys; register http://127.0.0.1:8000/desk/sign-in/oidc/callback there" in found.detail


@pytest.mark.parametrize(
    ("named", "client", "why"), [("https://x.example", CLIENT, "another name"), ("", "", "CLIENT_ID")]
)
async def test_what_is_wrong_is_said(tmp_path: Path, now: datetime, named: str, client: str, why: str) -> None:
    with local_provider(lambda: now) as provider:
        provider.named = named
        found = await said(tmp_path, provider.issuer, client)

    assert not found.ok
    assert why in found.detail
    assert SECRET not in found.detail


async def test_none_is_well_too(tmp_path: Path) -> None:
    assert (await said(tmp_path, "")).ok
