import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from facts.languages import Language, speaking
from intake.forms.expressions import BadExpression, Expressions, Instance, Scope, Value, compile
from intake.forms.grammar import read
from intake.forms.nodes import Definition, Path, Question
from tests.intake.forms.making import FILES, data_form, form_of

NOW = datetime(2026, 11, 25, 0, 30, tzinfo=ZoneInfo("Europe/Rome"))
FORM = form_of("""
    | survey |
    | | type | name | label | calculation | choice_filter |
    | | text | title | Titolo | | |
    | | begin_group | site | Il luogo | | |
    | | select_one towns | town | Comune | | |
    | | select_one offices or_other | office | Ufficio | | |
    | | decimal | area | Superficie | | |
    | | end_group | | | | |
    | | begin_repeat | works | Un lavoro | | |
    | | text | what | Che cosa | | |
    | | decimal | cost | Quanto | | |
    | | begin_group | more | Altro | | |
    | | text | note | Nota | | |
    | | end_group | | | | |
    | | begin_repeat | payments | Un pagamento | | |
    | | decimal | paid | Quanto | | |
    | | end_repeat | | | | |
    | | end_repeat | | | | |
    | choices |
    | | list_name | name | label | province |
    | | towns | bollate | Bollate | mi |
    | | towns | lodi | Lodi | lo |
    | | offices | tech | Ufficio tecnico | |
""")
ANSWERS = {
    "title": "Scuola",
    "site/town": "lodi",
    "site/office": "other",
    "site/office_other": "Il parroco",
    "site/area": "120.5",
    "works[1]/what": "Tetto",
    "works[1]/cost": "1000",
    "works[1]/payments[1]/paid": "300",
    "works[1]/payments[2]/paid": "200",
    "works[2]/what": "Porte",
    "works[2]/cost": "400.50",
    "works[2]/payments[1]/paid": "50",
}
LAST = {"site/area": "100", "works[1]/cost": "900", "works[2]/cost": "350"}


def said(
    expression: str,
    asker: str = "title",
    answers: Mapping[str, Any] = ANSWERS,
    repetitions: Mapping[str, int] | None = None,
) -> Value:
    scope = Scope(Instance(answers, repetitions), NOW, at=asker, last=Instance(LAST), language="it")
    return compile(expression, FORM, path(asker)).evaluate(scope)


def path(key: str) -> Path:
    node = FORM.at(key)
    assert node is not None
    return node.path


def refused(expression: str, at: str = "title", form: Definition = FORM) -> BadExpression:
    with pytest.raises(BadExpression) as problem:
        compile(expression, form, path(at))
    return problem.value


@pytest.mark.parametrize(
    ("expression", "asker", "value"),
    [
        ("${area}", "title", 120.5),
        ("${area}", "site/town", 120.5),
        ("${cost}", "works[2]/what", 400.5),
        ("${cost}", "works[1]/more/note", 1000.0),
        ("${cost}", "works[2]/payments[1]/paid", 400.5),
        ("sum(${cost})", "title", 1400.5),
        ("sum(${cost})", "works[2]/what", 400.5),
        ("sum(${paid})", "title", 550.0),
        ("sum(${paid})", "works[1]/what", 500.0),
        ("sum(${paid})", "works[1]/payments[2]/paid", 200.0),
        ("join(', ', ${what})", "title", "Tetto, Porte"),
        ("concat(${what})", "title", "TettoPorte"),
        ("max(${cost})", "title", 1000.0),
        ("min(${cost}, 5)", "title", 5.0),
        ("count(${works})", "title", 2.0),
        ("count(${works})", "works[1]/what", 2.0),
        ("count(${payments})", "title", 3.0),
        ("count(${payments})", "works[1]/what", 2.0),
        ("count(${payments})", "works[1]/payments[1]/paid", 2.0),
        ("${cost}", "title", 1000.0),
        ("${office_other}", "title", "Il parroco"),
        ("../office_other", "site/town", "Il parroco"),
    ],
)
def test_a_name_means_the_answer_beside_it_or_all_of_them_from_outside(
    expression: str, asker: str, value: Value
) -> None:
    assert said(expression, asker) == value


