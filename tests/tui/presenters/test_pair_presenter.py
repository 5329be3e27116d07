"""Test the comparison of two confused classes without a screen."""

from __future__ import annotations

import pytest

from tests.tui.review_sessions import create_review_session
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.session.review_views import ReviewImage
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.pair_presenter import PairPresenter, arrange_sides
from vaetui.tui.presenters.review_draft import ReviewDraft, ReviewStep
from vaetui.tui.presenters.styled_text import count_cells

GRID = GridLayout((14, 7), 4, 2, 2)


def create_presenter(session: ScriptedSession | None = None, draft: ReviewDraft | None = None) -> PairPresenter:
    session = session or create_review_session()
    presenter = PairPresenter(session, session.digit_keys(), draft or ReviewDraft())
    presenter.load()
    presenter.resize(GRID)
    return presenter


def press(presenter: PairPresenter, *keys: str) -> list[str | None]:
    return [presenter.handle_key(key) for key in keys]


def list_places(presenter: PairPresenter) -> list[int | None]:
    return [None if image is None else image.image_index for image in presenter.images]


@pytest.mark.parametrize(
    ("left_count", "right_count", "expected"),
    [
        (4, 4, [0, 1, 10, 11, 2, 3, 12, 13]),
        (3, 1, [0, 1, 10, None, 2, None, None, None]),
        (0, 3, [None, None, 10, 11, None, None, 12, None]),
        (0, 0, []),
    ],
)
def test_sides_are_arranged_row_by_row(left_count: int, right_count: int, expected: list[int | None]) -> None:
    left = [ReviewImage(index, 0, 1, 0.5) for index in range(left_count)]
    right = [ReviewImage(10 + index, 1, 0, 0.5) for index in range(right_count)]
    places = arrange_sides(left, right, 2)
    assert [None if image is None else image.image_index for image in places] == expected


def test_most_confused_pair_comes_first_with_each_class_on_its_side() -> None:
    presenter = create_presenter()
    assert list_places(presenter) == [0, 4, 1, 5, 8, 12, 9, 13]
    assert presenter.format_heading() == "cat / dog: 60 images in doubt · pair 1 of 3"
    headings = presenter.format_side_headings(29, 3)
    assert count_cells(headings) == 29 + 3 + 29
    assert "".join(text for text, _ in headings).split() == ["■", "cat", "■", "dog"]


def test_move_key_sends_an_image_across_and_back() -> None:
    presenter = create_presenter()
    press(presenter, "mark")
    assert presenter.draft.marks.corrections == {0: ClassAnswer(1)}
    assert presenter.cursor == 1
    press(presenter, "left", "mark")
    assert presenter.draft.marks.corrections == {}
    press(presenter, "first", "right", "right", "mark")
    assert presenter.draft.marks.corrections == {1: ClassAnswer(0)}


def test_class_key_moves_an_image_across_or_to_a_third_class() -> None:
    presenter = create_presenter()
    press(presenter, "1", "3", "unreadable")
    assert presenter.draft.marks.corrections == {0: ClassAnswer(1), 4: ClassAnswer(3), 1: Unreadable()}


def test_enter_records_both_sides_as_one_step() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "mark", "accept")
    assert session.steps.pages == [
        [
            AnsweredImage(0, ClassAnswer(1), 0),
            AnsweredImage(4, ClassAnswer(0), 0),
            AnsweredImage(1, ClassAnswer(1), 1),
            AnsweredImage(5, ClassAnswer(1), 1),
            AnsweredImage(8, ClassAnswer(0), 0),
            AnsweredImage(12, ClassAnswer(0), 0),
            AnsweredImage(9, ClassAnswer(1), 1),
            AnsweredImage(13, ClassAnswer(1), 1),
        ]
    ]
    assert session.calls[-1].endswith(" pair")
    assert presenter.status_text == "Saved: 8 images of cat and dog, 1 corrected. u: undo"
    assert list_places(presenter)[0] == 16
    press(presenter, "undo")
    assert session.steps.pages == []
    assert list_places(presenter)[0] == 0
    press(presenter, "redo")
    assert len(session.steps.pages) == 1


def test_pages_of_the_review_are_not_undone_here() -> None:
    session, draft = create_review_session(), ReviewDraft()
    draft.add_step(ReviewStep("page of 8 images of cat", "review", 0, (0,)))
    presenter = create_presenter(session, draft)
    press(presenter, "undo")
    assert presenter.hint == "Nothing to undo here"
    assert "undo" not in session.calls


def test_pairs_are_shown_one_after_the_other_and_by_choice() -> None:
    presenter = create_presenter()
    press(presenter, "next")
    assert presenter.format_heading().startswith("dog / owl: 59 images")
    press(presenter, "next", "next")
    assert presenter.hint == "This is the last pair"
    assert presenter.format_heading().startswith("owl / polar bear: 58 images")
    press(presenter, "previous", "previous", "previous")
    assert presenter.hint == "This is the first pair"
    choices = presenter.list_pair_choices()
    assert (choices[0].label, choices[0].detail) == ("cat / dog", "60 images")
    presenter.show_pair(2)
    assert presenter.format_heading().startswith("owl / polar bear")


def test_cursor_skips_empty_places(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_review_session()
    left = tuple(ReviewImage(4 * index, 0, 1, 0.5) for index in range(3))
    right = (ReviewImage(1, 1, 0, 0.5),)
    monkeypatch.setattr(session.reviews, "pair_page", lambda *_: (left, right))
    presenter = create_presenter(session)
    assert list_places(presenter) == [0, 4, 1, None, 8, None, None, None]
    press(presenter, "down", "right")
    assert presenter.cursor == 4
    press(presenter, "last")
    assert presenter.cursor == 4
    press(presenter, "first", "right", "right", "right")
    assert presenter.cursor == 2
    press(presenter, "mark")
    assert presenter.cursor == 4


def test_classes_that_are_never_confused_have_no_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_review_session()
    monkeypatch.setattr(session.reviews, "pairs", tuple)
    presenter = create_presenter(session)
    press(presenter, "accept", "mark", "1", "next", "undo", "last")
    assert session.steps.pages == []
    assert presenter.format_prompt() == ("No two classes are confused with each other", "")
    assert presenter.format_heading() == "confused classes"


def test_pair_without_open_images_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_review_session()
    monkeypatch.setattr(session.reviews, "pair_page", lambda *_: ((), ()))
    presenter = create_presenter(session)
    press(presenter, "accept")
    assert presenter.hint == "No image of this pair is left in doubt. Tab: next pair"
    assert session.steps.pages == []
