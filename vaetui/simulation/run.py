"""A whole run without a screen: the very same Session that the screens drive, answered by an annotator."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vaetui.engine.events import EpochEnded, Event, Reconstructed
from vaetui.engine.ground_truth import TrueLabels
from vaetui.engine.metrics import reading_accuracy
from vaetui.errors import UserError
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.annotators import Annotator, CentreAnnotator, LabelNoise, MembersAnnotator
from vaetui.simulation.budgeted_annotator import MIN_CONFIDENCE, BudgetedAnnotator
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.result import (
    ExportQuality,
    PseudoLabelQuality,
    SimulationResult,
    evaluate_export,
    evaluate_pseudo_labels,
    summarise_label_accuracy,
)
from vaetui.simulation.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class RoundAnswered:
    """A round was answered."""

    round: int
    """The round, from 1."""
    answers: int
    """Answers given in it."""
    quality: PseudoLabelQuality
    """How good the labels are that they spread."""


@dataclass(frozen=True, slots=True)
class ReconstructionsRead:
    """The reconstructions of a whole epoch were read."""

    epoch_ended: EpochEnded
    """The epoch, with its reading accuracy."""


SimulationEvent: TypeAlias = Event | RoundAnswered | ReconstructionsRead


class Simulation:
    """Drives one session to its end."""

    def __init__(
        self, session: Session, trained_reader: TrainedReader, annotator_config: AnnotatorConfig, stopwatch: Stopwatch
    ) -> None:
        """Drive a session, a new one, with a reader for centres and reconstructions."""
        self._session = session
        self._trained_reader = trained_reader
        self._annotator_config = annotator_config
        self._stopwatch = stopwatch
        self._label_noise = LabelNoise(session.config.network.classes, annotator_config.error_rate, session.config.seed)
        self._pictures_shown = 0
        self._answers_by_round: list[int] = []
        self._label_qualities: list[PseudoLabelQuality] = []
        self._accuracy_by_eval: dict[int, float] = {}

    def run(self) -> Generator[SimulationEvent, None, SimulationResult]:
        """Train, answer, train to the end; yields what happens and returns what it came to.

        Raises Trouble where there is no label of a training image.
        """
        while True:
            for event in self._stopwatch.measure_events(self._session.advance()):
                yield event
                if isinstance(event, Reconstructed) and event.eval_number is not None:
                    yield from self._read_reconstructions(event, event.eval_number)
            if self._session.phase == "finished":
                return self._build_result((yield from self._evaluate_export()))
            yield from self._answer_round()
            self._session.finish_round()

    def _answer_round(self) -> Iterator[SimulationEvent]:
        """Answer a round, and look at what it spread."""
        session = self._session
        round = BudgetedAnnotator(
            session,
            self._create_annotator(),
            self._label_noise,
            self._annotator_config.answers_per_round,
            self._stopwatch,
        )
        yield from round.answer_round()
        self._pictures_shown += round.pictures_shown
        self._answers_by_round.append(self._annotator_config.answers_per_round - round.budget)
        with self._stopwatch.measure("judging"):
            weights = yield from session.propagate()
            self._label_qualities.append(
                evaluate_pseudo_labels(session.round_number, weights, self._require_true_labels("train"))
            )
        yield RoundAnswered(session.round_number, self._answers_by_round[-1], self._label_qualities[-1])

    def _read_reconstructions(self, event: Reconstructed, eval_number: int) -> Iterator[SimulationEvent]:
        """Read the reconstructions of a check; at the end of an epoch, in the session's reading test."""
        session = self._session
        with self._stopwatch.measure("reading"):
            opinions = self._trained_reader.reader.predict(event.reconstructions)
            pairs = zip(opinions.class_ids.tolist(), opinions.confidences.tolist(), strict=True)
            read = [label if certainty >= MIN_CONFIDENCE else None for label, certainty in pairs]
            self._accuracy_by_eval[eval_number] = reading_accuracy(read, self._require_true_labels("validation"))
            epoch, rest = divmod(eval_number, session.config.training.evals_per_epoch)
            if rest:
                return
            session.record_reading(epoch, 0, read)
        yield ReconstructionsRead(session.training_curves().finished_epochs[-1])

    def _evaluate_export(self) -> Generator[SimulationEvent, None, ExportQuality | None]:
        """Look at the labels that a person would take away."""
        if not sum(self._answers_by_round):
            return None
        with self._stopwatch.measure("judging"):
            return evaluate_export((yield from self._session.label_table()), self._require_true_labels("all"))

    def _create_annotator(self) -> Annotator:
        if self._annotator_config.annotator == "centre":
            return CentreAnnotator(self._trained_reader.reader)
        return MembersAnnotator(self._require_true_labels("train"))

    def _require_true_labels(self, subset: Literal["train", "validation", "all"]) -> TrueLabels:
        truth: TrueLabels | None = getattr(self._session.true_labels, subset)
        if truth is None:
            raise UserError(f"The {subset} images have no labels, so nobody can stand in for you.")
        return truth

    def _build_result(self, export_quality: ExportQuality | None) -> SimulationResult:
        epochs, config = self._session.training_curves().finished_epochs, self._session.config
        return SimulationResult(
            test_accuracy=tuple(epoch.test_accuracy for epoch in epochs),
            reading_accuracy=tuple(epoch.reading_accuracy for epoch in epochs),
            reading_accuracy_by_eval=tuple(
                self._accuracy_by_eval.get(check)
                for check in range(1, len(epochs) * config.training.evals_per_epoch + 1)
            ),
            answers=sum(self._answers_by_round),
            answers_by_round=tuple(self._answers_by_round),
            pictures_shown=self._pictures_shown,
            label_accuracy=summarise_label_accuracy(self._label_qualities),
            exported=export_quality,
            seconds={"total": self._stopwatch.total_seconds, **self._stopwatch.seconds_by_part},
            recipe=config.recipe,
            annotator=self._annotator_config.annotator,
            error_rate=self._annotator_config.error_rate,
            reader_accuracy=self._trained_reader.accuracy,
            seed=config.seed,
            config=dataclasses.asdict(config),
        )
