"""Photographs of rounds and epochs, and what splits made; it computes nothing from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import MAX_CLUSTERS, NOT_QUERIED, Indices, LatentVectors, Pixels
from vaetui.errors import UserError
from vaetui.storage import npz
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.npz import ArraySpec

COLOUR_AXIS = "R"
"""The side of red, green and blue, which grey pictures do not have."""


@dataclass(frozen=True, slots=True, eq=False)
class RoundSnapshot:
    """The latent space at the beginning of a round, taken in one moment."""

    latents: Annotated[LatentVectors, ArraySpec(np.float32, "NZ")]
    """Every training image, [N, z_dim]."""
    predicted_class_ids: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "N", "C")]
    """The class that the classifier gives it, [N]."""
    assignments: Annotated[NDArray[np.int32], ArraySpec(np.int32, "N")]
    """The place of its centre, or ASIDE, [N]."""
    centres: Annotated[LatentVectors, ArraySpec(np.float32, "KZ")]
    """[K, z_dim]."""
    decoded_centres: Annotated[Pixels, ArraySpec(np.uint8, "KHWR")]
    """The decoded centres, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitSnapshot:
    """One cluster cut into parts."""

    assignments: Annotated[NDArray[np.int32], ArraySpec(np.int32, "M")]
    """For each member, nearest to the old centre first, the place of its new centre, [M]."""
    centres: Annotated[LatentVectors, ArraySpec(np.float32, "KZ")]
    """[K, z_dim]."""
    decoded_centres: Annotated[Pixels, ArraySpec(np.uint8, "KHWR")]
    """The decoded centres, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainValSplit:
    """Which images are trained on and which are held out, drawn once and kept."""

    train_indices: Annotated[Indices, ArraySpec(np.int64, "N")]
    """Places in the file of the training images, ascending, [N]."""
    validation_indices: Annotated[Indices, ArraySpec(np.int64, "V")]
    """Likewise of those held out."""
    image_digest: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "D")]
    """SHA-256 of the images, [32]."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructions:
    """What the networks made of the held-out images at the end of an epoch."""

    images: Annotated[Pixels, ArraySpec(np.uint8, "VHWR")]
    """The reconstructions, [V, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class EpochPredictions:
    """What the classifier made of the training images at the end of an epoch."""

    class_ids: Annotated[NDArray[np.uint8], ArraySpec(np.uint8, "N", "C")]
    """The class, [N]."""
    confidences: Annotated[NDArray[np.float32], ArraySpec(np.float32, "N")]
    """Its probability, [N]."""


ArraysT = TypeVar("ArraysT", RoundSnapshot, SplitSnapshot, TrainValSplit, Reconstructions, EpochPredictions)


def save(
    store: ArtifactStore,
    name: str,
    arrays: RoundSnapshot | SplitSnapshot | TrainValSplit | Reconstructions | EpochPredictions,
) -> FileFingerprint:
    """Write the arrays in one piece, and give the stamp to be recorded."""
    return store.write(name, npz.to_bytes({each.name: getattr(arrays, each.name) for each in fields(arrays)}))


def load(store: ArtifactStore, name: str, array_class: type[ArraysT], **dimensions: int) -> ArraysT:
    """Read what `save` wrote; `sides` are lengths that the session does not know by itself.

    Raises Trouble for a file that is lost, and for one that does not fit the session.
    """
    hints = get_type_hints(array_class, include_extras=True)
    forms: dict[str, ArraySpec] = {each.name: hints[each.name].__metadata__[0] for each in fields(array_class)}
    lengths = {**store.dimensions, **dimensions}
    if COLOUR_AXIS not in lengths:
        forms = {name: replace(form, axes=form.axes.replace(COLOUR_AXIS, "")) for name, form in forms.items()}
    content = store.read(name, npz.max_file_bytes(forms, {**lengths, "K": MAX_CLUSTERS}))
    try:
        values: Mapping[str, Any] = npz.from_bytes(content, forms, lengths)
        _check_assignments(values)
    except ValueError as error:
        raise UserError(f"{store.directory / name} does not fit the session ({error}).") from error
    return array_class(**values)


def _check_assignments(values: Mapping[str, Any]) -> None:
    """Refuse centres that no image is near to, and images near to none, with ValueError."""
    if "near" in values:
        near, count = values["near"], len(values["centres"])
        if near.size and not NOT_QUERIED <= near.min() <= near.max() < count:
            raise ValueError("images near to no centre")
        if not np.bincount(near[near > NOT_QUERIED], minlength=count).all():
            raise ValueError("a centre without images")
