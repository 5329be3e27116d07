"""Record single answers, borders and class edits, each as a step in the round of its cluster, and audits."""

from __future__ import annotations

from vaetui.engine.answers import Answer, AnsweredImage, ClusterPath, ImageAnswerOrigin
from vaetui.engine.classes import ClassEdit
from vaetui.storage.answer_rows import AnswerRecord, BorderRecord, ClassEditRecord
from vaetui.storage.audit_log import AuditRecord
from vaetui.storage.fingerprints import FileFingerprint, compute_fingerprint
from vaetui.storage.repository import SessionRepository


def record_answer(
    repository: SessionRepository,
    round_number: int,
    path: ClusterPath,
    answer: Answer,
    *fingerprints: FileFingerprint,
) -> AnswerRecord:
    """Record an answer and the files that belong to it."""
    (action,) = repository.record_step(round_number, [(round_number, path, answer)], fingerprints=fingerprints)
    assert isinstance(action, AnswerRecord)
    return action


def record_class_edit(repository: SessionRepository, round_number: int, class_edit: ClassEdit) -> ClassEditRecord:
    """Record a class edit."""
    (action,) = repository.record_step(round_number, class_edits=[class_edit])
    assert isinstance(action, ClassEditRecord)
    return action


def record_page(
    repository: SessionRepository, made_in_round: int, *images: AnsweredImage, origin: ImageAnswerOrigin = "review"
) -> int:
    """Record answers about single images; return the id of their step."""
    actions = repository.record_step(made_in_round, images=[(image, origin) for image in images])
    return actions[0].step_id


def record_border(
    repository: SessionRepository, made_in_round: int, class_id: int, image_count: int, *fingerprints: FileFingerprint
) -> BorderRecord:
    """Record the border of a class and the file that belongs to it."""
    (action,) = repository.record_step(made_in_round, borders=[(class_id, image_count)], fingerprints=fingerprints)
    assert isinstance(action, BorderRecord)
    return action


def record_audit(
    repository: SessionRepository, audit_id: int, plan: str = "quick", image_count: int = 6
) -> AuditRecord:
    """Record an open audit, whose file does not exist."""
    record = AuditRecord(audit_id, plan, "0123456789ab", 1, 1, image_count, 3, "open", 3.5, None, None, None)
    repository.audit_log.record_start(record, compute_fingerprint(f"audit-{audit_id:06}.npz", b"images"))
    return record
