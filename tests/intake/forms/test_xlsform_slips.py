"""What pyxform lets through, or stops at, is told with sheet, row and column, all of it at once."""

import pytest

from facts.languages import Language
from intake.forms.nodes import Question
from tests.intake.forms.making import CHOICES, data_form, form_of, large_form, problems, read, warnings
from tests.yardstick import effort


@pytest.mark.parametrize(
    ("header", "likely"),
    [
        ("relevent", "relevant"),
        ("constrain", "constraint"),
        ("Constraint_mesage", "constraint_message"),
        ("calcolation", "calculation"),
        ("choice filter x", "choice_filter"),
        ("apperance", "appearance"),
        ("requierd", "required"),
        ("hnt::English (en)", "hint"),
        ("lable::English (en)", "label"),
        ("repeat_cuont", "repeat_count"),
    ],
)
def test_a_misspelled_header_is_told_with_the_likely_one(header: str, likely: str) -> None:
    reading = read(f"| survey |\n| | type | name | label | {header} |\n| | text | a | A | x |")

    assert problems(reading)[0] == (
        f"Sheet survey, row 1, column {header}: This column is not known. If you mean “{likely}”, rename it; if it is "
        "a note of yours, begin it with _."
    )


def test_a_misspelled_header_is_told_in_italian() -> None:
    reading = read("| survey |\n| | type | name | label | relevent |\n| | text | a | A | x |")

    assert problems(reading, Language.IT) == [
        "Foglio survey, riga 1, colonna relevent: Questa colonna non è prevista. Se intendi «relevant», rinominala; "
        "se è un tuo appunto, falla cominciare con _."
    ]


@pytest.mark.parametrize("header", ["_relevent", "$kuid", "kobo--score-choices", "sms_field", "body::kb:image"])
def test_columns_that_mean_nothing_here_are_left_out_in_silence(header: str) -> None:
    reading = read(f"| survey |\n| | type | name | label | {header} |\n| | text | a | A | x |")

    assert (problems(reading), warnings(reading)) == ([], [])


@pytest.mark.parametrize("header", ["Commenti dell'ufficio", "responsabile"])
def test_columns_like_no_other_are_remarked(header: str) -> None:
    reading = read(f"| survey |\n| | type | name | label | {header} |\n| | text | a | A | x |")

    assert problems(reading) == []
    assert warnings(reading) == [
        f"Sheet survey, row 1, column {header}: This column is not known: what stands in it is left out."
    ]


@pytest.mark.parametrize("header", ["trigger", "media::image", "image::English (en)", "guidance_hint", "save_to"])
def test_columns_that_would_do_something_are_remarked_once_where_they_do(header: str) -> None:
    reading = read(f"""
        | survey |
        | | type | name | label | {header} |
        | | text | a | A | |
        | | text | b | B | x |
        | | text | c | C | x |
    """)

    assert problems(reading) == []
    assert warnings(reading) == [
        f"Sheet survey, row 3, column {header}: Raccordo does not do what this column says: it is left out."
    ]


def test_an_unknown_column_of_ours_is_a_problem_with_those_that_are_known() -> None:
    reading = read("| survey |\n| | type | name | label | raccordo::privat |\n| | text | a | A | x |")

    assert problems(reading) == [
        "Sheet survey, row 1, column raccordo::privat: This column is not known. Columns of Raccordo in this sheet: "
        "raccordo::field, raccordo::ask, raccordo::private, raccordo::title."
    ]


def test_two_columns_that_mean_the_same_are_told() -> None:
    reading = read("| survey |\n| | type | name | label | relevant | relevance |\n| | text | a | A | | |")

    assert "The columns “relevant” and “relevance” mean the same" in problems(reading)[0]


def test_two_columns_with_one_header_are_told() -> None:
    reading = read("| survey |\n| | type | name | label | label |\n| | text | a | A | B |")

    assert problems(reading) == [
        "Sheet survey, row 1, column label: Two columns have the header “label”. Leave one of them."
    ]


def test_missing_columns_are_told() -> None:
    assert problems(read("| survey |\n| | typ | label |\n| | text | A |")) == [
        "Sheet survey, row 1, column typ: This column is not known. If you mean “type”, rename it; if it is a note of "
        "yours, begin it with _.",
        "Sheet survey, row 1: The column “type” is missing: a question has type, name and label.",
        "Sheet survey, row 1: The column “name” is missing: a question has type, name and label.",
    ]
    without_list_name = (
        "| survey |\n| | type | name | label |\n| | text | a | A |\n| choices |\n| | name | label |\n| | x | X |"
    )
    assert "The column “list_name” is missing" in problems(read(without_list_name))[0]


def test_text_in_a_column_without_header_is_remarked() -> None:
    reading = read("| survey |\n| | type | name | label |\n| | text | a | A | forse |")

    assert warnings(reading) == ["Sheet survey: Column D has no header: what stands in it is left out."]


