"""A form before it is published: what changes, and how it looks in the chat and on the page."""

import re

from desk.house import Shown
from facts.languages import Language
from intake.forms.nodes import Definition
from tests.desk.conftest import Desk
from tests.desk.forms import ASKED_OTHERWISE, QUESTION, changed, furnish, proposed, text_of


async def test_a_changed_form_shows_what_changes_from_the_version_in_use(desk: Desk) -> None:
    furnish(desk)
    olga = desk.browser("Olga")

    said = text_of((await olga.get(await proposed(olga, changed()))).text)

    assert "la versione 2 di “Aggiornamento progetto”" in said
    assert f"prima «{QUESTION}», ora «{ASKED_OTHERWISE}»" in said


async def test_the_chat_is_shown_with_its_buttons_and_no_foreign_markup(desk: Desk) -> None:
    def chat(form: Definition, language: Language) -> list[Shown]:
        label = form.questions[0].label[language]
        return [Shown(f"<b>{label}</b>\n<a href='javascript:x'>vai</a><script>y</script>", (("Sì", "No"),))]

    object.__setattr__(desk.house, "chat_preview", chat)
    furnish(desk)
    olga = desk.browser("Olga")
    url = await proposed(olga, changed())

    italian, english = (await olga.get(url)).text, (await olga.get(f"{url}?language=en")).text

    assert "<b>A che punto è il progetto?</b><br>vai" in italian
    assert "<span>Sì</span><span>No</span>" in italian
    assert "<b>Where does the project stand?</b>" in english
    assert "javascript:" not in italian
    assert "<script>y" not in italian


async def test_the_page_is_shown_whole_in_both_languages_and_nothing_can_be_filled_in(desk: Desk) -> None:
    furnish(desk)
    olga = desk.browser("Olga")
    url = await proposed(olga, changed())

    italian, english = (await olga.get(url)).text, (await olga.get(f"{url}?language=en")).text

    assert re.search(r'<fieldset class="fill" lang="it" disabled>', italian)
    assert text_of(italian).count(ASKED_OTHERWISE) == 3  # twice in the comparison, and in its place
    assert "Racconta in poche righe: che cosa succede" in italian  # asked only after a certain answer
    assert "How much have you spent so far, in all?" in english
    assert 'lang="en" disabled' in english


async def test_each_repeat_is_shown_once_with_all_its_choices(desk: Desk) -> None:
    olga = desk.browser("Olga")
    form = """
        | survey |
        | | type | name | label | repeat_count | choice_filter |
        | | integer | many | Quanti lavori? | | |
        | | begin_repeat | works | Lavori | ${many} | |
        | | select_one kinds | kind | Di che tipo? | | size = ${many} |
        | | end_repeat | | | | |
        | choices |
        | | list_name | name | label | size |
        | | kinds | roof | Tetto | 1 |
        | | kinds | road | Strada | 2 |
    """

    said = text_of((await olga.get(await proposed(olga, form.encode()))).text)

    assert "Quanti lavori? Lavori 1 Di che tipo? Tetto Strada" in said
