"""Labels as a Parquet file, by pyarrow, which is an extra."""

from __future__ import annotations

from pathlib import Path

from vaetui.errors import Trouble
from vaetui.export.label_table import SOURCES, Labels
from vaetui.storage import atomic_files


def write_parquet(labels: Labels, output: Path) -> None:
    """Write a column for each of those of the table; class, source and cluster as dictionaries.

    Raises Trouble where pyarrow is not installed, and for a full disk.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise Trouble("Parquet needs pyarrow; install it with: pip install 'vaetui[parquet]'") from error
    paths = [str(labels.file(index)) if labels.files else None for index in labels.indices.tolist()]
    clusters = pa.array([None if at < 0 else at for at in labels.clusters.tolist()], pa.int32())
    table = pa.table(
        {
            "index": labels.indices,
            "path": pa.array(paths, pa.string()),
            "label": labels.labels,
            "class": pa.DictionaryArray.from_arrays(labels.labels.astype("int32"), list(labels.classes)),
            "confidence": labels.confidences,
            "source": pa.DictionaryArray.from_arrays(labels.sources.astype("int32"), list(SOURCES)),
            "cluster": pa.DictionaryArray.from_arrays(clusters, pa.array(labels.paths, pa.string())),
            "weight": labels.weights,
            "distance": pa.array(labels.distances, from_pandas=True),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    atomic_files.write(output.resolve(), buffer.getvalue().to_pybytes())
