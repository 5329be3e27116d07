"""Configuration, rounds, answers and figures in one SQLite file; it computes nothing from them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path as FilePath

from vaetui.engine.answers import Answer, Path, read_path, written
from vaetui.engine.config import Config, from_json, to_json
from vaetui.engine.events import Clustered, EpochEnded, Losses, Stepped
from vaetui.store.database import Database
from vaetui.store.sayings import Saying, columns, read
from vaetui.trouble import Trouble


class Facts:
    """The facts of one session; every verb that changes them has them on the disk when it returns."""

    def __init__(self, path: FilePath) -> None:
        """Open the facts of a session.

        Raises Trouble for a file that is none or that a newer version made.
        """
        self._base = Database(path)

    @classmethod
    def create(cls, path: FilePath, config: Config, data: str, shape: tuple[int, ...]) -> Facts:
        """Begin the facts of a new session whose images come from `data` and have the `shape` (N, H, W)."""
        path.touch(mode=0o600)
        facts = cls(path)
        facts._base.make()
        facts._put(config=to_json(config), data=data, shape=json.dumps(shape), created=repr(time.time()))
        return facts

    def upgrade(self) -> None:
        """Bring facts of an older format up to date, which who merely looks must not do."""
        self._base.upgrade()

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
        with self._base.writing() as base:
            base.executemany("INSERT OR REPLACE INTO figure VALUES (?, ?, ?, ?, ?, ?)", rows)

    def forget_figures(self, epoch: int, step: int) -> None:
        """Drop the reports from after that batch: their steps will be taken again."""
        with self._base.writing() as base:
            base.execute("DELETE FROM figure WHERE (epoch, step) > (?, ?)", (epoch, step))

    def figures(self) -> list[tuple[int, int, Losses, float]]:
        """List the reports of training in order: epoch, batch, losses, seconds."""
        rows = self._base.rows("SELECT * FROM figure ORDER BY epoch, step")
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
            ended.reading_accuracy,
        )
        with self._base.writing() as base:
            base.execute("INSERT OR REPLACE INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def epochs(self) -> list[EpochEnded]:
        """List the finished epochs in order."""
        rows = self._base.rows("SELECT * FROM epoch ORDER BY epoch")
        return [EpochEnded(epoch, Losses(a, b, c), *rest) for epoch, a, b, c, *rest in rows]

    def record_reading(self, epoch: int, place: int, seen: Sequence[int | None], accuracy: float | None) -> None:
        """Record what was read from that place on in the reconstructions of an epoch, and what all of it came to."""
        rows = [(epoch, at, kind) for at, kind in enumerate(seen, start=place)]
        with self._base.writing() as base:
            base.execute("DELETE FROM reading WHERE epoch = ? AND place >= ?", (epoch, place))
            base.executemany("INSERT INTO reading VALUES (?, ?, ?)", rows)
            base.execute("UPDATE epoch SET reading_accuracy = ? WHERE epoch = ?", (accuracy, epoch))

    def reading(self, epoch: int) -> tuple[int | None, ...]:
        """List what was read in the reconstructions of an epoch, in order; None for an unreadable one."""
        rows = self._base.rows("SELECT class FROM reading WHERE epoch = ? ORDER BY place", (epoch,))
        return tuple(kind for (kind,) in rows)

    # Rounds.

    def begin_round(self, clustered: Clustered) -> None:
        """Record that a round can be asked."""
        row = (clustered.round, clustered.clusters, json.dumps(clustered.inertias), time.time())
        with self._base.writing() as base:
            base.execute("INSERT INTO round VALUES (?, ?, ?, ?, NULL)", row)

    def end_round(self, number: int) -> None:
        """Record that training goes on with the answers of the round."""
        with self._base.writing() as base:
            base.execute("UPDATE round SET ended = ? WHERE round = ?", (time.time(), number))

    def rounds(self) -> list[tuple[int, float, float | None]]:
        """List the rounds in order: number, begun, ended, in seconds since 1970."""
        return self._base.rows("SELECT round, begun, ended FROM round ORDER BY round")

    # Answers.

    def next_saying(self) -> int:
        """Tell the number that the next saying will have."""
        return int(self._base.rows("SELECT coalesce(max(id), 0) + 1 FROM saying")[0][0])

    def say(self, round: int, path: Path, answer: Answer) -> Saying:
        """Record what a person said; what was undone before can no longer be redone."""
        kind, label, confidence, parts = columns(answer)
        with self._base.writing() as base:
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
        rows = self._base.rows(
            "SELECT id, path, kind, label, confidence, parts FROM saying WHERE round = ? AND state = ? ORDER BY id",
            (round, state),
        )
        return [Saying(number, read_path(path), read(*values)) for number, path, *values in rows]

    def times(self, round: int) -> list[float]:
        """List when something was said in a round, in seconds since 1970, in order."""
        return [said for (said,) in self._base.rows("SELECT said FROM saying WHERE round = ? ORDER BY id", (round,))]

    def last_answered(self) -> int:
        """Give the last round in which something stands, 0 where there is none."""
        return int(self._base.rows("SELECT coalesce(max(round), 0) FROM saying WHERE state = 'stands'")[0][0])

    def answers(self) -> int:
        """Count what was said and stands, over all rounds: labels, unreadables and splits."""
        return int(self._base.rows("SELECT count(*) FROM saying WHERE state = 'stands'")[0][0])

    def _mark(self, saying: Saying, state: str) -> None:
        with self._base.writing() as base:
            base.execute("UPDATE saying SET state = ? WHERE id = ?", (state, saying.id))

    def _meta(self, key: str) -> str:
        rows = self._base.rows("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise Trouble(f"{self._base.path} is no whole session: it has no {key}; delete the session and begin anew.")
        return str(rows[0][0])

    def _put(self, **values: str) -> None:
        with self._base.writing() as base:
            base.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))
