"""Sessions in memory that follow a script: they implement the protocol of the screens without networks and files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from tests.tui.digit_images import draw_digit
from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable, effective_answers, format_path
from vaetui.engine.classes import ClassEdit, ClassList
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, TrainingConfig
from vaetui.engine.events import (
    BatchesTrained,
    Clustered,
    ClusterSplit,
    EpochEnded,
    Event,
    Finished,
    Loading,
    Losses,
    Progress,
    Reconstructed,
    SamplesGenerated,
    Saved,
)
from vaetui.engine.metrics import Agreement
from vaetui.errors import UserError
from vaetui.session.digit_keys import add_new_classes, assign_digit_keys
from vaetui.session.views import ClusterView, MemberOrder, Phase, ReadingTest, RoundView, Summary, TrainingCurves

HELD_OUT_COUNT = 12
"""Pictures in a reading test; each shows the last digit of its index."""
STEPS_PER_EPOCH = 900
IMAGES_PER_S = 2_870.0


def create_epoch(epoch: int, answer_count: int = 0) -> EpochEnded:
    """Create the end of an epoch in a run whose accuracy rises."""
    losses = Losses(220.0 / epoch, 5.0 + epoch / 10, 0.5 / epoch)
    return EpochEnded(epoch, losses, min(0.1 + 0.3 * epoch, 0.97), 0.9, 0.6, answer_count, 20.0)


def create_labelled_epoch(epoch: int, has_test_labels: bool = True) -> EpochEnded:
    """Create the end of an epoch in a run that has labels from the second epoch on."""
    simple_epoch = create_epoch(epoch)
    return EpochEnded(
        epoch,
        create_losses(STEPS_PER_EPOCH * epoch),
        simple_epoch.test_accuracy if has_test_labels else None,
        simple_epoch.pixel_accuracy,
        0.0 if epoch == 1 else 0.88,
        16 * (epoch - 1),
        20.0,
    )


def create_losses(step: int) -> Losses:
    """Create losses that change with the step like those of a real run."""
    return Losses(98 + 445 / (1 + step / 12), 11 * (1 - 2 ** (-step / 400)) + 0.5, 0.05 + 1.5 / (1 + step / 300))


def create_training_events() -> list[Event]:
    """Create the events of a run up to the middle of its third epoch."""
    pictures = np.stack([draw_digit(digit) for digit in range(8)])
    events: list[Event] = []
    for epoch in (1, 2, 3):
        for step in range(100, STEPS_PER_EPOCH + 1 if epoch < 3 else 501, 100):
            losses = create_losses((epoch - 1) * STEPS_PER_EPOCH + step)
            events.append(BatchesTrained(epoch, step, STEPS_PER_EPOCH, losses, IMAGES_PER_S, 2.2))
        if epoch < 3:
            events += [Reconstructed(pictures, pictures // 2, 3 * epoch), create_labelled_epoch(epoch)]
    return events


class ScriptedSession:
    """A session whose slow methods yield a finite script and whose other methods use lists."""

    def __init__(
        self,
        phase: Phase = "labelling",
        clusters: int = 16,
        rounds: int = 5,
        events: Sequence[Event] | None = None,
        *,
        name: str = "demo-mnist",
        side: int = 28,
        config: Config | None = None,
        classes: tuple[str, ...] | None = None,
        has_test_labels: bool = True,
    ) -> None:
        """Start at the beginning of a phase; the first `advance` in training yields `events`, if given."""
        self.name = name
        self.config = config or Config(training=TrainingConfig(rounds=rounds))
        self.classes = self._initial_classes = ClassList.from_names(
            classes or tuple(map(str, range(self.config.network.classes)))
        )
        self.has_test_labels = has_test_labels
        self.import_lines: dict[str, str] = {}
        self.answer_log: list[tuple[ClusterPath, Answer]] = []
        """The answers of the round that are not undone, oldest first."""
        self.class_edits: list[tuple[int, ClassEdit]] = []
        """The class edits that are not undone, oldest first, each with the number of answers before it."""
        self.undone_actions: list[tuple[ClusterPath, Answer] | ClassEdit] = []
        """Undone answers and class edits, the one undone last at the end."""
        self.is_loaded = False
        """Whether members can be shown."""
        self.is_closed = False
        """Whether `close` was called."""
        self.stop_count = 0
        """How many slow methods were closed before their end."""
        self.calls: list[str] = []
        """The methods called, with arguments, in order."""
        self.loss_points: list[tuple[int, Losses]] = []
        """The losses so far, by step."""
        self.finished_epochs: list[EpochEnded] = []
        """The epochs so far."""
        self.agreements: tuple[tuple[int, Agreement], ...] = ()
        """Agreement of answers and classifier, by round."""
        self.readings: dict[int, tuple[int | None, ...]] = {}
        """The readings, by epoch."""
        self.current_phase = phase
        """The phase; tests may change it."""
        self._cluster_count = clusters
        self._side = side
        self._rounds = rounds
        self._round_number = rounds if phase == "finished" else 1
        self._first_events = None if events is None else list(events)
        self._earlier_answer_count = 0

    @property
    def phase(self) -> Phase:
        """The phase of the session."""
        return self.current_phase

    @property
    def round_count(self) -> int:
        """Number of rounds."""
        return self._rounds

    @property
    def epoch_count(self) -> int:
        """Number of epochs: one before the rounds and one after each."""
        return 1 + self._rounds

    @property
    def round_number(self) -> int:
        """The current or next round; 0 after the last one."""
        return self._round_number if self._round_number <= self._rounds else 0

    @property
    def device_name(self) -> str:
        """The device; empty before anything is loaded."""
        return "cpu, 2 threads" if self.is_loaded else ""

    def advance(self) -> Iterator[Event]:
        """Yield the script of the phase."""
        self.calls.append("advance")
        is_training = self.current_phase == "training"
        is_complete = False
        try:
            for event in self._create_events() if is_training else (Loading("PyTorch"), Loading("images")):
                self._record_event(event)
                self.is_loaded = True
                if is_training and isinstance(event, Clustered):
                    self.current_phase = "labelling"
                if is_training and isinstance(event, Finished):
                    self.current_phase = "finished"
                yield event
            is_complete = True
        finally:
            self.stop_count += not is_complete

    def split_cluster(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        """Split a cluster."""
        self.calls.append(f"split_cluster {format_path(path)} {part_count}")
        yield Progress("splitting", 0, 1)
        self._append_answer(path, Split(part_count))
        yield ClusterSplit(path, part_count)

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        """Draw digits of any class or of one; each seed draws others."""
        self.calls.append(f"generate_samples {count} {class_id} {seed}")
        if not self.finished_epochs:
            raise UserError("No checkpoint yet. Train one epoch first.")
        yield Progress("drawing", 1, 2)
        digits = [index if class_id is None else class_id for index in range(count)]
        yield SamplesGenerated(
            np.stack([draw_digit(digit, 1000 * seed + index, self._side) for index, digit in enumerate(digits)])
        )

    def round_view(self) -> RoundView:
        """Return the round."""
        answers = effective_answers(self.answer_log)
        clusters = [
            cluster
            for index in range(self._cluster_count)
            for cluster in self._create_views((index,), 2000 + 137 * index, answers)
        ]
        leaves = [cluster for cluster in clusters if cluster.leaf_counts is None]
        answered_leaves = [cluster for cluster in leaves if cluster.answer is not None]
        labelled_size = sum(cluster.size for cluster in answered_leaves if isinstance(cluster.answer, ClassAnswer))
        return RoundView(
            self._round_number,
            self._rounds,
            tuple(clusters),
            len(answered_leaves),
            len(leaves),
            labelled_size / sum(cluster.size for cluster in leaves),
            self._earlier_answer_count + len(self.answer_log),
            add_new_classes(assign_digit_keys(self._initial_classes, {}), [edit for _, edit in self.class_edits]),
            _describe(self.class_edits[-1][1] if self._is_edit_last() else self.answer_log[-1])
            if self.class_edits or self.answer_log
            else None,
            _describe(self.undone_actions[-1]) if self.undone_actions else None,
        )

    def record_answer(self, path: ClusterPath, answer: ClassAnswer | Unreadable) -> None:
        """Record an answer."""
        self.calls.append(f"record_answer {format_path(path)}")
        if isinstance(answer, ClassAnswer):
            self.classes.require_active(answer.class_id)
        self._append_answer(path, answer)

    def undo(self) -> ClusterPath | None:
        """Undo the last answer or class edit."""
        self.calls.append("undo")
        if self._is_edit_last():
            self.undone_actions.append(self.class_edits.pop()[1])
            self._apply_class_edits()
            return ()
        if not self.answer_log:
            return None
        path, answer = self.answer_log.pop()
        self.undone_actions.append((path, answer))
        return path

    def redo(self) -> ClusterPath | None:
        """Redo the answer or class edit undone last."""
        self.calls.append("redo")
        if not self.undone_actions:
            return None
        action = self.undone_actions.pop()
        if isinstance(action, tuple):
            self.answer_log.append(action)
            return action[0]
        self.class_edits.append((len(self.answer_log), action))
        self._apply_class_edits()
        return ()

    def edit_classes(self, edit: ClassEdit) -> None:
        """Apply an edit to the classes."""
        self.calls.append(f"edit_classes {edit}")
        self.classes = self.classes.with_edit(edit)
        self.class_edits.append((len(self.answer_log), edit))
        self.undone_actions.clear()

    def answer_counts(self) -> tuple[int, ...]:
        """Count the answers by class."""
        class_ids = [
            self.classes.canonical[answer.class_id] for _, answer in self.answer_log if isinstance(answer, ClassAnswer)
        ]
        return tuple(class_ids.count(class_id) for class_id in range(len(self.classes)))

    def member_images(self, path: ClusterPath, order: MemberOrder, count: int) -> Pixels:
        """Draw members that resemble the centre; each order draws others."""
        self.calls.append(f"member_images {format_path(path)} {order}")
        if not self.is_loaded:
            return np.zeros((0, self._side, self._side), np.uint8)
        seed = {"nearest": 100, "random": 200, "farthest": 300}[order]
        return np.stack([draw_digit(sum(path), seed + index, self._side) for index in range(count)])

    def close_round(self) -> None:
        """End the round."""
        self.calls.append("close_round")
        if self.current_phase != "labelling":
            raise UserError("There is no round to end.")
        self._earlier_answer_count += len(self.answer_log)
        self.answer_log, self.class_edits, self.undone_actions = [], [], []
        self._initial_classes = self.classes
        self.current_phase = "training"
        self._round_number += 1

    def add_round(self) -> None:
        """Add a round to a finished run."""
        self.calls.append("add_round")
        self._rounds += 1
        self._round_number = self._rounds
        self.current_phase = "labelling"

    def training_curves(self) -> TrainingCurves:
        """Return losses and epochs so far."""
        return TrainingCurves(tuple(self.loss_points), tuple(self.finished_epochs))

    def reading_test(self) -> ReadingTest:
        """Return the reading test of the last epoch."""
        if not self.finished_epochs:
            raise UserError("There is nothing to read before the first epoch has ended.")
        return self._create_reading_test(self.finished_epochs[-1].epoch)

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        """Record readings from an index on, and drop those behind them."""
        self.calls.append(f"record_reading {epoch} {start} {list(class_ids)}")
        self.readings[epoch] = (*self.readings.get(epoch, ())[:start], *class_ids)
        reading_test = self._create_reading_test(epoch)
        index = [finished_epoch.epoch for finished_epoch in self.finished_epochs].index(epoch)
        self.finished_epochs[index] = replace(self.finished_epochs[index], reading_accuracy=reading_test.accuracy)
        return reading_test

    def summary(self) -> Summary:
        """Return the summary of a finished run."""
        if self.current_phase != "finished":
            raise UserError("The run is not finished.")
        class_counts = tuple((class_id, 5_000 + 150 * class_id) for class_id in range(len(self.classes)))
        return Summary(class_counts, 0.83, 64, 125.0, 240.0, self.agreements)

    def close(self) -> None:
        """Close the session."""
        self.is_closed = True

    def _record_event(self, event: Event) -> None:
        if isinstance(event, BatchesTrained):
            self.loss_points.append(((event.epoch - 1) * event.steps_per_epoch + event.step, event.losses))
        if isinstance(event, EpochEnded):
            self.finished_epochs.append(event)

    def _create_reading_test(self, epoch: int) -> ReadingTest:
        pictures = np.stack([draw_digit(index % 10, 300 + index, self._side) for index in range(HELD_OUT_COUNT)])
        class_ids = self.readings.get(epoch, ())
        correct_count = sum(class_id == index % 10 for index, class_id in enumerate(class_ids))
        accuracy = correct_count / HELD_OUT_COUNT if len(class_ids) == HELD_OUT_COUNT else None
        return ReadingTest(epoch, pictures, class_ids, accuracy, assign_digit_keys(self.classes, {}))

    def _is_edit_last(self) -> bool:
        """Whether the last action is a class edit."""
        return bool(self.class_edits) and self.class_edits[-1][0] == len(self.answer_log)

    def _apply_class_edits(self) -> None:
        self.classes = reduce(ClassList.with_edit, [edit for _, edit in self.class_edits], self._initial_classes)

    def _append_answer(self, path: ClusterPath, answer: Answer) -> None:
        self.answer_log.append((path, answer))
        self.undone_actions.clear()

    def _create_views(self, path: ClusterPath, size: int, answers: dict[ClusterPath, Answer]) -> list[ClusterView]:
        answer = answers.get(path)
        if isinstance(answer, ClassAnswer):
            answer = replace(answer, class_id=self.classes.canonical[answer.class_id])
        parts: list[ClusterView] = []
        leaf_counts = None
        if isinstance(answer, Split):
            part_size = size // answer.parts
            parts = [
                view for part in range(answer.parts) for view in self._create_views((*path, part), part_size, answers)
            ]
            leaves = [view for view in parts if view.leaf_counts is None]
            leaf_counts = (sum(view.answer is not None for view in leaves), len(leaves))
        digit, class_count = sum(path) % 10, len(self.classes)
        class_shares = tuple(
            (self.classes.canonical[(digit + offset) % class_count], share)
            for offset, share in ((0, 0.48), (5, 0.41), (7, 0.06))
        )
        picture = draw_digit(digit, sum(path), self._side)
        mean_distance = 1.6 + 0.1 * (path[0] % 8)
        return [ClusterView(path, picture, size, mean_distance, answer, leaf_counts, class_shares, 0.64), *parts]

    def _create_events(self) -> Sequence[Event]:
        """Return the first events that were given, then one epoch and the clustering or the end behind it."""
        if self._first_events is not None:
            events, self._first_events = self._first_events, None
            return events
        epoch = len(self.finished_epochs) + 1
        pictures = np.stack([draw_digit(digit) for digit in range(8)])
        steps = [
            BatchesTrained(
                epoch,
                step,
                STEPS_PER_EPOCH,
                Losses(300.0 / (epoch * STEPS_PER_EPOCH + step) ** 0.2, 5.0, 0.4),
                IMAGES_PER_S,
                1.1,
            )
            for step in range(50, STEPS_PER_EPOCH + 1, 50)
        ]
        is_last = self._round_number > self._rounds
        last_event: Event = Finished() if is_last else Clustered(self._round_number, self._cluster_count, ())
        ended = replace(create_epoch(epoch), answer_count=self._earlier_answer_count)
        return [
            Loading("PyTorch"),
            *steps,
            Reconstructed(pictures, pictures // 2, None),
            ended,
            Saved(),
            last_event,
        ]


class EndlessSession(ScriptedSession):
    """A session that yields the given events and then trains one epoch for ever, a few milliseconds a step."""

    def __init__(self, first_events: Sequence[Event] = ()) -> None:
        super().__init__("training")
        self._endless_first_events = first_events

    def advance(self) -> Iterator[Event]:
        """Train until closed."""
        self.calls.append("advance")
        timer = threading.Event()
        step = 0
        try:
            for event in self._endless_first_events:
                self._record_event(event)
                yield event
            while True:
                step = min(step + 1, STEPS_PER_EPOCH)
                epoch = 1 + len(self.finished_epochs)
                yield BatchesTrained(epoch, step, STEPS_PER_EPOCH, Losses(200.0, 5.0, 0.4), IMAGES_PER_S, 0.01)
                timer.wait(0.002)
        finally:
            self.stop_count += 1


def _describe(action: tuple[ClusterPath, Answer] | ClassEdit) -> str:
    return f"answer for cluster {format_path(action[0])}" if isinstance(action, tuple) else "class edit"
