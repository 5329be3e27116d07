"""Audits and their checks in the order of entry, with undo and redo; each change is on disk when its method returns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Literal, TypeAlias

from vaetui.engine.answers import ImageAnswer
from vaetui.storage import answer_rows
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint

AuditState: TypeAlias = Literal["open", "finished", "abandoned"]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A stored audit."""

    id: int
    """Its number in the session, from 1."""
    plan: str
    """"quick" or "full"."""
    version: str
    """The version of the labelling."""
    epoch: int
    """The epoch of the networks."""
    round_number: int
    """The last answered round."""
    image_count: int
    """Number of images to check."""
    class_count: int
    """Number of classes at that time, merged ones included."""
    state: AuditState
    """Whether it is open, finished or closed without a result."""
    started_at: float
    """When it was drawn, in seconds since 1970."""
    ended_at: float | None
    """When it was finished or abandoned, in seconds since 1970; None while it is open."""
    result_text: str | None
    """The result as JSON; None unless finished."""
    calibration_text: str | None
    """The coefficients of the confidence as JSON; None unless finished, or if they could not be fitted."""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A stored check of one image."""

    step_id: int
    """The id of the first check of its key; undo and redo change all checks of a key."""
    position: int
    """The position of the image in the audit, from 0."""
    check: ImageAnswer
    """The class that the person saw, unreadable, or cleared."""


class AuditLog:
    """The tables audit and audit_check."""

    def __init__(self, database: Database) -> None:
        """Use the tables of that database."""
        self._database = database

    def list_audits(self) -> list[AuditRecord]:
        """Return all audits, oldest first."""
        return [AuditRecord(*row) for row in self._database.fetch_all("SELECT * FROM audit ORDER BY id")]

    def record_start(self, record: AuditRecord, fingerprint: FileFingerprint) -> None:
        """Record an open audit and the file with its images."""
        self._database.apply_changes(("audit", astuple(record)), ("artifact", fingerprint))

    def record_checks(self, audit_id: int, checks: Sequence[tuple[int, ImageAnswer]]) -> int:
        """Record the checks of one key, and return its step id; keys taken back can no longer be restored."""
        next_id = int(self._database.fetch_all("SELECT ifnull(max(id), 0) + 1 FROM audit_check")[0][0])
        created_at = time.time()
        rows = [
            ("audit_check", (check_id, audit_id, next_id, position, *columns, "active", created_at))
            for check_id, (position, check) in enumerate(checks, next_id)
            for columns in [answer_rows.to_image_answer_columns(check)]
        ]
        self._database.apply_changes(("discard_undone_audit_checks", (audit_id,)), *rows)
        return next_id

    def record_undo(self, record: AuditRecord, step_id: int) -> None:
        """Record that the checks of a key were taken back; a finished audit is open again."""
        self._database.apply_changes(
            ("set_audit_check_state", ("undone", step_id)), ("end_audit", ("open", None, None, None, record.id))
        )

    def record_redo(self, step_id: int) -> None:
        """Record that the checks of a key are in force again."""
        self._database.apply_changes(("set_audit_check_state", ("active", step_id)))

    def record_end(self, audit_id: int, ended_at: float, result_text: str, calibration_text: str | None) -> None:
        """Record the result of an audit."""
        self._database.apply_changes(("end_audit", ("finished", ended_at, result_text, calibration_text, audit_id)))

    def record_abandonment(self, audit_id: int) -> None:
        """Record that an audit was closed without a result."""
        self._database.apply_changes(("end_audit", ("abandoned", time.time(), None, None, audit_id)))

    def list_checks(self, audit_id: int, state: Literal["active", "undone"] = "active") -> list[CheckRecord]:
        """Return the checks of an audit that are in force or were taken back, in the order of entry."""
        query = "SELECT step_id, position, kind, class_id FROM audit_check WHERE audit_id = ? AND state = ? ORDER BY id"
        return [
            CheckRecord(step_id, position, answer_rows.parse_image_answer(kind, class_id))
            for step_id, position, kind, class_id in self._database.fetch_all(query, (audit_id, state))
        ]

    def count_keys(self, audit_id: int) -> int:
        """Return the number of keys of an audit, those taken back included."""
        query = "SELECT count(DISTINCT step_id) FROM audit_check WHERE audit_id = ?"
        return int(self._database.fetch_all(query, (audit_id,))[0][0])
