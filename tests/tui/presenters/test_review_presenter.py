"""Test the review without a screen: marks, relabelling, accepted pages, undo, classes and page sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

import pytest

from tests.tui.review_sessions import ANIMALS, create_review_session
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.engine.classes import MergeClass
from vaetui.errors import UserError
from vaetui.session.views import Phase
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.presenters.review_presenter import ReviewPresenter

GRID = GridLayout((16, 8), 4, 2, 2)
CAT, DOG, OWL, BEAR = range(4)


def create_presenter(session: ScriptedSession | None = None, draft: ReviewDraft | None = None) -> ReviewPresenter:
    session = session or create_review_session()
    presenter = ReviewPresenter(session, session.digit_keys(), draft or ReviewDraft())
    presenter.load()
    presenter.resize(GRID)
    return presenter


def press(presenter: ReviewPresenter, *keys: str) -> list[str | None]:
    return [presenter.handle_key(key) for key in keys]


def list_indices(presenter: ReviewPresenter) -> list[int]:
    return [image.image_index for image in presenter.shown_images]


def test_review_begins_with_the_class_with_the_most_expected_errors() -> None:
    session = create_review_session()
    session.reviews.error_shares = {OWL: 0.3}
    presenter = create_presenter(session)
    assert presenter.class_id == OWL
    assert list_indices(presenter) == [2, 6, 10, 14, 18, 22, 26, 30]
    assert presenter.format_heading(100) == "owl: 200 images, about 60 wrong · page 1 of 25"
    assert presenter.stopping_lines[0] == "the next page is expected to hold 8 wrong labels"


def test_enter_records_every_image_of_the_page_as_one_step_and_shows_the_next() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "1", "right", "unreadable", "accept")
    expected = [AnsweredImage(index, ClassAnswer(CAT), CAT) for index in (0, 4, 8, 12, 16, 20, 24, 28)]
    expected[0] = AnsweredImage(0, ClassAnswer(DOG), CAT)
    expected[2] = AnsweredImage(8, Unreadable(), CAT)
    assert session.steps.pages == [expected]
    assert session.calls[-1] == "record_image_answers [0, 4, 8, 12, 16, 20, 24, 28] review"
    assert presenter.status_text == "Saved: 8 images of cat, 2 corrected. u: undo"
    assert presenter.has_just_recorded
    assert list_indices(presenter) == [32, 36, 40, 44, 48, 52, 56, 60]
    assert presenter.cursor == 0
    assert presenter.format_heading(100).endswith("page 2 of 25")
    assert presenter.stopping_lines[0].startswith("last page: 2 of 8 changed · the next page is expected to hold ")
    press(presenter, "right")
    assert not presenter.has_just_recorded


def test_class_key_relabels_the_selected_image_and_moves_on() -> None:
    presenter = create_presenter()
    press(presenter, "3")
    assert presenter.cursor == 1
    assert presenter.draft.marks.corrections == {0: ClassAnswer(BEAR)}
    press(presenter, "last", "2")
    assert presenter.cursor == 7
    assert presenter.describe_selected_image() == "cat → owl"
    assert len(presenter.corrected_images) == 2


@pytest.mark.parametrize("key", ["0", "clear"])
def test_shown_class_or_clear_key_takes_a_correction_back(key: str) -> None:
    presenter = create_presenter()
    press(presenter, "3", "left", key)
    assert not presenter.draft.marks.corrections
    assert presenter.corrected_images == []


def test_second_class_key_takes_the_class_below_the_image() -> None:
    presenter = create_presenter()
    press(presenter, "second")
    assert presenter.draft.marks.corrections == {0: ClassAnswer(DOG)}
    assert presenter.cursor == 1


def test_class_key_relabels_all_marked_images_and_no_other() -> None:
    presenter = create_presenter()
    press(presenter, "mark", "right", "mark", "down", "mark")
    assert [image.image_index for image in presenter.marked_images] == [0, 8, 28]
    assert presenter.format_prompt()[0] == "3 marked images: class?"
    cursor = presenter.cursor
    press(presenter, "1")
    assert presenter.draft.marks.corrections == dict.fromkeys((0, 8, 28), ClassAnswer(DOG))
    assert presenter.marked_images == []
    assert presenter.status_text == "3 images: dog"
    assert presenter.cursor == cursor


def test_all_images_without_a_correction_are_marked_at_once_and_unmarked_again() -> None:
    presenter = create_presenter()
    press(presenter, "2", "mark_all")
    assert len(presenter.marked_images) == 7
    press(presenter, "mark_all")
    assert presenter.marked_images == []
    press(presenter, "mark_all", "second")
    assert [presenter.find_correction(image) for image in presenter.shown_images] == [
        ClassAnswer(OWL),
        *[ClassAnswer(DOG)] * 7,
    ]
    press(presenter, "undo", "undo", "undo", "undo", "undo")
    assert presenter.corrected_images == presenter.marked_images == []


def test_page_with_marks_without_a_class_is_not_recorded() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "mark", "accept")
    assert presenter.hint == "1 image marked: type the class, or Esc to unmark"
    assert session.steps.pages == []
    assert press(presenter, "close") == [None]
    assert presenter.marked_images == []
    assert press(presenter, "close") == ["close"]


def test_undo_takes_marks_back_one_by_one_and_then_brings_the_last_page_back() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "1", "accept", "2", "mark")
    press(presenter, "undo")
    assert presenter.marked_images == []
    assert presenter.cursor == 1
    press(presenter, "undo")
    assert presenter.draft.marks.corrections == {}
    assert presenter.cursor == 0
    assert session.steps.pages != []
    press(presenter, "undo")
    assert session.steps.pages == []
    assert list_indices(presenter)[:2] == [0, 4]
    assert presenter.cursor == 0
    assert presenter.draft.marks.corrections == {}
    assert presenter.status_text == "Undid: page of 8 images of cat"
    assert presenter.format_heading(100).endswith("page 1 of 25")
    press(presenter, "undo")
    assert presenter.hint == "Nothing to undo here"
    assert session.calls.count("undo") == 1


def test_redo_records_the_page_again_with_its_corrections() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "1", "accept")
    pages = session.steps.pages
    press(presenter, "undo", "redo")
    assert session.steps.pages == pages
    assert list_indices(presenter)[0] == 32
    assert presenter.format_heading(100).endswith("page 2 of 25")
    press(presenter, "redo")
    assert presenter.hint == "Nothing to redo here"


def test_undo_of_a_page_of_another_class_goes_back_to_that_class() -> None:
    presenter = create_presenter()
    press(presenter, "accept", "next_class")
    assert presenter.class_id == DOG
    press(presenter, "undo")
    assert presenter.class_id == CAT
    assert list_indices(presenter)[0] == 0


def test_undo_never_takes_back_what_was_answered_outside_the_review() -> None:
    session = create_review_session()
    session.record_answer((0,), ClassAnswer(1))
    presenter = create_presenter(session)
    press(presenter, "undo")
    assert session.answer_log == [((0,), ClassAnswer(1))]
    assert presenter.hint == "Nothing to undo here"


def test_next_class_goes_through_all_classes_then_to_the_mixed_page_and_back_to_the_first() -> None:
    presenter = create_presenter()
    shown = [presenter.class_id]
    for _ in ANIMALS[1:]:
        press(presenter, "next_class")
        shown.append(presenter.class_id)
    assert shown == [CAT, DOG, OWL, BEAR]
    press(presenter, "next_class")
    assert presenter.is_varied
    press(presenter, "next_class")
    assert (presenter.is_varied, presenter.class_id) == (False, CAT)
    press(presenter, "previous_class", "previous_class")
    assert (presenter.is_varied, presenter.class_id) == (False, BEAR)


@pytest.mark.parametrize(
    ("phase", "method", "is_advised"),
    [("labelling", "graph", True), ("labelling", "cluster", False), ("finished", "graph", False)],
)
def test_mixed_page_is_advised_while_networks_learn_from_propagated_answers(
    phase: Phase, method: Literal["graph", "cluster"], is_advised: bool
) -> None:
    session = create_review_session()
    session.config = replace(session.config, propagation=replace(session.config.propagation, method=method))
    session.current_phase = phase
    presenter = create_presenter(session)
    lines = presenter.stopping_lines
    assert lines[0].endswith(" · m: a mixed page teaches more") == is_advised
    assert "a mixed page teaches more" not in lines[-1]
    choices = presenter.list_class_choices()
    assert choices[0 if is_advised else -1].label == "all classes"
    assert len(choices) == 5
    presenter.show_class(cast(int, choices[0 if is_advised else -1].value))
    assert presenter.is_varied
    assert "teaches more" not in presenter.stopping_lines[0]


def test_marks_of_a_page_stay_while_others_are_looked_at_and_when_the_review_is_opened_again() -> None:
    session, draft = create_review_session(), ReviewDraft()
    presenter = create_presenter(session, draft)
    press(presenter, "1", "next_class", "2", "page_down")
    again = create_presenter(session, draft)
    assert again.class_id == DOG
    assert [image.image_index for image in again.corrected_images] == [1]
    press(again, "previous_class")
    assert [image.image_index for image in again.corrected_images] == [0]
    assert session.steps.pages == []


def test_pages_can_be_looked_at_without_accepting_them() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "page_down", "page_down")
    assert list_indices(presenter)[0] == 64
    assert presenter.format_heading(100).endswith("page 3 of 25")
    press(presenter, "page_up", "accept")
    assert [item.image_index for item in session.steps.pages[0]][:2] == [32, 36]
    assert list_indices(presenter)[0] == 64
    press(presenter, "page_up")
    assert list_indices(presenter)[0] == 0
    press(presenter, "page_up")
    assert presenter.hint == "This is the first page"


def test_class_is_reviewed_to_its_end() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    presenter.resize(GridLayout((13, 7), 8, 4, 2))
    for _ in range(7):
        press(presenter, "accept")
    assert list_indices(presenter) == []
    assert sum(map(len, session.steps.pages)) == 200
    question, _ = presenter.format_prompt()
    assert question == "All images of cat are reviewed. Tab: next class"
    count = len(session.calls)
    press(presenter, "accept", "1", "mark", "zoom", "left", "last")
    assert [call for call in session.calls[count:] if call.startswith("record")] == []
    press(presenter, "next_class")
    assert presenter.class_id == DOG


def test_mixed_page_shows_images_of_all_classes_by_their_label_until_all_chosen_ones_are_recorded() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "varied")
    assert presenter.format_heading(100) == "all classes: images that teach the most · page 1"
    chosen = session.reviews.varied_page(None, 32)
    labels = []
    for page in range(4):
        labels += [image.label_class_id for image in presenter.shown_images]
        assert len(presenter.shown_images) == 8
        press(presenter, "1", "accept")
        assert presenter.format_heading(100).endswith(f"page {page + 2}")
    assert labels == sorted(labels)
    assert sorted(labels) == sorted(image.label_class_id for image in chosen)
    assert {item.image_index for step in session.steps.pages for item in step} == {i.image_index for i in chosen}
    assert all(item.shown_class_id == item.image_index % 4 for step in session.steps.pages for item in step)
    assert presenter.status_text.startswith("Saved: 8 images of all classes")
    assert not {image.image_index for image in presenter.shown_images} & {image.image_index for image in chosen}
    press(presenter, "varied")
    assert presenter.class_id == CAT
    assert {image.label_class_id for image in presenter.shown_images} == {CAT}


def test_undo_brings_a_mixed_page_back_and_redo_records_it_again() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "varied")
    first_page = presenter.shown_images
    press(presenter, "accept")
    second_page = presenter.shown_images
    press(presenter, "varied", "undo")
    assert presenter.is_varied
    assert presenter.shown_images == first_page
    assert session.steps.pages == []
    press(presenter, "redo")
    assert presenter.shown_images == second_page
    assert len(session.steps.pages) == 1
    press(presenter, "next_class")
    assert not presenter.is_varied


def test_mixed_page_keeps_its_images_in_a_terminal_of_another_size() -> None:
    presenter = create_presenter()
    press(presenter, "varied")
    images = presenter.shown_images
    presenter.resize(GridLayout((13, 7), 8, 4, 2))
    assert len(presenter.shown_images) == 32
    assert presenter.shown_images[:8] == images
    press(presenter, "last")
    assert presenter.border_class_id == BEAR
    assert "or ■ cat" in "".join(text for text, _ in presenter.list_captions(40)[-1])


def test_page_is_no_longer_than_the_terminal_shows_and_at_most_32_images() -> None:
    presenter = create_presenter()
    press(presenter, "down", "right", "1")
    presenter.resize(GridLayout((13, 7), 9, 4, 2))
    assert len(presenter.images) == 32
    assert presenter.selected_image is not None
    assert presenter.selected_image.image_index == 24
    assert [image.image_index for image in presenter.corrected_images] == [20]
    presenter.resize(GridLayout((13, 7), 2, 1, 2))
    assert list_indices(presenter) == [24, 28]
    assert presenter.cursor == 0
    presenter.resize(GRID)
    assert list_indices(presenter)[0] == 0
    assert len(presenter.corrected_images) == 1


@pytest.mark.parametrize("count", [2, 3, 60, 250])
def test_review_works_for_any_number_of_classes(count: int) -> None:
    session = create_review_session(tuple(f"class {index}" for index in range(count)))
    presenter = create_presenter(session)
    presenter.relabel(count - 1)
    press(presenter, "accept", "next_class")
    assert session.steps.pages[0][0].answer == ClassAnswer(count - 1)
    assert presenter.class_id == 1
    assert len(presenter.list_class_choices()) == count + 1
    assert ("/" in presenter.format_prompt()[1]) == (count > 10)


def test_correction_to_a_class_that_was_merged_meanwhile_counts_as_its_target() -> None:
    session = create_review_session()
    presenter = create_presenter(session)
    press(presenter, "1", "3")
    session.edit_classes(MergeClass(DOG, OWL))
    session.edit_classes(MergeClass(BEAR, CAT))
    assert [presenter.find_correction(image) for image in presenter.shown_images[:2]] == [ClassAnswer(OWL), None]
    press(presenter, "accept")
    assert [item.answer for item in session.steps.pages[0]][:2] == [ClassAnswer(OWL), ClassAnswer(CAT)]


def test_error_while_recording_is_shown_and_the_page_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    session = create_review_session()

    def fail(*_: object) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr(session, "record_image_answers", fail)
    presenter = create_presenter(session)
    press(presenter, "1", "accept")
    assert presenter.hint == "The disk is full."
    assert list_indices(presenter)[0] == 0
    assert len(presenter.corrected_images) == 1
    assert not presenter.draft.recorded_steps


def test_commands_for_the_screen_are_passed_on_and_nothing_works_before_the_labels_are_loaded() -> None:
    presenter = create_presenter()
    assert press(presenter, "choose", "list", "pairs", "border", "zoom") == [
        "choose",
        "list",
        "pairs",
        "border",
        "zoom",
    ]
    session = create_review_session()
    unloaded = ReviewPresenter(session, session.digit_keys(), ReviewDraft())
    assert press(unloaded, "accept", "1", "pairs", "close") == [None, None, None, "close"]
    assert unloaded.format_heading(80) == "review"
