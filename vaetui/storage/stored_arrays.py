"""The arrays that a session stores: snapshots of rounds and splits, data split, predictions, borders and others."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, fields, replace
from io import BufferedReader
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import MAX_CLUSTERS, NOT_QUERIED, Indices, LatentVectors, Pixels
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, MAX_PIXEL_COMPONENTS
from vaetui.engine.duplicates import DistinctImages, restrict_first_copies, select_distinct
from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.storage import file_names, npz
from vaetui.storage.artifact_store import ArtifactStore, matches_fingerprint
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.npz import ArraySpec

COLOUR_AXIS = "R"
"""The axis of red, green and blue, which grey images do not have."""


@dataclass(frozen=True, slots=True, eq=False)
class RoundSnapshot:
    """The images in the space of the networks at the start of a round."""

    latents: Annotated[LatentVectors, ArraySpec(np.float32, "NZ")]
    """The latent vectors of the training images, [N, z_dim]."""
    views: Annotated[LatentVectors, ArraySpec(np.float32, "NP")]
    """Three views of the images, clustered and linked in place of latent vectors, [N, V]; [N, 0] if these are."""
    predicted_class_ids: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "N", "C")]
    """Their classes as predicted by the classifier, [N]."""
    assignments: Annotated[NDArray[np.int32], ArraySpec(np.int32, "N")]
    """The indices of their centres, or NOT_QUERIED, [N]."""
    members: Annotated[NDArray[np.int32], ArraySpec(np.int32, "Q", "N")]
    """The members of all clusters, cluster by cluster and nearest to the centre first, [Q]."""
    distances: Annotated[NDArray[np.float32], ArraySpec(np.float32, "Q")]
    """Their distances to their centres, [Q]."""
    centres: Annotated[LatentVectors, ArraySpec(np.float32, "KE")]
    """The cluster centres, [K, z_dim] or [K, V]."""
    centre_images: Annotated[Pixels, ArraySpec(np.uint8, "KHWR")]
    """The images decoded from the centres, or the nearest images, [K, H, W] or [K, H, W, 3]."""
    mean_images: Annotated[Pixels, ArraySpec(np.uint8, "KHWR")]
    """The mean images of the nearest members, [K, H, W] or [K, H, W, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitSnapshot:
    """The parts of a split cluster."""

    assignments: Annotated[NDArray[np.int32], ArraySpec(np.int32, "M")]
    """For each member, nearest to the old centre first, the index of its new centre, [M]."""
    centres: Annotated[LatentVectors, ArraySpec(np.float32, "KE")]
    """The centres of the parts, [K, z_dim] or [K, V]."""
    centre_images: Annotated[Pixels, ArraySpec(np.uint8, "KHWR")]
    """The images decoded from the centres, or the nearest images, [K, H, W] or [K, H, W, 3]."""
    mean_images: Annotated[Pixels, ArraySpec(np.uint8, "KHWR")]
    """The mean images of the nearest members, [K, H, W] or [K, H, W, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainValSplit:
    """The images that are trained on and those held out for validation, drawn once per session."""

    train_indices: Annotated[Indices, ArraySpec(np.int64, "N", "A")]
    """Indices of the training images in their file, ascending, [N]."""
    validation_indices: Annotated[Indices, ArraySpec(np.int64, "V", "A")]
    """Indices of the validation images, ascending, [V]."""
    image_digest: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "D")]
    """SHA-256 of all images, [32]."""
    first_copies: Annotated[Indices, ArraySpec(np.int64, "A", "A")]
    """For each image of the file, the index of the first image with equal pixels, [N + V]."""

    def select_distinct_training_images(self) -> DistinctImages:
        """Return the distinct ones among the training images, [N]."""
        return select_distinct(restrict_first_copies(self.first_copies, self.train_indices))


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructions:
    """The reconstructed validation images at the end of an epoch."""

    images: Annotated[Pixels, ArraySpec(np.uint8, "VHWR")]
    """The reconstructions, [V, H, W] or [V, H, W, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class EpochPredictions:
    """The classifier's predictions for the training images at the end of an epoch."""

    class_ids: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "N", "C")]
    """The predicted classes, [N]."""
    confidences: Annotated[NDArray[np.float32], ArraySpec(np.float32, "N")]
    """Their probabilities, [N]."""
    leads: Annotated[NDArray[np.float32], ArraySpec(np.float32, "N")]
    """The leads of the classes over the second ones, in log probability, [N]."""
    propagated_class_ids: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "N", "C")]
    """The classes that the answers were propagated to before the epoch, and that it trained on, [N]."""
    propagated_weights: Annotated[NDArray[np.float32], ArraySpec(np.float32, "N")]
    """Their weights, [N]; 0 for images without one."""


