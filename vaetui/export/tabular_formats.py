"""Write labels as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

from vaetui.errors import UserError
from vaetui.export.label_table import SOURCES, LabelTable
from vaetui.storage import atomic_files

COLUMNS = ("index", "path", "label", "class", "confidence", "source", "cluster", "weight", "distance")
"""The columns of every tabular format."""


def write_csv(label_table: LabelTable, output: Path) -> None:
    """Write a CSV file with a header; missing values are empty. Raises UserError if it cannot be written."""
    _write_lines(output, _iter_csv_lines(label_table))


def write_jsonl(label_table: LabelTable, output: Path) -> None:
    """Write one JSON object per line; missing values are null. Raises UserError if the file cannot be written."""
    _write_lines(output, (f"{json.dumps(row)}\n" for row in label_table.iter_rows()))


def write_parquet(label_table: LabelTable, output: Path) -> None:
    """Write a Parquet file; class, source and cluster are dictionary-encoded, and missing values are null.

    Raises UserError if pyarrow, an optional dependency, is not installed, or the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UserError("Parquet needs pyarrow. Install it with: pip install 'vaetui[parquet]'") from error
    paths = [path and str(path) for path in map(label_table.find_image_path, label_table.indices.tolist())]
    class_ids, source_ids = label_table.class_ids.astype("int32"), label_table.source_ids.astype("int32")
    cluster_ids = pa.array(label_table.cluster_ids, pa.int32(), mask=label_table.cluster_ids < 0)
    cluster_paths = pa.array(label_table.cluster_paths, pa.string())
    table = pa.table(
        {
            "index": label_table.indices,
            "path": pa.array(paths, pa.string()),
            "label": label_table.class_ids,
            "class": pa.DictionaryArray.from_arrays(class_ids, list(label_table.class_names)),
            "confidence": label_table.confidences,
            "source": pa.DictionaryArray.from_arrays(source_ids, list(SOURCES)),
            "cluster": pa.DictionaryArray.from_arrays(cluster_ids, cluster_paths),
            "weight": label_table.weights,
            "distance": pa.array(label_table.distances, from_pandas=True),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    atomic_files.replace_file(output.resolve(), buffer.getvalue().to_pybytes())


def _iter_csv_lines(label_table: LabelTable) -> Iterator[str]:
    # `write` of the file returns the text, and so do the methods of the writer.
    writer = csv.DictWriter(SimpleNamespace(write=str), COLUMNS, lineterminator="\n")
    yield writer.writeheader()
    yield from map(writer.writerow, label_table.iter_rows())


def _write_lines(output: Path, lines: Iterable[str]) -> None:
    """Write a file atomically, or directly if `output` is a pipe or device."""
    content = (line.encode() for line in lines)
    if output.exists() and not output.is_file():
        with atomic_files.translate_os_errors(output), output.open("wb") as file:
            file.writelines(content)
    else:
        atomic_files.replace_file(output.resolve(), content)
