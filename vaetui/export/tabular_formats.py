"""Write labels as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

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
    paths = [
        str(label_table.image_path(index)) if label_table.source_files else None
        for index in label_table.indices.tolist()
    ]
    class_ids = label_table.class_ids.astype("int32")
    source_ids = label_table.source_ids.astype("int32")
    cluster_ids = [None if cluster_id < 0 else cluster_id for cluster_id in label_table.cluster_ids.tolist()]
    cluster_paths = pa.array(label_table.cluster_paths, pa.string())
    table = pa.table(
        {
            "index": label_table.indices,
            "path": pa.array(paths, pa.string()),
            "label": label_table.class_ids,
            "class": pa.DictionaryArray.from_arrays(class_ids, list(label_table.class_names)),
            "confidence": label_table.confidences,
            "source": pa.DictionaryArray.from_arrays(source_ids, list(SOURCES)),
            "cluster": pa.DictionaryArray.from_arrays(pa.array(cluster_ids, pa.int32()), cluster_paths),
            "weight": label_table.weights,
            "distance": pa.array(label_table.distances, from_pandas=True),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    atomic_files.write(output.resolve(), buffer.getvalue().to_pybytes())


def _iter_csv_lines(label_table: LabelTable) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.DictWriter(line, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in label_table.iter_rows():
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        writer.writerow(row)
    yield line.getvalue()


def _write_lines(output: Path, lines: Iterable[str]) -> None:
    """Write a file atomically, or directly if `output` is a pipe or device."""
    content = (line.encode() for line in lines)
    if output.exists() and not output.is_file():
        with atomic_files.translate_os_errors(output), output.open("wb") as file:
            file.writelines(content)
    else:
        atomic_files.write(output.resolve(), content)
