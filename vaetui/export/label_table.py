"""One label for each image, column by column: what every form of export is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SOURCES = ("answer", "propagated", "classifier")
"""Who says so: a person who saw the image, one who saw its cluster, or the trained network."""
ANSWER, PROPAGATED, CLASSIFIER = range(len(SOURCES))


@dataclass(frozen=True, slots=True, eq=False)
class SourceFiles:
    """The pictures that the images were decoded from."""

    root: Path
    """What their names are relative to."""
    relative_paths: tuple[str, ...]
    """One for each image of the set."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """What is known of N images."""

    class_names: tuple[str, ...]
    """The names of the classes."""
    indices: NDArray[np.int64]
    """Places of the images in the set, from 0, ascending, [N]."""
    class_ids: NDArray[np.int64]
    """The class of each, [N]."""
    confidences: NDArray[np.float32]
    """From 0 to 1, [N]: what a person said, faded by equation 2 where they said it of the cluster, or the classifier's
    probability."""
    source_ids: NDArray[np.uint8]
    """Who says so, as places among the SOURCES, [N]."""
    cluster_ids: NDArray[np.int32]
    """The cluster of the last round, as places in `paths`, [N]; -1 for an image that was not asked about."""
    weights: NDArray[np.float32]
    """The weight that the answers give the label (equation 2), [N]; 0 where they say nothing."""
    distances: NDArray[np.float32]
    """From the centre of the cluster, in units of the latent space, [N]; not a number without one."""
    cluster_paths: tuple[str, ...]
    """The clusters as a person reads them."""
    source_files: SourceFiles | None = None
    """The pictures; None where images were in arrays."""
    merged_class_ids: frozenset[int] = frozenset()
    """Classes that count as others, so that no image has them and nobody is to choose them."""

    def __len__(self) -> int:
        """Count the images."""
        return len(self.indices)

    def subset(self, mask: NDArray[np.bool_]) -> LabelTable:
        """Give those that are chosen, [N]."""
        columns = ("indices", "class_ids", "confidences", "source_ids", "cluster_ids", "weights", "distances")
        return replace(self, **{name: getattr(self, name)[mask] for name in columns})

    def image_path(self, index: int) -> Path | None:
        """Give the picture of the image at that place in the set."""
        return None if self.source_files is None else self.source_files.root / self.source_files.relative_paths[index]

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        """Give one row of named values for each image; None is what is not known."""
        for at in range(len(self)):
            path, cluster, distance = self.image_path(int(self.indices[at])), self.cluster_ids[at], self.distances[at]
            yield {
                "index": int(self.indices[at]),
                "path": None if path is None else str(path),
                "label": int(self.class_ids[at]),
                "class": self.class_names[self.class_ids[at]],
                "confidence": round(float(self.confidences[at]), 4),
                "source": SOURCES[self.source_ids[at]],
                "cluster": None if cluster < 0 else self.cluster_paths[cluster],
                "weight": round(float(self.weights[at]), 4),
                "distance": None if np.isnan(distance) else round(float(distance), 4),
            }
