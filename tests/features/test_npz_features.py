"""Vectors, the paths of their images and those of test images are found among the arrays of an npz file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.features.feature_inputs import draw_vectors
from vaetui.features.feature_files import open_feature_file

VECTORS = draw_vectors(9)
OTHERS = draw_vectors(9, width=4, seed=1)
PATHS = np.array([f"a/{index}.jpg" for index in range(9)])


@pytest.mark.parametrize(
    ("arrays", "key"),
    [
        ({"a": VECTORS}, None),
        ({"arr_0": VECTORS, "arr_1": np.arange(9)}, None),
        ({"features": VECTORS, "labels": np.arange(9)}, None),
        ({"embeddings": VECTORS, "boxes": OTHERS}, None),
        ({"X": OTHERS, "latents": VECTORS}, None),
        ({"clip_emb": VECTORS, "images": np.zeros((9, 8, 8), np.uint8)}, None),
        ({"features": VECTORS, "features_val": OTHERS}, None),
        ({"a": OTHERS, "b": VECTORS}, "b"),
        ({"a": OTHERS, "Features": VECTORS}, "features"),
        ({"z": VECTORS[:, :, None, None], "n": np.float32(3)}, None),
        ({"features": VECTORS, "names": np.array(["x"] * 9)}, None),
    ],
)
def test_the_array_of_vectors_is_found(arrays: dict[str, Any], key: str | None, tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", **arrays)
    feature_file = open_feature_file(tmp_path / "v.npz", key)
    assert (np.concatenate([*feature_file.iter_blocks()]) == VECTORS).all()
    assert (feature_file.count, feature_file.width) == (9, 6)
    assert feature_file.paths is None
    assert not feature_file.is_mappable


@pytest.mark.parametrize("is_compressed", [False, True])
def test_large_arrays_are_read_in_blocks(is_compressed: bool, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).integers(0, 9, (2_500, 1_000)).astype(np.float16)
    (np.savez_compressed if is_compressed else np.savez)(tmp_path / "v.npz", features=vectors)
    blocks = [*open_feature_file(tmp_path / "v.npz").iter_blocks()]
    assert len(blocks) > 1
    assert (np.concatenate(blocks) == vectors).all()


@pytest.mark.parametrize("name", ["paths", "image_paths", "filenames", "Files", "fname", "ids"])
@pytest.mark.parametrize("kind", ["U", "S"])
def test_the_paths_of_images_are_found_by_name_or_by_their_endings(name: str, kind: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", labels=np.array(["cat"] * 9), features=VECTORS, **{name: PATHS.astype(kind)})
    assert open_feature_file(tmp_path / "v.npz").paths == tuple(PATHS.tolist())


def test_paths_are_preferred_to_other_texts_with_image_endings(tmp_path: Path) -> None:
    thumbnails = np.array([f"t{index}.png" for index in range(9)])
    np.savez(tmp_path / "v.npz", thumbnail=thumbnails, features=VECTORS, path=PATHS)
    assert open_feature_file(tmp_path / "v.npz").paths == tuple(PATHS.tolist())


@pytest.mark.parametrize(
    "names", [("features_train", "features_test"), ("trainFeatures", "testFeatures"), ("emb", "emb_test")]
)
def test_vectors_of_test_images_follow(names: tuple[str, str], tmp_path: Path) -> None:
    test_vectors = draw_vectors(4, seed=3).astype(np.float64)
    np.savez(tmp_path / "v.npz", **{names[1]: test_vectors, names[0]: VECTORS.astype(np.float16)})
    feature_file = open_feature_file(tmp_path / "v.npz")
    assert (feature_file.count, feature_file.test_count, feature_file.dtype) == (13, 4, np.float32)
    vectors = np.concatenate([*feature_file.iter_blocks()])
    assert (vectors[:9] == VECTORS.astype(np.float16)).all()
    assert (vectors[9:] == test_vectors.astype(np.float32)).all()