def test_choices_are_checked_each_in_its_row() -> None:
    reading = read("""
        | survey |
        | | type | name | label |
        | | select_one colours | a | A |
        | choices |
        | | list_name | name | label |
        | | colours | red | Rosso |
        | | colours | red | Rosso scuro |
        | | colours | | Blu |
        | | | green | Verde |
        | | colours | grey | |
    """)

    assert problems(reading) == [
        "Sheet choices, row 3, column name: The list “colours” has the name “red” already, in row 2. Give each choice "
        "its own.",
        "Sheet choices, row 4, column name: This choice has no name. The name is what is kept of an answer.",
        "Sheet choices, row 5, column list_name: This choice has no list_name: it belongs to no list.",
    ]
    assert warnings(reading) == ["Sheet choices, row 6, column label: This choice has no label: its name is shown."]


def test_an_unused_list_is_remarked_once() -> None:
    reading = read(f"| survey |\n| | type | name | label |\n| | text | a | A |\n{CHOICES}")

    assert reading.form is not None
    assert warnings(reading) == ["Sheet choices, row 2, column list_name: No question uses the list “colours”."]


@pytest.mark.parametrize("type_", ["select_multiple", "rank"])
def test_names_with_spaces_are_no_names_where_several_can_be_chosen(type_: str) -> None:
    reading = read(f"""
        | survey |
        | | type | name | label |
        | | {type_} colours | a | A |
        | choices |
        | | list_name | name | label |
        | | colours | dark red | Rosso scuro |
    """)

    assert problems(reading) == [
        "Sheet choices, row 2, column name: The name “dark red” has a space: where several choices can be made, names "
        "are told apart by spaces."
    ]


def test_a_misspelled_column_of_choices_is_told_but_one_for_a_filter_is_not() -> None:
    def said(header: str, rule: str) -> list[str]:
        return problems(
            read(f"""
                | survey |
                | | type | name | label | choice_filter |
                | | select_one l | a | A | {rule} |
                | choices |
                | | list_name | name | label | {header} |
                | | l | x | X | x |
            """)
        )

    assert said("names", "names = 'x'") == []
    assert said("zone", "zone = 'x'") == []
    assert "If you mean “label”" in said("lable::English", "true()")[0]


def test_a_missing_translation_is_told_once_for_each_column() -> None:
    reading = read("""
        | survey |
        | | type | name | label::Italiano (it) | label::English (en) | hint::Italiano (it) |
        | | text | a | A | A | |
        | | text | b | B | | Aiuto |
        | | text | c | C | | |
    """)

    assert reading.form is not None
    assert warnings(reading) == [
        "Sheet survey, row 3, column label::English (en): This text is missing in English: another language is shown "
        "there. Rows: 3, 4.",
        "Sheet survey, row 3, column hint: This text is missing in English: another language is shown there. Rows: 3.",
    ]


def test_a_text_only_in_another_language_is_there_in_the_first() -> None:
    form = form_of("""
        | survey |
        | | type | name | label::Italiano (it) | label::English (en) |
        | | text | a | | A |
    """)

    assert form.questions[0].label == {"en": "A", "it": "A"}


@pytest.mark.parametrize(
    ("columns", "default", "languages"),
    [
        ("label", "", ("it",)),
        ("label", "English (en)", ("en",)),
        ("label::Italiano (it)", "", ("it",)),
        ("label::English (en) | label::Italiano (it)", "", ("en", "it")),
        ("label::English (en) | label::Italiano (it)", "Italiano (it)", ("it", "en")),
        ("label::English (en) | label::Italiano (it)", "Italian (it)", ("it", "en")),
        ("label | label::English (en)", "", ("it", "en")),
        ("label | label::Italiano (it)", "", ("en", "it")),
        ("label | label::English (en)", "Français (fr)", ("fr", "en")),
        ("label::Italiano (it) | hint", "", ("it",)),
        ("label::English | label::Lombard", "", ("en", "lombard")),
    ],
)
def test_languages_are_found_the_default_first(columns: str, default: str, languages: tuple[str, ...]) -> None:
    texts = " | ".join("X" for _ in columns.split("|"))
    form = form_of(f"""
        | survey |
        | | type | name | {columns} |
        | | text | a | {texts} |
        | settings |
        | | form_title | default_language |
        | | T | {default} |
    """)

    assert form.languages == languages


