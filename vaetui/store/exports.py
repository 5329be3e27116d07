"""Labels as a file for other programs; it does not know where they come from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from vaetui.store import files


def write_csv(path: Path, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a table as CSV with a head: in one piece, or right into what is no ordinary file, such as a pipe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    if path.exists() and not path.is_file():
        with files.explained(path):
            path.write_text(text.getvalue())
    else:
        files.write(path.resolve(), text.getvalue().encode())