@pytest.mark.parametrize(
    ("expression", "asker", "value"),
    [
        (".", "works[2]/cost", 400.5),
        (". > 400 and . < 500", "works[2]/cost", True),
        ("../what", "works[2]/cost", "Porte"),
        ("../../what", "works[2]/more/note", "Porte"),
        ("./../what", "works[2]/cost", "Porte"),
        ("../../site/area", "works[2]/cost", 120.5),
        ("/data/site/area", "works[2]/cost", 120.5),
        ("sum(/data/works/cost)", "title", 1400.5),
        ("/data/works/cost", "works[2]/what", 400.5),
        ("sum(/data/works/payments/paid)", "works[1]/what", 500.0),
        ("count(/data/works)", "works[2]/what", 2.0),
        ("sum(/data/works[what != '']/cost)", "works[2]/what", 1400.5),
        ("count(/data/works[/data/works/cost > 500])", "works[2]/what", 1.0),
        ("current()/../what", "works[2]/cost", "Porte"),
        ("position(..)", "works[2]/cost", 2.0),
        ("position(../..)", "works[2]/more/note", 2.0),
        ("position(..)", "works[2]/more/note", 1.0),
        ("index()", "works[2]/more/note", 2.0),
        ("index()", "title", 0.0),
        ("position(${works})", "title", 1.0),
        ("${works}[2]/cost", "title", 400.5),
        ("${works}[position() = 2]/what", "title", "Porte"),
        ("count(${works}[${cost} > 500])", "title", 1.0),
        ("count(${works}[cost > 500])", "works[2]/what", 1.0),
        ("sum(${works}[what = 'Porte']/payments/paid)", "title", 50.0),
        ("count(${works}[sum(payments/paid) > 400])", "title", 1.0),
        ("count(${works}[what = current()/../title])", "title", 0.0),
        ("count(/data/works[cost < 500])", "title", 1.0),
        ("indexed-repeat(${cost}, ${works}, 2)", "title", 400.5),
        ("indexed-repeat(${cost}, ${works}, position(..) - 1)", "works[2]/cost", 1000.0),
        ("indexed-repeat(${cost}, ${works}, 0)", "works[2]/cost", 1000.0),
        ("indexed-repeat(${paid}, ${works}, 1, ${payments}, 2)", "title", 200.0),
        ("indexed-repeat(${paid}, ${payments}, 1)", "works[2]/cost", 50.0),
        ("indexed-repeat(${cost}, ${works}, 9)", "title", ""),
        ("string-length()", "title", 6.0),
    ],
)
def test_a_path_leads_from_who_asks(expression: str, asker: str, value: Value) -> None:
    assert said(expression, asker) == value


def test_a_repetition_that_was_begun_counts_though_nothing_is_answered_in_it() -> None:
    assert said("count(${works})", repetitions={"works": 3}) == 3
    assert said("count(${what})", repetitions={"works": 3}) == 3
    assert said("count-non-empty(${what})", repetitions={"works": 3}) == 2
    assert said("count-non-empty(${works})", repetitions={"works": 3}) == 3
    assert said("sum(${cost})", repetitions={"works": 3}) == 1400.5
    assert said("count(${works})", answers={}) == 0
    assert said("${cost}", answers={}) == ""


def test_last_times_answers_are_asked_for_beside_todays() -> None:
    assert said("${last-saved#area}") == 100
    assert said("${area} - ${last-saved#area}") == 20.5
    assert said("${last-saved#cost}", "works[2]/what") == 350
    assert said("sum(${last-saved#cost})") == 1250
    assert said("${last-saved#title}") == ""


def test_today_is_where_the_people_are() -> None:
    assert said("today()") == "2026-11-25"  # in UTC it is still the day before
    assert said("now()") == "2026-11-25T00:30:00.000+01:00"


def test_what_was_given_once_stays() -> None:
    assert said("once(today())", "works[1]/more/note") == "2026-11-25"
    assert said("once(today())", "title") == "Scuola"


def test_an_expression_says_what_it_reads() -> None:
    read = compile("sum(${cost}) > ${last-saved#area} and . != '' and today() > 0", FORM, ("title",))

    assert read.reads == {("works", "cost"), ("works",), ("title",)}
    assert read.last == {("site", "area")}
    assert read.clock
    inside = compile("${cost} * 2 + position(..)", FORM, ("works", "what"))
    assert inside.reads == {("works", "cost")}
    assert not inside.clock
    assert compile("once(1)", FORM, ("title",)).reads == frozenset()
    assert compile("${works}[${cost} > 5]/what", FORM, ("title",)).reads == {
        ("works", "what"),
        ("works", "cost"),
        ("works",),
    }
    assert compile("indexed-repeat(${cost}, ${works}, ${area})", FORM, ("title",)).reads == {
        ("works", "cost"),
        ("works",),
        ("site", "area"),
    }


def test_a_choice_filter_knows_the_columns_of_its_list() -> None:
    towns = compile("province = 'lo' or name = ${title}", FORM, ("site", "town"), filtering=True)
    scope = Scope(Instance({"title": "bollate"}), NOW, at="site/town", language="it")

    shown = [one.name for one in FORM.lists["towns"] if towns.truth(scope.asking("site/town", one))]

    assert shown == ["bollate", "lodi"]
    assert towns.reads == {("title",)}
    label = compile("label = 'Lodi'", FORM, ("site", "town"), filtering=True)
    assert [label.truth(scope.asking("site/town", one)) for one in FORM.lists["towns"]] == [False, True]
    with pytest.raises(BadExpression) as problem:
        compile("provincia = 'lo'", FORM, ("site", "town"), filtering=True)
    assert str(problem.value) == "The list of choices has no column “provincia”. Did you mean “province”?"


