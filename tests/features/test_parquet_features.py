"""Vectors and the paths of their images are found among the columns of a Parquet file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.features.feature_inputs import draw_vectors
from vaetui.errors import UserError
from vaetui.features.feature_files import open_feature_file

VECTORS = draw_vectors(9)
FLAT = pa.array(VECTORS.reshape(-1))
OFFSETS = pa.array(range(0, 55, 6), pa.int32())
PATHS = [f"a/{index}.jpg" for index in range(9)]
COLUMNS: dict[str, dict[str, Any]] = {
    "lists": {"v": pa.ListArray.from_arrays(OFFSETS, FLAT)},
    "large lists": {"v": pa.LargeListArray.from_arrays(OFFSETS.cast(pa.int64()), FLAT)},
    "lists of one length": {"v": pa.FixedSizeListArray.from_arrays(FLAT, 6)},
    "lists of float64": {"v": pa.ListArray.from_arrays(OFFSETS, FLAT.cast(pa.float64()))},
    "tensors": {
        "v": pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [6]), pa.FixedSizeListArray.from_arrays(FLAT, 6)
        )
    },
    "columns": {f"f{index}": VECTORS[:, index] for index in range(6)},
    "columns in another order": {f"f{index}": VECTORS[:, index] for index in (3, 5, 0, 1, 4, 2)},
    "padded columns": {f"dim_{index:03}": VECTORS[:, index] for index in range(6)},
    "columns beside other numbers": {
        "label": np.arange(9),
        "width": np.arange(9),
        **{f"{index}": VECTORS[:, index] for index in range(6)},
        "x1": np.arange(9),
    },
}


def read(path: Path, key: str | None = None) -> np.ndarray[Any, Any]:
    feature_file = open_feature_file(path, key)
    assert (feature_file.count, feature_file.width) == (9, 6)
    return np.concatenate([*feature_file.iter_blocks()])


@pytest.mark.parametrize("form", COLUMNS)
def test_vectors_are_found_in_each_form(form: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": range(9), "name": ["x"] * 9, **COLUMNS[form]}), tmp_path / "v.parquet")
    assert (read(tmp_path / "v.parquet") == VECTORS).all()
    assert open_feature_file(tmp_path / "v.parquet").paths is None


def test_vectors_of_many_row_groups_and_batches_keep_their_order(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(3_000, 1_000)).astype(np.float32)
    table = pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 1_000)})
    pq.write_table(table, tmp_path / "v.parquet", row_group_size=700)
    blocks = [*open_feature_file(tmp_path / "v.parquet").iter_blocks()]
    assert len(blocks) > 1
    assert (np.concatenate(blocks) == vectors).all()


def test_float16_stays(tmp_path: Path) -> None:
    half = VECTORS.astype(np.float16)
    pq.write_table(pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(half.reshape(-1)), 6)}), tmp_path / "v.pq")
    assert open_feature_file(tmp_path / "v.pq").dtype == np.float16
    assert (read(tmp_path / "v.pq") == half).all()


def test_a_data_frame_of_arrays_with_paths_as_its_index_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"embedding": list(VECTORS)}, index=PATHS)
    frame.to_parquet(tmp_path / "v.parquet")
    assert (read(tmp_path / "v.parquet") == VECTORS).all()
    assert open_feature_file(tmp_path / "v.parquet").paths == tuple(PATHS)


def test_the_key_chooses_a_column_of_lists_or_the_start_of_the_names_of_columns(tmp_path: Path) -> None:
    columns = {f"b{index}": VECTORS[:, index] for index in range(6)}
    pq.write_table(pa.table({"a": (VECTORS * 2).tolist(), **columns, "file": PATHS}), tmp_path / "v.parquet")
    assert (read(tmp_path / "v.parquet", "a") == VECTORS * 2).all()
    assert (read(tmp_path / "v.parquet", "b") == VECTORS).all()
    assert open_feature_file(tmp_path / "v.parquet", "b").paths == tuple(PATHS)


def test_without_pyarrow_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"v": VECTORS.tolist()}), tmp_path / "v.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UserError, match="Parquet needs pyarrow"):
        open_feature_file(tmp_path / "v.parquet")
