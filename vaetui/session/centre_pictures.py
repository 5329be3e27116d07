"""Pictures of cluster centres that need no decoder: the nearest image, and the mean of the nearest ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import CentrePictures, Indices, LatentVectors, Pixels, sort_members
from vaetui.engine.images import Images
from vaetui.session.views import MEAN_MEMBERS


def draw_nearest_images(
    images: Images,
    embeddings: LatentVectors,
    members: Indices,
    first_copies: Indices,
    assignments: NDArray[np.int32],
    centres: LatentVectors,
) -> CentrePictures:
    """Return the nearest image of each centre [K, z_dim], and the mean of its nearest distinct members.

    `members` [M] are some of the training images, with their `first_copies` [M], `embeddings` [M, z_dim] in the space
    of the centres, and `assignments` [M] to these, or NOT_QUERIED. The order of the members is that of
    `build_clusters`.
    """
    nearest_images: list[Pixels] = []
    mean_images: list[Pixels] = []
    is_first = first_copies == members
    for index, centre in enumerate(centres):
        positions, _ = sort_members(embeddings, np.flatnonzero((assignments == index) & is_first), centre)
        pixels = images[members[positions[:MEAN_MEMBERS]]]
        nearest_images.append(pixels[0])
        mean_images.append(pixels.mean(axis=0).round().astype(np.uint8))
    return CentrePictures(np.stack(nearest_images), np.stack(mean_images))
