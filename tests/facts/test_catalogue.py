from pathlib import Path

import pytest

from facts.languages import LOCALE
from tools.messages import check, write

ROOT = LOCALE.parent.parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house whose one sentence is well translated."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "desk" / "templates").mkdir(parents=True)
    (tmp_path / "facts" / "locale" / "it").mkdir(parents=True)
    say(tmp_path, '_("Hello {name}", name=name)')
    translate(tmp_path, 'msgid "Hello {name}"\nmsgstr "Ciao {name}"')
    return tmp_path


def say(tree: Path, code: str, file: str = "bot/menu.py") -> None:
    (tree / file).write_text(code, encoding="utf-8")


def translate(tree: Path, entries: str, name: str = "bot") -> None:
    (tree / "facts/locale/it" / f"{name}.po").write_text(f'msgid ""\nmsgstr ""\n\n{entries}\n', encoding="utf-8")


def kinds(tree: Path) -> list[str]:
    return [problem.kind for problem in check(tree)]


def test_every_sentence_of_the_house_has_its_italian() -> None:
    assert [str(problem) for problem in check(ROOT)] == []


def test_a_translated_tree_is_clean(tree: Path) -> None:
    assert kinds(tree) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ('_("Bye")', "missing"),
        ('N_("Bye")', "missing"),
        ('self._("Bye")', "missing"),
        ('_.ngettext("{n} day", "{n} days", 3)', "missing"),
        ('_("Hello {name}", nome=name)', "unfilled"),
        ('_("Hello {name}")', "unfilled"),
        ('_(f"Hello {name}")', "f-string"),
        ('_.ngettext("Hello {name}", "Hello all", 3, name=name)', "conflict"),
    ],
)
def test_a_slip_in_the_code_is_seen(tree: Path, code: str, kind: str) -> None:
    say(tree, f'_("Hello {{name}}", name=name)\n{code}')

    assert kinds(tree) == [kind]


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ('msgid "Hello {name}"\nmsgstr ""', "empty"),
        ('#, fuzzy\nmsgid "Hello {name}"\nmsgstr "Ciao {name}"', "fuzzy"),
        ('msgid "Hello {name}"\nmsgstr "Ciao {nome}"', "placeholder"),
        ('msgid "Hello {name}"\nmsgstr "Ciao {name"', "placeholder"),
        ('msgid "Hello {name}"\nmsgstr "Ciao <b>{name}</b>"', "tags"),
        ('msgid "Hello {name}"\nmsgstr "Ciao {name}"\n\nmsgid "Old"\nmsgstr "Vecchio"', "unused"),
    ],
)
def test_a_slip_in_the_catalogue_is_seen(tree: Path, entry: str, kind: str) -> None:
    translate(tree, entry)

    assert kinds(tree) == [kind]


def test_templates_are_read_with_plurals_and_values(tree: Path) -> None:
    say(
        tree,
        '{% if x %}{{ _("Desk") }}{{ _.ngettext("{n} day", "{n} days", 2) }}{% endif %}{{ _("Of {who}", whom=1) }}',
        "desk/templates/page.html",
    )

    assert sorted((problem.kind, problem.sentence) for problem in check(tree, "desk")) == [
        ("missing", "Desk"),
        ("missing", "Of {who}"),
        ("missing", "{n} day"),
        ("unfilled", "Of {who}"),
    ]


def test_the_labels_of_a_form_are_sentences_unless_it_carries_its_own_languages(tree: Path) -> None:
    (tree / "intake" / "forms").mkdir(parents=True)
    form = '{"fields": [{"name": "spent", "label": "How much?"}, {"label": {"it": "Note", "en": "Notes"}}]}'
    say(tree, form, "intake/forms/update.json")

    assert [(problem.kind, problem.sentence) for problem in check(tree)] == [("missing", "How much?")]


def test_a_sentence_in_two_files_is_seen(tree: Path) -> None:
    translate(tree, 'msgid "Hello {name}"\nmsgstr "Buongiorno {name}"', "common")

    assert kinds(tree) == ["twice"]


def test_writing_adds_the_missing_and_removes_the_unused_and_keeps_translations(tree: Path) -> None:
    say(tree, '_("Hello {name}", name=name)\n_.ngettext("{n} day", "{n} days", 3)')
    translate(tree, 'msgid "Old"\nmsgstr "Vecchio"\n\nmsgid "Hello {name}"\nmsgstr "Ciao {name}"')

    changed = write(tree)

    assert changed == ["bot.po"]
    assert kinds(tree) == ["empty"]
    text = (tree / "facts/locale/it/bot.po").read_text(encoding="utf-8")
    assert "Ciao {name}" in text
    assert "Vecchio" not in text
    assert text.endswith('msgid "{n} day"\nmsgid_plural "{n} days"\nmsgstr[0] ""\nmsgstr[1] ""\n')


def test_writing_twice_changes_nothing_the_second_time(tree: Path) -> None:
    say(
        tree,
        '_("A \\"quoted\\" word, a new\\nline and a sentence that goes on and on and on " "well past the width " * 1)',
    )
    write(tree)

    assert write(tree) == []


def test_writing_one_room_leaves_the_others_alone(tree: Path) -> None:
    say(tree, '_("Desk")', "desk/pages.py")
    say(tree, '_("Bye")')

    assert write(tree, "desk") == ["desk.po"]
    assert "Bye" not in (tree / "facts/locale/it/bot.po").read_text(encoding="utf-8")


def test_a_new_sentence_of_two_rooms_goes_to_the_first_and_an_old_one_stays(tree: Path) -> None:
    say(tree, '_("Hello {name}", name=name)\n_("Both")', "desk/pages.py")
    say(tree, '_("Hello {name}", name=name)\n_("Both")')

    write(tree)

    assert "Both" in (tree / "facts/locale/it/bot.po").read_text(encoding="utf-8")
    assert not (tree / "facts/locale/it/desk.po").exists()


def test_a_sentence_that_moved_to_another_room_takes_its_translation_along(tree: Path) -> None:
    say(tree, "")
    say(tree, '_("Hello {name}", name=name)', "desk/pages.py")

    write(tree)

    assert "Ciao {name}" in (tree / "facts/locale/it/desk.po").read_text(encoding="utf-8")
    assert kinds(tree) == []


def test_a_broken_file_is_seen_and_costs_no_translation(tree: Path) -> None:
    say(tree, "def (")
    say(tree, "{% if %}", "desk/templates/page.html")

    assert write(tree) == []
    assert kinds(tree).count("broken") == 2
    assert "Ciao {name}" in (tree / "facts/locale/it/bot.po").read_text(encoding="utf-8")


def test_a_broken_catalogue_is_seen(tree: Path) -> None:
    translate(tree, "words outside of any entry")

    assert kinds(tree) == ["broken"]
