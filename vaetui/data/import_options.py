"""How a person wants their images taken in; it loads nothing and looks at no image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the options say of the images."""

    size: tuple[int, int] | None = None
    """Height and width in pixels; None is that of the images, where they have one that can be used."""
    colour: bool | None = None
    """Whether they are kept in colour; None is as they are."""
    labels: bool = False
    """Whether their labels may be looked at, to measure and to stand in for a person."""
    column: str | None = None
    """The column of a CSV file, or the array of an npz file, that holds them; None is the usual ones."""
    classes: tuple[str, ...] | None = None
    """The names of the classes; None is those of the labels, else the digits."""