@dataclass(frozen=True, slots=True, eq=False)
class RenewedLabels:
    """The pseudo-labels of an epoch that trains on others than the epoch before it in the same round."""

    class_ids: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "N", "C")]
    """The classes of the training images, [N]."""
    weights: Annotated[NDArray[np.float32], ArraySpec(np.float32, "N")]
    """Their weights, [N]; 0 for images without a label."""


@dataclass(frozen=True, slots=True, eq=False)
class BorderImages:
    """The images beyond the border of a class."""

    image_indices: Annotated[Indices, ArraySpec(np.int64, "B", "A")]
    """Indices of the images in the data set, [B]."""


@dataclass(frozen=True, slots=True, eq=False)
class AuditImages:
    """The M images of an audit in the order of display, and the labelling of all A images that it judges."""

    image_indices: Annotated[Indices, ArraySpec(np.int64, "M", "A")]
    """Indices of the images in the data set, [M]."""
    pages: Annotated[NDArray[np.int32], ArraySpec(np.int32, "M")]
    """The page of each, from 0; -1 for a blind image, [M]."""
    class_ids: Annotated[NDArray[np.int64], ArraySpec(np.int64, "M", "L")]
    """The labels that are checked, [M]."""
    strata: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "M")]
    """Their strata, [M]; 255 for a planted error."""
    weights: Annotated[NDArray[np.float64], ArraySpec(np.float64, "M")]
    """Number of labels that each stands for, [M]."""
    answered_class_ids: Annotated[NDArray[np.int64], ArraySpec(np.int64, "M")]
    """The classes that a person gave planted errors before, [M]; -1 for the other images."""
    ranks: Annotated[NDArray[np.float64], ArraySpec(np.float64, "M")]
    """The ranks of their doubts, from 0 to 1, [M]."""
    cell_sizes: Annotated[NDArray[np.int64], ArraySpec(np.int64, "SL")]
    """Number of labels by stratum and class, [S, L]."""
    answered_sizes: Annotated[NDArray[np.int64], ArraySpec(np.int64, "L")]
    """Number of labels that a person gave for the image itself by class, [L]."""
    features: Annotated[NDArray[np.float32], ArraySpec(np.float32, "MF")]
    """The evidence of the labels, [M, F]."""
    label_class_ids: Annotated[NDArray[np.int16], ArraySpec(np.int16, "A")]
    """The label of each image of the data set, [A]; -1 without one."""


ArraysT = TypeVar(
    "ArraysT",
    RoundSnapshot,
    SplitSnapshot,
    TrainValSplit,
    Reconstructions,
    EpochPredictions,
    RenewedLabels,
    BorderImages,
    AuditImages,
)


def save_arrays(store: ArtifactStore, name: str, arrays: ArraysT) -> FileFingerprint:
    """Write the arrays as one file and return its fingerprint, which the caller records."""
    return store.write(name, npz.encode_npz(_to_mapping(arrays)))


def save_large_arrays(
    store: ArtifactStore, name: str, arrays: ArraysT, activity: str
) -> Generator[Progress, None, FileFingerprint]:
    """Write the arrays as `save_arrays` does, but part by part; yield Progress, none for small arrays."""
    mapping = _to_mapping(arrays)
    total = sum(array.nbytes for array in mapping.values())
    steps = store.write_in_steps(name, npz.iter_npz(mapping))
    while True:
        try:
            size = next(steps)
        except StopIteration as end:
            fingerprint: FileFingerprint = end.value
            return fingerprint
        if total > npz.CHUNK_BYTES:
            yield Progress(activity, min(size, total), total)


