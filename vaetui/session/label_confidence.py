"""The confidences of labels by the audits of a session: calibrated for the audited networks, shifted for later ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import calibration
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.audit import PLANTED_STRATUM
from vaetui.engine.calibration import Calibration, Evidence
from vaetui.errors import UserError
from vaetui.session import stored_audits
from vaetui.session.audit_steps import AuditSteps
from vaetui.session.image_answers import list_answered_images
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.audit_log import AuditRecord
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import AuditImages


@dataclass(frozen=True, slots=True, eq=False)
class CheckedImages:
    """The images of an audit in which a person saw a class, without planted errors."""

    image_indices: NDArray[np.int64]
    """Indices in the data set, [M]."""
    class_ids: NDArray[np.int64]
    """The labels at the time of the audit, [M]."""
    seen_class_ids: NDArray[np.int64]
    """The classes that the person saw, [M]."""
    weights: NDArray[np.float64]
    """Number of labels that each stands for, [M]."""
    evidence: Evidence
    """What spoke for the labels, [M]."""


def compute_confidences(
    store: ArtifactStore,
    repository: SessionRepository,
    epoch: int,
    class_ids: NDArray[np.int64],
    evidence: Evidence,
) -> tuple[NDArray[np.float32], str | None]:
    """Return the confidences of the labels of all images by the networks of an epoch, [A].

    They are calibrated by the newest audit of these networks, whose version is returned, too. Without one they are
    uncalibrated, but agree with the checks of earlier audits as far as these images have no answer of their own.
    """
    records = [record for record in repository.audit_log.list_audits() if record.state == "finished"]
    for record in reversed(records):
        if record.epoch == epoch and record.calibration_text is not None:
            return _load_calibration(record.calibration_text).predict(evidence, class_ids), record.version
    logits = evidence.features[:, 0].astype(np.float64)
    checked_indices, is_right, weights = [], [], []
    answered_indices = list_answered_images(repository)
    canonical = np.array(repository.load_class_list().canonical)
    for checked in _load_checks(store, repository, records):
        is_free = ~np.isin(checked.image_indices, answered_indices) & (class_ids[checked.image_indices] >= 0)
        indices = checked.image_indices[is_free]
        checked_indices.append(indices)
        is_right.append(class_ids[indices] == canonical[checked.seen_class_ids[is_free]])
        weights.append(checked.weights[is_free] / checked.weights.sum())
    if not checked_indices:
        return evidence.uncalibrated_confidences, None
    shift = calibration.fit_logit_shift(
        logits[np.concatenate(checked_indices)], np.concatenate(is_right), np.concatenate(weights)
    )
    shifted = Evidence(evidence.features + np.eye(1, evidence.features.shape[1], dtype=np.float32) * np.float32(shift))
    return shifted.uncalibrated_confidences, None


def fit_calibration(images: AuditImages, steps: AuditSteps, canonical: tuple[int, ...]) -> Calibration | None:
    """Return the calibration by the checks of an audit; None if no label was checked.

    `canonical` maps a class to the class that it counts as.
    """
    checked, targets = select_checked_images(images, steps), np.array(canonical)
    class_ids = targets[checked.class_ids]
    is_right = class_ids == targets[checked.seen_class_ids]
    return calibration.fit_calibration(checked.evidence, is_right, checked.weights, class_ids, len(canonical))


def select_checked_images(images: AuditImages, steps: AuditSteps) -> CheckedImages:
    """Return the images of an audit in which a person saw a class, without planted errors."""
    checks = {position: check.class_id for position, check in steps.checks.items() if isinstance(check, ClassAnswer)}
    positions = np.array(sorted(checks), np.int64)
    positions = positions[images.strata[positions] != PLANTED_STRATUM]
    return CheckedImages(
        image_indices=images.image_indices[positions],
        class_ids=images.class_ids[positions],
        seen_class_ids=np.array([checks[position] for position in positions.tolist()], np.int64),
        weights=images.weights[positions],
        evidence=Evidence(images.features[positions]),
    )


def _load_checks(
    store: ArtifactStore, repository: SessionRepository, records: list[AuditRecord]
) -> Iterator[CheckedImages]:
    for record in records:
        images = stored_audits.load_audit_images(store, record)
        yield select_checked_images(images, stored_audits.load_audit_steps(repository, record, images))


def _load_calibration(text: str) -> Calibration:
    try:
        return Calibration.from_json(text)
    except ValueError as error:
        raise UserError(
            f"The database of the session is damaged: invalid calibration ({error}). Restore it from a backup."
        ) from error
