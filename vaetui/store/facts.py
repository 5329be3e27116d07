"""Configuration, rounds, answers and figures in one SQLite file; it computes nothing from them."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any

from vaetui.engine.answers import Answer, Path, read_path, written
from vaetui.engine.config import Config, from_json, to_json
from vaetui.engine.events import Clustered, EpochEnded, Losses, Stepped
from vaetui.store import files
from vaetui.store.sayings import Saying, columns, read
from vaetui.store.schema import TABLES, VERSION
from vaetui.trouble import Trouble


class Facts:
    """The facts of one session; every verb that changes them has them on the disk when it returns."""

    def __init__(self, path: FilePath) -> None:
        """Open the facts of a session.

        Raises Trouble for a file that is none or that a newer version made.
        """
        self._path = path
        self._guard = threading.RLock()  # the worker records while the screen reads
        try:
            self._base = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            version = self._base.execute("PRAGMA user_version").fetchone()[0]
            if version <= VERSION:
                # A rollback journal works on network homes, where a write-ahead log does not; EXTRA syncs the
                # directory too, so that no committed answer can be rolled back by a power cut.
                self._base.execute("PRAGMA journal_mode = DELETE")
                self._base.execute("PRAGMA synchronous = EXTRA")
        except sqlite3.Error as error:
            raise Trouble(f"{path} cannot be read as a session ({error}).") from error
        if version > VERSION:
            self._base.close()
            raise Trouble(
                f"The session {path.parent.name} was made by a newer vaetui (format {version}, this one reads "
                f"{VERSION}); upgrade vaetui to open it."
            )

    @classmethod
    def create(cls, path: FilePath, config: Config, data: str, shape: tuple[int, ...]) -> Facts:
        """Begin the facts of a new session whose images come from `data` and have the `shape` (N, H, W)."""
        path.touch(mode=0o600)
        facts = cls(path)
        with facts._writing() as base:
            for statement in TABLES.split(";\n"):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {VERSION}")
            facts._put(config=to_json(config), data=data, shape=json.dumps(shape), created=repr(time.time()))
        return facts

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    # What the session is.

    @property
    def config(self) -> Config:
        """The configuration."""
        return from_json(self._meta("config"))

    def keep_config(self, config: Config) -> None:
        """Replace the configuration."""
        with self._writing():
            self._put(config=to_json(config))

    @property
    def data(self) -> str:
        """Where the images come from."""
        return self._meta("data")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Count, height and width of the images that can be trained on, those held out included."""
        count, height, width = json.loads(self._meta("shape"))
        return count, height, width

    @property
    def created(self) -> float:
        """When the session began, in seconds since 1970."""
        return float(self._meta("created"))

    # Training.

    def record_figures(self, figures: Iterable[Stepped]) -> None:
        """Record reports of training; those recorded before at the same place are replaced."""
        rows = [(it.epoch, it.step, *it.losses, it.seconds) for it in figures]
        with self._writing() as base:
            base.executemany("INSERT OR REPLACE INTO figure VALUES (?, ?, ?, ?, ?, ?)", rows)

    def forget_figures(self, epoch: int, step: int) -> None:
        """Drop the reports from after that batch: their steps will be taken again."""
        with self._writing() as base:
            base.execute("DELETE FROM figure WHERE (epoch, step) > (?, ?)", (epoch, step))

    def figures(self) -> list[tuple[int, int, Losses, float]]:
        """List the reports of training in order: epoch, batch, losses, seconds."""
        rows = self._rows("SELECT * FROM figure ORDER BY epoch, step")
        return [(epoch, step, Losses(*losses), seconds) for epoch, step, *losses, seconds in rows]

    def record_epoch(self, ended: EpochEnded) -> None:
        """Record a finished epoch."""
        row = (
            ended.epoch,
            *ended.losses,
            ended.test_accuracy,
            ended.pixel_accuracy,
            ended.covered,
            ended.answers,
            ended.seconds,
        )
        with self._writing() as base:
            base.execute("INSERT OR REPLACE INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def epochs(self) -> list[EpochEnded]:
        """List the finished epochs in order."""
        rows = self._rows("SELECT * FROM epoch ORDER BY epoch")
        return [EpochEnded(epoch, Losses(a, b, c), *rest) for epoch, a, b, c, *rest in rows]

    # Rounds.

    def begin_round(self, clustered: Clustered) -> None:
        """Record that a round can be asked."""
        row = (clustered.round, clustered.clusters, json.dumps(clustered.inertias), time.time())
        with self._writing() as base:
            base.execute("INSERT INTO round VALUES (?, ?, ?, ?, NULL)", row)

    def end_round(self, number: int) -> None:
        """Record that training goes on with the answers of the round."""
        with self._writing() as base:
            base.execute("UPDATE round SET ended = ? WHERE round = ?", (time.time(), number))

    def rounds(self) -> list[tuple[int, float, float | None]]:
        """List the rounds in order: number, begun, ended, in seconds since 1970."""
        return self._rows("SELECT round, begun, ended FROM round ORDER BY round")

    # Answers.

    def next_saying(self) -> int:
        """Tell the number that the next saying will have."""
        return int(self._rows("SELECT coalesce(max(id), 0) + 1 FROM saying")[0][0])

    def say(self, round: int, path: Path, answer: Answer) -> Saying:
        """Record what a person said; what was undone before can no longer be redone."""
        kind, label, confidence, parts = columns(answer)
        with self._writing() as base:
            base.execute("UPDATE saying SET state = 'dropped' WHERE round = ? AND state = 'undone'", (round,))
            cursor = base.execute(
                "INSERT INTO saying (round, path, kind, label, confidence, parts, said) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (round, written(path), kind, label, confidence, parts, time.time()),
            )
        return Saying(int(cursor.lastrowid or 0), path, answer)

    def undo(self, saying: Saying) -> None:
        """Record that a saying was taken back."""
        self._mark(saying, "undone")

    def redo(self, saying: Saying) -> None:
        """Record that a saying stands again."""
        self._mark(saying, "stands")

    def sayings(self, round: int, state: str = "stands") -> list[Saying]:
        """List what was said in a round and now `stands` or is `undone`, oldest first."""
        rows = self._rows(
            "SELECT id, path, kind, label, confidence, parts FROM saying WHERE round = ? AND state = ? ORDER BY id",
            (round, state),
        )
        return [Saying(number, read_path(path), read(*values)) for number, path, *values in rows]

    def times(self, round: int) -> list[float]:
        """List when something was said in a round, in seconds since 1970, in order."""
        return [said for (said,) in self._rows("SELECT said FROM saying WHERE round = ? ORDER BY id", (round,))]

    def last_answered(self) -> int:
        """Give the last round in which something stands, 0 where there is none."""
        return int(self._rows("SELECT coalesce(max(round), 0) FROM saying WHERE state = 'stands'")[0][0])

    def answers(self) -> int:
        """Count what was said and stands, over all rounds: labels, unreadables and splits."""
        return int(self._rows("SELECT count(*) FROM saying WHERE state = 'stands'")[0][0])

    def _mark(self, saying: Saying, state: str) -> None:
        with self._writing() as base:
            base.execute("UPDATE saying SET state = ? WHERE id = ?", (state, saying.id))

    def _meta(self, key: str) -> str:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise Trouble(f"{self._path} is no whole session: it has no {key}; delete the session and begin anew.")
        return str(rows[0][0])

    def _put(self, **values: str) -> None:
        self._base.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._guard, self._explained():
            return self._base.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Hold one transaction: all of it is on the disk afterwards, or nothing."""
        with self._guard, self._explained():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise Trouble(files.full(self._path)) from error
            raise Trouble(f"{self._path} cannot be used ({error}).") from error
        except sqlite3.DatabaseError as error:
            raise Trouble(f"{self._path} is damaged ({error}).") from error