def load_arrays(store: ArtifactStore, name: str, array_class: type[ArraysT], **dimensions: int) -> ArraysT:
    """Return the arrays that `save` wrote.

    `dimensions` are lengths of axes, by letter, that do not follow from the session. Raises ArtifactLostError if the
    file is missing or damaged, and UserError if its content does not fit the session.
    """
    hints = get_type_hints(array_class, include_extras=True)
    specs: dict[str, ArraySpec] = {field.name: hints[field.name].__metadata__[0] for field in fields(array_class)}
    lengths = {**store.axis_lengths, **dimensions}
    view_length = MAX_HIDDEN_COMPONENTS + lengths["Z"] + MAX_PIXEL_COMPONENTS
    limits = {"K": MAX_CLUSTERS, "P": view_length, "E": view_length}
    if COLOUR_AXIS not in lengths:
        specs = {name: replace(spec, axes=spec.axes.replace(COLOUR_AXIS, "")) for name, spec in specs.items()}

    def read_verified(file: BufferedReader, fingerprint: FileFingerprint) -> Mapping[str, Any] | None:
        try:
            arrays, sha256_hex = npz.read_npz(file, specs, lengths)
        except ValueError:
            file.seek(0)
            if matches_fingerprint(file, fingerprint):
                raise
            return None
        return arrays if sha256_hex == fingerprint.sha256_hex else None

    try:
        arrays = store.load(
            name, npz.compute_max_file_bytes(specs, {"Q": lengths["N"], **lengths, **limits}), read_verified
        )
        _check_embeddings(arrays)
        _check_assignments(arrays)
        _check_members(arrays)
        _check_first_copies(arrays)
    except ValueError as error:
        raise UserError(f"{store.directory / name} does not fit the session ({error}).") from error
    return array_class(**arrays)


def load_train_val_split(store: ArtifactStore) -> TrainValSplit:
    """Return which images are trained on and which are copies; raises what `load_arrays` raises."""
    return load_arrays(store, file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit)


def _to_mapping(arrays: ArraysT) -> dict[str, NDArray[Any]]:
    return {field.name: getattr(arrays, field.name) for field in fields(arrays)}


def _check_embeddings(arrays: Mapping[str, Any]) -> None:
    """Raise ValueError if the centres are not in the space of what was clustered."""
    if "views" in arrays and arrays["centres"].shape[1] != (arrays["views"].shape[1] or arrays["latents"].shape[1]):
        raise ValueError("centres in another space")


def _check_assignments(arrays: Mapping[str, Any]) -> None:
    """Raise ValueError if an assignment has no centre or a centre has no assignment."""
    if "assignments" in arrays:
        assignments, centre_count = arrays["assignments"], len(arrays["centres"])
        if assignments.size and not NOT_QUERIED <= assignments.min() <= assignments.max() < centre_count:
            raise ValueError("assignments to missing centres")
        counts = np.zeros(centre_count - NOT_QUERIED, np.int64)
        for start in range(0, len(assignments), npz.CHUNK_ROWS):
            chunk = assignments[start : start + npz.CHUNK_ROWS]
            counts += np.bincount(chunk - NOT_QUERIED, minlength=len(counts))
        if not counts[1:].all():
            raise ValueError("a centre without assignments")


def _check_members(arrays: Mapping[str, Any]) -> None:
    """Raise ValueError if the members are not those assigned to centres, cluster by cluster, nearest first."""
    if "members" in arrays:
        members, distances = arrays["members"], arrays["distances"]
        clusters = arrays["assignments"][members]
        is_member = np.zeros(len(arrays["assignments"]), bool)
        is_member[members] = True
        is_same_cluster = clusters[1:] == clusters[:-1]
        if (
            np.count_nonzero(is_member) != len(members)
            or not np.array_equal(is_member, arrays["assignments"] != NOT_QUERIED)
            or (clusters[1:] < clusters[:-1]).any()
            or (is_same_cluster & (distances[1:] < distances[:-1])).any()
        ):
            raise ValueError("members that are not in the order of the clusters")


def _check_first_copies(arrays: Mapping[str, Any]) -> None:
    """Raise ValueError if an image is a copy of a later one or of another copy."""
    if "first_copies" in arrays:
        first_copies = arrays["first_copies"]
        is_later = first_copies > np.arange(len(first_copies))
        if is_later.any() or not np.array_equal(first_copies[first_copies], first_copies):
            raise ValueError("contradictory copies")
