"""Labels as a Parquet file, by pyarrow, which is an extra."""

from __future__ import annotations

from pathlib import Path

from vaetui.errors import UserError
from vaetui.export.label_table import SOURCES, LabelTable
from vaetui.storage import atomic_files


def write_parquet(label_table: LabelTable, output: Path) -> None:
    """Write a column for each of those of the table; class, source and cluster as dictionaries.

    Raises Trouble where pyarrow is not installed, and for a full disk.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UserError("Parquet needs pyarrow; install it with: pip install 'vaetui[parquet]'") from error
    paths = [
        str(label_table.image_path(index)) if label_table.source_files else None
        for index in label_table.indices.tolist()
    ]
    clusters = pa.array([None if at < 0 else at for at in label_table.cluster_ids.tolist()], pa.int32())
    table = pa.table(
        {
            "index": label_table.indices,
            "path": pa.array(paths, pa.string()),
            "label": label_table.class_ids,
            "class": pa.DictionaryArray.from_arrays(
                label_table.class_ids.astype("int32"), list(label_table.class_names)
            ),
            "confidence": label_table.confidences,
            "source": pa.DictionaryArray.from_arrays(label_table.source_ids.astype("int32"), list(SOURCES)),
            "cluster": pa.DictionaryArray.from_arrays(clusters, pa.array(label_table.cluster_paths, pa.string())),
            "weight": label_table.weights,
            "distance": pa.array(label_table.distances, from_pandas=True),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    atomic_files.write(output.resolve(), buffer.getvalue().to_pybytes())
