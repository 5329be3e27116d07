"""Tests of the projection to two dimensions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from vaetui.engine.projection import count_confusions, fit_projection, measure_classes

Z_DIM = 8


def create_classes(class_count: int, size: int = 300) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return vectors of classes that differ in the last dimensions, while the first ones have the largest variance."""
    generator = np.random.default_rng(3)
    class_ids = np.repeat(np.arange(class_count), size)
    angles = 2 * np.pi * class_ids / class_count
    vectors = generator.normal(0, 0.1, (len(class_ids), Z_DIM))
    vectors[:, :3] += generator.normal(0, 5, (len(class_ids), 3))
    vectors[:, -1] += np.cos(angles)
    vectors[:, -2] += np.sin(angles)
    return vectors.astype(np.float32), class_ids


def measure_nearest_mean_accuracy(points: NDArray[np.float32], class_ids: NDArray[np.int64]) -> float:
    means = np.stack([points[class_ids == class_id].mean(axis=0) for class_id in range(class_ids.max() + 1)])
    distances = np.linalg.norm(points[:, None] - means, axis=2)
    return float(np.mean(distances.argmin(axis=1) == class_ids))


def test_classes_are_apart_that_overlap_in_the_principal_components() -> None:
    vectors, class_ids = create_classes(6)
    without_classes = fit_projection(vectors, np.full(len(vectors), -1)).apply(vectors)
    assert measure_nearest_mean_accuracy(fit_projection(vectors, class_ids).apply(vectors), class_ids) == 1
    assert measure_nearest_mean_accuracy(without_classes, class_ids) < 0.4


def test_no_pair_of_many_classes_coincides_where_the_plane_has_room_for_all() -> None:
    """Plain discriminant analysis shows the one distant class apart and puts near ones on top of each other."""
    vectors, class_ids = create_classes(5)
    vectors[class_ids == 4, 3] += 60
    points = fit_projection(vectors, class_ids).apply(vectors)
    assert measure_nearest_mean_accuracy(points, class_ids) > 0.9


def test_a_small_class_is_shown_apart_from_large_ones() -> None:
    vectors, class_ids = create_classes(6)
    is_kept = (class_ids > 0) | (np.arange(len(class_ids)) < 6)
    vectors, class_ids = vectors[is_kept], class_ids[is_kept]
    assert measure_nearest_mean_accuracy(fit_projection(vectors, class_ids).apply(vectors), class_ids) == 1


def test_two_classes_are_apart_along_the_x_axis_and_the_rest_varies_most_along_the_y_axis() -> None:
    vectors, class_ids = create_classes(2)
    vectors[:, 4] *= 100
    points = fit_projection(vectors, class_ids).apply(vectors)
    left, right = sorted((points[class_ids == class_id] for class_id in (0, 1)), key=lambda part: float(part[0, 0]))
    assert left[:, 0].max() < right[:, 0].min()
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.01
    assert abs(np.corrcoef(points[:, 1], vectors[:, 4])[0, 1]) > 0.99


def test_outliers_do_not_squash_the_other_points() -> None:
    vectors, class_ids = create_classes(4)
    vectors[0] = 1_000
    points = fit_projection(vectors, class_ids).apply(vectors)
    assert np.percentile(points, 0.5, axis=0) == pytest.approx([0, 0], abs=1e-4)
    assert np.percentile(points, 99.5, axis=0) == pytest.approx([1, 1], abs=1e-4)
    assert np.ptp(points[1:], axis=0).max() < 2


@pytest.mark.parametrize(
    "class_ids", [np.full(40, -1), np.zeros(40, int), np.arange(40) % 2, np.arange(40) % 5, np.arange(40)]
)
@pytest.mark.parametrize("z_dim", [1, 2, 3])
@pytest.mark.parametrize("kind", ["random", "equal", "by class", "line"])
def test_any_vectors_have_finite_points(class_ids: NDArray[np.int64], z_dim: int, kind: str) -> None:
    vectors = {
        "random": np.random.default_rng(0).normal(size=(40, z_dim)),
        "equal": np.ones((40, z_dim)),
        "by class": np.repeat(class_ids[:, None], z_dim, axis=1),
        "line": np.repeat(np.linspace(0, 1, 40)[:, None], z_dim, axis=1),
    }[kind].astype(np.float32)
    with np.errstate(all="raise", under="ignore"):
        points = fit_projection(vectors, class_ids).apply(vectors)
    assert points.shape == (40, 2)
    assert np.isfinite(points).all()
    if kind == "equal":
        assert (points == 0.5).all()


def test_the_same_vectors_give_the_same_points_and_turning_the_space_does_not_change_the_separation() -> None:
    vectors, class_ids = create_classes(5)
    points = fit_projection(vectors, class_ids).apply(vectors)
    assert np.array_equal(points, fit_projection(vectors, class_ids).apply(vectors))
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(Z_DIM, Z_DIM)))[0].astype(np.float32)
    turned_points = fit_projection(vectors @ rotation, class_ids).apply(vectors @ rotation)
    for axis in range(2):
        assert abs(np.corrcoef(points[:, axis], turned_points[:, axis])[0, 1]) > 0.999


def test_confusions_count_the_images_that_lie_nearer_to_another_class() -> None:
    vectors, class_ids = create_classes(4, size=100)
    statistics = measure_classes(vectors, class_ids)
    assert count_confusions(vectors, class_ids, statistics) == {}
    mislabelled_ids = class_ids.copy()
    mislabelled_ids[:7] = 3
    mislabelled_ids[100:102] = 0
    mislabelled_ids[200:203] = -1
    confusions = count_confusions(vectors, mislabelled_ids, measure_classes(vectors, mislabelled_ids))
    assert confusions == {(0, 3): 7, (0, 1): 2}


def test_confusions_of_several_chunks_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(2)
    vectors, class_ids = generator.normal(size=(500, 4)).astype(np.float32), generator.integers(0, 3, 500)
    statistics = measure_classes(vectors, class_ids)
    expected = count_confusions(vectors, class_ids, statistics)
    monkeypatch.setattr("vaetui.engine.projection.CHUNK_VECTORS", 64)
    assert count_confusions(vectors, class_ids, statistics) == expected
    assert sorted(expected) == list(itertools.combinations(range(3), 2))
