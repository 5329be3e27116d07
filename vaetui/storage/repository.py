"""Configuration, class list, rounds and metrics of a session, on top of its answers, in one SQLite database."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config
from vaetui.engine.config_text import from_json, to_json
from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded, Losses
from vaetui.engine.idx import is_supported_shape
from vaetui.errors import UserError
from vaetui.storage import data_record as data_records
from vaetui.storage import database, file_names, recovery
from vaetui.storage.answer_log import AnswerLog, build_add_file_changes
from vaetui.storage.audit_log import AuditLog
from vaetui.storage.data_record import DataRecord
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.journal import Change, Journal
from vaetui.storage.row_checks import parse_timestamp

MAX_IMAGES = 100_000_000
"""Upper bound for the images of a session: more would not fit into the memory of any machine."""
T = TypeVar("T")


class SessionRepository(AnswerLog):
    """The database of one session; every change is on the disk when its method returns."""

    def __init__(self, directory: Path, is_writable: bool = False) -> None:
        """Open the database of a session; only the process that holds the lock may open it as writable.

        Raises UserError if the file is not a session database, has another format, or contains what vaetui never
        writes, and for a read-only one if it contradicts its journal.
        """
        journal = Journal(file_names.journal_path(directory)) if is_writable else None
        super().__init__(Database(file_names.database_path(directory), journal))
        self.audit_log = AuditLog(self._database)
        """The audits of the labels."""
        if not is_writable:
            try:
                recovery.require_matching_journal(directory)
            except BaseException:
                self.close()
                raise

    @classmethod
    def create(
        cls,
        directory: Path,
        config: Config,
        data_source: str,
        shape: tuple[int, ...],
        data_record: DataRecord | None = None,
    ) -> SessionRepository:
        """Create the database of a new session for images of the given shape (N, H, W) or (N, H, W, 3)."""
        database.create_database(file_names.database_path(directory))
        repository = cls(directory, is_writable=True)
        repository._write_meta(
            session_id=uuid.uuid4().hex,
            config=to_json(config),
            data_source=json.dumps(data_source),  # escapes bytes of a path that are not UTF-8
            shape=json.dumps(shape),
            created_at=repr(time.time()),
            data_record=data_records.to_json(data_record or DataRecord()),
        )
        return repository

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # The session.

    def require_valid_description(self) -> None:
        """Raise UserError if a property of the session itself is missing or invalid."""
        config, record = self.config, self.data_record
        _ = (self.load_class_list(), self.data_source, self.shape, self.created_at)
        if (config.network.inputs == "vectors") != (record.features is not None):
            raise UserError(
                f"{self._database.path} is damaged: its configuration and its data options differ in whether the "
                "networks are trained on vectors. Restore it from a backup."
            )

    @property
    def config(self) -> Config:
        """The configuration, for the current number of classes."""
        return _with_class_count(self._parse_meta("config", from_json), len(self.load_class_list()))

    def save_config(self, config: Config) -> None:
        """Replace the configuration, except the number of classes, which follows from the class edits."""
        self._write_meta(config=to_json(_with_class_count(config, len(self._initial_class_list))))

    def load_class_list(self, last_round: int | None = None) -> ClassList:
        """Return the current classes, or those at the end of a round; raises UserError if class edits are damaged."""
        class_list = self._initial_class_list
        with self._translate_parse_errors("class list"):
            for record in self.list_class_edits(last_round):
                class_list = class_list.with_edit(record.class_edit)
        return class_list

    @cached_property
    def _initial_class_list(self) -> ClassList:
        """The classes at the creation of the session; the stored configuration keeps their number."""
        count, names = self._parse_meta("config", from_json).network.classes, self.data_record.class_names
        with self._translate_parse_errors("class list"):
            if len(names) not in (0, count):
                raise UserError(f"{len(names)} names for {count} classes")
            return ClassList.from_names(self.data_record.resolve_class_names(count))

    @property
    def data_source(self) -> str:
        """The name of an installed data set, or the path of a directory of IDX files."""
        return self._parse_meta("data_source", _parse_json_text)

    @property
    def data_record(self) -> DataRecord:
        """The data options of the session."""
        return self._parse_meta("data_record", data_records.from_json)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, H, W) or (N, H, W, 3) of the training and validation images together."""
        shape = self._parse_meta("shape", json.loads)
        is_integral = isinstance(shape, list) and all(type(length) is int for length in shape)
        if not (is_integral and is_supported_shape(tuple(shape)) and shape[0] <= MAX_IMAGES):
            raise UserError(f"{self._database.path} is damaged: invalid shape. Restore it from a backup.")
        return tuple(shape)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input of the networks: (H, W) or (H, W, 3) of an image, (D,) of a vector."""
        features = self.data_record.features
        if (features is not None) != (self.config.network.inputs == "vectors"):
            raise UserError(
                f"{self._database.path} is damaged: its configuration and its features contradict each other. "
                "Restore it from a backup."
            )
        return self.shape[1:] if features is None else (features.width,)

    @property
    def data_digests(self) -> dict[str, str] | None:
        """SHA-256 of the files beside the training images, by kind; None until the images are loaded first."""
        if not self._database.fetch_all("SELECT 1 FROM meta WHERE key = 'data_digests'"):
            return None
        return self._parse_meta("data_digests", _parse_digests)

    def record_data_digests(self, digests: Mapping[str, str]) -> None:
        """Record the SHA-256 of the files beside the training images, by kind."""
        self._write_meta(data_digests=json.dumps(dict(digests)))

    @property
    def one_key_mode(self) -> bool | None:
        """Whether a digit answers at once in this session; None if it was not chosen."""
        rows = self._database.fetch_all("SELECT value FROM meta WHERE key = 'one_key_mode'")
        return rows[0][0] == "true" if rows and rows[0][0] in ("true", "false") else None

    def record_one_key_mode(self, is_on: bool) -> None:
        """Record whether a digit answers at once in this session."""
        self._write_meta(one_key_mode=json.dumps(is_on))

    @property
    def created_at(self) -> float:
        """When the session was created, in seconds since 1970."""
        return self._parse_meta("created_at", parse_timestamp)

    # Training.

    def record_training(
        self, batch_events: Iterable[BatchesTrained], checkpoint: FileFingerprint, obsolete_names: Iterable[str] = ()
    ) -> None:
        """Record losses together with the checkpoint after them, and remove the records of obsolete checkpoints."""
        losses = [("training_loss", (event.epoch, event.step, *event.losses, event.seconds)) for event in batch_events]
        self._database.apply_changes(*losses, ("artifact", checkpoint), *build_remove_file_changes(obsolete_names))

    def delete_losses_after(self, epoch: int, step: int, obsolete_names: Iterable[str] = ()) -> None:
        """Delete the losses after a step, whose training is repeated, and the records of obsolete checkpoints."""
        removals = list(build_remove_file_changes(obsolete_names))
        query = "SELECT 1 FROM training_loss WHERE (epoch, step) > (?, ?) LIMIT 1"
        if removals or self._database.fetch_all(query, (epoch, step)):
            self._database.apply_changes(("delete_losses_after", (epoch, step)), *removals)

    def list_losses(self) -> list[tuple[int, int, Losses, float]]:
        """Return the recorded losses in order: epoch, step, losses, seconds."""
        rows = self._database.fetch_all("SELECT * FROM training_loss ORDER BY epoch, step")
        return [(epoch, step, Losses(*losses), seconds) for epoch, step, *losses, seconds in rows]

    def record_epoch(self, event: EpochEnded, *fingerprints: FileFingerprint) -> None:
        """Record a finished epoch and the files that belong to it."""
        epoch, losses, *columns = astuple(event)  # the fields are the columns
        self._database.apply_changes(("epoch", (epoch, *losses, *columns)), *build_add_file_changes(fingerprints))

    def list_epochs(self) -> list[EpochEnded]:
        """Return the finished epochs in order."""
        rows = self._database.fetch_all("SELECT * FROM epoch ORDER BY epoch")
        count = len(Losses._fields)
        return [EpochEnded(row[0], Losses(*row[1 : count + 1]), *row[count + 1 :]) for row in rows]

    def record_reading_answers(
        self, epoch: int, start: int, class_ids: Sequence[int | None], accuracy: float | None
    ) -> None:
        """Replace the answers of a reading test from a position on, and set its accuracy."""
        rows = ((epoch, position, class_id) for position, class_id in enumerate(class_ids, start))
        answers = (("reading_answer", row) for row in rows)
        removal, accuracy_change = ("delete_reading_from", (epoch, start)), ("set_reading_accuracy", (accuracy, epoch))
        self._database.apply_changes(removal, *answers, accuracy_change)

    def load_reading_answers(self, epoch: int) -> tuple[int | None, ...]:
        """Return the answers of the reading test of an epoch in order; None stands for unreadable."""
        query = "SELECT class_id FROM reading_answer WHERE epoch = ? ORDER BY position"
        return tuple(class_id for (class_id,) in self._database.fetch_all(query, (epoch,)))

    # Rounds.

    def record_round_start(self, event: Clustered, *fingerprints: FileFingerprint) -> None:
        """Record that a round is open for answers, and the files that belong to it."""
        row = (event.round_number, event.clusters, json.dumps(event.inertias), time.time(), None)
        self._database.apply_changes(("labelling_round", row), *build_add_file_changes(fingerprints))

    def record_round_end(self, round_number: int) -> None:
        """Record that a round is closed and training continues with its answers."""
        self._database.apply_changes(("end_round", (time.time(), round_number)))

    def list_rounds(self) -> list[tuple[int, float, float | None]]:
        """Return the rounds in order: number, start and end in seconds since 1970."""
        query = "SELECT round_number, started_at, ended_at FROM labelling_round ORDER BY round_number"
        return self._database.fetch_all(query)

    # Artifacts.

    def record_files(self, *fingerprints: FileFingerprint) -> None:
        """Record files that belong to the session."""
        self._database.apply_changes(*build_add_file_changes(fingerprints))

    def remove_file_records(self, names: Iterable[str]) -> None:
        """Record that files no longer belong to the session."""
        self._database.apply_changes(*build_remove_file_changes(names))

    def list_fingerprints(self) -> list[FileFingerprint]:
        """Return the fingerprints of all artifacts of the session."""
        return [FileFingerprint(*row) for row in self._database.fetch_all("SELECT * FROM artifact ORDER BY name")]

    def find_fingerprint(self, name: str) -> FileFingerprint | None:
        """Return the fingerprint of an artifact; None if it does not belong to the session."""
        rows = self._database.fetch_all("SELECT * FROM artifact WHERE name = ?", (name,))
        return FileFingerprint(*rows[0]) if rows else None

    def list_checkpoints(self) -> list[tuple[int, int]]:
        """Return epoch and step of the checkpoints, newest first."""
        matches = (file_names.CHECKPOINT_PATTERN.fullmatch(record.name) for record in self.list_fingerprints())
        return sorted(((int(match[1]), int(match[2])) for match in matches if match), reverse=True)

    def _read_meta(self, key: str) -> str:
        rows = self._database.fetch_all("SELECT value FROM meta WHERE key = ?", (key,))
        if not rows:
            raise UserError(f"{self._database.path} is incomplete: no {key}. Restore it from a backup.")
        return str(rows[0][0])

    def _parse_meta(self, key: str, parser: Callable[[str], T]) -> T:
        text = self._read_meta(key)
        with self._translate_parse_errors(key):
            return parser(text)

    @contextmanager
    def _translate_parse_errors(self, value_name: str) -> Iterator[None]:
        """Convert errors in a value, which another user may have written, to UserError."""
        try:
            yield
        except (UserError, ValueError, TypeError, RecursionError) as error:
            raise UserError(
                f"{self._database.path} is damaged: invalid {value_name} ({error}). Restore it from a backup."
            ) from error

    def _write_meta(self, **values: str) -> None:
        self._database.apply_changes(*(("meta", item) for item in values.items()))


def _parse_json_text(text: str) -> str:
    value = json.loads(text)
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def build_remove_file_changes(names: Iterable[str]) -> Iterator[Change]:
    """Yield the changes that remove files from the session."""
    return (("remove_artifact", (name,)) for name in names)


def _parse_digests(text: str) -> dict[str, str]:
    digests = json.loads(text)
    if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("not a JSON object of digests")
    return digests


def _with_class_count(config: Config, class_count: int) -> Config:
    return replace(config, network=replace(config.network, classes=class_count))
