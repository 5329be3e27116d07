"""Configuration, classes, rounds and figures in one SQLite file, with what was said; it computes nothing from them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import TypeVar

from vaetui.engine.classes import Classes
from vaetui.engine.config import Config
from vaetui.engine.config_text import from_json, to_json
from vaetui.engine.events import Clustered, EpochEnded, Losses, Stepped
from vaetui.engine.idx import fits
from vaetui.errors import Trouble
from vaetui.storage import database, file_names
from vaetui.storage.answer_log import Spoken, kept
from vaetui.storage.data_record import Material
from vaetui.storage.data_record import from_json as read_material
from vaetui.storage.data_record import to_json as material_to_json
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import Stamp
from vaetui.storage.journal import Change, Ledger
from vaetui.storage.row_checks import moment

MOST = 100_000_000
"""Images of a session, at most: more would not fit the memory of any machine."""
LAST = 10**9
"""A round that no other comes after."""
T = TypeVar("T")


class Facts(Spoken):
    """The facts of one session; every verb that changes them has them on the disk when it returns."""

    def __init__(self, directory: FilePath, writes: bool = False) -> None:
        """Open the facts of a session, to be read or by who alone may write.

        Raises Trouble for a file that is none, that a newer version made, or that holds what no session would.
        """
        super().__init__(
            Database(file_names.facts(directory), Ledger(file_names.ledger(directory)) if writes else None)
        )

    @classmethod
    def create(
        cls, directory: FilePath, config: Config, data: str, shape: tuple[int, ...], material: Material | None = None
    ) -> Facts:
        """Begin the facts of a new session whose images come from `data` and have the `shape` (N, H, W[, 3])."""
        database.begin(file_names.facts(directory))
        facts = cls(directory, writes=True)
        facts._put(config=to_json(config), data=data, shape=json.dumps(shape), created=repr(time.time()))
        if material is not None:
            facts._put(material=material_to_json(material))
        return facts

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    # What the session is.

    @property
    def config(self) -> Config:
        """The configuration, for as many classes as there are now."""
        return _of(self._read("config", from_json), len(self.classes()))

    def keep_config(self, config: Config) -> None:
        """Replace the configuration, but for the number of classes, which follows from what was done to them."""
        self._put(config=to_json(_of(config, len(self._first))))

    def classes(self, last: int = LAST) -> Classes:
        """Give the classes after what was done to them, or as they were at the end of a round; 0 is before the first.

        Raises Trouble for what nobody can have done.
        """
        known = self._first
        with self._believed("list of classes"):
            for named in self.namings(last):
                known = known.after(named.naming)
        return known

    @cached_property
    def _first(self) -> Classes:
        """The classes that the session began with: as many as the configuration in the file says, which stays so."""
        count, names = self._read("config", from_json).network.classes, self.material.names
        with self._believed("list of classes"):
            if len(names) not in (0, count):
                raise Trouble(f"{len(names)} names for {count} classes")
            return Classes.named(self.material.called(count))

    @property
    def data(self) -> str:
        """Where the images come from."""
        return self._meta("data")

    @property
    def material(self) -> Material:
        """What was told of them; older sessions were told nothing."""
        told = self._base.rows("SELECT 1 FROM meta WHERE key = 'material'")
        return self._read("material", read_material) if told else Material()

    @property
    def shape(self) -> tuple[int, ...]:
        """Count, height and width, in colour also 3, of the images that can be trained on, those held out included."""
        shape = self._read("shape", json.loads)
        whole = isinstance(shape, list) and all(type(side) is int for side in shape)
        if not (whole and fits(tuple(shape)) and shape[0] <= MOST):
            raise Trouble(f"{self._base.path} is damaged: its shape of images is none; put a copy back from a backup.")
        return tuple(shape)

    @property
    def created(self) -> float:
        """When the session began, in seconds since 1970."""
        return self._read("created", moment)

    # Training.

    def record_training(self, reports: Iterable[Stepped], checkpoint: Stamp, old: Iterable[str] = ()) -> None:
        """Record reports of training with the checkpoint that they lead to, which takes the place of old ones."""
        figures = [("figure", (it.epoch, it.step, *it.losses, it.seconds)) for it in reports]
        self._base.change(*figures, ("file", checkpoint), *_gone(old))

    def forget_figures(self, epoch: int, step: int, old: Iterable[str] = ()) -> None:
        """Drop the reports from after that batch, and old checkpoints: their steps will be taken again."""
        gone = list(_gone(old))
        if gone or self._base.rows("SELECT 1 FROM figure WHERE (epoch, step) > (?, ?) LIMIT 1", (epoch, step)):
            self._base.change(("figures forgotten", (epoch, step)), *gone)

    def figures(self) -> list[tuple[int, int, Losses, float]]:
        """List the reports of training in order: epoch, batch, losses, seconds."""
        rows = self._base.rows("SELECT * FROM figure ORDER BY epoch, step")
        return [(epoch, step, Losses(*losses), seconds) for epoch, step, *losses, seconds in rows]

    def record_epoch(self, ended: EpochEnded, *stamps: Stamp) -> None:
        """Record a finished epoch, with the files that belong to it."""
        row = (
            ended.epoch,
            *ended.losses,
            ended.test_accuracy,
            ended.pixel_accuracy,
            ended.covered,
            ended.answers,
            ended.seconds,
            ended.reading_accuracy,
            ended.changed,
            ended.expected,
        )
        self._base.change(("epoch", row), *kept(stamps))

    def epochs(self) -> list[EpochEnded]:
        """List the finished epochs in order."""
        rows = self._base.rows("SELECT * FROM epoch ORDER BY epoch")
        return [EpochEnded(epoch, Losses(a, b, c), *rest) for epoch, a, b, c, *rest in rows]

    def record_reading(self, epoch: int, place: int, seen: Sequence[int | None], accuracy: float | None) -> None:
        """Record what was read from that place on in the reconstructions of an epoch, and what all of it came to."""
        rows = [("reading", (epoch, at, kind)) for at, kind in enumerate(seen, start=place)]
        self._base.change(("reading forgotten", (epoch, place)), *rows, ("reading judged", (accuracy, epoch)))

    def reading(self, epoch: int) -> tuple[int | None, ...]:
        """List what was read in the reconstructions of an epoch, in order; None for an unreadable one."""
        rows = self._base.rows("SELECT class FROM reading WHERE epoch = ? ORDER BY place", (epoch,))
        return tuple(kind for (kind,) in rows)

    # Rounds.

    def begin_round(self, clustered: Clustered, *stamps: Stamp) -> None:
        """Record that a round can be asked, with the files that belong to it."""
        row = (clustered.round, clustered.clusters, json.dumps(clustered.inertias), time.time(), None)
        self._base.change(("round", row), *kept(stamps))

    def end_round(self, number: int) -> None:
        """Record that training goes on with the answers of the round."""
        self._base.change(("round ended", (time.time(), number)))

    def rounds(self) -> list[tuple[int, float, float | None]]:
        """List the rounds in order: number, begun, ended, in seconds since 1970."""
        return self._base.rows("SELECT round, begun, ended FROM round ORDER BY round")

    # Files.

    def keep(self, *stamps: Stamp) -> None:
        """Record files that belong to the session."""
        self._base.change(*kept(stamps))

    def forget(self, names: Iterable[str]) -> None:
        """Record that files are no part of the session any more."""
        self._base.change(*_gone(names))

    def stamps(self) -> list[Stamp]:
        """List the other files of the session, as they were written."""
        return [Stamp(*row) for row in self._base.rows("SELECT * FROM file ORDER BY name")]

    def stamp(self, name: str) -> Stamp | None:
        """Give the stamp of a file; None for one that is no part of the session."""
        rows = self._base.rows("SELECT * FROM file WHERE name = ?", (name,))
        return Stamp(*rows[0]) if rows else None

    def checkpoints(self) -> list[tuple[int, int]]:
        """List the checkpoints, newest first: epoch and batch."""
        found = (file_names.CHECKPOINT.fullmatch(stamp.name) for stamp in self.stamps())
        return sorted(((int(name[1]), int(name[2])) for name in found if name), reverse=True)

    def _meta(self, key: str) -> str:
        rows = self._base.rows("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise Trouble(f"{self._base.path} is no whole session: it has no {key}; put a copy back from a backup.")
        return str(rows[0][0])

    def _read(self, key: str, read: Callable[[str], T]) -> T:
        """Read a value, which somebody else may have written."""
        text = self._meta(key)
        with self._believed(key):
            return read(text)

    @contextmanager
    def _believed(self, what: str) -> Iterator[None]:
        """Tell that it is none where something is refused in here."""
        try:
            yield
        except (Trouble, ValueError, TypeError, RecursionError) as error:
            raise Trouble(
                f"{self._base.path} is damaged: its {what} is none ({error}); put a copy back from a backup."
            ) from error

    def _put(self, **values: str) -> None:
        self._base.change(*(("meta", item) for item in values.items()))


def _gone(names: Iterable[str]) -> Iterator[Change]:
    return (("file gone", (name,)) for name in names)


def _of(config: Config, classes: int) -> Config:
    """Give a configuration for another number of classes."""
    return replace(config, network=replace(config.network, classes=classes))
