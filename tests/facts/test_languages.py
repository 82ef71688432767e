from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from markupsafe import Markup

from facts import languages
from facts.dates import show_date, show_short_date
from facts.languages import Language, speaking

PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "Good morning, {name}"
msgstr "Buongiorno, {name}"

msgid "{n} project"
msgid_plural "{n} projects"
msgstr[0] "{n} progetto"
msgstr[1] "{n} progetti"

msgid "Bye {name}"
msgstr "Ciao {nome}"

msgid "Away until {day}"
msgstr "Assente fino al {day}"

msgid "The {day}, from {first} to {last}, of {n}"
msgstr "Il {day}, dal {first} al {last}, del {n}"

#, fuzzy
msgid "Guess"
msgstr "Forse"

msgid "Empty"
msgstr ""
"""


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "some.po").write_text(PO, encoding="utf-8")
    monkeypatch.setattr(languages, "LOCALE", tmp_path)
    caches = (languages._italian, languages._as_it_is)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_a_sentence_is_said_in_the_language_of_the_person() -> None:
    assert speaking(Language.IT)("Good morning, {name}", name="Ada") == "Buongiorno, Ada"
    assert speaking(Language.EN)("Good morning, {name}", name="Ada") == "Good morning, Ada"


@pytest.mark.parametrize(("n", "said"), [(0, "0 progetti"), (1, "1 progetto"), (2, "2 progetti")])
def test_the_number_chooses_the_form(n: int, said: str) -> None:
    assert speaking(Language.IT).ngettext("{n} project", "{n} projects", n) == said


@pytest.mark.parametrize("msgid", ["Never heard", "Guess", "Empty"])
def test_an_unfinished_sentence_is_said_in_english(msgid: str) -> None:
    assert speaking(Language.IT)(msgid) == msgid


def test_a_slip_in_a_translated_placeholder_falls_back_to_english() -> None:
    assert speaking(Language.IT)("Bye {name}", name="Ada") == "Bye Ada"


def test_html_escapes_values_and_keeps_what_is_already_markup() -> None:
    _ = speaking(Language.IT, html=True)

    said = _("Good morning, {name}", name="<script>") + _("Good morning, {name}", name=Markup("<b>Ada</b>"))

    assert said == "Buongiorno, &lt;script&gt;Buongiorno, <b>Ada</b>"
    assert isinstance(said, Markup)


def test_html_escapes_in_plurals_too() -> None:
    said = speaking(Language.EN, html=True).ngettext("{n} of {who}", "{n} of {who}", 2, who="<&>")

    assert said == "2 of &lt;&amp;&gt;"


def test_a_text_without_values_may_hold_braces() -> None:
    assert speaking(Language.IT)("use {braces}") == "use {braces}"


@pytest.mark.parametrize("show", [show_date, show_short_date, lambda day, _language: f"{day:%d/%m}"])
def test_every_day_of_a_year_is_said_with_its_article(show: Callable[[date, Language], str]) -> None:
    _ = speaking(Language.IT)

    for number in range(366):
        day = date(2028, 1, 1) + timedelta(days=number)
        shown = show(day, Language.IT)
        article = "all'" if day.day in (8, 11) else "al "
        assert _("Away until {day}", day=shown) == f"Assente fino {article}{shown}"


def test_all_articles_before_numbers_that_begin_with_a_vowel_are_elided() -> None:
    _ = speaking(Language.IT, html=True)

    said = _("The {day}, from {first} to {last}, of {n}", day="08/12", first=8, last="11 dicembre", n="80%")

    assert said == "L'08/12, dall'8 all'11 dicembre, dell'80%"


@pytest.mark.parametrize("value", ["1 dicembre", "18", "110", "Otto", "", "10/11", "118"])
def test_other_values_keep_the_article_whole(value: str) -> None:
    assert speaking(Language.IT)("Away until {day}", day=value) == f"Assente fino al {value}"


def test_english_has_no_such_articles() -> None:
    assert speaking(Language.EN)("Away until {day}", day="8 December") == "Away until 8 December"
