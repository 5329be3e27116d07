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

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config
from vaetui.engine.config_text import from_json, to_json
from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded, Losses
from vaetui.engine.idx import is_supported
from vaetui.errors import UserError
from vaetui.storage import database, file_names
from vaetui.storage.answer_log import AnswerLog, file_added_changes
from vaetui.storage.data_record import DataRecord
from vaetui.storage.data_record import from_json as read_material
from vaetui.storage.data_record import to_json as material_to_json
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.journal import Change, Journal
from vaetui.storage.row_checks import parse_timestamp

MAX_IMAGES = 100_000_000
"""Images of a session, at most: more would not fit the memory of any machine."""
MAX_ROUND_NUMBER = 10**9
"""A round that no other comes after."""
T = TypeVar("T")


class SessionRepository(AnswerLog):
    """The facts of one session; every verb that changes them has them on the disk when it returns."""

    def __init__(self, directory: FilePath, is_writable: bool = False) -> None:
        """Open the facts of a session, to be read or by who alone may write.

        Raises Trouble for a file that is none, that a newer version made, or that holds what no session would.
        """
        super().__init__(
            Database(
                file_names.database_path(directory),
                Journal(file_names.journal_path(directory)) if is_writable else None,
            )
        )

    @classmethod
    def create(
        cls,
        directory: FilePath,
        config: Config,
        data_source: str,
        shape: tuple[int, ...],
        data_record: DataRecord | None = None,
    ) -> SessionRepository:
        """Begin the facts of a new session whose images come from `data` and have the `shape` (N, H, W[, 3])."""
        database.create_database(file_names.database_path(directory))
        facts = cls(directory, is_writable=True)
        facts._write_meta(config=to_json(config), data=data_source, shape=json.dumps(shape), created=repr(time.time()))
        if data_record is not None:
            facts._write_meta(material=material_to_json(data_record))
        return facts

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # What the session is.

    @property
    def config(self) -> Config:
        """The configuration, for as many classes as there are now."""
        return _with_class_count(self._parse_meta("config", from_json), len(self.load_class_list()))

    def save_config(self, config: Config) -> None:
        """Replace the configuration, but for the number of classes, which follows from what was done to them."""
        self._write_meta(config=to_json(_with_class_count(config, len(self._initial_class_list))))

    def load_class_list(self, last_round: int = MAX_ROUND_NUMBER) -> ClassList:
        """Give the classes after what was done to them, or as they were at the end of a round; 0 is before the first.

        Raises Trouble for what nobody can have done.
        """
        known = self._initial_class_list
        with self._translate_parse_errors("list of classes"):
            for named in self.list_class_edits(last_round):
                known = known.apply(named.class_edit)
        return known

    @cached_property
    def _initial_class_list(self) -> ClassList:
        """The classes that the session began with: as many as the configuration in the file says, which stays so."""
        count, names = self._parse_meta("config", from_json).network.classes, self.data_record.class_names
        with self._translate_parse_errors("list of classes"):
            if len(names) not in (0, count):
                raise UserError(f"{len(names)} names for {count} classes")
            return ClassList.from_names(self.data_record.resolve_class_names(count))

    @property
    def data_source(self) -> str:
        """Where the images come from."""
        return self._read_meta("data")

    @property
    def data_record(self) -> DataRecord:
        """What was told of them; older sessions were told nothing."""
        told = self._database.fetch_all("SELECT 1 FROM meta WHERE key = 'material'")
        return self._parse_meta("material", read_material) if told else DataRecord()

    @property
    def shape(self) -> tuple[int, ...]:
        """Count, height and width, in colour also 3, of the images that can be trained on, those held out included."""
        shape = self._parse_meta("shape", json.loads)
        whole = isinstance(shape, list) and all(type(side) is int for side in shape)
        if not (whole and is_supported(tuple(shape)) and shape[0] <= MAX_IMAGES):
            raise UserError(
                f"{self._database.path} is damaged: its shape of images is none; put a copy back from a backup."
            )
        return tuple(shape)

    @property
    def created_at(self) -> float:
        """When the session began, in seconds since 1970."""
        return self._parse_meta("created", parse_timestamp)

    # Training.

    def record_training(
        self, batch_events: Iterable[BatchesTrained], checkpoint: FileFingerprint, obsolete_names: Iterable[str] = ()
    ) -> None:
        """Record reports of training with the checkpoint that they lead to, which takes the place of old ones."""
        figures = [("figure", (it.epoch, it.step, *it.losses, it.seconds)) for it in batch_events]
        self._database.apply_changes(*figures, ("file", checkpoint), *file_removed_changes(obsolete_names))

    def delete_losses_after(self, epoch: int, step: int, obsolete_names: Iterable[str] = ()) -> None:
        """Drop the reports from after that batch, and old checkpoints: their steps will be taken again."""
        gone = list(file_removed_changes(obsolete_names))
        if gone or self._database.fetch_all("SELECT 1 FROM figure WHERE (epoch, step) > (?, ?) LIMIT 1", (epoch, step)):
            self._database.apply_changes(("figures forgotten", (epoch, step)), *gone)

    def list_losses(self) -> list[tuple[int, int, Losses, float]]:
        """List the reports of training in order: epoch, batch, losses, seconds."""
        rows = self._database.fetch_all("SELECT * FROM figure ORDER BY epoch, step")
        return [(epoch, step, Losses(*losses), seconds) for epoch, step, *losses, seconds in rows]

    def record_epoch(self, event: EpochEnded, *fingerprints: FileFingerprint) -> None:
        """Record a finished epoch, with the files that belong to it."""
        row = (
            event.epoch,
            *event.losses,
            event.test_accuracy,
            event.pixel_accuracy,
            event.label_coverage,
            event.answer_count,
            event.seconds,
            event.reading_accuracy,
            event.prediction_churn,
            event.mean_confidence,
        )
        self._database.apply_changes(("epoch", row), *file_added_changes(fingerprints))

    def list_epochs(self) -> list[EpochEnded]:
        """List the finished epochs in order."""
        rows = self._database.fetch_all("SELECT * FROM epoch ORDER BY epoch")
        return [EpochEnded(epoch, Losses(a, b, c), *rest) for epoch, a, b, c, *rest in rows]

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None], accuracy: float | None) -> None:
        """Record what was read from that place on in the reconstructions of an epoch, and what all of it came to."""
        rows = [("reading", (epoch, at, kind)) for at, kind in enumerate(class_ids, start=start)]
        self._database.apply_changes(
            ("reading forgotten", (epoch, start)), *rows, ("reading judged", (accuracy, epoch))
        )

    def load_reading(self, epoch: int) -> tuple[int | None, ...]:
        """List what was read in the reconstructions of an epoch, in order; None for an unreadable one."""
        rows = self._database.fetch_all("SELECT class FROM reading WHERE epoch = ? ORDER BY place", (epoch,))
        return tuple(kind for (kind,) in rows)

    # Rounds.

    def record_round_start(self, event: Clustered, *fingerprints: FileFingerprint) -> None:
        """Record that a round can be asked, with the files that belong to it."""
        row = (event.round_number, event.clusters, json.dumps(event.inertias), time.time(), None)
        self._database.apply_changes(("round", row), *file_added_changes(fingerprints))

    def record_round_end(self, round_number: int) -> None:
        """Record that training goes on with the answers of the round."""
        self._database.apply_changes(("round ended", (time.time(), round_number)))

    def list_rounds(self) -> list[tuple[int, float, float | None]]:
        """List the rounds in order: number, begun, ended, in seconds since 1970."""
        return self._database.fetch_all("SELECT round, begun, ended FROM round ORDER BY round")

    # Files.

    def record_files(self, *fingerprints: FileFingerprint) -> None:
        """Record files that belong to the session."""
        self._database.apply_changes(*file_added_changes(fingerprints))

    def remove_file_records(self, names: Iterable[str]) -> None:
        """Record that files are no part of the session any more."""
        self._database.apply_changes(*file_removed_changes(names))

    def list_fingerprints(self) -> list[FileFingerprint]:
        """List the other files of the session, as they were written."""
        return [FileFingerprint(*row) for row in self._database.fetch_all("SELECT * FROM file ORDER BY name")]

    def find_fingerprint(self, name: str) -> FileFingerprint | None:
        """Give the stamp of a file; None for one that is no part of the session."""
        rows = self._database.fetch_all("SELECT * FROM file WHERE name = ?", (name,))
        return FileFingerprint(*rows[0]) if rows else None

    def list_checkpoints(self) -> list[tuple[int, int]]:
        """List the checkpoints, newest first: epoch and batch."""
        found = (file_names.CHECKPOINT_PATTERN.fullmatch(stamp.name) for stamp in self.list_fingerprints())
        return sorted(((int(name[1]), int(name[2])) for name in found if name), reverse=True)

    def _read_meta(self, key: str) -> str:
        rows = self._database.fetch_all("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise UserError(
                f"{self._database.path} is no whole session: it has no {key}; put a copy back from a backup."
            )
        return str(rows[0][0])

    def _parse_meta(self, key: str, parser: Callable[[str], T]) -> T:
        """Read a value, which somebody else may have written."""
        text = self._read_meta(key)
        with self._translate_parse_errors(key):
            return parser(text)

    @contextmanager
    def _translate_parse_errors(self, value_name: str) -> Iterator[None]:
        """Tell that it is none where something is refused in here."""
        try:
            yield
        except (UserError, ValueError, TypeError, RecursionError) as error:
            raise UserError(
                f"{self._database.path} is damaged: its {value_name} is none ({error}); put a copy back from a backup."
            ) from error

    def _write_meta(self, **values: str) -> None:
        self._database.apply_changes(*(("meta", item) for item in values.items()))


def file_removed_changes(names: Iterable[str]) -> Iterator[Change]:
    return (("file gone", (name,)) for name in names)


def _with_class_count(config: Config, class_count: int) -> Config:
    """Give a configuration for another number of classes."""
    return replace(config, network=replace(config.network, classes=class_count))
