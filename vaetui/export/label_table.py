"""A table of one label per image, from which every export format is written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.export.format_names import CALIBRATED_COLUMN, UNCALIBRATED_COLUMN

SOURCES = ("answer", "propagated", "classifier")
"""Origins of a label: an answer of a user who saw the image, an answer about its cluster, or the trained network."""
ANSWER, PROPAGATED, CLASSIFIER = range(len(SOURCES))
NO_CLASS_ID = -1
"""Class id of an image or cluster without a label: no class answer is about it, and no class is predicted."""
NO_SOURCE_ID = 255
"""Source id of an image that has no label yet."""
UNREADABLE_ID = 254
"""Source id of an image that a person answered as unreadable; it has no label."""
BEYOND_BORDER_ID = 253
"""Source id of an image beyond the border of the class that it would have; it has no label."""
CHECKS = ("right", "wrong", "unreadable")
"""What a person found about the label of an image in an audit."""
CHECK_NAMES = dict(enumerate(CHECKS))
NO_CHECK_ID = 255
"""Check id of an image that was not checked."""
COLUMNS_AFTER_CONFIDENCE = ("source", "check", "cluster", "weight", "distance")
ROWS_PER_CHUNK = 1 << 14
"""Rows converted to Python objects at a time, which take ten times the memory of arrays."""
ROW_ARRAYS = (
    *("indices", "class_ids", "confidences", "source_ids"),
    *("cluster_ids", "weights", "distances", "check_ids"),
)
"""The fields of a label table that have an element for each image."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceFiles:
    """The files that the images of a dataset were decoded from."""

    root: Path
    """The directory that the paths are relative to."""
    relative_paths: tuple[str, ...]
    """The path of each image of the dataset; "stack.tif#3" is a page, from 0."""
    replaced_indices: frozenset[int] = frozenset()
    """Indices of images whose files contain other pictures now."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """Labels of N images, column by column."""

    class_names: tuple[str, ...]
    """The class names."""
    indices: NDArray[np.int64]
    """Indices of the images in the dataset, ascending, [N]."""
    class_ids: NDArray[np.int64]
    """The class of each image, [N]; NO_CLASS_ID for an image without a label."""
    confidences: NDArray[np.float32]
    """The confidence of each label, 0 to 1, [N]; 0 without a label. It is measured only if `calibration` is set."""
    source_ids: NDArray[np.uint8]
    """The origin of each label as an index of SOURCES, [N]; without a label NO_SOURCE_ID, UNREADABLE_ID or
    BEYOND_BORDER_ID."""
    cluster_ids: NDArray[np.int32]
    """The cluster of the last round as an index of `cluster_paths`, [N]; -1 for images that were not clustered."""
    weights: NDArray[np.float32]
    """The weight of the label by the answers (equation 2), [N]; 0 without an answer."""
    distances: NDArray[np.float32]
    """Distance from the cluster centre, as k-means measures it, [N]; NaN for images that were not clustered."""
    cluster_paths: tuple[str, ...]
    """The clusters as displayed, for example "2.1"."""
    source_files: SourceFiles | None = None
    """The image files; None if the images were imported from arrays."""
    omitted_positions: tuple[int, ...] = ()
    """Positions in the source of images that were not imported, ascending; the dataset contains the others."""
    merged_class_ids: frozenset[int] = frozenset()
    """Classes that were merged into others: no image has them, and annotation tools do not offer them."""
    calibration: str | None = None
    """The version of the labelling whose audit the confidences are calibrated by; None if they are uncalibrated."""
    check_ids: NDArray[np.uint8] | None = None
    """What a person found about the label of each image in an audit as an index of CHECKS, [N]; NO_CHECK_ID for images
    that were not checked. None without any audit."""

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.indices)

    @property
    def confidence_column(self) -> str:
        """The name of the column of confidences in every export."""
        return UNCALIBRATED_COLUMN if self.calibration is None else CALIBRATED_COLUMN

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of every tabular format."""
        return ("index", "path", "label", "class", self.confidence_column, *COLUMNS_AFTER_CONFIDENCE)

    @property
    def is_inferred(self) -> NDArray[np.bool_]:
        """Whether each image has a label, but no person saw the image for it, [N]; only such labels are calibrated."""
        is_inferred: NDArray[np.bool_] = (self.class_ids >= 0) & (self.source_ids != ANSWER)
        return is_inferred

    def select_rows(self, mask: NDArray[np.bool_] | slice) -> LabelTable:
        """Return the rows selected by a mask [N] or a slice."""
        arrays = {column: getattr(self, column) for column in ROW_ARRAYS}
        return replace(self, **{column: array[mask] for column, array in arrays.items() if array is not None})

    def find_positions(self) -> NDArray[np.int64]:
        """Return the position of each image in the source, [N]."""
        if not self.omitted_positions or not len(self):
            return self.indices
        all_positions = np.arange(int(self.indices[-1]) + 1 + len(self.omitted_positions))
        return np.setdiff1d(all_positions, self.omitted_positions, assume_unique=True)[self.indices]

    def find_image_path(self, index: int) -> Path | None:
        """Return the path of the image with this index in the dataset; None without image files."""
        return None if self.source_files is None else self.source_files.root / self.source_files.relative_paths[index]

    def list_path_texts(self) -> list[str]:
        """Return the path of each image, empty without image files."""
        return [str(self.find_image_path(index) or "") for index in self.indices.tolist()]

    def list_check_texts(self) -> list[str]:
        """Return what a person found about the label of each image, empty if it was not checked."""
        if self.check_ids is None:
            return [""] * len(self)
        return [CHECK_NAMES.get(check_id, "") for check_id in self.check_ids.tolist()]

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        """Yield one mapping of export column to value per labelled image; missing values are None."""
        positions, confidence_column = self.find_positions(), self.confidence_column
        for start in range(0, len(self), ROWS_PER_CHUNK):
            chunk = self.select_rows(slice(start, start + ROWS_PER_CHUNK))
            columns = (
                *(positions[start : start + ROWS_PER_CHUNK].tolist(), chunk.indices.tolist()),
                *(chunk.class_ids.tolist(), chunk.confidences.tolist(), chunk.source_ids.tolist()),
                *(chunk.list_check_texts(), chunk.cluster_ids.tolist(), chunk.weights.tolist()),
                chunk.distances.tolist(),
            )
            for position, index, class_id, confidence, source_id, check, cluster_id, weight, distance in zip(
                *columns, strict=True
            ):
                if class_id < 0:
                    continue
                path = self.find_image_path(index)
                yield {
                    "index": position,
                    "path": path and str(path),
                    "label": class_id,
                    "class": self.class_names[class_id],
                    confidence_column: round(confidence, 4),
                    "source": SOURCES[source_id],
                    "check": check or None,
                    "cluster": None if cluster_id < 0 else self.cluster_paths[cluster_id],
                    "weight": round(weight, 4),
                    "distance": None if math.isnan(distance) else round(distance, 4),
                }
