"""Run a whole session with a simulated annotator, through the same Session API as the screens."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from vaetui.engine.events import EpochEnded, Event, Notice, Reconstructed
from vaetui.engine.metrics import reading_accuracy
from vaetui.engine.true_labels import TrueLabels
from vaetui.errors import UserError
from vaetui.session.audit_views import AuditResult
from vaetui.session.audits import NothingToAuditError
from vaetui.session.feature_advice import advise_features
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.annotators import Annotator, CentreAnnotator, ImageChecker, LabelNoise, MembersAnnotator
from vaetui.simulation.auditing_annotator import AuditingAnnotator
from vaetui.simulation.budgeted_annotator import MIN_CONFIDENCE, BudgetedAnnotator
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.result import (
    AnswerCounts,
    ExportQuality,
    PseudoLabelQuality,
    SimulationResult,
    evaluate_export,
    evaluate_pseudo_labels,
    summarise_label_accuracy,
)
from vaetui.simulation.reviewing_annotator import ReviewingAnnotator
from vaetui.simulation.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class RoundAnswered:
    """The annotator has answered a round."""

    round_number: int
    """The round, from 1."""
    answer_count: int
    """Number of answers in the round."""
    quality: PseudoLabelQuality
    """Accuracy of the round's pseudo-labels."""


@dataclass(frozen=True, slots=True)
class ReconstructionsRead:
    """The reader has classified the reconstructions at the end of an epoch."""

    epoch_ended: EpochEnded
    """The epoch, with its reading accuracy."""


SimulationEvent: TypeAlias = Event | RoundAnswered | ReconstructionsRead


