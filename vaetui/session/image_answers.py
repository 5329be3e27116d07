"""What the answers about single images and the borders of classes determine, for every image and its copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.answers import ClassAnswer, ImageAnswerOrigin
from vaetui.engine.clusters import Indices
from vaetui.engine.duplicates import DistinctImages
from vaetui.engine.pseudo_labels import LabelledSet, PseudoLabels
from vaetui.errors import UserError
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import BorderImages

NO_CLASS = -1
"""Class of an image that a person marked as unreadable."""
NOT_ANSWERED = -2
"""Stands for the class of an image without an answer of its own."""


ImageLabelOrigin: TypeAlias = ImageAnswerOrigin | Literal["nearest"]
"""Where a person gave an answer about an image; "nearest" is that about the nearest image of a cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageLabels:
    """The answers in force about single images, and the borders of classes."""

    image_indices: Indices
    """The answered images as indices in the data set, in the order of entry, [M]; of copies, the first one."""
    class_ids: NDArray[np.int64]
    """Their classes, with merged classes replaced by their targets, [M]; NO_CLASS for an unreadable image."""
    origins: tuple[ImageLabelOrigin, ...]
    """Where the answers were given."""
    borders: tuple[tuple[int, Indices], ...] = ()
    """(class, indices of the images beyond its border); a class may occur more than once."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageLabelMap:
    """What the answers about single images determine for each of N images, copies included."""

    class_ids: NDArray[np.int64]
    """The class by an answer about the image, [N]; NO_CLASS for an unreadable one, NOT_ANSWERED without an answer."""
    borders: tuple[tuple[int, NDArray[np.bool_]], ...] = ()
    """(class, whether each image lies beyond its border, [N])."""

    @property
    def has_answer(self) -> NDArray[np.bool_]:
        """Whether each image has an answer of its own, [N]."""
        has_answer: NDArray[np.bool_] = self.class_ids != NOT_ANSWERED
        return has_answer

    @property
    def has_class(self) -> NDArray[np.bool_]:
        """Whether each image has a class by an answer of its own, [N]."""
        has_class: NDArray[np.bool_] = self.class_ids >= 0
        return has_class

    @property
    def is_unreadable(self) -> NDArray[np.bool_]:
        """Whether each image was marked as unreadable, [N]."""
        is_unreadable: NDArray[np.bool_] = self.class_ids == NO_CLASS
        return is_unreadable

    def select(self, indices: Indices) -> ImageLabelMap:
        """Return the part about some of the images."""
        return ImageLabelMap(
            self.class_ids[indices], tuple((class_id, is_beyond[indices]) for class_id, is_beyond in self.borders)
        )

    def find_beyond_border(self, class_ids: NDArray[np.int64], is_protected: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which images lose the label `class_ids` [N] because they lie beyond the border of that class, [N].

        `is_protected` [N] are images that a person saw when the label was chosen; like an answer about the image
        itself, that counts more than a border.
        """
        is_lost = np.zeros(len(class_ids), bool)
        for class_id, is_beyond in self.borders:
            is_lost |= is_beyond & (class_ids == class_id)
        is_lost &= ~(is_protected | self.has_answer)
        return is_lost

    def apply_answers(self, labels: PseudoLabels) -> PseudoLabels:
        """Return the labels of the images, those with an answer of their own replaced by it."""
        has_class, is_unreadable = self.has_class, self.is_unreadable
        labels = _without_labels(labels, is_unreadable)
        if not has_class.any():
            return labels
        class_ids, weights = labels.class_ids.copy(), labels.weights.copy()
        class_ids[has_class], weights[has_class] = self.class_ids[has_class], 1
        return PseudoLabels(class_ids, weights)

    def apply_borders(self, labels: PseudoLabels, is_protected: NDArray[np.bool_]) -> PseudoLabels:
        """Return the labels of the images without those beyond a border; see `find_beyond_border`."""
        return _without_labels(labels, self.find_beyond_border(labels.class_ids, is_protected))

    def replace_labels(self, labelled_set: LabelledSet, distinct_images: DistinctImages) -> LabelledSet:
        """Return a labelled set in which the answers about single images replace those about their clusters.

        Only the first ones of copies, `distinct_images`, get labels. The images of a class with answers of their own
        have together at most the weight that a class has on average by answers about clusters: people answer about
        the most doubtful images, page by page, and as sources of full weight these would outweigh all others. Each
        stands for as many images as the median label of a cluster.
        """
        has_answer = self.has_answer
        if not has_answer.any():
            return labelled_set
        is_kept = ~has_answer[labelled_set.indices]
        own = distinct_images.indices[self.has_class[distinct_images.indices]]
        kept_class_ids, kept_weights = labelled_set.class_ids[is_kept], labelled_set.weights[is_kept]
        kept_counts = labelled_set.image_counts[is_kept]
        own_weights = _balance_weights(kept_class_ids, kept_weights, self.class_ids[own])
        return LabelledSet(
            np.concatenate([labelled_set.indices[is_kept], own]),
            np.concatenate([kept_class_ids, self.class_ids[own]]),
            np.concatenate([kept_weights, own_weights]),
            np.concatenate([kept_counts, np.full(len(own), np.median(kept_counts) if len(kept_counts) else 1.0)]),
        )


