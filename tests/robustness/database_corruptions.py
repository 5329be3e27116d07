"""Corruptions of the content of a session database in an otherwise valid SQLite file."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.robustness.file_corruptions import HOSTILE_TEXT
from tests.robustness.sandbox import Sandbox
from vaetui.storage import file_names

NUMBERS = (0, -1, 1, 2, 99, 10**9, 2**31, 2**53, 2**63 - 1, -(2**63), 0.5, 1e308, -1e308, float("inf"))
TEXTS = (
    *("", "x", HOSTILE_TEXT, "nan", "0", "-1", "1e999", "x" * 1_000_000, "9" * 5000),
    *("é\ud800".encode(errors="ignore"), b"\0"),
)
PATHS = ("", ".", "-1", "0.0.0.0", "9" * 30, "0." * 5000 + "0", "7", "1.7", "0x1", "1..2", " 1", "٣", "1_0")
OPTION_VALUES: tuple[Any, ...] = (
    *(10**9, 10**18, 10**30, 0, -1, 0.5, float("nan"), float("inf")),
    *("ten", HOSTILE_TEXT, None, [], [1] * 100, {}, True),
)
"""Values of a configuration option; JSON as Python parses it includes NaN and numbers of any size."""
JSON_TEXTS = (
    *("", "null", "[]", "7", "{", '{"network": 7}', "[" * 100_000, "9" * 10_000, '{"network": {}, "seed": {}}'),
    HOSTILE_TEXT,
)
TIMESTAMPS = ("nan", "inf", "-inf", "1e300", "-1e20", "x", HOSTILE_TEXT, "", "9" * 5000, "4e9", "0")
STATEMENTS = (
    "CREATE TRIGGER t AFTER INSERT ON answer BEGIN DELETE FROM answer WHERE id < NEW.id; END",
    "CREATE TRIGGER t AFTER INSERT ON answer BEGIN UPDATE answer SET class_id = 0 WHERE id = NEW.id; END",
    "CREATE TRIGGER t AFTER UPDATE ON answer BEGIN INSERT INTO answer (step_id, round_number, made_in_round, "
    "cluster_path, kind, class_id, confidence, created_at) VALUES (1, NEW.round_number, NEW.round_number, '0', "
    "'class', 9, 1.0, 0.0); END",
    "CREATE TRIGGER t BEFORE INSERT ON training_loss BEGIN INSERT INTO training_loss SELECT epoch + 100, step, 0, 0, "
    "0, 0, 0, 0 FROM training_loss; END",
    "DROP TABLE answer; CREATE VIEW answer AS SELECT 1 id, 1 step_id, 1 round_number, 1 made_in_round, "
    "'0' cluster_path, 'class' kind, 3 class_id, 1.0 confidence, NULL part_count, 'active' state, 0.0 created_at",
    "DROP TABLE epoch; CREATE VIEW epoch AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i epoch, 1 a, 1 b, 1 c, 1 d, 1 e, 1 f, 1 g, 1 h, 1 i FROM n",
    "DROP TABLE meta; CREATE TABLE meta (key TEXT, value TEXT, more TEXT)",
    "ALTER TABLE answer RENAME COLUMN class_id TO class",
    "ALTER TABLE answer ADD COLUMN more TEXT DEFAULT 'x'",
    "DROP INDEX answer_by_round; CREATE UNIQUE INDEX answer_by_round ON answer (id, kind)",
    "DROP TABLE labelling_round",
    "CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) "
    "SELECT i, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n",
    "UPDATE answer SET cluster_path = (SELECT group_concat(cluster_path, '.') FROM answer)",
    "INSERT INTO labelling_round VALUES (999, 4, '[]', 0.0, NULL)",
    "INSERT INTO answer SELECT id + 1000, step_id, round_number, made_in_round, cluster_path, kind, class_id, "
    "confidence, part_count, image_index, state, created_at FROM answer",
    "UPDATE answer SET step_id = 1",
    "UPDATE answer SET step_id = id + 1",
    "UPDATE answer SET made_in_round = made_in_round + 1",
    "UPDATE answer SET kind = 'cleared'",
    "UPDATE answer SET kind = 'nearest'",
    "UPDATE answer SET kind = 'nearest', confidence = NULL, image_index = 1000000",
    "UPDATE answer SET image_index = 3",
    "UPDATE image_answer SET image_index = image_index + 1000000",
    "UPDATE image_answer SET class_id = 255 WHERE class_id IS NOT NULL",
    "UPDATE image_answer SET shown_class_id = -1",
    "UPDATE image_answer SET kind = 'class'",
    "INSERT INTO image_answer SELECT id + 1000, step_id, made_in_round, image_index, 'class', 0, NULL, 'audit', "
    "'active', created_at FROM image_answer",
    "UPDATE class_border SET image_count = 100000000",
    "UPDATE class_border SET class_id = class_id + 200",
    "INSERT INTO class_border SELECT id + 1, step_id, made_in_round, class_id, image_count, 'active', created_at "
    "FROM class_border",
    "DELETE FROM image_answer",
    "DROP TABLE class_border",
    "UPDATE class_edit SET class_name = (SELECT group_concat(class_name, '9') FROM class_edit)",
    "UPDATE class_edit SET target_class_id = class_id",
    "UPDATE class_edit SET state = 'undone' WHERE kind = 'add'",
    "INSERT INTO class_edit SELECT id + 1000, step_id, round_number, 'merge', target_class_id, NULL, class_id, "
    "'active', created_at FROM class_edit WHERE kind = 'merge'",
    "CREATE TRIGGER t AFTER INSERT ON class_edit BEGIN UPDATE answer SET class_id = NEW.class_id; END",
    "DROP TABLE class_edit",
    "DELETE FROM class_edit",
    "DELETE FROM answer",
    "DELETE FROM epoch",
    "DELETE FROM labelling_round",
    "DELETE FROM artifact",
    "DELETE FROM meta",
)
"""Statements that change the schema or many rows."""
FORMAT_VERSIONS = (0, -1, 1, 2, 5, 2**31 - 1, -(2**31))
TABLES = (
    *("answer", "answer", "class_edit", "class_edit", "labelling_round", "epoch", "training_loss"),
    *("reading_answer", "meta", "artifact", "image_answer", "image_answer", "class_border"),
)
"""Tables whose values are changed, important ones more often."""


def cell(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Set one value of one row to an invalid one."""
    with _open_database(directory) as connection:
        for _ in range(100):
            table = draw.choice(TABLES)
            columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
            rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}")]
            if not rows:
                continue
            column, row = draw.choice(columns), draw.choice(rows)
            value = draw.choice(PATHS if column == "cluster_path" else NUMBERS + TEXTS + (None,))
            with contextlib.suppress(sqlite3.Error):
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
                return f"{table}.{column} of row {row} = {value!r:.60}"
    raise AssertionError("no value fits")


