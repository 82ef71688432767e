"""The filter bar of the queue, and filters kept under a name."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from storage.tables import Category, Channel, Question, QuestionState, QuestionTag, SavedFilter, Tag
from tests.desk.conftest import Browser, Desk

LINE = re.compile(r'class="question-link" href="/desk/questions/(\d+)"')


async def shown(browser: Browser, query: str) -> list[int]:
    return [int(number) for number in LINE.findall((await browser.get(f"/desk/questions?view=all&{query}")).text)]


def furnished(desk: Desk) -> dict[str, int]:
    """Two questions that differ in everything: `one` has what is asked for below, `other` has not."""
    now = desk.house.clock()
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        here, there = cast.an_organization("Abbiategrasso"), cast.an_organization("Bollate")
        category = cast.add(Category(name="Fondi", created_at=now))
        tag = cast.add(Tag(name="DNSH", created_at=now))
        project = cast.a_project(here)
        one = cast.a_question(
            cast.a_referent("Ada Esempio", here),
            channel=Channel.EMAIL,
            category_id=category.id,
            project_id=project.id,
            urgent=True,
            state=QuestionState.TAKEN,
            taken_by=desk.people["Olga"],
        )
        one.due_at = now - timedelta(hours=1)
        other = cast.a_question(cast.a_referent("Bruno Esempio", there))
        cast.add(QuestionTag(question_id=one.id, tag_id=tag.id))
        found = {"one": one.id, "other": other.id, "category": category.id, "tag": tag.id}
        return found | {"place": here.id, "programme": project.programme_id, "olga": desk.people["Olga"]}


FILTERS: list[Callable[[dict[str, int]], str]] = [
    lambda it: f"category={it['category']}",
    lambda it: f"tag={it['tag']}",
    lambda it: "channel=email",
    lambda it: f"who={it['olga']}",
    lambda it: f"municipality={it['place']}",
    lambda it: f"programme={it['programme']}",
    lambda it: "urgent=1",
    lambda it: "late=1",
    lambda it: f"category={it['category']}&urgent=1&late=1&who={it['olga']}",
]


async def test_each_choice_narrows_the_list(desk: Desk) -> None:
    it, rita = furnished(desk), desk.browser("Rita")

    assert sorted(await shown(rita, "")) == [it["one"], it["other"]]
    for query in FILTERS:
        assert await shown(rita, query(it)) == [it["one"]], query(it)
    assert await shown(rita, "who=nobody") == [it["other"]]
    assert await shown(rita, f"channel=email&category={it['category']}&who=nobody") == []


@pytest.mark.parametrize(
    "query", ["category=x", "tag=99999999999", "channel=pigeon", "who=%00", "municipality=-1", "programme=", "view=all"]
)
async def test_what_is_no_choice_narrows_nothing(desk: Desk, query: str) -> None:
    it = furnished(desk)

    assert sorted(await shown(desk.browser("Rita"), query)) == [it["one"], it["other"]]


async def test_the_bar_is_a_link_until_it_is_opened_and_the_choices_come_with_it(desk: Desk) -> None:
    furnished(desk)
    rita = desk.browser("Rita")

    closed = (await rita.get("/desk/questions?view=all&q=ribasso")).text
    link = re.search(r'id="filter-bar"><a class="filter-open" href="([^"]+)"', closed)
    assert link is not None
    opened = (await rita.get(unescape(link[1]))).text

    assert "Abbiategrasso</option>" not in closed
    assert "Abbiategrasso</option>" in opened
    assert '<input type="hidden" name="view" value="all">' in opened
    assert '<input type="hidden" name="q" value="ribasso">' in opened
    assert "filter-open" not in opened


async def test_a_filter_that_is_chosen_is_shown(desk: Desk) -> None:
    it = furnished(desk)

    page = (await desk.browser("Rita").get(f"/desk/questions?view=all&municipality={it['place']}")).text

    assert f'<option value="{it["place"]}" selected>Abbiategrasso</option>' in page
    assert 'href="/desk/questions?view=all">Togli il filtro' in page


async def test_each_kept_filter_is_counted_by_itself(desk: Desk) -> None:
    it, vera = furnished(desk), desk.browser("Vera")
    for name, query in (("Fondi", f"category={it['category']}"), ("Di certo", "channel=pec"), ("Mie", "who=nobody")):
        await keep(vera, name, f"view=all&{query}")

    page = (await vera.get("/desk/questions")).text

    counts = dict(re.findall(r'">([^<]+) <span class="count">(\d+)<', page))
    assert counts | {"Di certo": "0", "Fondi": "1", "Mie": "1"} == counts


async def test_a_search_keeps_the_filter_and_an_empty_list_says_how_to_go_on(desk: Desk) -> None:
    furnished(desk)
    rita = desk.browser("Rita")

    page = (await rita.get("/desk/questions?view=all&urgent=1&channel=web")).text

    assert "Nessuna domanda con questo filtro" in page
    assert 'name="channel" value="web"' in page  # beside the search box
    assert "Togli il filtro" in page


async def keep(browser: Browser, name: str, query: str, **other: str) -> str:
    done = await browser.send_form("/desk/filters", page=f"/desk/questions?{query}", name=name, query=query, **other)
    assert done.status_code == 303, done.text
    return done.headers["location"]


async def test_kept_under_a_name_it_stands_above_the_list_with_its_count(desk: Desk) -> None:
    it, vera = furnished(desk), desk.browser("Vera")
    query = f"view=all&category={it['category']}"

    bar = (await vera.get(f"/desk/questions?{query}")).text
    await keep(vera, "I miei fondi", query)
    page = (await vera.get("/desk/questions")).text
    others = (await desk.browser("Olga").get("/desk/questions")).text

    assert "Salva questo filtro con un nome" in bar
    assert "Lo vedono tutti i colleghi" not in bar
    assert re.search(r'href="/desk/questions\?view=all&amp;category=\d+">I miei fondi <span class="count">1<', page)
    assert "I miei fondi" not in others


async def test_only_what_is_a_filter_is_kept(desk: Desk) -> None:
    vera = desk.browser("Vera")

    await keep(vera, "Prova", "view=mine&urgent=1&q=segreto&page=3&channel=pigeon&<script>=1")

    with desk.house.database.read() as session:
        assert session.exec(select(SavedFilter.query)).all() == ["view=mine&urgent=1"]


async def test_officers_share_and_volunteers_may_not(desk: Desk) -> None:
    vera, olga = desk.browser("Vera"), desk.browser("Olga")

    refused = await vera.send_form("/desk/filters", page="/desk/filters", name="A", query="view=all", shared="1")
    await keep(olga, "Urgenti", "view=all&urgent=1", shared="1")
    page = (await vera.get("/desk/questions")).text
    with desk.house.database.read() as session:
        (kept,) = session.exec(select(SavedFilter)).all()
    changed = await vera.send_form(f"/desk/filters/{kept.id}", page="/desk/questions", name="Mio")
    deleted = await vera.send_form(f"/desk/filters/{kept.id}/delete", page="/desk/questions")

    assert refused.status_code == 409
    assert "condiviso da Olga Esempio" in page
    assert (changed.status_code, deleted.status_code) == (409, 409)
    assert "lo cambia solo chi lo ha salvato" in deleted.text


async def test_renamed_deleted_and_brought_back(desk: Desk) -> None:
    vera = desk.browser("Vera")
    await keep(vera, "Urgenti", "view=all&urgent=1")
    with desk.house.database.read() as session:
        (number,) = session.exec(select(SavedFilter.id)).all()

    await vera.send_form(f"/desk/filters/{number}", page="/desk/filters", name="Di fretta")
    gone = await vera.send_form(f"/desk/filters/{number}/delete", page="/desk/filters")
    said = (await vera.get(gone.headers["location"])).text
    fields = {name: values[0] for name, values in parse_qs(urlsplit(gone.headers["location"]).query).items()}
    await vera.send_form("/desk/filters", page=gone.headers["location"], **fields)

    assert "“Di fretta” è cancellato." in said
    assert "Annulla</button>" in said
    with desk.house.database.read() as session:
        assert session.exec(select(SavedFilter.name, SavedFilter.query)).all() == [("Di fretta", "view=all&urgent=1")]


async def test_a_name_that_is_taken_is_said_and_what_was_typed_stays(desk: Desk) -> None:
    vera = desk.browser("Vera")
    await keep(vera, "Urgenti", "view=all&urgent=1")

    for name, sentence in (("Urgenti", "C&#39;è già un filtro"), (" ", "Scrivi un nome"), ("x" * 61, "troppo lungo")):
        again = await vera.send_form("/desk/filters", page="/desk/filters", name=name, query="view=all&late=1")
        assert again.status_code == 409
        assert sentence in again.text
    assert "view=all&amp;late=1" in again.text


async def test_somebody_else_s_own_filter_is_not_there(desk: Desk) -> None:
    await keep(desk.browser("Vera"), "Urgenti", "view=all&urgent=1")
    olga = desk.browser("Olga")
    with desk.house.database.read() as session:
        (number,) = session.exec(select(SavedFilter.id)).all()

    assert (await olga.send_form(f"/desk/filters/{number}", page="/desk/questions", name="X")).status_code == 404
    assert (await olga.send_form(f"/desk/filters/{number}/delete", page="/desk/questions")).status_code == 404


async def test_thirty_are_enough(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        for number in range(30):
            cast.add(SavedFilter(staff_id=desk.people["Vera"], name=str(number), query="view=all", created_at=cast.now))

    vera = desk.browser("Vera")
    full = await vera.send_form("/desk/filters", page="/desk/filters", name="31", query="view=all&late=1")

    assert full.status_code == 409
    assert "30 filtri" in full.text


async def test_tags_stand_in_the_list(desk: Desk) -> None:
    furnished(desk)

    assert '<span class="tag">DNSH</span>' in (await desk.browser("Rita").get("/desk/questions?view=all")).text
    with desk.house.database.read() as session:
        assert len(session.exec(select(Question)).all()) == 2
