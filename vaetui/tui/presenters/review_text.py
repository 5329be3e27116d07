"""Texts of the review: captions of images, the heading of a page, and when it may be enough."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from vaetui.engine.answers import AnsweredImage, ClassAnswer
from vaetui.engine.classes import ClassList
from vaetui.errors import format_count
from vaetui.session.review_views import ReviewClass, ReviewImage, ReviewProgress
from vaetui.tui.presenters.class_colours import CLASS_MARK, get_class_style
from vaetui.tui.presenters.cluster_text import truncate_class_name, truncate_name
from vaetui.tui.presenters.review_draft import Correction
from vaetui.tui.presenters.styled_text import Piece, count_cells

REVIEW_TOO_EARLY_MESSAGE = (
    "A review needs labels. Answer this round and train; from the next round on they can be corrected."
)
MIN_SECOND_CELLS = 8
"""Cells to which the second class beside a label is cut at most; in fewer ones it is left out."""
MIN_NAME_CELLS = 6
"""Cells to which the class in a heading is cut at most."""
MAX_NAME_CELLS = 24
"""Cells of a class name in a prompt."""


def format_review_caption(
    image: ReviewImage,
    correction: Correction | None,
    classes: ClassList,
    max_cells: int,
    *,
    is_marked: bool = False,
    shows_label: bool = False,
) -> tuple[Piece, ...]:
    """Return what stands below an image, in at most `max_cells`.

    "or ■ dog" is the second most probable class, "■ cat or ■ dog" the same after the label, "→ ■ dog" a correction,
    "→ – unreadable" another one; a marked image has a star before it.
    """
    mark: tuple[Piece, ...] = ((" * ", "open"),) if is_marked else ()
    room = max_cells - 3 * is_marked
    if isinstance(correction, ClassAnswer):
        return *mark, ("→ ", "strong"), *_format_class(correction.class_id, classes, room - 2, "strong")
    if correction is not None:
        return *mark, ("→ – unreadable"[:room] if room >= 14 else "→ –", "strong")
    has_second = image.second_class_id != image.label_class_id
    if not shows_label:
        second = ("or ", "dim"), *_format_class(image.second_class_id, classes, room - 3, "dim")
        return (*mark, *second) if has_second else mark
    label = _format_class(image.label_class_id, classes, room, "")
    second_room = room - count_cells(label) - len(" or ")
    second_cells = count_cells(_format_class(image.second_class_id, classes, max_cells, "dim"))
    if has_second and second_room >= min(second_cells, MIN_SECOND_CELLS):
        return *mark, *label, (" or ", "dim"), *_format_class(image.second_class_id, classes, second_room, "dim")
    return *mark, *label


def _format_class(class_id: int, classes: ClassList, max_cells: int, style: str) -> tuple[Piece, Piece]:
    name = truncate_class_name(class_id, classes, max(max_cells - 2, 1))
    return (CLASS_MARK, get_class_style(class_id)), (f" {name}", style)


def format_correction(label_class_id: int, correction: Correction | None, classes: ClassList) -> str:
    """Return the label of an image and its correction, such as "cat → dog"."""
    label = truncate_class_name(label_class_id, classes, MAX_NAME_CELLS)
    if correction is None:
        return label
    answer = (
        truncate_class_name(correction.class_id, classes, MAX_NAME_CELLS)
        if isinstance(correction, ClassAnswer)
        else "unreadable"
    )
    return f"{label} → {answer}"


def format_expected_errors(count: float) -> str:
    """Return an expected number of wrong labels, such as "about 84 wrong"."""
    return f"about {round(count):,} wrong" if count >= 0.5 else "hardly any wrong"


def format_review_heading(
    review_class: ReviewClass, classes: ClassList, page_number: int, page_count: int, max_cells: int = 200
) -> str:
    """Return a heading such as "cat: 1,203 images, about 84 wrong · page 1 of 38" with a name that fits."""
    facts = (
        f": {format_count(review_class.image_count, 'image')}, {format_expected_errors(review_class.expected_errors)}"
    )
    page = f" · page {page_number:,} of {page_count:,}"
    name = classes.names[review_class.class_id]
    rest = f"{facts}{page}"
    if max_cells - cell_len(rest) < min(cell_len(name), MIN_NAME_CELLS):
        rest = rest.replace(" images", "").replace(" image", "")
    return f"{truncate_name(name, max(max_cells - cell_len(rest), MIN_NAME_CELLS))}{rest}"


def list_stopping_lines(progress: ReviewProgress, expected_errors: float) -> list[str]:
    """Return what the last pages changed and how many wrong labels the next one is expected to hold, longest first."""
    count = round(expected_errors)
    expectation = (
        f"the next page is expected to hold {format_count(count, 'wrong label') if count else 'no wrong label'}"
    )
    short_expectation = f"next page: {f'about {count:,}' if count else 'hardly any'} wrong"
    if not progress.last_pages:
        return [expectation, short_expectation]
    pages = "last page" if progress.last_pages == 1 else f"last {progress.last_pages} pages"
    changes = f"{pages}: {progress.changed:,} of {progress.shown:,} changed"
    return [f"{changes} · {expectation}", f"{changes} · {short_expectation}", changes]


def format_page_confirmation(answers: Sequence[AnsweredImage], subject: str, undo_key: str) -> str:
    """Return what a page recorded, such as "Saved: 32 images of cat, 2 corrected. u: undo"."""
    corrected = sum(item.answer != ClassAnswer(item.shown_class_id or 0) for item in answers)
    corrected_text = f"{corrected} corrected" if corrected else "all right"
    return f"Saved: {format_count(len(answers), 'image')} of {subject}, {corrected_text}. {undo_key}: undo"


def format_class_detail(review_class: ReviewClass) -> str:
    """Return what a review of a class would find, for a list of classes."""
    image_count = format_count(review_class.image_count, "image")
    reviewed = f", {review_class.reviewed_count:,} reviewed" if review_class.reviewed_count else ""
    return f"{image_count}, {format_expected_errors(review_class.expected_errors)}{reviewed}"