def config_option(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Set one option of the configuration to an invalid value."""
    with _open_database(directory) as connection:
        ((text,),) = connection.execute("SELECT value FROM meta WHERE key = 'config'").fetchall()
        config = json.loads(text)
        options = [(config, name) for name in config]
        options += [(section, name) for section in config.values() if isinstance(section, dict) for name in section]
        section, name = draw.choice(options)
        value: Any = draw.choice(OPTION_VALUES)
        section[name] = [value, value] if isinstance(section[name], list) and draw.random() < 0.7 else value
        connection.execute("UPDATE meta SET value = ? WHERE key = 'config'", (json.dumps(config),))
        return f"option {name} = {section[name]!r:.60}"


def meta_value(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Set one value of table meta to an invalid one."""
    key = draw.choice(("config", "data_source", "shape", "created_at", "data_record"))
    shapes = ("[1e12, 28, 28]", "[-1, 0, 0]", "[130, 28]", '["a", 28, 28]', "[130, 28, 1000000000]")
    sources = ("", "/", "/dev/zero", "/dev/stdin", HOSTILE_TEXT, "\0", "x" * 100_000, "~", "mnist")
    value = draw.choice(
        {
            "config": JSON_TEXTS,
            "shape": (*JSON_TEXTS, *shapes),
            "created_at": TIMESTAMPS,
            "data_source": (*JSON_TEXTS, *map(json.dumps, (*sources, str(sandbox.add_file(b"x"))))),
            "data_record": (*JSON_TEXTS, '{"uses_true_labels": true, "class_names": [], "origin": {}}'),
        }[key]
    )
    with _open_database(directory) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    return f"meta {key} = {value!r:.60}"


def schema(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Change the tables themselves."""
    statements = draw.choice(STATEMENTS)
    with _open_database(directory) as connection:
        connection.executescript(statements)
    return f"schema {statements:.60}"


def format_version(directory: Path, draw: random.Random, sandbox: Sandbox) -> str:
    """Set another format version."""
    number = draw.choice(FORMAT_VERSIONS)
    with _open_database(directory) as connection:
        connection.execute(f"PRAGMA user_version = {number}")
    return f"format {number}"


@contextmanager
def _open_database(directory: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file_names.database_path(directory), isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    try:
        yield connection
    finally:
        connection.close()
