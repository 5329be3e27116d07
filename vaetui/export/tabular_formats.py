"""Encode labels as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from vaetui.errors import UserError
from vaetui.export.label_table import CHECKS, NO_CHECK_ID, SOURCES, LabelTable

PARQUET_METADATA_KEY = "vaetui"
"""The key of the metadata of a Parquet file that has the content of the info file."""


def encode_csv(label_table: LabelTable, info: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the lines of a CSV file with a header; missing values are empty."""
    return (line.encode("utf-8", "surrogateescape") for line in _iter_csv_lines(label_table))


def encode_jsonl(label_table: LabelTable, info: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield one JSON object per line; missing values are null."""
    return (f"{json.dumps(row)}\n".encode() for row in label_table.iter_rows())


def encode_parquet(label_table: LabelTable, info: Mapping[str, Any]) -> bytes:
    """Return a Parquet file; class, source, check and cluster are dictionary-encoded, and missing values are null.

    Its metadata contain `info` as JSON. Raises UserError if pyarrow, an optional dependency, is not installed, and for
    paths that are not UTF-8.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UserError("Parquet needs pyarrow. Install it with: pip install 'vaetui[parquet]'") from error
    positions, is_labelled = label_table.find_positions(), label_table.class_ids >= 0
    labelled = label_table.select_rows(is_labelled)
    paths = [path or None for path in labelled.list_path_texts()]
    if not all(path is None or is_utf_8(path) for path in paths):
        raise UserError("Parquet cannot hold paths with bytes that are not UTF-8. Use another format, such as jsonl.")
    class_ids, source_ids = labelled.class_ids.astype("int32"), labelled.source_ids.astype("int32")
    checks = np.full(len(labelled), NO_CHECK_ID) if labelled.check_ids is None else labelled.check_ids
    check_ids = pa.array(checks.astype("int32"), pa.int32(), mask=checks == NO_CHECK_ID)
    cluster_ids = pa.array(labelled.cluster_ids, pa.int32(), mask=labelled.cluster_ids < 0)
    cluster_paths = pa.array(labelled.cluster_paths, pa.string())
    table = pa.table(
        {
            "index": positions[is_labelled],
            "path": pa.array(paths, pa.string()),
            "label": labelled.class_ids,
            "class": pa.DictionaryArray.from_arrays(class_ids, pa.array(labelled.class_names, pa.string())),
            labelled.confidence_column: labelled.confidences,
            "source": pa.DictionaryArray.from_arrays(source_ids, list(SOURCES)),
            "check": pa.DictionaryArray.from_arrays(check_ids, list(CHECKS)),
            "cluster": pa.DictionaryArray.from_arrays(cluster_ids, cluster_paths),
            "weight": labelled.weights,
            "distance": pa.array(labelled.distances, from_pandas=True),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({PARQUET_METADATA_KEY: json.dumps(info)}), buffer)
    content: bytes = buffer.getvalue().to_pybytes()
    return content


def _iter_csv_lines(label_table: LabelTable) -> Iterator[str]:
    # `write` of the file returns the text, and so do the methods of the writer. With this line end, it quotes both
    # characters that readers take for the end of a line.
    writer = csv.DictWriter(SimpleNamespace(write=str), label_table.columns, lineterminator="\r\n")
    yield _shorten_line_end(writer.writeheader())
    for row in label_table.iter_rows():
        yield _shorten_line_end(writer.writerow(row))


def _shorten_line_end(line: str) -> str:
    return line.removesuffix("\r\n") + "\n"


def is_utf_8(text: str) -> bool:
    """Return whether text can be encoded; paths with other bytes contain surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
