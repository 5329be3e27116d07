"""The audits of a session: draw images of its labels, record the checks of a person, and estimate the accuracy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from vaetui.engine.answers import AnsweredImage, ClassAnswer, ImageAnswerOrigin
from vaetui.engine.audit_plans import PLANS
from vaetui.engine.events import Event
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import UserError
from vaetui.session.audit_steps import AuditSteps, CheckStep
from vaetui.session.audit_views import AuditCheck, AuditResult, AuditView, ClassAudit, StratumAudit
from vaetui.session.labelling import Labelling, LabellingLoader
from vaetui.session.stored_audits import (
    list_audit_items,
    load_audit_images,
    load_audit_steps,
    load_result,
    load_results,
    prepare_estimate,
)
from vaetui.storage import file_names
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.audit_log import AuditRecord
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.audit import AuditPopulation
    from vaetui.engine.audit_estimate import CheckCounts, ShareEstimate
    from vaetui.session.image_answers import ImageLabelMap
    from vaetui.storage.stored_arrays import AuditImages

NOTHING_OPEN_MESSAGE = "No audit is open."
NOT_FINISHED_MESSAGE = "The audit is not finished. Check its other images first."
NOTHING_TO_LEARN_MESSAGE = "All images that were checked have answers of their own already."


class NothingToAuditError(UserError):
    """No image has a label that nobody gave for the image itself."""


@dataclass(slots=True, eq=False)
class _LoadedAudit:
    """An audit in memory."""

    record: AuditRecord
    images: AuditImages
    steps: AuditSteps


class Audits:
    """The audits of an open session; `start` is slow, and everything is on disk when a method returns."""

    def __init__(
        self,
        store: ArtifactStore,
        repository: SessionRepository,
        labellings: LabellingLoader,
        load_images: Callable[[], Generator[Event, None, object]],
        record_image_answers: Callable[[Sequence[AnsweredImage], ImageAnswerOrigin], None],
    ) -> None:
        """Audit the labels of `labellings`.

        `load_images` loads what showing an image needs. `record_image_answers` records answers as a step of the
        session; it raises UserError while the networks are trained.
        """
        self._store = store
        self._repository = repository
        self._log = repository.audit_log
        self._labellings = labellings
        self._load_images = load_images
        self._record_image_answers = record_image_answers
        self._loaded: _LoadedAudit | None = None

    def start(self, plan: str) -> Iterator[Event]:
        """Continue the open audit, whatever its plan, else draw one of the present labels; `view` shows it at the end.

        Raises UserError for an unknown plan, and NothingToAuditError.
        """
        if plan not in PLANS:
            raise UserError(f"There is no audit {plan}. Choose one of: {', '.join(PLANS)}.")
        if self._find_open_record() is None:
            from vaetui.storage import stored_arrays

            labelling = yield from self._labellings.load()
            draw = partial(self._draw, plan, labelling)
            record, images = yield from run_in_background("drawing the images of the audit", draw)
            fingerprint = stored_arrays.save_arrays(self._store, file_names.audit_name(record.id), images)
            self._log.record_start(record, fingerprint)
            self._loaded = _LoadedAudit(record, images, AuditSteps(list_audit_items(images)))
        else:
            yield from self._load_images()

    @property
    def view(self) -> AuditView | None:
        """The open audit, or the newest finished one; None if there is neither."""
        loaded = self._load_newest()
        if loaded is None:
            return None
        canonical = self._repository.load_class_list().canonical
        result = load_result(loaded.record) if loaded.steps.is_done else None
        return loaded.steps.build_view(loaded.record.plan, loaded.record.version, result, canonical)

    @property
    def results(self) -> tuple[AuditResult, ...]:
        """The results of all finished audits, newest first."""
        return load_results(self._repository)

    def record(self, checks: Sequence[tuple[int, AuditCheck]]) -> None:
        """Record the checks of one key for images of the current view, by position; it is on the disk on return.

        `ClassAnswer(shown_class_id)` accepts a label, `Cleared()` takes a mark back. The check of the last image ends
        the audit. Raises UserError for images that are not in the view and for classes that are unknown or merged.
        """
        loaded = self._require_newest(NOTHING_OPEN_MESSAGE)
        classes = self._repository.load_class_list()
        loaded.steps.require_valid(checks)
        for _, check in checks:
            if isinstance(check, ClassAnswer):
                classes.require_active(check.class_id)
        step_id = self._log.record_checks(loaded.record.id, checks)
        loaded.steps.record(CheckStep(step_id, tuple(checks)))
        self._finish_if_done(loaded)

    def undo(self) -> bool:
        """Take back the last key, also the one that ended the audit; return whether there was one."""
        loaded = self._require_newest(NOTHING_OPEN_MESSAGE)
        if not loaded.steps.steps:
            return False
        self._log.record_undo(loaded.record, loaded.steps.steps[-1].step_id)
        loaded.steps.undo()
        self._reload_record(loaded)
        return True

    def redo(self) -> bool:
        """Restore the key taken back last; return whether there was one."""
        loaded = self._require_newest(NOTHING_OPEN_MESSAGE)
        if not loaded.steps.undone_steps:
            return False
        self._log.record_redo(loaded.steps.undone_steps[0].step_id)
        loaded.steps.redo()
        self._finish_if_done(loaded)
        return True

    def abandon(self) -> None:
        """Close the open audit without a result; it is counted in the results of later audits of these networks."""
        record = self._find_open_record()
        if record is None:
            raise UserError(NOTHING_OPEN_MESSAGE)
        self._log.record_abandonment(record.id)
        self._loaded = None

    def learn(self) -> int:
        """Record the checks of the finished audit as answers about images, one step of undo; return their number.

        Images that have an answer already are left out: planted errors, and those that were corrected since. Raises
        UserError if no image is left.
        """
        loaded = self._require_newest(NOT_FINISHED_MESSAGE)
        if not loaded.steps.is_done:
            raise UserError(NOT_FINISHED_MESSAGE)
        from vaetui.engine.audit import PLANTED_STRATUM

        canonical = self._repository.load_class_list().canonical
        has_answer = _load_own_labels(self._store, self._repository).has_answer
        answers = []
        for position, (item, stratum) in enumerate(zip(loaded.steps.items, loaded.images.strata, strict=True)):
            if stratum != PLANTED_STRATUM and not has_answer[item.image_index]:
                check, label_id = loaded.steps.checks[position], canonical[item.label_class_id]
                answer = ClassAnswer(canonical[check.class_id]) if isinstance(check, ClassAnswer) else check
                answers.append(AnsweredImage(item.image_index, answer, None if item.part == "blind" else label_id))
        if not answers:
            raise UserError(NOTHING_TO_LEARN_MESSAGE)
        self._record_image_answers(answers, "audit")
        return len(answers)

    def _draw(self, plan: str, labelling: Labelling) -> tuple[AuditRecord, AuditImages]:
        """Return a new audit of a labelling with its images; nothing is recorded."""
        import numpy as np

        from vaetui.engine import rng
        from vaetui.engine.audit import draw_audit
        from vaetui.storage.stored_arrays import AuditImages

        records = self._log.list_audits()
        seed = self._repository.config.seed
        # Nobody can redraw until the images are convenient: an audit that was begun counts, abandoned or not.
        generator = rng.derive_generator(seed, "audit", int(labelling.version, 16), len(records) + 1)
        try:
            sample = draw_audit(PLANS[plan], build_population(self._store, self._repository, labelling), generator)
        except ValueError as error:
            raise NothingToAuditError(
                "There is nothing to audit: no image has a label that you have not given yourself. Answer clusters "
                "first."
            ) from error
        images = AuditImages(
            image_indices=sample.image_indices,
            pages=sample.pages,
            class_ids=sample.class_ids,
            strata=sample.strata,
            weights=sample.weights,
            answered_class_ids=sample.answered_class_ids,
            ranks=sample.ranks,
            cell_sizes=sample.cell_sizes,
            answered_sizes=sample.answered_sizes,
            features=labelling.evidence.features[sample.image_indices].astype(np.float32),
            label_class_ids=labelling.label_table.class_ids.astype(np.int16),
        )
        record = AuditRecord(
            id=len(records) + 1,
            plan=plan,
            version=labelling.version,
            epoch=labelling.epoch,
            round_number=labelling.round_number,
            image_count=len(sample),
            class_count=sample.cell_sizes.shape[1],
            state="open",
            started_at=time.time(),
            ended_at=None,
            result_text=None,
            calibration_text=None,
        )
        return record, images

    def _find_open_record(self) -> AuditRecord | None:
        return next((record for record in reversed(self._log.list_audits()) if record.state == "open"), None)

    def _load_newest(self) -> _LoadedAudit | None:
        """Return the open audit, or the newest finished one."""
        if self._loaded is None:
            records = [record for record in self._log.list_audits() if record.state != "abandoned"]
            if not records:
                return None
            record = records[-1]
            images = load_audit_images(self._store, record)
            self._loaded = _LoadedAudit(record, images, load_audit_steps(self._repository, record, images))
            self._finish_if_done(self._loaded)  # a crash may have come between the last check and the result
        return self._loaded

    def _require_newest(self, message: str) -> _LoadedAudit:
        loaded = self._load_newest()
        if loaded is None:
            raise UserError(message)
        return loaded

    def _finish_if_done(self, loaded: _LoadedAudit) -> None:
        if loaded.record.state == "open" and loaded.steps.is_done:
            from vaetui.session.label_confidence import fit_calibration

            ended_at = time.time()
            result = _build_result(self._repository, loaded, ended_at)
            canonical = self._repository.load_class_list().canonical
            calibration = fit_calibration(loaded.images, loaded.steps, canonical)
            calibration_text = None if calibration is None else calibration.to_json()
            self._log.record_end(loaded.record.id, ended_at, json.dumps(result.to_dict()), calibration_text)
            self._reload_record(loaded)

    def _reload_record(self, loaded: _LoadedAudit) -> None:
        loaded.record = self._log.list_audits()[loaded.record.id - 1]


def build_population(store: ArtifactStore, repository: SessionRepository, labelling: Labelling) -> AuditPopulation:
    """Return the labels that an audit of a labelling judges."""
    import numpy as np

    from vaetui.engine.audit import AuditPopulation
    from vaetui.export.label_table import ANSWER

    own_labels = _load_own_labels(store, repository)
    table = labelling.label_table
    return AuditPopulation(
        class_ids=table.class_ids,
        doubts=labelling.doubts,
        is_answered=own_labels.has_answer,
        is_shown=own_labels.has_class | (table.source_ids == ANSWER),
        second_class_ids=labelling.second_class_ids.astype(np.int64),
        class_count=len(table.class_names),
    )


def _load_own_labels(store: ArtifactStore, repository: SessionRepository) -> ImageLabelMap:
    from vaetui.session.image_answers import load_image_labels, map_image_labels
    from vaetui.storage import stored_arrays

    first_copies = stored_arrays.load_train_val_split(store).first_copies
    return map_image_labels(load_image_labels(repository, store), first_copies)


def _build_result(repository: SessionRepository, loaded: _LoadedAudit, ended_at: float) -> AuditResult:
    """Return the result by the checks of all images; classes that were merged since count as one."""
    from vaetui.engine.audit import STRATUM_NAMES
    from vaetui.engine.audit_estimate import CheckCounts, estimate_audit

    record, classes = loaded.record, repository.load_class_list()
    sample, seen_class_ids = prepare_estimate(loaded.images, loaded.steps, classes)
    estimate = estimate_audit(sample, seen_class_ids)
    # Any correction makes another version, so audits of the same networks count.
    abandoned_count = sum(
        other.state == "abandoned" and other.epoch == record.epoch for other in repository.audit_log.list_audits()
    )
    strata = zip(STRATUM_NAMES, sample.cell_sizes.sum(1).tolist(), estimate.strata, strict=True)
    answered_count = int(sample.answered_sizes.sum())
    seen_class_audits = {seen_id: (CheckCounts(0, 0), None) for _, seen_id, _ in estimate.confusion}
    class_audits = {**seen_class_audits, **estimate.classes}
    return AuditResult(
        version=record.version,
        plan=record.plan,
        epoch=record.epoch,
        round=record.round_number,
        date=datetime.fromtimestamp(ended_at, UTC).isoformat(timespec="seconds"),
        estimate=estimate.share.estimate,
        low=estimate.share.low,
        high=estimate.share.high,
        checked=estimate.counts.checked,
        wrong=estimate.counts.wrong,
        keys=loaded.steps.keys,
        catch_found=estimate.catch_found,
        catch_planted=estimate.catch_planted,
        unreadable=estimate.unreadable,
        labels=int(sample.cell_sizes.sum()) + answered_count,
        answered=answered_count,
        abandoned=abandoned_count,
        classes=tuple(
            _build_class_audit(class_id, classes.names[class_id], *class_audits[class_id])
            for class_id in sorted(class_audits)
        ),
        confusion=estimate.confusion,
        strata=tuple(StratumAudit(name, size, counts.checked, counts.wrong) for name, size, counts in strata),
    )


def _build_class_audit(class_id: int, name: str, counts: CheckCounts, share: ShareEstimate | None) -> ClassAudit:
    interval = (None, None, None) if share is None else (share.estimate, share.low, share.high)
    return ClassAudit(class_id, name, counts.checked, counts.wrong, *interval)
