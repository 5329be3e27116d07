"""Test the search for the border of a class without a screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.review_sessions import create_review_session
from tests.tui.scripted_session import ScriptedSession
from vaetui.errors import UserError
from vaetui.tui.presenters.border_presenter import BorderPresenter
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.review_draft import ReviewDraft

GRID = GridLayout((16, 8), 4, 2, 2)


def create_presenter(session: ScriptedSession | None = None, draft: ReviewDraft | None = None) -> BorderPresenter:
    presenter = BorderPresenter(session or create_review_session(), 0, GRID.capacity, draft or ReviewDraft())
    show(presenter)
    return presenter


def show(presenter: BorderPresenter, grid: GridLayout = GRID) -> None:
    """Do what the screen does after each key."""
    presenter.resize(grid)
    presenter.note_shown()


def press(presenter: BorderPresenter, *keys: str, grid: GridLayout = GRID) -> str | None:
    action = None
    for key in keys:
        action = presenter.handle_key(key)
        show(presenter, grid)
    return action


def answer_until_done(presenter: BorderPresenter, fits: Callable[[int], bool]) -> int:
    """Answer truthfully, and return the number of pages."""
    count = 0
    while not presenter.is_done:
        press(presenter, "fits" if all(map(fits, presenter.image_indices)) else "differs")
        count += 1
    return count


def test_border_is_found_with_few_pages_and_recorded_after_enter_only() -> None:
    session, draft = create_review_session(), ReviewDraft()
    presenter = create_presenter(session, draft)
    assert presenter.format_heading() == "where does cat end? · page 1 of 25 · at most 10 to see"
    # The scripted images of class 0 are 796, 792, ... 0, nearest first; here those from 480 down do not fit.
    assert answer_until_done(presenter, lambda index: index > 480) <= 10
    beyond = presenter.image_indices
    assert max(beyond) in range(480, 512)
    assert len(beyond) == max(beyond) // 4 + 1
    assert not any(call.startswith("record") for call in session.calls)
    question, keys = presenter.format_prompt()
    assert question == f"{len(beyond)} images beyond the border lose their label:"
    assert keys == "Enter: record · Esc: keep them"
    for key in ("fits", "differs", "mark"):
        assert press(presenter, key) is None
        assert presenter.hint == keys
    assert not any(call.startswith("record") for call in session.calls)
    assert press(presenter, "accept") == "close"
    assert session.calls[-1] == f"record_border 0 {len(beyond)}"
    assert draft.recorded_steps[-1].description == f"border of cat, {len(beyond)} images beyond it"


def test_escape_at_the_end_records_nothing() -> None:
    session, draft = create_review_session(), ReviewDraft()
    presenter = create_presenter(session, draft)
    answer_until_done(presenter, lambda index: index > 480)
    assert press(presenter, "close") == "close"
    assert not any(call.startswith("record") for call in session.calls)
    assert not draft.recorded_steps


@pytest.mark.parametrize("key", ["accept", "differs"])
def test_marked_images_do_not_fit_and_place_the_border(key: str) -> None:
    presenter = create_presenter()
    press(presenter, "mark", "right", "mark")
    marked = presenter.marked
    assert len(marked) == 2
    assert presenter.format_prompt()[0] == "2 images do not fit"
    press(presenter, key)
    assert presenter.is_done
    assert presenter.image_indices[0] == max(marked)


def test_marked_page_cannot_fit() -> None:
    presenter = create_presenter()
    press(presenter, "mark", "fits")
    assert presenter.search.misfits == ()
    assert presenter.hint == "1 image does not fit. Enter: go on · Esc: unmark"
    press(presenter, "close")
    assert not presenter.marked
    press(presenter, "fits")
    assert presenter.search.page_number == 2


def test_class_that_fits_as_a_whole_stays_as_it_is() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    answer_until_done(presenter, lambda _: True)
    assert presenter.format_prompt() == ("All images of cat fit; nothing changes", "Esc: back")
    assert press(presenter, "accept") == "close"
    assert not any(call.startswith("record") for call in session.calls)


def test_undo_goes_back_page_by_page() -> None:
    presenter = create_presenter()
    first_page = presenter.image_indices
    press(presenter, "fits", "fits", "differs", "undo", "undo", "undo")
    assert presenter.image_indices == first_page
    press(presenter, "undo")
    assert presenter.hint == "This is the first page"


def test_page_that_does_not_fit_the_terminal_is_accepted_after_all_of_it_was_shown() -> None:
    small = GridLayout((16, 8), 3, 1, 2)
    presenter = BorderPresenter(create_review_session(), 0, 8, ReviewDraft())
    show(presenter, small)
    assert presenter.format_prompt()[0] == "Do all of these fit cat? (1-3 of 8)"
    press(presenter, "accept", grid=small)
    assert presenter.search.misfits == ()
    assert presenter.part_bounds == (3, 6)
    assert presenter.status_text == "More images of this page"
    press(presenter, "fits", grid=small)
    assert presenter.part_bounds == (6, 8)
    press(presenter, "fits", grid=small)
    assert presenter.search.page_number == 2
    press(presenter, "differs", grid=small)
    assert len(presenter.search.misfits) == 2


def test_larger_terminal_keeps_page_and_marks() -> None:
    presenter = create_presenter()
    page = presenter.image_indices
    press(presenter, "right", "mark")
    show(presenter, GridLayout((13, 7), 8, 4, 2))
    assert presenter.image_indices == page
    assert presenter.marked == {page[1]}
    assert presenter.part_bounds == (0, 8)


def test_error_while_recording_is_shown_and_the_search_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session, draft = create_review_session(), ReviewDraft()
    presenter = create_presenter(session, draft)
    answer_until_done(presenter, lambda index: index > 480)

    def fail(*_: object) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr(session, "record_border", fail)
    assert press(presenter, "accept") is None
    assert presenter.hint == "The disk is full."
    assert presenter.is_done
    assert not draft.recorded_steps