class Simulation:
    """Drives a session to its end."""

    def __init__(
        self,
        session: Session,
        trained_reader: TrainedReader | None,
        annotator_config: AnnotatorConfig,
        stopwatch: Stopwatch,
        earlier_answers: int = 0,
    ) -> None:
        """Drive `session`; the reader classifies its reconstructions, and its centres for the annotator "centre".

        A session without a decoder needs no reader for other annotators. The annotator has given `earlier_answers`
        before. Results count only the answers of this simulation.
        """
        self._session = session
        self._trained_reader = trained_reader
        self._annotator_config = annotator_config
        self._stopwatch = stopwatch
        class_count, seed = session.config.network.classes, session.config.seed
        self._label_noise = LabelNoise(class_count, annotator_config.error_rate, seed, earlier_answers)
        self._pictures_shown = 0
        self._answers_by_round: list[int] = []
        self._counts = AnswerCounts()
        self._label_qualities: list[PseudoLabelQuality] = []
        self._accuracy_by_eval: dict[int, float] = {}
        self._audited_indices: list[int] = []
        self._advice: str | None = None

    def run_to_end(self) -> Generator[SimulationEvent, None, SimulationResult]:
        """Train and answer until the session is finished; yields its events and returns the result.

        Raises UserError if the images have no labels.
        """
        while True:
            for event in self._stopwatch.measure_events(self._session.advance()):
                yield event
                if isinstance(event, Reconstructed) and event.eval_number is not None:
                    yield from self._read_reconstructions(event, event.eval_number)
            if self._session.phase == "finished":
                audit_result = yield from self._audit_labels()
                return self._build_result((yield from self._evaluate_export()), audit_result)
            yield from self.answer_round()
            self._session.close_round()

    def answer_round(self) -> Iterator[SimulationEvent]:
        """Spend the answers of one round on the current round of the session; yields events."""
        session, budget = self._session, self._annotator_config.answers_per_round
        # No image has a label before the first round is answered.
        review_budget = min(self._annotator_config.review_answers, budget) if session.round_number > 1 else 0
        review_answers = yield from self._review_images(review_budget)
        annotator = BudgetedAnnotator(
            session,
            self._create_annotator(),
            self._label_noise,
            budget - review_answers,
            self._stopwatch,
            self._annotator_config.mixed,
        )
        yield from annotator.answer_round()
        cluster_answers = budget - review_answers - annotator.budget
        self._pictures_shown += annotator.pictures_shown
        self._counts.clusters += cluster_answers - annotator.nearest_count
        self._counts.nearest += annotator.nearest_count
        self._answers_by_round.append(cluster_answers + review_answers)
        with self._stopwatch.measure_part("judging"):
            pseudo_labels = yield from session.propagate_answers()
            true_labels = self._require_true_labels("train_labels")
            self._label_qualities.append(evaluate_pseudo_labels(session.round_number, pseudo_labels, true_labels))
        yield RoundAnswered(session.round_number, self._answers_by_round[-1], self._label_qualities[-1])
        if (advice := advise_features(session.round_view(), session.has_features)) is not None:
            self._advice = advice
            yield Notice(advice)

    def _review_images(self, budget: int) -> Generator[SimulationEvent, None, int]:
        """Spend answers on single images; return their number."""
        if not budget:
            return 0
        checker = ImageChecker(self._require_true_labels("train_validation_labels"), self._label_noise)
        kind = self._annotator_config.review_kind
        annotator = ReviewingAnnotator(self._session, checker, budget, kind, self._stopwatch, self._counts)
        yield from annotator.answer()
        self._pictures_shown += annotator.pictures_shown
        return budget - annotator.budget

    def _read_reconstructions(self, event: Reconstructed, eval_number: int) -> Iterator[SimulationEvent]:
        """Classify the reconstructions, and record the reading test of the session at the end of an epoch."""
        session = self._session
        with self._stopwatch.measure_part("reading"):
            predictions = self._require_reader().reader.predict(event.reconstructions)
            pairs = zip(predictions.class_ids.tolist(), predictions.confidences.tolist(), strict=True)
            class_ids = [class_id if confidence >= MIN_CONFIDENCE else None for class_id, confidence in pairs]
            true_labels = session.true_labels.validation_labels if session.true_labels else None
            if true_labels is not None:
                self._accuracy_by_eval[eval_number] = reading_accuracy(class_ids, true_labels)
            epoch, eval_in_epoch = divmod(eval_number, session.config.training.evals_per_epoch)
            if eval_in_epoch:
                return
            session.record_reading(epoch, 0, class_ids)
        yield ReconstructionsRead(session.training_curves().finished_epochs[-1])

    def _audit_labels(self) -> Generator[SimulationEvent, None, AuditResult | None]:
        """Audit the labels as configured, and remember which images were checked; None without labels to audit."""
        plan, config = self._annotator_config.audit_plan, self._annotator_config
        if plan is None or not sum(self._answers_by_round):
            return None
        with self._stopwatch.measure_part("auditing"):
            true_class_ids = self._require_true_labels("train_validation_labels").class_ids.astype(np.int64)
            annotator = AuditingAnnotator(self._session, true_class_ids, config.error_rate)
            try:
                result = yield from annotator.audit(plan)
            except NothingToAuditError as error:
                yield Notice(str(error))
                return None
            self._pictures_shown += len(annotator.image_indices)
            self._audited_indices = annotator.image_indices
        return result

    def _evaluate_export(self) -> Generator[SimulationEvent, None, ExportQuality | None]:
        """Rate the labels of all images, or of those that were not checked in the audit."""
        if not sum(self._answers_by_round):
            return None
        with self._stopwatch.measure_part("judging"):
            label_table = yield from self._session.build_label_table()
            is_unchecked = ~np.isin(label_table.indices, self._audited_indices)
            true_labels = self._require_true_labels("train_validation_labels")
            return evaluate_export(label_table.select_rows(is_unchecked), true_labels)

    def _create_annotator(self) -> Annotator:
        if self._annotator_config.annotator == "centre":
            return CentreAnnotator(self._require_reader().reader)
        return MembersAnnotator(self._require_true_labels("train_labels"))

    def _require_reader(self) -> TrainedReader:
        assert self._trained_reader is not None
        return self._trained_reader

    def _require_true_labels(self, attribute: Literal["train_labels", "train_validation_labels"]) -> TrueLabels:
        true_labels: TrueLabels | None = getattr(self._session.true_labels, attribute)
        if true_labels is None:
            raise UserError("No training image has a true label; simulate needs them.")
        return true_labels

    def _build_result(self, export_quality: ExportQuality | None, audit_result: AuditResult | None) -> SimulationResult:
        epochs, config = self._session.training_curves().finished_epochs, self._session.config
        eval_numbers = range(1, len(epochs) * config.training.evals_per_epoch + 1)
        return SimulationResult(
            test_accuracy=tuple(epoch.test_accuracy for epoch in epochs),
            reading_accuracy=tuple(epoch.reading_accuracy for epoch in epochs),
            reading_accuracy_by_eval=tuple(map(self._accuracy_by_eval.get, eval_numbers)),
            answers=sum(self._answers_by_round),
            answers_by_round=tuple(self._answers_by_round),
            answers_by_kind=dataclasses.replace(self._counts),
            pictures_shown=self._pictures_shown,
            label_accuracy=summarise_label_accuracy(self._label_qualities),
            exported=export_quality,
            audit=None if audit_result is None else audit_result.to_dict(),
            seconds={"total": self._stopwatch.total_seconds, **self._stopwatch.seconds_by_part},
            recipe=config.recipe,
            annotator=self._annotator_config.annotator,
            error_rate=self._annotator_config.error_rate,
            review_answers=self._annotator_config.review_answers,
            review_kind=self._annotator_config.review_kind,
            mixed=self._annotator_config.mixed,
            reader_accuracy=None if self._trained_reader is None else self._trained_reader.accuracy,
            seed=config.seed,
            config=dataclasses.asdict(config),
            advice=self._advice,
        )
