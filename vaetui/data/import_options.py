"""The options of an import; imports nothing heavy, so that command lines can be parsed quickly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How images are imported. The field names are part of the dataset cache keys."""

    size: tuple[int, int] | None = None
    """Height and width in pixels; None keeps the size of the images if it is supported, else chooses one."""
    colour: bool | None = None
    """Whether to keep colours; None decides by the images."""
    labels: bool = False
    """Whether to import the true labels, for evaluation and simulated annotators only."""
    label_key: str | None = None
    """The label column of a CSV file or label array of an npz file; None tries the usual names."""
    image_key: str | None = None
    """The path column of a CSV file or image array of an npz file; None tries the usual names."""
    classes: tuple[str, ...] | None = None
    """The class names; None takes those of the labels, else the digits."""
    value_range: tuple[float, float] | None = None
    """The original values that become black and white; None decides by the images."""
    axes: str | None = None
    """The order of an array's axes, such as "HWN" (images, height, width, C channels); None expects N first."""