@pytest.mark.parametrize("columns", ["label | label::Italiano (it)", "label::Italiano (it) | label"])
def test_a_text_with_the_language_goes_before_the_one_without(columns: str) -> None:
    without_first = columns.startswith("label |")
    both, one = ("Senza | Con", "Senza | ") if without_first else ("Con | Senza", " | Senza")
    form = form_of(f"""
        | survey |
        | | type | name | {columns} |
        | | text | a | {both} |
        | | text | b | {one} |
        | settings |
        | | form_title | default_language |
        | | T | Italiano (it) |
    """)

    assert [one.label for one in form.questions] == [{"it": "Con"}, {"it": "Senza"}]


def test_a_default_language_that_no_column_has_is_a_problem() -> None:
    reading = read("""
        | survey |
        | | type | name | label::Italiano (it) | label::English (en) |
        | | text | a | A | A |
        | settings |
        | | form_title | default_language |
        | | T | Italienisch |
    """)

    assert problems(reading) == [
        "Sheet settings, row 2, column default_language: No column is in the language “italienisch”: it should be one "
        "of it, en."
    ]


def test_settings_say_what_the_form_is_called() -> None:
    form = data_form("languages")

    assert (form.key, form.version, form.languages) == ("three", "2026-11", ("en", "it", "fr"))
    assert form.title == {"en": "Three languages", "it": "Tre lingue", "fr": "Trois langues"}


def test_a_form_without_settings_is_called_like_its_file() -> None:
    reading = read("| survey |\n| | type | name | label |\n| | text | a | A |", "C:\\moduli\\Scheda à 2026.md")

    assert reading.form is not None
    assert (reading.form.key, reading.form.title) == ("Scheda-a-2026", {"it": "Scheda à 2026"})


def test_a_form_id_that_cannot_be_a_key_is_changed_with_a_remark() -> None:
    reading = read("""
        | survey |
        | | type | name | label |
        | | text | a | A |
        | settings |
        | | form_title | form_id |
        | | Titolo | La mia scheda! |
        | | Un altro | due |
    """)

    assert reading.form is not None
    assert reading.form.key == "La-mia-scheda"
    assert [one.rpartition(": ")[2] for one in warnings(reading)] == [
        "A form_id has letters, digits, - and _ only, at most 60. This form is called “La-mia-scheda”.",
        "Only the first row of the sheet “settings” is read.",
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("| | text | a | A | spent |", "“spent” is kept from a question of type calculate, decimal, integer, not from"),
        ("| | date | a | A | progress |", "“progress” is kept from a question of type"),
        ("| | text | a | A | expected_end |", "“expected_end” is kept from a question of type calculate, date"),
        (
            "| | select_one colours | a | A | phase |",
            "“red” in the list “colours” is not a phase. The phases are: 03001",
        ),
        ("| | decimal | a | A | spent |\n| | decimal | b | B | spent |", "“spent” is asked in row 2 already."),
        (
            "| | begin_repeat | r | R | |\n| | decimal | a | A | spent |\n| | end_repeat | | | |",
            "“spent” is one value of the project: it cannot be asked in a repeat.",
        ),
    ],
)
def test_what_the_registry_keeps_comes_from_questions_that_fit(rows: str, said: str) -> None:
    found = problems(read(f"| survey |\n| | type | name | label | raccordo::field |\n{rows}\n{CHOICES}"))

    assert [said in one for one in found] == [True]


def test_two_repeats_of_one_name_are_told_by_pyxform_in_our_words() -> None:
    reading = read("""
        | survey |
        | | type | name | label |
        | | begin_group | g | G |
        | | begin_repeat | r | R |
        | | text | a | A |
        | | end_repeat |
        | | end_group |
        | | begin_repeat | r | R |
        | | text | b | B |
        | | end_repeat |
    """)

    assert problems(reading) == [
        "Sheet survey, row 7, column name: Another repeat has this name. Give each repeat its own, also in different "
        "groups."
    ]


def test_a_name_that_is_there_twice_cannot_be_referred_to() -> None:
    reading = read("""
        | survey |
        | | type | name | label | relevant |
        | | begin_group | g | G | |
        | | text | a | A | |
        | | end_group | | | |
        | | text | a | A | |
        | | text | b | B | ${a} = 'x' |
    """)

    assert "Several questions are called “a”" in problems(reading)[0]


def test_what_else_pyxform_says_is_quoted() -> None:
    reading = read("| survey |\n| | type | name | label | parameters |\n| | text | a | A | rows=molte |")

    assert problems(reading, Language.IT) == [
        "Foglio survey, riga 2: XLSForm non lo permette: «Parameter rows must have an integer value.»"
    ]


def test_a_strangers_form_of_three_hundred_questions_is_little_work() -> None:
    tables = large_form(300, 200)
    reading = read(tables)

    assert reading.form is not None
    assert len(reading.form.questions) == 300
    assert sum(_expressions(one) for one in reading.form.questions) == 200
    assert effort(lambda: read(tables)) < 600


def _expressions(question: Question) -> int:
    return bool(question.rules.relevant) + bool(question.rules.constraint)
