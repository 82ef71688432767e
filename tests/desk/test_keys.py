"""The keys of the desk: the sheet that says them, and that they can be turned off (WCAG 2.1.4)."""

import re
from pathlib import Path

import pytest

from desk import keys, pages
from tests.desk.conftest import Desk

SCRIPT = (Path(pages.__file__).parent / "static" / "keys.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("who", ["Rita", "Olga"])
async def test_the_sheet_says_every_key(desk: Desk, who: str) -> None:
    page = (await desk.browser(who).get("/desk/keys")).text

    assert page.count("<kbd>") == sum(len(one.keys) for _, rows in keys.SHEET for one in rows)
    assert "Va alla risposta" in page


def test_the_script_does_what_the_sheet_says_and_nothing_else() -> None:
    acts = re.findall(r'^    "?(.)"?: ', SCRIPT.split("const ACTS")[1].split("};")[0], flags=re.M)
    places = re.findall(r"^    (.): ", SCRIPT.split("const PLACES")[1].split("};")[0], flags=re.M)
    said = [one.keys for _, rows in keys.SHEET for one in rows]

    assert {one[0] for one in said if len(one) == 1} - {"Enter"} == set(acts)
    assert {one[1] for one in said if len(one) == 2} == set(places)
    assert {one[0] for one in said if len(one) == 2} == {"g"}


async def test_the_places_exist(desk: Desk) -> None:
    olga = desk.browser("Olga")

    seen = [(await olga.get(path)).status_code for path in re.findall(r'"(/desk/[^"]+)"', SCRIPT)]

    assert len(seen) > 6
    assert set(seen) == {200}


async def test_they_can_be_turned_off_and_on_again(desk: Desk) -> None:
    rita = desk.browser("Rita")
    before = (await rita.get("/desk/questions")).text

    await rita.send_form("/desk/account/keys", page="/desk/keys", on="")
    off = (await rita.get("/desk/keys")).text
    await rita.send_form("/desk/account/keys", page="/desk/keys", on="1")
    again = (await rita.get("/desk/keys")).text

    assert [("/static/keys.js" in page) for page in (before, off, again)] == [True, False, True]
    assert "spenti in questo browser" in off
    assert "Accendi i tasti rapidi" in off
    assert "Spegni i tasti rapidi" in again


async def test_who_is_not_signed_in_has_no_keys(desk: Desk) -> None:
    assert "keys.js" not in (await desk.browser().get("/desk/sign-in")).text
