"""The stored audits of a session: their images, checks and results, read without its lock.

Heavy libraries are imported on first use.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import ClassList
from vaetui.errors import UserError
from vaetui.session.audit_steps import AuditItem, AuditSteps, CheckStep
from vaetui.session.audit_views import AuditResult
from vaetui.storage import file_names
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.audit_log import AuditRecord, CheckRecord
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.audit import AuditSample
    from vaetui.storage.stored_arrays import AuditImages


def load_result(record: AuditRecord) -> AuditResult | None:
    """Return the result of a stored audit; None if it is not finished. Raises UserError for a damaged one."""
    if record.result_text is None:
        return None
    try:
        return AuditResult.from_dict(json.loads(record.result_text))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise UserError(
            f"The result of audit {record.id} is damaged ({error}). Restore the session from a backup."
        ) from error


def load_results(repository: SessionRepository) -> tuple[AuditResult, ...]:
    """Return the results of all finished audits, newest first; needs no lock."""
    results = (load_result(record) for record in reversed(repository.audit_log.list_audits()))
    return tuple(result for result in results if result is not None)


def load_audit_images(store: ArtifactStore, record: AuditRecord) -> AuditImages:
    """Return the images of an audit and the labels it judges. Raises UserError for a lost or unsuitable file."""
    import numpy as np

    from vaetui.engine.audit import PLANTED_STRATUM, STRATUM_NAMES
    from vaetui.engine.calibration import FEATURES
    from vaetui.storage import stored_arrays
    from vaetui.storage.stored_arrays import AuditImages

    name = file_names.audit_name(record.id)
    lengths = {"M": record.image_count, "L": record.class_count, "S": len(STRATUM_NAMES), "F": len(FEATURES)}
    images = stored_arrays.load_arrays(store, name, AuditImages, **lengths)
    is_planted, is_paged = images.strata == PLANTED_STRATUM, images.pages >= 0
    drawn_counts = np.stack(
        [
            np.bincount(images.class_ids[images.strata == stratum], minlength=record.class_count)
            for stratum in range(len(STRATUM_NAMES))
        ]
    )
    image_count = len(images.label_class_ids)
    is_valid = (
        ((images.strata < len(STRATUM_NAMES)) | is_planted).all()
        and ((images.answered_class_ids >= 0) == is_planted).all()
        and images.answered_class_ids.max() < record.class_count
        and (((images.weights >= 0.5) & (images.weights <= image_count)) | is_planted).all()
        and ((images.ranks > 0) | is_planted).all()
        and ((images.strata == 0) != is_paged).all()
        and bool((images.pages[1:] >= images.pages[:-1]).all())
        and min(images.pages.min(), images.label_class_ids.min()) >= -1
        and images.label_class_ids.max() < record.class_count
        and min(images.cell_sizes.min(), images.answered_sizes.min()) >= 0
        and max(images.cell_sizes.max(), images.answered_sizes.max()) <= image_count
        and images.cell_sizes.sum() + images.answered_sizes.sum() <= image_count
        and (images.cell_sizes >= drawn_counts).all()
        and len(np.unique(images.image_indices)) == record.image_count
    )
    if not is_valid:
        raise UserError(f"{store.directory / name} does not fit the session. Restore it from a backup.")
    return images


def load_audit_steps(repository: SessionRepository, record: AuditRecord, images: AuditImages) -> AuditSteps:
    """Return the checks of an audit so far. Raises UserError for classes that do not exist."""
    log, class_count = repository.audit_log, len(repository.load_class_list())
    checks, undone_checks = log.list_checks(record.id), log.list_checks(record.id, "undone")
    class_ids = [item.check.class_id for item in (*checks, *undone_checks) if isinstance(item.check, ClassAnswer)]
    if max((record.class_count - 1, *class_ids)) >= class_count:
        raise UserError(f"Audit {record.id} names a class that does not exist. Restore the session from a backup.")
    return AuditSteps(
        list_audit_items(images), _group_steps(checks), _group_steps(undone_checks), log.count_keys(record.id)
    )


def verify_audit(store: ArtifactStore, repository: SessionRepository, record: AuditRecord) -> None:
    """Raise UserError if file, checks, result or calibration of an audit are damaged."""
    from vaetui.engine.calibration import Calibration

    load_audit_steps(repository, record, load_audit_images(store, record))
    load_result(record)
    try:
        if record.calibration_text is not None:
            Calibration.from_json(record.calibration_text)
    except ValueError as error:
        raise UserError(
            f"The calibration of audit {record.id} is damaged ({error}). Restore the session from a backup."
        ) from error


def prepare_estimate(
    images: AuditImages, steps: AuditSteps, classes: ClassList
) -> tuple[AuditSample, NDArray[np.int64]]:
    """Return the sample and the classes seen, [M], with merged classes replaced by their targets.

    A planted error whose two classes were merged is none, and is left out.
    """
    import numpy as np

    from vaetui.engine.audit import PLANTED_STRATUM, AuditSample
    from vaetui.engine.audit_estimate import NO_CHECK, UNREADABLE_CHECK

    class_count = images.cell_sizes.shape[1]
    canonical = np.array(classes.canonical, np.int64)
    seen_class_ids = np.full(len(images.image_indices), NO_CHECK)
    for position, check in steps.checks.items():
        seen_class_ids[position] = canonical[check.class_id] if isinstance(check, ClassAnswer) else UNREADABLE_CHECK
    class_ids = canonical[images.class_ids]
    answered_class_ids = np.where(
        images.answered_class_ids >= 0, canonical[np.maximum(images.answered_class_ids, 0)], -1
    )
    rows = np.flatnonzero((images.strata != PLANTED_STRATUM) | (answered_class_ids != class_ids))
    cell_sizes = np.zeros((len(images.cell_sizes), len(canonical)), np.int64)
    answered_sizes = np.zeros(len(canonical), np.int64)
    for class_id in range(class_count):
        cell_sizes[:, canonical[class_id]] += images.cell_sizes[:, class_id]
        answered_sizes[canonical[class_id]] += images.answered_sizes[class_id]
    sample = AuditSample(
        image_indices=images.image_indices[rows],
        pages=images.pages[rows],
        class_ids=class_ids[rows],
        strata=images.strata[rows],
        weights=images.weights[rows],
        answered_class_ids=answered_class_ids[rows],
        ranks=images.ranks[rows],
        cell_sizes=cell_sizes,
        answered_sizes=answered_sizes,
    )
    return sample, seen_class_ids[rows]


def list_audit_items(images: AuditImages) -> list[AuditItem]:
    """Return the images of an audit in the order of display."""
    columns = images.image_indices.tolist(), images.pages.tolist(), images.class_ids.tolist()
    return [
        AuditItem(image_index, "blind" if page < 0 else "page", page, class_id)
        for image_index, page, class_id in zip(*columns, strict=True)
    ]


def _group_steps(records: Sequence[CheckRecord]) -> list[CheckStep]:
    return [
        CheckStep(step_id, tuple((record.position, record.check) for record in group))
        for step_id, group in groupby(records, lambda record: record.step_id)
    ]
