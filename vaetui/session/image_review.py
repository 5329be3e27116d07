"""Reviews: pages of single images to correct, worst first, and what the reviewed pages have changed.

Heavy libraries are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaetui.engine.slow_calls import exhaust
from vaetui.errors import UserError
from vaetui.session.border_search import BorderSearch
from vaetui.session.review_views import (
    PROGRESS_PAGES,
    ConfusedPair,
    ReviewClass,
    ReviewImage,
    ReviewProgress,
)
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.clusters import Indices
    from vaetui.session.image_answers import ImageLabelMap
    from vaetui.session.label_propagator import LabelPropagator
    from vaetui.session.labelling import Labelling, LabellingLoader

REVIEW_ORIGINS = ("review", "pair")
"""Origins of the answers that a page consists of."""
NO_LABEL = -1
"""Stands for the class of an image without a label."""
MIN_PAIR_IMAGES = 1.0
"""Fewest expected images of a pair of confused classes."""

VARIED_SHARE = 0.25
"""Share of the images that a varied page of all classes represents: as many as a round asks about."""
VARIED_CLASS_SHARE = 0.5
"""Share of the images of a class that a varied page of it represents."""
VARIED_CANDIDATES = 10
"""Fewest candidates for each image of a varied page."""
MAX_VARIED_CANDIDATES = 4_096
"""Most candidates for a varied page; more would not change it much, but take longer than 0.1 s."""


class LabelState:
    """The label of every image in a labelling, with the answers about single images that were recorded since."""

    def __init__(
        self,
        labelling: Labelling,
        first_copies: Indices,
        canonical: NDArray[np.int64],
        image_labels: ImageLabelMap,
    ) -> None:
        """Apply the answers about single images; `canonical` maps a class id to the class that it counts as."""
        import numpy as np

        from vaetui.export.label_table import ANSWER, NO_CLASS_ID

        table = labelling.label_table
        has_label, is_answered = table.class_ids != NO_CLASS_ID, image_labels.has_answer
        class_ids = np.where(has_label, canonical[np.where(has_label, table.class_ids, 0)], NO_LABEL)
        class_ids[image_labels.has_class] = image_labels.class_ids[image_labels.has_class]
        is_lost = image_labels.find_beyond_border(class_ids, table.source_ids == ANSWER)
        class_ids[is_lost | image_labels.is_unreadable] = NO_LABEL
        self.class_ids: NDArray[np.int64] = class_ids
        """The labels, [A]; NO_LABEL for an image without one."""
        self.is_answered: NDArray[np.bool_] = is_answered
        """Whether the image or a copy of it has an answer of its own, [A]."""
        self.second_class_ids: NDArray[np.int64] = canonical[labelling.second_class_ids.astype(np.int64)]
        """The second most probable classes, [A]."""
        self.doubts: NDArray[np.float32] = np.where(is_answered, np.float32(0), labelling.doubts)
        """The doubts, [A]; 0 for an answer about the image itself."""
        self.error_shares: NDArray[np.float32] = np.where(is_answered, 0, 1 - table.confidences).astype(np.float32)
        """The expected shares of wrong labels, [A]: the doubts, but calibrated after an audit."""
        is_first_copy = first_copies == np.arange(len(first_copies))
        is_open = is_first_copy & ~is_answered & (class_ids != NO_LABEL)
        self.open_images: Indices = labelling.by_doubt[is_open[labelling.by_doubt]]
        """The distinct images with a label and without an answer of their own, most doubtful first."""

    def list_open_images(self, class_id: int | None) -> Indices:
        """Return the open images that are labelled with a class, or all of them, most doubtful first."""
        if class_id is None:
            return self.open_images
        images: Indices = self.open_images[self.class_ids[self.open_images] == class_id]
        return images


class ImageReview:
    """Pages of the newest labelling that was loaded; every recorded answer counts at once."""

    def __init__(
        self,
        repository: SessionRepository,
        propagator: LabelPropagator,
        labellings: LabellingLoader,
    ) -> None:
        """Review the labelling that `labellings` loads.

        `propagator` loads the answers about single images, and which images are copies.
        """
        self._repository = repository
        self._propagator = propagator
        self._labellings = labellings
        self._labelling: Labelling | None = None
        self._cached_state: tuple[Labelling, ImageLabelMap, tuple[int, ...], LabelState] | None = None

    def classes(self) -> tuple[ReviewClass, ...]:
        """Return the classes with images, most expected errors first. Raises UserError before a labelling is loaded."""
        import numpy as np

        state = self._load_state()
        count, is_labelled = len(self._repository.load_class_list()), state.class_ids != NO_LABEL
        class_ids = state.class_ids[is_labelled]
        image_counts = np.bincount(class_ids, minlength=count)
        errors = np.bincount(class_ids, state.error_shares[is_labelled], minlength=count)
        reviewed = np.bincount(state.class_ids[is_labelled & state.is_answered], minlength=count)
        classes = [
            ReviewClass(class_id, int(image_counts[class_id]), float(errors[class_id]), int(reviewed[class_id]))
            for class_id in np.flatnonzero(image_counts).tolist()
        ]
        return tuple(sorted(classes, key=lambda item: (-item.expected_errors, item.class_id)))

    def page(self, class_id: int | None, count: int, skipped: int = 0) -> tuple[ReviewImage, ...]:
        """Return at most `count` images that are labelled with a class, or with any, most suspicious first.

        Images with an answer of their own and further copies are left out, and so are the first `skipped` ones.
        """
        state = self._load_state()
        return _build_images(state, state.list_open_images(class_id)[skipped : skipped + count])

    def varied_page(self, class_id: int | None, count: int) -> tuple[ReviewImage, ...]:
        """Return at most `count` doubtful images of a class, or of all, that differ from each other.

        They are the images nearest to the centres of `count` clusters of the more doubtful part of the open images,
        most doubtful first. As answers they teach the networks more than the most suspicious images, which are much
        alike.
        """
        import numpy as np

        from vaetui.engine import rng
        from vaetui.engine.kmeans import run_kmeans

        state, embeddings = self._load_state(), self._require_labelling().embeddings
        images = state.list_open_images(class_id)
        share = VARIED_SHARE if class_id is None else VARIED_CLASS_SHARE
        candidates = np.sort(images[: max(round(share * len(images)), VARIED_CANDIDATES * count)])
        # The number of answers makes the next page differ from this one.
        position = int(state.is_answered.sum()), 0 if class_id is None else class_id + 1, count
        seed = rng.derive_seed(self._repository.config.seed, "varied page", *position)
        if len(candidates) > MAX_VARIED_CANDIDATES:
            sample = rng.derive_generator(seed, "candidates").permutation(len(candidates))[:MAX_VARIED_CANDIDATES]
            candidates = candidates[np.sort(sample)]
        if len(candidates) > count:
            vectors, clusters = embeddings[candidates], run_kmeans(embeddings[candidates], count, 1, seed)
            assignments, centres = exhaust(clusters)
            distances = np.linalg.norm(vectors - centres[assignments], axis=1)
            order = np.lexsort((distances, assignments))
            candidates = candidates[order[np.unique(assignments[order], return_index=True)[1]]]
        return _build_images(state, candidates[np.argsort(-state.doubts[candidates], kind="stable")])

    def pairs(self) -> tuple[ConfusedPair, ...]:
        """Return the pairs of classes that are easily confused, most images first.

        The images of a pair are the expected errors among those labelled with one class and with the other one as the
        second most probable class.
        """
        import numpy as np

        state, count = self._load_state(), len(self._repository.load_class_list())
        images = state.open_images
        first, second = state.class_ids[images], state.second_class_ids[images]
        keys = np.minimum(first, second) * count + np.maximum(first, second)
        sums = np.bincount(keys, state.error_shares[images] * (first != second), minlength=count * count)
        pairs = [
            ConfusedPair(key // count, key % count, round(float(sums[key])))
            for key in np.flatnonzero(sums >= MIN_PAIR_IMAGES).tolist()
        ]
        return tuple(sorted(pairs, key=lambda pair: -pair.count))

    def pair_page(
        self, class_a: int, class_b: int, count: int
    ) -> tuple[tuple[ReviewImage, ...], tuple[ReviewImage, ...]]:
        """Return at most `count` images labelled with either class that may belong to the other, likeliest first."""
        state = self._load_state()
        sides = []
        for class_id, other_id in ((class_a, class_b), (class_b, class_a)):
            images = state.list_open_images(class_id)
            sides.append(_build_images(state, images[state.second_class_ids[images] == other_id][:count]))
        return sides[0], sides[1]

    def border(self, class_id: int, page_images: int) -> BorderSearch:
        """Return a new search for the border of a class among its images without an answer of their own.

        The centre is the mean of their latent vectors, in which doubtful labels count less.
        """
        import numpy as np

        state = self._load_state()
        images = np.sort(state.list_open_images(class_id))
        embeddings = self._require_labelling().embeddings[images]  # [M, z_dim]
        if not len(images):
            return BorderSearch(class_id, (), page_images)
        weights = np.maximum(1 - state.doubts[images], 1e-3)
        centre = np.average(embeddings, axis=0, weights=weights)
        distances = np.linalg.norm(embeddings - centre, axis=1)
        ordered = images[np.argsort(distances, kind="stable")]
        return BorderSearch(class_id, tuple(ordered.tolist()), page_images, self._repository.config.seed)

    def progress(self) -> ReviewProgress:
        """Return how many images the last pages have changed."""
        pages: dict[int, list[bool]] = {}
        for record in self._repository.list_image_answers():
            if record.origin in REVIEW_ORIGINS and record.image.shown_class_id is not None:
                pages.setdefault(record.step_id, []).append(record.is_accepted)
        last_pages = [pages[step_id] for step_id in sorted(pages)[-PROGRESS_PAGES:]]
        changed = sum(not is_accepted for page in last_pages for is_accepted in page)
        return ReviewProgress(len(pages), len(last_pages), sum(map(len, last_pages)), changed)

    def expected_errors_on_next_page(self, class_id: int, count: int) -> float:
        """Return the expected number of wrong labels on the next page of a class with at most `count` images."""
        state = self._load_state()
        return float(state.error_shares[state.list_open_images(class_id)[:count]].sum())

    def _require_labelling(self) -> Labelling:
        """Return the labelling that was loaded last, even if answers were recorded since."""
        self._labelling = self._labellings.current or self._labelling
        if self._labelling is None or self._labelling.epoch != len(self._repository.list_epochs()):
            raise UserError("The labels are not loaded yet. Open the review again.")
        return self._labelling

    def _load_state(self) -> LabelState:
        """Return the labels as they are now; they are computed again after each recorded step."""
        import numpy as np

        labelling, image_labels = self._require_labelling(), self._propagator.load_image_labels()
        canonical = self._repository.load_class_list().canonical
        if (cached := self._cached_state) is None or cached[:3] != (labelling, image_labels, canonical):
            state = LabelState(labelling, self._propagator.load_split().first_copies, np.array(canonical), image_labels)
            cached = self._cached_state = labelling, image_labels, canonical, state
        return cached[3]


def _build_images(state: LabelState, indices: Indices) -> tuple[ReviewImage, ...]:
    return tuple(
        ReviewImage(image_index, int(label), int(second), 1 - float(error_share))
        for image_index, label, second, error_share in zip(
            indices.tolist(),
            state.class_ids[indices],
            state.second_class_ids[indices],
            state.error_shares[indices],
            strict=True,
        )
    )
