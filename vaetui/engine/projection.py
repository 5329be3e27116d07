"""Linear projections of latent vectors to two dimensions, in which the classes overlap as little as possible.

The first estimate is weighted linear discriminant analysis (Loog, Duin and Haeb-Umbach 2001, "Multiclass linear
dimension reduction by weighted pairwise Fisher criteria"); gradient steps then improve the same criterion in the plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from vaetui.engine.clusters import LatentVectors

Matrix: TypeAlias = NDArray[np.float64]
"""A matrix or a vector."""
SHRINKAGE = 1e-3
"""Share of the mean variance in the covariance within classes; it keeps directions without variance finite."""
VIEW_PERCENTILES = (0.5, 99.5)
"""Percentiles of a coordinate that become 0 and 1: outliers do not squash the other points."""
MAX_GRADIENT_STEPS = 100
"""Most steps towards less overlap; the latent vectors of MNIST need about 60."""
MIN_GAIN = 1e-5
"""Smallest relative gain of a step that is followed by another one."""
CHUNK_VECTORS = 20_000
"""Vectors compared with all class means at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A linear map of latent vectors to the plane; most images of the fit lie between 0 and 1."""

    matrix: Matrix
    """The two directions, [z_dim, 2]."""
    origin: Matrix
    """The projected point that becomes (0, 0), [2]."""
    extent: Matrix
    """The lengths that become 1, [2]."""

    def apply(self, vectors: LatentVectors) -> NDArray[np.float32]:
        """Return the points of vectors [N, z_dim], as (x, y), [N, 2]."""
        points: NDArray[np.float32] = ((vectors @ self.matrix - self.origin) / self.extent).astype(np.float32)
        return points


@dataclass(frozen=True, slots=True, eq=False)
class ClassStatistics:
    """The classes of latent vectors, in coordinates in which every class has about unit variance."""

    class_ids: NDArray[np.int64]
    """The classes with vectors, ascending, [C]."""
    counts: NDArray[np.int64]
    """Number of vectors by class, [C]."""
    whitening: Matrix
    """The map to these coordinates, [z_dim, z_dim]."""
    means: Matrix
    """Means of the classes in these coordinates, [C, z_dim]."""


def measure_classes(vectors: LatentVectors, class_ids: NDArray[np.int64]) -> ClassStatistics:
    """Return the means of the classes and their common covariance; vectors [N, z_dim] of a negative class do not count.

    Raises ValueError if no vector has a class.
    """
    has_class = class_ids >= 0
    vectors = vectors[has_class].astype(np.float64)
    present_ids, positions, counts = np.unique(class_ids[has_class], return_inverse=True, return_counts=True)
    if not len(vectors):
        raise ValueError("no vector has a class")
    sums = np.stack([np.bincount(positions, column) for column in vectors.T], axis=1)
    means = sums / counts[:, None]
    deviations = vectors - means[positions]
    within = deviations.T @ deviations / len(vectors)  # [z_dim, z_dim]
    mean_variance = np.trace(within) / len(within) or 1.0
    within = (1 - SHRINKAGE) * within + SHRINKAGE * mean_variance * np.eye(len(within))
    variances, directions = np.linalg.eigh(within)
    whitening = directions / np.sqrt(variances)
    return ClassStatistics(present_ids, counts, whitening, means @ whitening)


def fit_projection(vectors: LatentVectors, class_ids: NDArray[np.int64]) -> Projection:
    """Return the projection of vectors [N, z_dim] that separates their classes [N] best.

    Vectors of a negative class only count for the scale. With fewer than two classes, the directions are the principal
    components; with two, the first one separates them and the second one has the largest variance of the rest.
    """
    statistics = measure_classes(vectors, class_ids) if (class_ids >= 0).any() else None
    if statistics is None or len(statistics.class_ids) < 2:
        matrix = _find_principal_directions(np.cov(vectors.T, bias=True).reshape(2 * (vectors.shape[1],)))
    else:
        matrix = statistics.whitening @ _find_separating_directions(statistics)
        if np.ptp(statistics.means, axis=0).any() and _count_dimensions(statistics.means) < 2:
            matrix[:, 1] = _find_largest_rest(vectors, matrix[:, 0])
    # Eigenvectors have an arbitrary sign: the largest component becomes positive, so that equal maps look alike.
    matrix *= np.sign(matrix[np.abs(matrix).argmax(axis=0), np.arange(2)]) + (matrix == 0).all(axis=0)
    points = vectors @ matrix
    low, high = np.percentile(points, VIEW_PERCENTILES, axis=0)
    extent = np.where(high > low, high - low, 1.0)
    origin = np.where(high > low, low, low - 0.5)  # equal coordinates lie in the middle
    return Projection(matrix, origin, extent)


def count_confusions(
    vectors: LatentVectors, class_ids: NDArray[np.int64], statistics: ClassStatistics
) -> dict[tuple[int, int], int]:
    """Return for pairs of classes, smaller id first, how many of their images lie nearer to the other one's mean.

    Distances are relative to the spread of the classes. Pairs without such images are left out.
    """
    counts: dict[tuple[int, int], int] = {}
    squared_lengths = (statistics.means**2).sum(axis=1)
    for start in range(0, len(vectors), CHUNK_VECTORS):
        chunk_ids = class_ids[start : start + CHUNK_VECTORS]
        coordinates = vectors[start : start + CHUNK_VECTORS][chunk_ids >= 0] @ statistics.whitening
        own_ids = chunk_ids[chunk_ids >= 0]
        distances = squared_lengths - 2 * coordinates @ statistics.means.T  # [chunk, C], but for a common term
        nearest_ids = statistics.class_ids[distances.argmin(axis=1)]
        is_confused = nearest_ids != own_ids
        pairs = np.sort(np.stack([own_ids[is_confused], nearest_ids[is_confused]], axis=1), axis=1)
        for pair, count in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
            key = int(pair[0]), int(pair[1])
            counts[key] = counts.get(key, 0) + int(count)
    return counts


def _find_separating_directions(statistics: ClassStatistics) -> Matrix:
    """Return orthonormal directions [z_dim, 2] in whitened coordinates with the least overlap between pairs of classes.

    Of two classes at distance d, the share 1/2 + erf(d / sqrt 8) / 2 of the images is nearer to the mean of the own
    class. A pair counts by the root of the product of its numbers of images: small classes are shown apart too.
    """
    means, roots = statistics.means, np.sqrt(statistics.counts / statistics.counts.sum())
    pair_weights = np.outer(roots, roots) * (1 - np.eye(len(means)))

    def measure_separation(directions: Matrix) -> float:
        return float((pair_weights * erf(_pairwise_distances(means @ directions) / np.sqrt(8))).sum())

    distances = _pairwise_distances(means)
    scatter = _weighted_scatter(means, pair_weights * erf(distances / np.sqrt(8)) / distances**2)
    directions = _find_principal_directions(scatter)
    if len(directions) <= 2:
        return directions
    separation, step_length = measure_separation(directions), 0.5
    for _ in range(MAX_GRADIENT_STEPS):
        distances = _pairwise_distances(means @ directions)
        slopes = pair_weights * np.exp(-(distances**2) / 8) / distances  # derivative of erf, per unit of the difference
        gradient = _weighted_scatter(means, slopes) @ directions
        gradient -= directions @ (directions.T @ gradient)
        length = float(np.linalg.norm(gradient))
        gain = 0.0
        while length > 0 and step_length > 1e-4:
            candidate = np.linalg.qr(directions + step_length / length * gradient)[0]
            gain = measure_separation(candidate) - separation
            if gain > 0:
                break
            step_length /= 2
        if gain <= MIN_GAIN * separation:
            break
        directions, separation, step_length = candidate, separation + gain, min(1.5 * step_length, 1.0)
    # The widest direction of the class means lies along the x axis, as terminals are wider than high.
    plane = means @ directions
    rotation = _find_principal_directions(np.cov(plane.T, bias=True))
    return directions @ rotation


def _weighted_scatter(means: Matrix, weights: Matrix) -> Matrix:
    """Return the sum of w_ij (m_i - m_j)(m_i - m_j)^T over pairs of means, [z_dim, z_dim], for symmetric weights."""
    laplacian = np.diag(weights.sum(axis=1)) - weights
    scatter: Matrix = means.T @ laplacian @ means
    return scatter


def _pairwise_distances(points: Matrix) -> Matrix:
    """Return the distances between all rows, [C, C]; never 0, so that they can divide."""
    squared_lengths = (points**2).sum(axis=1)
    squares = squared_lengths[:, None] + squared_lengths - 2 * points @ points.T
    distances: Matrix = np.sqrt(np.maximum(squares, 1e-12))
    return distances


def _find_principal_directions(covariance: Matrix) -> Matrix:
    """Return the eigenvectors of the two largest eigenvalues, [z_dim, 2]; the second is 0 if there is one dimension."""
    directions = np.linalg.eigh(covariance)[1][:, ::-1][:, :2]
    return np.pad(directions, ((0, 0), (0, 2 - directions.shape[1])))


def _find_largest_rest(vectors: LatentVectors, direction: Matrix) -> Matrix:
    """Return the direction of the largest variance that is uncorrelated with the coordinate along `direction`."""
    covariance = np.cov(vectors.T, bias=True).reshape(2 * (vectors.shape[1],))
    shared = covariance @ direction
    variance = float(direction @ shared)
    if variance <= 0:
        return _find_principal_directions(covariance)[:, 0]
    rest = _find_principal_directions(covariance - np.outer(shared, shared) / variance)[:, 0]
    uncorrelated: Matrix = rest - direction * float(shared @ rest) / variance
    return uncorrelated


def _count_dimensions(points: Matrix) -> int:
    """Return the number of dimensions that points span around their mean."""
    return int(np.linalg.matrix_rank(points - points.mean(axis=0), tol=1e-6 * max(float(np.abs(points).max()), 1e-12)))
