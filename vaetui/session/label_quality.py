"""Facts about the labels of a session as a whole, for exports and model cards: their version and audits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.audit import AuditSample
from vaetui.engine.audit_estimate import UNREADABLE_CHECK, estimate_part
from vaetui.engine.calibration import Evidence, fit_calibration
from vaetui.engine.classes import ClassList
from vaetui.errors import UserError
from vaetui.export.label_info import LabelInfo
from vaetui.export.label_table import CHECKS, NO_CHECK_ID, LabelTable
from vaetui.session import stored_audits
from vaetui.session.audit_views import AuditResult
from vaetui.session.image_answers import load_image_labels, map_image_labels
from vaetui.session.labelling import derive_version
from vaetui.session.learned_classes import find_learned_class_ids
from vaetui.storage import stored_arrays

if TYPE_CHECKING:
    from vaetui.export.model import ModelOrigin
    from vaetui.session.session_snapshot import SessionSnapshot

FOLDS = 5
"""Parts of the checks, each of which is judged by a calibration by the others."""
RIGHT_ID, WRONG_ID, UNREADABLE_CHECK_ID = range(len(CHECKS))


@dataclass(frozen=True, slots=True, eq=False)
class FinishedAudit:
    """An audit with its result and checks; classes that were merged since are replaced by their targets."""

    result: AuditResult
    """What it measured."""
    sample: AuditSample
    """Its images."""
    seen_class_ids: NDArray[np.int64]
    """The class that a person saw in each of them, [M]; NO_CHECK and UNREADABLE_CHECK stand for none."""
    evidence: Evidence
    """What spoke for the label of each of them, [M]."""
    label_class_ids: NDArray[np.int64]
    """The label of every image at that time, [A]; below 0 without one."""


def assess_labels(
    snapshot: SessionSnapshot, label_table: LabelTable, min_confidence: float = 0.0
) -> tuple[LabelTable, LabelInfo]:
    """Return the labels of a session with the checks of its audits, and the facts about them as a whole.

    `label_table` is that of the current state, with a row for each image. The share of right labels is measured among
    those of at least `min_confidence`.
    """
    classes, repository = snapshot.classes, snapshot.repository
    finished_audits = list(_iter_finished_audits(snapshot))
    version = derive_version(classes, label_table.class_ids)
    result = choose_result(stored_audits.load_results(repository), version)
    audit = next((audit for audit in finished_audits if audit.result == result), None)
    info = LabelInfo(
        session_name=snapshot.name,
        version=version,
        epoch=len(snapshot.finished_epochs),
        round_number=repository.find_last_answered_round() or 0,
        answer_count=repository.count_answers(),
        aliases=classes.aliases,
        features=repository.data_record.features,
        audit=None if result is None else result.to_dict(),
        changed_count=None if audit is None else int((audit.label_class_ids != label_table.class_ids).sum()),
        measured=_measure_kept_labels(snapshot, label_table, min_confidence, version, audit),
    )
    return replace(label_table, check_ids=_find_check_ids(label_table, finished_audits)), info


def describe_model(snapshot: SessionSnapshot) -> ModelOrigin:
    """Return where the networks of a session come from, and what was measured about its labels."""
    from vaetui.export.model import ModelOrigin

    results, epochs = stored_audits.load_results(snapshot.repository), snapshot.finished_epochs
    epoch = snapshot.last_trained_epoch
    result = next((result for result in results if result.epoch == epoch), results[0] if results else None)
    data_record = snapshot.repository.data_record
    return ModelOrigin(
        session_name=snapshot.name,
        epoch=epoch,
        round_number=snapshot.repository.find_last_answered_round() or 0,
        answer_count=snapshot.repository.count_answers(),
        test_accuracy=epochs[-1].test_accuracy if epochs else None,
        audit=None if result is None else result.to_dict(),
        learned_class_ids=find_learned_class_ids(snapshot.config, snapshot.repository, epoch),
        value_ranges={} if data_record.origin is None else data_record.origin.report.value_ranges,
        image_shape=snapshot.repository.shape[1:],
        features=data_record.features,
    )


def choose_result(results: Sequence[AuditResult], version: str) -> AuditResult | None:
    """Return the newest audit of a version, else the newest one; `results` are newest first."""
    return next((result for result in results if result.version == version), results[0] if results else None)


def cross_validate_confidences(
    sample: AuditSample, seen_class_ids: NDArray[np.int64], evidence: Evidence
) -> NDArray[np.float32]:
    """Return the confidence of each image of an audit by a calibration that was fitted without its check, [M].

    A calibration lowers the confidence of the very labels that were found wrong. Labels of a minimum confidence that
    are chosen by it would seem better than they are, if they were measured by the same checks.
    """
    confidences = np.zeros(len(sample), np.float32)
    checked = np.flatnonzero((seen_class_ids >= 0) & ~sample.is_planted)
    folds = np.random.default_rng(0).permutation(len(checked)) % FOLDS
    for fold in range(FOLDS):
        others, left_out = checked[folds != fold], checked[folds == fold]
        calibration = fit_calibration(
            evidence.select_rows(others),
            seen_class_ids[others] == sample.class_ids[others],
            sample.weights[others],
            sample.class_ids[others],
            sample.cell_sizes.shape[1],
        )
        if calibration is not None:
            left_out_evidence = evidence.select_rows(left_out)
            confidences[left_out] = calibration.predict(left_out_evidence, sample.class_ids[left_out])
    return confidences


def _iter_finished_audits(snapshot: SessionSnapshot) -> Iterator[FinishedAudit]:
    """Yield the finished audits, newest first, but for those whose file with the images is lost."""
    classes, repository = snapshot.classes, snapshot.repository
    for record in reversed(repository.audit_log.list_audits()):
        result = stored_audits.load_result(record)
        if result is None:
            continue
        with suppress(UserError):  # `vaetui check` reports the file
            images = stored_audits.load_audit_images(snapshot.store, record)
            steps = stored_audits.load_audit_steps(repository, record, images)
            sample, seen_class_ids = stored_audits.prepare_estimate(images, steps, classes)
            label_class_ids = _replace_merged(images.label_class_ids.astype(np.int64), classes)
            row_by_index = {index: row for row, index in enumerate(images.image_indices.tolist())}
            rows = np.array([row_by_index[index] for index in sample.image_indices.tolist()])
            evidence = Evidence(images.features[rows])
            yield FinishedAudit(result, sample, seen_class_ids, evidence, label_class_ids)


def _find_check_ids(label_table: LabelTable, finished_audits: Sequence[FinishedAudit]) -> NDArray[np.uint8] | None:
    """Return whether the newest check of each image agrees with its present label, [N]; None without any audit."""
    if not finished_audits:
        return None
    check_ids = np.full(len(label_table), NO_CHECK_ID, np.uint8)
    for audit in reversed(finished_audits):
        is_checked = (audit.seen_class_ids >= UNREADABLE_CHECK) & ~audit.sample.is_planted
        indices, seen_ids = audit.sample.image_indices[is_checked], audit.seen_class_ids[is_checked]
        ids = np.where(seen_ids == label_table.class_ids[indices], RIGHT_ID, WRONG_ID)
        check_ids[indices] = np.where(seen_ids == UNREADABLE_CHECK, UNREADABLE_CHECK_ID, ids)
    return check_ids


def _measure_kept_labels(
    snapshot: SessionSnapshot,
    label_table: LabelTable,
    min_confidence: float,
    version: str,
    audit: FinishedAudit | None,
) -> dict[str, Any] | None:
    """Return the measured share of right labels among those of a minimum confidence; None if it was not measured."""
    if audit is None or audit.result.version != version:
        return None
    is_labelled = label_table.class_ids >= 0
    is_kept = is_labelled & (label_table.confidences >= min_confidence)
    if np.array_equal(is_kept, is_labelled):
        result = audit.result
        return {"estimate": result.estimate, "low": result.low, "high": result.high, "checked": result.checked}
    own_labels = map_image_labels(
        load_image_labels(snapshot.repository, snapshot.store),
        stored_arrays.load_train_val_split(snapshot.store).first_copies,
    )
    sample, is_own = audit.sample, is_kept & own_labels.has_answer
    is_own[sample.image_indices[~sample.is_planted]] = False  # checks that were learned since had no answer then
    answered_size = int(is_own.sum())
    size = int(is_kept.sum()) - answered_size
    is_part = is_kept[sample.image_indices]
    if label_table.calibration is not None and min_confidence > 0:
        is_part = np.where(
            label_table.is_inferred[sample.image_indices],
            cross_validate_confidences(sample, audit.seen_class_ids, audit.evidence) >= min_confidence,
            is_part,
        )
    counts, share = estimate_part(sample, audit.seen_class_ids, is_part, size, answered_size)
    if share is None:
        return None
    return {"estimate": share.estimate, "low": share.low, "high": share.high, "checked": counts.checked}


def _replace_merged(class_ids: NDArray[np.int64], classes: ClassList) -> NDArray[np.int64]:
    """Return class ids in which merged classes are replaced by their targets; ids below 0 stay."""
    replaced: NDArray[np.int64] = np.where(class_ids >= 0, np.array(classes.canonical)[class_ids], class_ids)
    return replaced
