from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import Markup

from facts import languages
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
    languages._italian.cache_clear()
    yield
    languages._italian.cache_clear()


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
