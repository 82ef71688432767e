"""Which questions lie in which heap, in which order, on which page: whatever part of the heap a page falls into."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col

from storage.queue import View, queue_counts, queue_page
from storage.tables import Category, Question, QuestionState, Referent, Staff
from tests.cast import Cast

NEW, TAKEN, PROPOSED, ANSWERED, CLOSED = QuestionState


@pytest.fixture
def olga(cast: Cast) -> Staff:
    return cast.a_staff()


@pytest.fixture
def ada(cast: Cast) -> Referent:
    return cast.a_referent()


@pytest.fixture
def heap(cast: Cast, ada: Referent, olga: Staff) -> list[int]:
    """Ten questions, in the order in which the heap of all of them shows them."""

    def asked(state: QuestionState, hours: int = 0, *, urgent: bool = False) -> int:
        question = cast.a_question(ada, state=state, taken_by=None if state is NEW else olga.id, urgent=urgent)
        question.due_at = cast.now + timedelta(hours=hours)
        return int(cast.add(question).id)

    first_closed, early, late = asked(CLOSED, urgent=True), asked(NEW, 2), asked(PROPOSED, 9)
    closed = [asked(CLOSED) for _ in range(3)]
    urgent, answered = asked(TAKEN, 20, urgent=True), asked(ANSWERED, 1, urgent=True)
    return [urgent, early, late, answered, first_closed, *closed, asked(CLOSED), asked(CLOSED)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10, 20])
def test_the_pages_of_a_heap_are_the_heap_cut_into_pieces(
    session: Session, olga: Staff, heap: list[int], limit: int
) -> None:
    pages = [queue_page(session, View.ALL, olga.id, offset=n, limit=limit) for n in range(0, len(heap) + limit, limit)]

    assert [line.id for lines, _ in pages for line in lines] == heap
    assert {total for _, total in pages} == {len(heap)}


def test_each_heap_counts_what_it_shows(session: Session, olga: Staff, heap: list[int]) -> None:
    shown = {view: len(queue_page(session, view, olga.id)[0]) for view in View}

    assert queue_counts(session, olga.id) == shown
    assert shown == {View.NEW: 1, View.MINE: 3, View.APPROVE: 1, View.MENTIONED: 0, View.ALL: 10}


def test_a_question_that_was_merged_is_counted_in_no_heap(
    session: Session, cast: Cast, ada: Referent, olga: Staff, heap: list[int]
) -> None:
    cast.a_question(ada, state=CLOSED, merged_into_id=heap[0])

    lines, total = queue_page(session, View.ALL, olga.id, offset=8)

    assert total == queue_counts(session, olga.id)[View.ALL] == len(heap)
    assert [line.id for line in lines] == heap[8:]


def test_a_category_narrows_a_heap_in_the_same_order(
    session: Session, cast: Cast, olga: Staff, heap: list[int]
) -> None:
    category = cast.add(Category(name="Collaudi", created_at=cast.now))
    chosen = [heap[n] for n in (1, 3, 6, 9)]
    for number in chosen:
        session.get_one(Question, number).category_id = category.id
    session.flush()

    lines, total = queue_page(
        session, View.ALL, olga.id, narrowed=[col(Question.category_id) == category.id], offset=1, limit=2
    )

    assert [line.id for line in lines] == chosen[1:3]
    assert total == 4
