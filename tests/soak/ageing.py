"""Turns a session into what the first version would have left; it asks nobody to open it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from safetensors.numpy import load_file, save_file

from vaetui.storage import file_names

TABLES = Path(__file__).parents[1] / "storage/version-1.sql"
KNOWN = re.compile(r"(division|(round|epoch)-\d{3}|split-\d{6})\.npz|tensors\.safetensors|lock|log\.txt|facts\.db")
"""The files that the first version wrote."""


def age(directory: Path) -> None:
    """Rewrite the facts in the first format, and keep the newest checkpoint under the name that it had then."""
    facts = file_names.database_path(directory)
    old = facts.with_name("old.db")
    base = sqlite3.connect(old)
    base.executescript(TABLES.read_text())
    base.execute("ATTACH ? AS new", (str(facts),))
    for (table,) in base.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        columns = ", ".join(name for _, name, *_ in base.execute(f"PRAGMA main.table_info({table})"))
        base.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    base.execute("PRAGMA main.user_version = 1")
    base.commit()
    base.close()
    old.replace(facts)
    if checkpoints := sorted(directory.glob("checkpoint-*.safetensors")):
        epoch, step = file_names.CHECKPOINT_PATTERN.fullmatch(checkpoints[-1].name).groups()  # type: ignore[union-attr]
        place = {"epoch": f"{int(epoch)}", "step": f"{int(step)}"}
        save_file(load_file(checkpoints[-1]), directory / "tensors.safetensors", metadata=place)
        for path in checkpoints:
            path.unlink()
    for path in directory.iterdir():
        if path.is_file() and not KNOWN.fullmatch(path.name):
            path.unlink()