def _balance_weights(
    cluster_class_ids: NDArray[np.int64], cluster_weights: NDArray[np.float64], own_class_ids: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the weights of the images with an answer of their own, [M], by the classes and weights of the others."""
    counts = np.bincount(own_class_ids)
    totals = np.bincount(cluster_class_ids, cluster_weights)
    totals = totals[totals > 0]
    mean_total = float(totals.mean()) if len(totals) else float(counts[counts > 0].mean()) if len(counts) else 0.0
    weights: NDArray[np.float64] = np.minimum(1, mean_total / np.maximum(counts, 1))[own_class_ids]
    return weights


def _without_labels(labels: PseudoLabels, is_removed: NDArray[np.bool_]) -> PseudoLabels:
    if not is_removed.any():
        return labels
    return PseudoLabels(np.where(is_removed, 0, labels.class_ids), np.where(is_removed, np.float32(0), labels.weights))


def load_image_labels(
    repository: SessionRepository, store: ArtifactStore, last_round: int | None = None
) -> ImageLabels:
    """Load the answers about single images and the borders, made up to a round or all of them.

    Those about the nearest images of clusters are among them; the last answer about an image counts. Raises UserError
    for a lost file, and for an image or a class that does not exist.
    """
    require_valid_answers(repository, store, last_round)
    canonical = repository.load_class_list(last_round).canonical
    labels: list[tuple[int, int, int, ImageLabelOrigin]] = []  # id, image, class, origin
    for record in repository.list_image_answers(last_round):
        image_answer = record.image.answer
        class_id = canonical[image_answer.class_id] if isinstance(image_answer, ClassAnswer) else NO_CLASS
        labels.append((record.id, record.image.image_index, class_id, record.origin))
    for action_id, answer in repository.list_nearest_image_answers(last_round):
        labels.append((action_id, answer.image_index, canonical[answer.class_id], "nearest"))
    last_labels = {label[1]: label for label in sorted(labels)}
    labels = sorted(last_labels.values())
    image_indices = np.array([image_index for _, image_index, _, _ in labels], np.int64)
    class_ids = np.array([class_id for _, _, class_id, _ in labels], np.int64)
    borders = tuple(
        (canonical[border.class_id], load_border(store, border.id, border.image_count))
        for border in repository.list_borders(last_round)
    )
    return ImageLabels(image_indices, class_ids, tuple(origin for _, _, _, origin in labels), borders)


def list_answered_images(repository: SessionRepository) -> list[int]:
    """Return the images with an answer of their own in force, as indices in the data set."""
    image_indices = {answer.image_index for _, answer in repository.list_nearest_image_answers()}
    return sorted(image_indices | {record.image.image_index for record in repository.list_image_answers()})


def require_valid_answers(repository: SessionRepository, store: ArtifactStore, last_round: int | None = None) -> None:
    """Raise UserError if an answer, of those made up to a round or of all, is about an unknown image or class."""
    image_count, classes = repository.shape[0], repository.load_class_list(last_round)
    records, borders = repository.list_image_answers(last_round), repository.list_borders(last_round)
    nearest_answers = [answer for _, answer in repository.list_nearest_image_answers(last_round)]
    image_indices = [record.image.image_index for record in records]
    last_index = max([*image_indices, *(answer.image_index for answer in nearest_answers)], default=0)
    if last_index >= image_count:
        path = store.directory / file_names.DATABASE_NAME
        raise UserError(
            f"{path} is damaged: it has an answer about image {last_index:,} of {image_count:,}. "
            "Restore it from a backup."
        )
    class_ids = {*repository.list_image_class_ids(last_round), *(border.class_id for border in borders)}
    class_ids |= {answer.class_id for answer in nearest_answers}
    if class_ids and max(class_ids) >= len(classes):
        classes.require_active(max(class_ids))


def load_border(store: ArtifactStore, border_id: int, image_count: int) -> Indices:
    """Return the images beyond a border. Raises UserError for a lost file and one that does not fit the session."""
    name = file_names.border_name(border_id)
    return stored_arrays.load_arrays(store, name, BorderImages, B=image_count).image_indices


def map_image_labels(image_labels: ImageLabels, first_copies: Indices) -> ImageLabelMap:
    """Return what the answers determine for each image of the data set, [A]; copies follow the first one.

    `first_copies` [A] are the first images with equal pixels. Of answers about copies, the last one counts.
    """
    class_ids = np.full(len(first_copies), NOT_ANSWERED, np.int64)
    class_ids[first_copies[image_labels.image_indices]] = image_labels.class_ids  # the last assignment counts
    return ImageLabelMap(
        class_ids[first_copies],
        tuple((class_id, _is_member(indices, first_copies)) for class_id, indices in image_labels.borders),
    )


def normalise_indices(image_indices: Sequence[int], first_copies: Indices) -> list[int]:
    """Return the first copies of images. Raises UserError for an image that does not exist."""
    for image_index in image_indices:
        if not 0 <= image_index < len(first_copies):
            raise UserError(f"There is no image {image_index:,}. Choose one from 0 to {len(first_copies) - 1:,}.")
    return [int(index) for index in first_copies[np.array(image_indices, np.int64)]]


def _is_member(image_indices: Indices, first_copies: Indices) -> NDArray[np.bool_]:
    is_first = np.zeros(len(first_copies), bool)
    is_first[first_copies[image_indices]] = True
    is_member: NDArray[np.bool_] = is_first[first_copies]
    return is_member
