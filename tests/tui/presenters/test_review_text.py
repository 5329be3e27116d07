"""Test the texts of the review."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.session.review_views import ReviewClass, ReviewImage, ReviewProgress
from vaetui.tui.presenters.review_draft import Correction
from vaetui.tui.presenters.review_text import (
    format_class_detail,
    format_correction,
    format_page_confirmation,
    format_review_caption,
    format_review_heading,
    list_stopping_lines,
)
from vaetui.tui.presenters.styled_text import count_cells

CLASSES = ClassList.from_names(("cat", "dog", "Donaudampfschifffahrtsgesellschaft", "猫" * 20))
IMAGE = ReviewImage(7, 0, 1, 0.4)


@pytest.mark.parametrize(
    ("correction", "is_marked", "expected"),
    [
        (None, False, "or ■ dog"),
        (None, True, " * or ■ dog"),
        (ClassAnswer(1), False, "→ ■ dog"),
        (ClassAnswer(1), True, " * → ■ dog"),
        (Unreadable(), False, "→ – unreadable"),
    ],
)
def test_caption_names_the_second_class_or_the_correction(
    correction: Correction | None, is_marked: bool, expected: str
) -> None:
    pieces = format_review_caption(IMAGE, correction, CLASSES, 16, is_marked=is_marked)
    assert "".join(text for text, _ in pieces) == expected


@pytest.mark.parametrize("max_cells", [13, 14, 16, 20])
@pytest.mark.parametrize("correction", [None, Unreadable(), *map(ClassAnswer, range(1, 4))])
@pytest.mark.parametrize("second_class_id", range(4))
@pytest.mark.parametrize("is_marked", [False, True])
def test_caption_fits_its_image(
    max_cells: int, correction: Correction | None, second_class_id: int, is_marked: bool
) -> None:
    image = ReviewImage(7, 0, second_class_id, 0.4)
    assert count_cells(format_review_caption(image, correction, CLASSES, max_cells, is_marked=is_marked)) <= max_cells


@pytest.mark.parametrize(
    ("second_class_id", "max_cells", "expected"),
    [(1, 16, "■ cat or ■ dog"), (1, 13, "■ cat"), (0, 16, "■ cat"), (2, 16, "■ cat"), (2, 20, "■ cat or ■ Dona…haft")],
)
def test_caption_on_a_mixed_page_names_the_label_and_the_second_class_if_it_fits(
    second_class_id: int, max_cells: int, expected: str
) -> None:
    image = ReviewImage(7, 0, second_class_id, 0.4)
    pieces = format_review_caption(image, None, CLASSES, max_cells, shows_label=True)
    assert "".join(text for text, _ in pieces) == expected
    assert count_cells(pieces) <= max_cells


def test_image_without_a_second_class_has_no_caption() -> None:
    assert format_review_caption(ReviewImage(7, 1, 1, 0.4), None, CLASSES, 16) == ()


def test_heading_names_class_images_expected_errors_and_page() -> None:
    review_class = ReviewClass(0, 1203, 84.3, 0)
    assert format_review_heading(review_class, CLASSES, 1, 38) == "cat: 1,203 images, about 84 wrong · page 1 of 38"
    assert "hardly any wrong" in format_review_heading(ReviewClass(0, 1203, 0.3, 0), CLASSES, 1, 38)
    assert (
        format_review_heading(ReviewClass(0, 1, 0.6, 0), CLASSES, 1, 1) == "cat: 1 image, about 1 wrong · page 1 of 1"
    )


@pytest.mark.parametrize("class_id", range(4))
def test_heading_shortens_the_name_for_the_facts(class_id: int) -> None:
    text = format_review_heading(ReviewClass(class_id, 1203, 84.3, 0), CLASSES, 1, 121, 55)
    assert cell_len(text) <= 55
    assert text.endswith(": 1,203 images, about 84 wrong · page 1 of 121")


@pytest.mark.parametrize(
    ("progress", "expected_errors", "lines"),
    [
        (
            ReviewProgress(7, 3, 96, 0),
            0.8,
            [
                "last 3 pages: 0 of 96 changed · the next page is expected to hold 1 wrong label",
                "last 3 pages: 0 of 96 changed · next page: about 1 wrong",
                "last 3 pages: 0 of 96 changed",
            ],
        ),
        (
            ReviewProgress(1, 1, 32, 5),
            4.4,
            [
                "last page: 5 of 32 changed · the next page is expected to hold 4 wrong labels",
                "last page: 5 of 32 changed · next page: about 4 wrong",
                "last page: 5 of 32 changed",
            ],
        ),
        (
            ReviewProgress(0, 0, 0, 0),
            0.2,
            ["the next page is expected to hold no wrong label", "next page: hardly any wrong"],
        ),
    ],
)
def test_stopping_line_says_what_changed_and_what_is_expected(
    progress: ReviewProgress, expected_errors: float, lines: list[str]
) -> None:
    assert list_stopping_lines(progress, expected_errors) == lines


def test_confirmation_counts_images_and_corrections() -> None:
    answers = [
        AnsweredImage(1, ClassAnswer(0), 0),
        AnsweredImage(2, ClassAnswer(1), 0),
        AnsweredImage(3, Unreadable(), 0),
    ]
    assert format_page_confirmation(answers, "cat", "u") == "Saved: 3 images of cat, 2 corrected. u: undo"
    assert format_page_confirmation(answers[:1], "cat", "u") == "Saved: 1 image of cat, all right. u: undo"


def test_texts_about_a_class_and_a_correction() -> None:
    assert format_class_detail(ReviewClass(0, 1203, 84.3, 96)) == "1,203 images, about 84 wrong, 96 reviewed"
    assert format_class_detail(ReviewClass(0, 1, 0.0, 0)) == "1 image, hardly any wrong"
    assert format_correction(0, None, CLASSES) == "cat"
    assert format_correction(0, ClassAnswer(1), CLASSES) == "cat → dog"
    assert format_correction(0, Unreadable(), CLASSES) == "cat → unreadable"
