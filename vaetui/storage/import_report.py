"""What an import took and what it left out, stored with the dataset and in each session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import."""

    source: str
    """What was imported, such as "array x_train of digits.npz"."""
    image_count: int
    """Number of images, without test images."""
    size: tuple[int, int]
    """Height and width in pixels."""
    in_colour: bool
    """Whether the images have colours."""
    value_ranges: dict[str, tuple[float, float]]
    """The original values, floats, that became black and white, by kind: "8-bit", "16-bit", "32-bit", "float"."""
    duplicate_count: int
    """Number of images that are exact copies of an earlier one."""
    class_counts: dict[str, int] | None = None
    """Number of images of each class; None without true labels."""
    unlabelled_count: int = 0
    """Number of images without a true label, if true labels are used."""
    fit: str = ""
    """How images were brought to their size; empty if they had it."""
    omitted_indices: tuple[int, ...] = ()
    """Indices of the images of an array that were left out, ascending."""


def parse_import_report(fields: Any) -> ImportReport:
    """Return the report that `asdict` turned into fields; raises ValueError for anything else: it may be forged."""
    match fields:
        case {
            "source": str(source),
            "image_count": int(image_count),
            "size": [int(height), int(width)],
            "in_colour": bool(in_colour),
            "value_ranges": dict(value_ranges),
            "duplicate_count": int(duplicate_count),
            "class_counts": dict() | None as class_counts,
            "unlabelled_count": int(unlabelled_count),
            "fit": str(fit),
            "omitted_indices": list(omitted_indices),
        }:
            try:
                ranges = {str(kind): (float(black), float(white)) for kind, (black, white) in value_ranges.items()}
                counts = None if class_counts is None else {str(name): int(n) for name, n in class_counts.items()}
                indices = tuple(map(int, omitted_indices))
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError("not an import report") from error
            if all(black < white for black, white in ranges.values()):
                return ImportReport(
                    source,
                    image_count,
                    (height, width),
                    in_colour,
                    ranges,
                    duplicate_count,
                    counts,
                    unlabelled_count,
                    fit,
                    indices,
                )
    raise ValueError("not an import report")
