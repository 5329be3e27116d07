"""Test the marks that a review keeps, and its own history of steps."""

from __future__ import annotations

from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.tui.presenters.review_draft import PageMarks, ReviewDraft, ReviewStep


def test_correction_removes_the_mark_of_its_images_only() -> None:
    marks = PageMarks().with_toggled_mark(3).with_toggled_mark(5).with_corrections({3: ClassAnswer(1)})
    assert marks == PageMarks({3: ClassAnswer(1)}, frozenset({5}))
    assert marks.with_corrections({3: None}) == PageMarks({}, frozenset({5}))
    assert marks.with_toggled_mark(5).marked == frozenset()


def test_recorded_step_drops_the_marks_of_its_images_and_what_could_be_redone() -> None:
    draft = ReviewDraft()
    draft.marks = PageMarks({3: ClassAnswer(1), 4: Unreadable()}, frozenset({3, 6}))
    draft.undone_steps.append(ReviewStep("page", "review", 0, (9,)))
    draft.add_step(ReviewStep("page", "review", 0, (3, 7)))
    assert draft.marks == PageMarks({4: Unreadable()}, frozenset({6}))
    assert not draft.undone_steps
    draft.begin(2)
    assert not draft.recorded_steps


def test_review_begins_with_the_same_class_until_another_epoch_has_changed_the_labels() -> None:
    draft = ReviewDraft()
    draft.begin(2)
    draft.class_id, draft.marks = 5, PageMarks({3: ClassAnswer(1)})
    draft.begin(2)
    assert draft.class_id == 5
    draft.begin(3)
    assert draft.class_id is None
    assert draft.marks == PageMarks({3: ClassAnswer(1)})


def test_corrections_that_are_not_recorded_delay_leaving_once() -> None:
    draft = ReviewDraft()
    assert not draft.delays_leaving()
    assert draft.describe_marks("w") == ""
    draft.marks = PageMarks({3: ClassAnswer(1)})
    assert draft.describe_marks("w") == "1 correction is kept, but not accepted yet. w: go on"
    assert draft.describe_loss("q") == "1 correction is not accepted yet. q again: leave without them"
    assert draft.delays_leaving()
    assert not draft.delays_leaving()
    draft.marks = draft.marks.with_corrections({4: Unreadable()})
    assert draft.describe_marks("w") == "2 corrections are kept, but not accepted yet. w: go on"
    assert draft.delays_leaving()
    draft.marks = PageMarks(marked=frozenset({8}))
    assert not draft.delays_leaving()
