"""Labels as CSV and as lines of JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from vaetui.export.label_table import LabelTable
from vaetui.storage import atomic_files

COLUMNS = ("index", "path", "label", "class", "confidence", "source", "cluster", "weight", "distance")
"""The columns."""


def write_csv(label_table: LabelTable, output: Path) -> None:
    """Write a table with a head; what is not known is empty."""
    _write_lines(output, _iter_csv_lines(label_table))


def write_jsonl(label_table: LabelTable, output: Path) -> None:
    """Write one JSON object a line."""
    _write_lines(output, (f"{json.dumps(row)}\n" for row in label_table.iter_rows()))


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
    """Write lines in one piece, or right into what is no ordinary file, such as a pipe."""
    content = (line.encode() for line in lines)
    if output.exists() and not output.is_file():
        with atomic_files.translate_os_errors(output), output.open("wb") as file:
            file.writelines(content)
    else:
        atomic_files.write(output.resolve(), content)
