"""Photographs of rounds and epochs, and what splits made; it computes nothing from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import ASIDE, MOST, Indices, Pixels, Vectors
from vaetui.errors import Trouble
from vaetui.storage import npz
from vaetui.storage.artifact_store import Vault
from vaetui.storage.fingerprints import Stamp
from vaetui.storage.npz import Form

COLOURED = "R"
"""The side of red, green and blue, which grey pictures do not have."""


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """The latent space at the beginning of a round, taken in one moment."""

    latents: Annotated[Vectors, Form(np.float32, "NZ")]
    """Every training image, [N, z_dim]."""
    predicted: Annotated[NDArray[np.uint8], Form(np.uint8, "N", "C")]
    """The class that the classifier gives it, [N]."""
    near: Annotated[NDArray[np.int32], Form(np.int32, "N")]
    """The place of its centre, or ASIDE, [N]."""
    centres: Annotated[Vectors, Form(np.float32, "KZ")]
    """[K, z_dim]."""
    pictures: Annotated[Pixels, Form(np.uint8, "KHWR")]
    """The decoded centres, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One cluster cut into parts."""

    near: Annotated[NDArray[np.int32], Form(np.int32, "M")]
    """For each member, nearest to the old centre first, the place of its new centre, [M]."""
    centres: Annotated[Vectors, Form(np.float32, "KZ")]
    """[K, z_dim]."""
    pictures: Annotated[Pixels, Form(np.uint8, "KHWR")]
    """The decoded centres, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Which images are trained on and which are held out, drawn once and kept."""

    train: Annotated[Indices, Form(np.int64, "N")]
    """Places in the file of the training images, ascending, [N]."""
    validation: Annotated[Indices, Form(np.int64, "V")]
    """Likewise of those held out."""
    checksum: Annotated[NDArray[np.uint8], Form(np.uint8, "D")]
    """SHA-256 of the images, [32]."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What the networks made of the held-out images at the end of an epoch."""

    pictures: Annotated[Pixels, Form(np.uint8, "VHWR")]
    """The reconstructions, [V, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the classifier made of the training images at the end of an epoch."""

    predicted: Annotated[NDArray[np.uint8], Form(np.uint8, "N", "C")]
    """The class, [N]."""
    certainty: Annotated[NDArray[np.float32], Form(np.float32, "N")]
    """Its probability, [N]."""


Kept = TypeVar("Kept", Photograph, Part, Division, Remembered, Found)


def save(vault: Vault, name: str, kept: Photograph | Part | Division | Remembered | Found) -> Stamp:
    """Write the arrays in one piece, and give the stamp to be recorded."""
    return vault.put(name, npz.packed({each.name: getattr(kept, each.name) for each in fields(kept)}))


def load(vault: Vault, name: str, kind: type[Kept], **sides: int) -> Kept:
    """Read what `save` wrote; `sides` are lengths that the session does not know by itself.

    Raises Trouble for a file that is lost, and for one that does not fit the session.
    """
    hints = get_type_hints(kind, include_extras=True)
    forms: dict[str, Form] = {each.name: hints[each.name].__metadata__[0] for each in fields(kind)}
    lengths = {**vault.sides, **sides}
    if COLOURED not in lengths:
        forms = {name: replace(form, sides=form.sides.replace(COLOURED, "")) for name, form in forms.items()}
    content = vault.get(name, npz.largest(forms, {**lengths, "K": MOST}))
    try:
        values: Mapping[str, Any] = npz.unpacked(content, forms, lengths)
        _check_filled(values)
    except ValueError as error:
        raise Trouble(f"{vault.directory / name} does not fit the session ({error}).") from error
    return kind(**values)


def _check_filled(values: Mapping[str, Any]) -> None:
    """Refuse centres that no image is near to, and images near to none, with ValueError."""
    if "near" in values:
        near, count = values["near"], len(values["centres"])
        if near.size and not ASIDE <= near.min() <= near.max() < count:
            raise ValueError("images near to no centre")
        if not np.bincount(near[near > ASIDE], minlength=count).all():
            raise ValueError("a centre without images")