def test_a_changed_answer_is_seen_and_the_others_stay() -> None:
    before = Instance(ANSWERS)
    total = compile("sum(${cost})", FORM, ("title",))
    assert total.evaluate(Scope(before, NOW)) == 1400.5

    after = before.changed({"works[2]/cost": "1", "works[1]/cost": None}, {"works": 3})

    assert total.evaluate(Scope(after, NOW)) == 1
    assert compile("count(${cost})", FORM, ("title",)).evaluate(Scope(after, NOW)) == 3
    assert total.evaluate(Scope(before, NOW)) == 1400.5


def test_a_value_is_had_as_truth_as_text_and_as_number() -> None:
    scope = Scope(Instance(ANSWERS), NOW)

    assert compile("${area}", FORM, ("title",)).truth(scope)
    assert compile("${area}", FORM, ("title",)).text(scope) == "120.5"
    assert compile("${title}", FORM, ("title",)).text(scope) == "Scuola"
    assert compile("number(${title})", FORM, ("title",)).text(scope) == ""
    assert compile("'2026-11-24'", FORM, ("title",)).number(scope) == 20781


def test_expressions_are_compiled_once() -> None:
    kept = Expressions(FORM)

    assert kept.of("${area} > 5", ("title",)) is kept.of("${area} > 5", ("title",))
    assert kept.of("${cost} > 5", ("title",)) is not kept.of("${cost} > 5", ("works", "what"))


@pytest.mark.parametrize(
    ("expression", "sentence", "position"),
    [
        ("${ara} > 5", "There is no question “ara”. Did you mean “area”?", 1),
        ("1 + ${Area}", "There is no question “Area”. Did you mean “area”?", 5),
        ("${zzzzz}", "There is no question “zzzzz”.", 1),
        ("${last#area}", "There is no question “last#area”. Did you mean “area”?", 1),
        ("area > 5", "“area” must be written ${area} in an expression.", 1),
        ("../are", "There is no question “are”. Did you mean “${area}”?", 4),
        ("today > '2026-01-01'", "“today” is a function: write today().", 1),
        ("../../..", "“..” leads out of the form here.", 4),
        ("/other/site", "There is no question “other”.", 1),
        ("seleted(${town}, 'lodi')", "There is no function seleted(). Did you mean selected()?", 1),
        ("zzz(1)", "There is no function zzz().", 1),
        ("if(true(), 1)", "Values in the brackets of if(): 2 instead of 3.", 1),
        ("round(1, 2, 3)", "Values in the brackets of round(): 3 instead of 1 to 2.", 1),
        ("1 + coalesce(1)", "Values in the brackets of coalesce(): 1 instead of at least 2.", 5),
        (
            "indexed-repeat(${cost}, ${works}, 1, 2)",
            "Values in the brackets of indexed-repeat(): 4 instead of 3 and 2 more each time.",
            1,
        ),
        (
            "indexed-repeat(${area}, ${works}, 1)",
            "indexed-repeat() wants as its value number 2 a repeat that the question is in.",
            1,
        ),
        ("count(5)", "count() wants a question or a repeat in its brackets, like ${name}.", 1),
        (
            "pulldata('cups', 'name', 'key', ${title})",
            "pulldata() reads a file beside the form, which does not exist here: make a list of choices of it.",
            1,
        ),
        (
            "once(random())",
            "random() gives something else each time, so an answer would change by itself: leave it out.",
            6,
        ),
        ("distance(${area})", "distance() exists in ODK, but not here.", 1),
        (
            "jr:choice-name(${town}, ${town})",
            "jr:choice-name() wants the name of a question between quotation marks, like '${name}'.",
            1,
        ),
        ("jr:choice-name(${town}, '${twn}')", "There is no question “twn”. Did you mean “town”?", 1),
        ("(${area} > 5", "The bracket ( at character 1 is not closed.", 1),
        ("${area} > 5)", "The bracket ) at character 12 was never opened.", 12),
        ("count(${works}[1)", "The bracket [ at character 15 is not closed.", 15),
        ("${title} = 'Scuola", "The quotation mark ' at character 12 is not closed.", 12),
        ("${title = 'a'", "The name after ${ at character 1 is not closed by a curly bracket.", 1),
        (
            "${title} = “Scuola”",
            "“ at character 12 is no quotation mark here: write ' before and after the text.",
            12,
        ),
        ("${area} == 5", "I do not understand “=” at character 10.", 10),
        ("${area} 5", "I do not understand “5” at character 9.", 9),
        ("${area} | ${cost}", "I do not understand “|” at character 9.", 9),
        ("/data//cost", "I do not understand “/” at character 7.", 7),
        ("('a')/b", "I do not understand “/” at character 6.", 6),
        ("* + 1", "I do not understand “*” at character 1.", 1),
        ("${area} >", "The expression stops too early: something is missing at the end.", 9),
        ("  ", "There is nothing to calculate here.", None),
        ("regex(., '(?=a)b')", "The pattern of regex() has “(?=”, which is not understood or not possible here.", 1),
        ("regex(., '((a{99}){99}){99}')", "The pattern of regex() is too large: make it shorter.", 1),
    ],
)
def test_a_bad_expression_is_refused_with_what_to_do(expression: str, sentence: str, position: int | None) -> None:
    problem = refused(expression)

    assert problem.say(speaking(Language.EN)) == sentence
    assert problem.say(speaking(Language.IT)) != sentence
    assert problem.position == position


