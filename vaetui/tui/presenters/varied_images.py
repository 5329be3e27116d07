"""Varied images of all classes, which are reviewed page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from vaetui.session.review_views import ReviewImage


class VariedImages:
    """The images that were chosen last and are not recorded; sorted by their labels, so that others stand out."""

    def __init__(self, choose_images: Callable[[], Sequence[ReviewImage]]) -> None:
        """Choose images by a function when none is left."""
        self._choose_images = choose_images
        self._images: list[ReviewImage] = []

    def read(self, count: int, skipped: int = 0) -> list[ReviewImage]:
        """Return at most `count` images after the first `skipped` ones; others are chosen if none is left."""
        if not self._images:
            self._images = sorted(self._choose_images(), key=lambda image: image.label_class_id)
        return self._images[skipped : skipped + count]

    def remove(self, image_indices: Collection[int]) -> None:
        """Remove recorded images."""
        self._images = [image for image in self._images if image.image_index not in image_indices]

    def restore(self, images: Sequence[ReviewImage]) -> None:
        """Put images whose page was undone back to the front."""
        self.remove([image.image_index for image in images])
        self._images[:0] = images
