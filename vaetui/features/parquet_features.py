"""Choose the vectors and the paths of their images among the columns of a Parquet file, and read them in batches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vaetui.data.array_files import translate_read_errors
from vaetui.engine.vectors import VectorArray
from vaetui.errors import UserError
from vaetui.features.feature_paths import SAMPLE_CELLS, choose_path_column
from vaetui.features.vector_arrays import FeatureFile, list_names, require_width, to_float

NUMBERED_COLUMN = re.compile(r"(.*?)(\d+)")
"""The name of a column with one number of each vector, such as f12."""
BATCH_NUMBERS = 1 << 20
"""Numbers that are read at a time."""
BUFFER_BYTES = 1 << 20
"""Bytes that are read at a time from the file."""


@dataclass(frozen=True, slots=True)
class _VectorColumns:
    """The columns of the vectors."""

    names: tuple[str, ...]
    """One column of lists, or one column per number in their order."""
    width: int
    """Numbers of a vector."""
    is_half: bool
    """Whether all numbers are float16."""


def open_parquet_vectors(path: Path, key: str | None) -> FeatureFile:
    """Open the vectors of a Parquet file: a column of lists, or columns whose names end in numbers.

    Raises UserError if pyarrow, an optional dependency, is not installed, if the file is damaged, or if it is not clear
    which columns contain the vectors.
    """
    parquet = _open_file(path)
    with translate_read_errors(str(path)):
        columns = _choose_columns(path, parquet, key)
        count = parquet.metadata.num_rows
        if not count:
            raise UserError(f"{path} contains no vectors. Pass a file with one vector per image.")
        require_width(str(path), columns.width)
        image_paths = _read_paths(path, parquet)
    dtype = np.dtype(np.float16 if columns.is_half else np.float32)

    def iter_blocks() -> Iterator[VectorArray]:
        with translate_read_errors(str(path)):
            first_row = 0
            for batch in _iter_batches(_open_file(path), list(columns.names), columns.width):
                yield to_float(_read_vectors(path, batch, columns, first_row), dtype)
                first_row += batch.num_rows

    return FeatureFile(path, str(path), count, columns.width, dtype, iter_blocks, image_paths)


def _open_file(path: Path) -> Any:
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UserError("Parquet needs pyarrow. Install it with: pip install 'vaetui[parquet]'") from error
    with translate_read_errors(str(path)):
        return pq.ParquetFile(path, buffer_size=BUFFER_BYTES)


def _iter_batches(parquet: Any, names: list[str], width: int) -> Iterator[Any]:
    batch_rows = max(BATCH_NUMBERS // width, 1)
    for group in range(parquet.num_row_groups):  # pyarrow keeps in memory what it has read until the iterator ends
        yield from parquet.iter_batches(batch_rows, row_groups=[group], columns=names, use_threads=False)


def _choose_columns(path: Path, parquet: Any, key: str | None) -> _VectorColumns:
    """Return the columns of the vectors."""
    import pyarrow as pa

    schema = parquet.schema_arrow
    duplicates = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if duplicates:
        raise UserError(f"{path} has several columns with the name {duplicates[0]}. Rename all but one.")
    lists = {field.name: _get_list_type(field.type) for field in schema if _get_list_type(field.type) is not None}
    numbered = _group_numbered_columns(schema)
    if key is not None:
        matches = [name for name in (*lists, *numbered) if name == key]
        if not matches:
            present = [*lists, *numbered] or schema.names
            advice = f"Choose one with --features-key: {list_names(present)}."
            if key in schema.names:
                raise UserError(
                    f"The column {key} of {path} contains no vectors but {schema.field(key).type}. {advice}"
                )
            raise UserError(f"{path} has no column {key}. {advice}")
        chosen = matches[0]
    else:
        choices = [*lists] or [name for name in numbered if len(numbered[name]) > 1]
        if not choices:
            raise UserError(
                f"{path} has no column of vectors: lists of numbers, or columns such as f0, f1, f2. Its columns are: "
                f"{list_names(schema.names)}."
            )
        if len(choices) > 1:
            raise UserError(
                f"{path} has several columns of vectors: {list_names(choices)}. Choose one with --features-key, such "
                f"as --features-key {choices[0]}."
            )
        chosen = choices[0]
    if chosen in lists:
        width = _read_list_width(path, parquet, chosen)
        return _VectorColumns((chosen,), width, pa.types.is_float16(lists[chosen]))
    names = numbered[chosen]
    return _VectorColumns(names, len(names), all(pa.types.is_float16(schema.field(name).type) for name in names))


def _get_list_type(column_type: Any) -> Any:
    """Return the type of the numbers of a column of lists; None for another column."""
    import pyarrow as pa

    if isinstance(column_type, pa.BaseExtensionType):
        column_type = column_type.storage_type
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(column_type) for is_kind in kinds):
        return None
    return column_type.value_type if _is_number(column_type.value_type) else None


def _is_number(column_type: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    return any((types.is_floating(column_type), types.is_integer(column_type), types.is_boolean(column_type)))


def _group_numbered_columns(schema: Any) -> dict[str, tuple[str, ...]]:
    """Return the columns of numbers whose names differ only in a number at their end, by the rest of the name."""
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for field in schema:
        match = NUMBERED_COLUMN.fullmatch(field.name)
        if match is not None and _is_number(field.type):
            groups[match[1]].append((int(match[2]), field.name))
    return {prefix: tuple(name for _, name in sorted(members)) for prefix, members in groups.items()}


def _read_list_width(path: Path, parquet: Any, name: str) -> int:
    """Return the length of the first list of a column."""
    batch = next(parquet.iter_batches(1, columns=[name], use_threads=False), None)
    if batch is None or not batch.num_rows:
        raise UserError(f"{path} contains no vectors. Pass a file with one vector per image.")
    column = _get_storage(batch.column(0))
    if column.null_count:
        raise UserError(f"Row 0 of {path}, counted from 0, has no vector. Compute it, or remove the row.")
    return len(column[0].as_py())


def _get_storage(column: Any) -> Any:
    import pyarrow as pa

    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _read_vectors(path: Path, batch: Any, columns: _VectorColumns, first_row: int) -> VectorArray:
    """Return the vectors of a batch [n, D]; raises UserError for missing numbers and other widths."""
    arrays = [_get_storage(batch.column(index)) for index in range(batch.num_columns)]
    for array in arrays:
        if array.null_count:
            row = first_row + int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
            raise UserError(f"Row {row:,} of {path}, counted from 0, lacks numbers. Compute them, or remove the row.")
    if len(columns.names) > 1:
        by_name = dict(zip(batch.schema.names, arrays, strict=True))
        return np.stack([by_name[name].to_numpy(zero_copy_only=False) for name in columns.names], axis=1)
    lists = arrays[0]
    numbers = lists.flatten()
    lengths = np.diff(lists.offsets.to_numpy()) if hasattr(lists, "offsets") else np.full(len(lists), columns.width)
    other_lengths = np.flatnonzero(lengths != columns.width)
    if len(other_lengths):
        row = first_row + int(other_lengths[0])
        raise UserError(
            f"Row {row:,} of {path}, counted from 0, has {int(lengths[other_lengths[0]]):,} numbers, the first row "
            f"{columns.width:,}. All vectors must have the same length."
        )
    if numbers.null_count:
        row = first_row + int(np.flatnonzero(numbers.is_null().to_numpy(zero_copy_only=False))[0]) // columns.width
        raise UserError(f"Row {row:,} of {path}, counted from 0, lacks numbers. Compute them, or remove the row.")
    values: VectorArray = numbers.to_numpy(zero_copy_only=False).reshape(len(lists), columns.width)
    return values


def _read_paths(path: Path, parquet: Any) -> tuple[str, ...] | None:
    """Return the path of each row; None without a column of paths."""
    import pyarrow as pa

    def is_text(column_type: Any) -> bool:
        value_type = column_type.value_type if pa.types.is_dictionary(column_type) else column_type
        return bool(pa.types.is_string(value_type) or pa.types.is_large_string(value_type))

    names = [field.name for field in parquet.schema_arrow if is_text(field.type)]
    if not names:
        return None
    first = next(parquet.iter_batches(SAMPLE_CELLS, columns=names, use_threads=False))
    samples = {name: [cell for cell in first.column(name).to_pylist() if cell is not None] for name in names}
    chosen = choose_path_column(samples)
    if chosen is None:
        return None
    paths: list[str] = []
    for batch in _iter_batches(parquet, [chosen], 1):
        paths += (cell or "" for cell in batch.column(0).to_pylist())
    return tuple(paths)
