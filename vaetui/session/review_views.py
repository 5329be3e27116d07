"""Frozen values that the screens of a review show.

The user interface imports this module before it shows the first screen, so it imports no numerical library.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE_IMAGES = 32
"""Most images on a page: what a terminal of 120x40 shows at once."""
PROGRESS_PAGES = 3
"""Pages at the end of a review that `ReviewProgress` counts."""


@dataclass(frozen=True, slots=True)
class ReviewClass:
    """A class of the labelling, with what a review of it would find."""

    class_id: int
    """The class."""
    image_count: int
    """Number of images with this label, answered ones included."""
    expected_errors: float
    """Expected number of wrong labels among the images without an answer of their own."""
    reviewed_count: int
    """Number of images with this label by an answer of their own."""


@dataclass(frozen=True, slots=True)
class ReviewImage:
    """An image on a page of a review."""

    image_index: int
    """Index in the data set."""
    label_class_id: int
    """The class that it is labelled with."""
    second_class_id: int
    """The second most probable class; the label where there is none."""
    confidence: float
    """The confidence of the label, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two classes that are easily taken for each other."""

    class_a: int
    """The class with the smaller id."""
    class_b: int
    """The other class."""
    count: int
    """Number of images of either class that may belong to the other."""


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """What the last pages of a review found."""

    pages: int
    """Number of accepted pages in the session."""
    last_pages: int
    """Number of newest pages that `shown` and `changed` count."""
    shown: int
    """Number of images on these pages."""
    changed: int
    """Number of these images whose answer differs from the label that was shown."""
