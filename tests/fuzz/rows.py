"""Damages to what the facts say, in a file that is sound as a file."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.blows import EVIL
from tests.fuzz.outside import Outside
from vaetui.storage import file_names

NUMBERS = (0, -1, 1, 2, 99, 10**9, 2**31, 2**53, 2**63 - 1, -(2**63), 0.5, 1e308, -1e308, float("inf"))
TEXTS = (
    "",
    "x",
    EVIL,
    "nan",
    "0",
    "-1",
    "1e999",
    "x" * 1_000_000,
    "9" * 5000,
    "é\ud800".encode(errors="ignore"),
    b"\0",
)
PATHS = ("", ".", "-1", "0.0.0.0", "9" * 30, "0." * 5000 + "0", "7", "1.7", "0x1", "1..2", " 1", "٣", "1_0")
ABSURD = (10**9, 10**18, 10**30, 0, -1, 0.5, float("nan"), float("inf"), "ten", EVIL, None, [], [1] * 100, {}, True)
"""Values of a knob; JSON as Python reads it knows NaN and numbers of any size."""
JSONS = ("", "null", "[]", "7", "{", '{"network": 7}', "[" * 100_000, "9" * 10_000, '{"network": {}, "seed": {}}', EVIL)
MOMENTS = ("nan", "inf", "-inf", "1e300", "-1e20", "x", EVIL, "", "9" * 5000, "4e9", "0")
SCHEMES = (
    "CREATE TRIGGER t AFTER INSERT ON saying BEGIN DELETE FROM saying WHERE id < NEW.id; END",
    "CREATE TRIGGER t AFTER INSERT ON saying BEGIN UPDATE saying SET label = 0 WHERE id = NEW.id; END",
    "CREATE TRIGGER t AFTER UPDATE ON saying BEGIN INSERT INTO saying (round, path, kind, label, confidence, said) "
    "VALUES (NEW.round, '0', 'label', 9, 1.0, 0.0); END",
    "CREATE TRIGGER t BEFORE INSERT ON figure BEGIN INSERT INTO figure SELECT epoch + 100, step, 0, 0, 0, 0 "
    "FROM figure; END",
    "DROP TABLE saying; CREATE VIEW saying AS SELECT 1 id, 1 round, '0' path, 'label' kind, 3 label, 1.0 confidence, "
    "NULL parts, 'stands' state, 0.0 said",
    "DROP TABLE epoch; CREATE VIEW epoch AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i epoch, 1 a, 1 b, 1 c, 1 d, 1 e, 1 f, 1 g, 1 h, 1 i FROM n",
    "DROP TABLE meta; CREATE TABLE meta (key TEXT, value TEXT, more TEXT)",
    "ALTER TABLE saying RENAME COLUMN label TO class",
    "ALTER TABLE saying ADD COLUMN more TEXT DEFAULT 'x'",
    "DROP INDEX saying_round; CREATE UNIQUE INDEX saying_round ON saying (id, kind)",
    "DROP TABLE round",
    "CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) "
    "SELECT i, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n",
    "UPDATE saying SET path = (SELECT group_concat(path, '.') FROM saying)",
    "INSERT INTO round VALUES (999, 4, '[]', 0.0, NULL)",
    "INSERT INTO saying SELECT id + 1000, round, path, kind, label, confidence, parts, state, said FROM saying",
    "UPDATE naming SET name = (SELECT group_concat(name, '9') FROM naming)",
    "UPDATE naming SET target = class",
    "UPDATE naming SET state = 'undone' WHERE kind = 'added'",
    "INSERT INTO naming SELECT id + 1000, round, 'merged', target, NULL, class, 'stands', said FROM naming "
    "WHERE kind = 'merged'",
    "CREATE TRIGGER t AFTER INSERT ON naming BEGIN UPDATE saying SET label = NEW.class; END",
    "DROP TABLE naming",
    "DELETE FROM naming",
    "DELETE FROM saying",
    "DELETE FROM epoch",
    "DELETE FROM round",
    "DELETE FROM meta",
)
"""Statements that make facts of another shape."""
VERSIONS = (0, -1, 1, 3, 4, 2**31 - 1, -(2**31))


def cell(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Set one value of one row of one table to something absurd."""
    with _facts(directory) as base:
        for _ in range(100):
            table = draw.choice(("saying", "saying", "naming", "naming", "round", "epoch", "figure", "reading", "meta"))
            columns = [name for _, name, *_ in base.execute(f"PRAGMA table_info({table})")]
            rows = [row for (row,) in base.execute(f"SELECT rowid FROM {table}")]
            if not rows:
                continue
            column, row = draw.choice(columns), draw.choice(rows)
            value = draw.choice(PATHS if column == "path" else NUMBERS + TEXTS + (None,))
            with contextlib.suppress(sqlite3.Error):
                base.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
                return f"{table}.{column} of row {row} = {value!r:.60}"
    raise AssertionError("no value fits")


def knob(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Turn one knob of the configuration to something absurd."""
    with _facts(directory) as base:
        ((text,),) = base.execute("SELECT value FROM meta WHERE key = 'config'").fetchall()
        config = json.loads(text)
        places = [(config, name) for name in config]
        places += [(part, name) for part in config.values() if isinstance(part, dict) for name in part]
        part, name = draw.choice(places)
        value: Any = draw.choice(ABSURD)
        part[name] = [value, value] if isinstance(part[name], list) and draw.random() < 0.7 else value
        base.execute("UPDATE meta SET value = ? WHERE key = 'config'", (json.dumps(config),))
        return f"knob {name} = {part[name]!r:.60}"


def meta(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Give one of the few words about the session an absurd value."""
    key = draw.choice(("config", "data", "shape", "created"))
    value = draw.choice(
        {
            "config": JSONS,
            "shape": (*JSONS, "[1e12, 28, 28]", "[-1, 0, 0]", "[130, 28]", '["a", 28, 28]', "[130, 28, 1000000000]"),
            "created": MOMENTS,
            "data": (
                "",
                "/",
                "/dev/zero",
                "/dev/stdin",
                EVIL,
                "\0",
                "x" * 100_000,
                "~",
                str(outside.victim(b"x")),
                "mnist",
            ),
        }[key]
    )
    with _facts(directory) as base:
        base.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    return f"meta {key} = {value!r:.60}"


def scheme(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Change the tables themselves."""
    statements = draw.choice(SCHEMES)
    with _facts(directory) as base:
        base.executescript(statements)
    return f"scheme {statements:.60}"


def version(directory: Path, draw: random.Random, outside: Outside) -> str:
    """Claim another format."""
    number = draw.choice(VERSIONS)
    with _facts(directory) as base:
        base.execute(f"PRAGMA user_version = {number}")
    return f"format {number}"


@contextmanager
def _facts(directory: Path) -> Iterator[sqlite3.Connection]:
    base = sqlite3.connect(file_names.database_path(directory), isolation_level=None)
    base.execute("PRAGMA ignore_check_constraints = ON")
    try:
        yield base
    finally:
        base.close()
