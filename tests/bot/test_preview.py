from datetime import UTC, datetime

import pytest

from bot.preview import preview
from facts.languages import Language
from intake.forms.builtin import KEYS, builtin_form
from sandbox.entities import parse_html
from tests.bot.talk import plain
from tests.bot.test_forms import EVERYTHING
from tests.intake.forms.making import form_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_a_form_is_shown_as_the_chat_would_ask_it() -> None:
    shown = preview(form_of(EVERYTHING), Language.IT, NOW, "Europe/Rome")

    texts = [plain(html) for html, _rows in shown]
    assert "Grazie di rispondere." in texts[0]
    assert "▸ Il luogo" in texts[0]
    assert any("Quale lavoro?" in text for text in texts), "a repeat is begun once"
    assert any("solo sulla tua pagina web" in text for text in texts)
    [private] = [rows for html, rows in shown if "solo sulla tua pagina web" in plain(html)]
    assert private[-1] == ("◀ Indietro", "Avanti ▶", "✖ Annulla")
    assert texts[-1] == "ℹ️ Ci vediamo presto."
    assert ("⬜ Sport",) in shown[2][1]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("language", Language)
def test_the_forms_that_come_along_can_be_shown(key: str, language: Language) -> None:
    for html, _rows in preview(builtin_form(key), language, NOW, "Europe/Rome"):
        parse_html(html)
