"""The projects a person may report on, as lists and by what they type. Shows nothing."""

from bot.turn import Turn
from facts.folding import fold
from storage.people import own_project
from storage.worklist import ProjectLine, project_lines

PAGE = 8  # projects on a page
PART_OF_CUP = 5  # characters: fewer would find half of the projects


def own_lines(turn: Turn) -> list[ProjectLine]:
    """With what is due by the form that is being filled in; by any, when none is."""
    work = turn.open_work
    version = work.form_version_id if work is not None else None
    form_id = turn.house.catalogue.version(turn.session, version).form_id if version is not None else None
    return project_lines(turn.session, turn.person.id, turn.today, form_id=form_id)


def is_foreign(turn: Turn, project_id: int) -> bool:
    return own_project(turn.session, turn.person.id, project_id) is None


def matches(line: ProjectLine, wanted: str) -> bool:
    """Every word that was typed begins a word of title or place, or is a good part of the CUP."""
    words, cup = fold(f"{line.title} {line.places}").split(), line.cup.casefold()
    return all(
        any(word.startswith(each) for word in words) or (len(each) >= PART_OF_CUP and each in cup)
        for each in fold(wanted).split()
    )


def page_of(turn: Turn, lines: list[ProjectLine]) -> tuple[int, int, list[ProjectLine]]:
    """The page being shown, how many there are, and its lines, as narrowed by the search."""
    wanted = str(turn.work.memory.get("search", ""))
    found = [line for line in lines if matches(line, wanted)] or lines
    pages = max(1, (len(found) + PAGE - 1) // PAGE)
    page = min(int(turn.work.memory.get("page", 0)), pages - 1)
    return page, pages, found[page * PAGE : (page + 1) * PAGE]