def test_a_name_that_several_questions_have_is_refused() -> None:
    form = form_of("""
        | survey |
        | | type | name | label |
        | | begin_group | a | A |
        | | text | x | X |
        | | end_group | | |
        | | begin_group | b | B |
        | | text | x | X |
        | | end_group | | |
        | | text | y | Y |
    """)

    with pytest.raises(BadExpression) as problem:
        compile("${x} = 1", form, ("y",))

    assert str(problem.value) == "Several questions are called “x”: give them different names."


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 500 + "1" + ")" * 500,
        "-" * 3000 + "1",
        "not(" * 79 + "1" + ")" * 79 + "+" + "${a}" * 2000,
        "if(" * 70 + "1" + ",1,1)" * 70 + "[" * 70,
        "1" * 4001,
        "a[" * 60 + "1" + "]" * 60,
    ],
)
def test_an_endless_expression_is_refused_at_once(expression: str) -> None:
    with pytest.raises(BadExpression):
        compile(expression, FORM, ("title",))


def test_a_long_expression_that_is_not_deep_is_fine() -> None:
    assert said(" or ".join(["${title} = 'x'"] * 150) + " or ${title} = 'Scuola'") is True
    assert said(" + ".join(["${area}"] * 300)) == pytest.approx(120.5 * 300)
    assert said("9" * 3000) == float("inf")


def test_what_would_take_too_long_is_given_up() -> None:
    answers = {f"works[{n}]/cost": n for n in range(1, 201)}

    with pytest.raises(BadExpression) as problem:
        said("count(${works}[count(${works}[count(/data/works[cost > 3]) > 3]) > 3])", answers=answers)

    assert str(problem.value) == "There is too much to calculate here."
    assert said("sum(${cost})", answers=answers) == 20_100


def test_a_predicate_costs_what_is_in_it() -> None:
    answers = {f"works[{n}]/cost": n for n in range(1, 201)} | {"title": "x" * 1500}
    dear = " + ".join(["string-length(translate(${title}, 'x', 'y'))"] * 60)

    with pytest.raises(BadExpression):
        said(f"count(${{works}}[count(${{works}}[{dear}]) > 0])", answers=answers)

    assert said(f"count(${{works}}[{dear}])", answers=answers | {f"works[{n}]/cost": None for n in range(1, 201)}) == 0


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless")
def test_several_threads_compile_at_once() -> None:
    sources = [f"if(${{area}} > {n}, '{n}', concat('x', {n}))" for n in range(200)]
    read.cache_clear()

    with ThreadPoolExecutor(8) as threads:
        compiled = list(threads.map(lambda source: compile(source, FORM, ("title",)), sources))

    scope = Scope(Instance(ANSWERS), NOW)
    assert [one.evaluate(scope) for one in compiled] == [str(n) if n < 120.5 else f"x{n}" for n in range(200)]


def test_the_parser_is_imported_only_to_compile() -> None:
    program = "import sys, intake.forms.expressions; sys.exit('elementpath' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_expression_of_the_forms_at_hand_can_be_compiled() -> None:
    compiled = 0
    for form in (data_form(file.stem) for file in FILES):
        for node in form.walk():
            filters = [node.rules.choice_filter] if isinstance(node, Question) else []
            default = node.rules.default if isinstance(node, Question) and node.default_is_expression else ""
            others = (node.rules.relevant, node.rules.required, node.rules.constraint, node.rules.calculation)
            for source in (*others, node.rules.repeat_count, default):
                compiled += bool(source and compile(source, form, node.path))
            compiled += sum(bool(compile(source, form, node.path, filtering=True)) for source in filters if source)
    assert compiled > 30
