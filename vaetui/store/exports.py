"""Labels as a file for other programs; it does not know where they come from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from vaetui.store import files


def write_csv(path: Path, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a table in one piece, as CSV with a head."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    files.write(path, text.getvalue().encode())
