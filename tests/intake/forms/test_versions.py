"""What is different between two versions of a form, as staff read it."""

from dataclasses import replace

from facts.languages import Language, speaking
from intake.forms.versions import Change, Kind, compare
from tests.intake.forms.making import FILES, data_form, form_of

OLD = """
  | survey |
  | | type | name | label::Italiano (it) | label::English (en) | relevant | required | constraint | raccordo::private |
  | | text | name | Nome? | Name? | | yes | | |
  | | select_one colours | colour | Colore? | Colour? | | | | |
  | | begin_group | site | Luogo | Place | | | | |
  | | decimal | area | Area? | Area? | ${name} != '' | | . > 0 | |
  | | end_group | | | | | | | |
  | | text | notes | Note? | Notes? | | | | |
  | choices |
  | | list_name | name | label::Italiano (it) | label::English (en) |
  | | colours | red | Rosso | Red |
  | | colours | blue | Blu | Blue |
  | settings |
  | | form_title | default_language |
  | | Scheda | Italiano (it) |
"""


def changes(new: str, language: Language = Language.EN) -> dict[str, list[str]]:
    """What is said of each question, by its path."""
    found = compare(form_of(OLD), form_of(new))
    return {
        "/".join(one.path): [f"[{one.kind}]", *(each.say(speaking(language)) for each in one.sentences)]
        for one in found
    }


def test_a_form_is_not_different_from_itself() -> None:
    assert changes(OLD) == {}
    assert all(compare(data_form(path.stem), data_form(path.stem)) == () for path in FILES)


def test_what_is_added_and_removed_is_told_by_path() -> None:
    new = OLD.replace("| | text | notes | Note? | Notes? |", "| | date | day | Giorno? | Day? |")

    assert changes(new) == {"day": ["[added]"], "notes": ["[removed]"]}


def test_a_question_under_a_new_name_is_recognised() -> None:
    new = OLD.replace("| text | notes |", "| text | remarks |")

    assert changes(new)["remarks"] == [
        "[added]",
        "It may be “notes” under a new name: answers given so far stay with the old one.",
    ]


def test_a_question_in_another_group_is_another_question() -> None:
    new = OLD.replace("| begin_group | site |", "| begin_group | place |")

    assert changes(new)["site/area"] == ["[removed]"]
    assert changes(new)["place/area"][1].startswith("It may be “site/area” under a new name")


def test_a_label_is_told_in_its_language() -> None:
    assert changes(OLD.replace("Colour?", "Which colour?")) == {
        "colour": ["[changed]", "Label in English: before “Colour?”, now “Which colour?”."]
    }


def test_types_and_rules_are_told() -> None:
    new = OLD.replace("| decimal | area |", "| integer | area |").replace("| . > 0 |", "| |")

    assert changes(new) == {
        "site/area": [
            "[changed]",
            "Type: before “decimal”, now “integer”.",
            "Allowed when: before “. > 0”, now nothing.",
        ]
    }


def test_yes_is_told_as_a_word_in_the_readers_language() -> None:
    new = OLD.replace(
        "| | text | notes | Note? | Notes? | | | | |", "| | text | notes | Note? | Notes? | | yes | | yes |"
    )

    assert changes(new, Language.IT) == {
        "notes": ["[changed]", "Mai su Telegram: ora «Sì», prima niente.", "Obbligatoria: ora «Sì», prima niente."]
    }


def test_choices_are_told_at_the_question_that_has_them() -> None:
    new = OLD.replace("| | colours | blue | Blu | Blue |", "| | colours | green | Verde | Green |")
    new = new.replace("| Rosso | Red |", "| Rosso vivo | Red |")

    assert changes(new) == {
        "colour": [
            "[changed]",
            "Choice red in Italian: before “Rosso”, now “Rosso vivo”.",
            "New choice: “Verde” (green).",
            "Choice taken away: “Blu” (blue).",
        ]
    }


def test_choices_in_another_order_are_told() -> None:
    new = OLD.replace("| | colours | red | Rosso | Red |\n", "")
    new = new.replace("| Blu | Blue |\n", "| Blu | Blue |\n  | | colours | red | Rosso | Red |\n")

    assert changes(new) == {"colour": ["[changed]", "The choices are in another order."]}


def test_only_what_has_moved_is_told_as_moved() -> None:
    line = "  | | text | notes | Note? | Notes? | | | | |\n"
    first = "  | | text | name |"
    new = OLD.replace(line, "").replace(first, line + first)

    assert changes(new) == {"notes": ["[changed]", "It is asked at another place."]}


def test_the_title_and_the_languages_are_told_of_the_form() -> None:
    new = (
        OLD.replace("| Scheda |", "| Scheda nuova |")
        .replace("default_language", "version")
        .replace("| Italiano (it) |\n", "| 2 |\n")
    )

    assert changes(new) == {"": ["[changed]", "Title in Italian: before “Scheda”, now “Scheda nuova”."]}


def test_rows_and_versions_are_no_difference() -> None:
    form = form_of(OLD)

    assert compare(form, replace(form, version="9")) == ()
    assert compare(form, form_of(OLD.replace("| | decimal | area |", "| | | | | |\n  | | decimal | area |"))) == ()


def test_the_label_is_that_of_the_newer_version() -> None:
    [found] = compare(form_of(OLD), form_of(OLD.replace("Colore?", "Che colore?")))

    assert found == Change(Kind.CHANGED, ("colour",), {"it": "Che colore?", "en": "Colour?"}, found.sentences)
