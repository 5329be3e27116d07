"""Sessions in memory that follow a script: they implement the protocol of the screens without networks and files."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.tui.digit_images import draw_digit
from tests.tui.scripted_actions import ScriptedAction, ScriptedActions, ScriptedAnswer, describe_step
from tests.tui.scripted_audits import ScriptedAudits
from tests.tui.scripted_reviews import ScriptedReviews
from vaetui.engine.answers import (
    Answer,
    AnsweredImage,
    ClusterAnswer,
    ClusterPath,
    ImageAnswerOrigin,
    Split,
    effective_answers,
    format_path,
)
from vaetui.engine.classes import AddClass, ClassEdit, ClassList
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, TrainingConfig, decodes_images
from vaetui.engine.events import (
    BatchesTrained,
    Clustered,
    ClusterSplit,
    EpochEnded,
    Event,
    Finished,
    HistoryEntry,
    HistoryLoaded,
    ImageMap,
    LabellingLoaded,
    LabelsExported,
    Loading,
    Losses,
    MapCluster,
    MapComputed,
    Progress,
    Reconstructed,
    SamplesGenerated,
    Saved,
)
from vaetui.engine.metrics import Agreement
from vaetui.errors import UserError
from vaetui.session.digit_keys import add_new_classes, assign_digit_keys
from vaetui.session.views import (
    ClusterView,
    DigitKeys,
    Disagreement,
    MemberOrder,
    Phase,
    ReadingTest,
    RoundView,
    Summary,
    TrainingCurves,
)
from vaetui.storage.output_files import OutputExistsError

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


class ScriptedLabellings:
    """The labels of a session that are not loaded, or have the version that a test sets."""

    current: ScriptedLabels | None = None


@dataclass(frozen=True)
class ScriptedLabels:
    """Labels of some version."""

    version: str


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
        names = classes or tuple(map(str, range(self.config.network.classes)))
        self.steps = ScriptedActions(ClassList.from_names(names))
        """The answers and class edits."""
        self.audits = ScriptedAudits(lambda: self.classes)
        self.labellings = ScriptedLabellings()
        self.reviews = ScriptedReviews(lambda: len(self.classes), lambda: self.steps.pages)
        """The pages of single images to correct."""
        self.has_test_labels = has_test_labels
        self.has_features = self.config.network.inputs == "vectors"
        self.has_decoder = decodes_images(self.config.network)
        self.import_lines: Mapping[str, str] = {}
        self.unanswered_class_ids: tuple[int, ...] = ()
        """The classes that curves and summary report as unanswered, in a script without answers of ended rounds."""
        self.saved_at_s: float | None = None
        """When the last `Saved` event was recorded, in seconds since 1970."""
        self.learned_class_ids: tuple[int, ...] | None = None
        """The classes that predictions may name; None for all."""
        self.top_share: float | None = 0.48
        """Share of the members of each cluster with the most frequent predicted class; None for no predictions."""
        self.is_loaded = False
        """Whether members can be shown."""
        self.is_closed = False
        """Whether `close` was called."""
        self.stop_count = 0
        """How often training was stopped before its end; loading for a screen that is open already does not count."""
        self.export_steps = threading.Semaphore(1_000_000)
        """Holds an export back while it is 0."""
        self.calls: list[str] = []
        """The methods called, with arguments, in order."""
        self.loss_points: list[tuple[int, Losses]] = []
        """The losses so far, by step."""
        self.finished_epochs: list[EpochEnded] = []
        """The epochs so far."""
        self.disagreement: Disagreement | None = None
        """Disagreement of classifier and graph after the last epoch."""
        self.agreements: tuple[tuple[int, Agreement], ...] = ()
        """Agreement of answers and classifier, by round."""
        self.advice: str | None = None
        """The advice that the summary reports."""
        self.readings: dict[int, tuple[int | None, ...]] = {}
        """The readings, by epoch."""
        self.current_phase = phase
        """The phase; tests may change it."""
        self._cluster_count = clusters
        self._side = side
        self._rounds = rounds
        self._round_number = rounds if phase == "finished" else 1
        self._first_events = None if events is None else list(events)
        self._one_key_mode: bool | None = None

    @property
    def answer_log(self) -> list[tuple[ClusterPath, Answer]]:
        """The answers for clusters of the current round that are not undone, oldest first."""
        return [(item.path, item.answer) for item in self.steps.answers if self._is_current(item)]

    @answer_log.setter
    def answer_log(self, answers: Sequence[tuple[ClusterPath, Answer]]) -> None:
        """Replace all actions of the round by answers, each a step."""
        self.steps.replace_answers(self._round_number, answers)

    @property
    def class_edits(self) -> list[tuple[int, ClassEdit]]:
        """The class edits that are not undone, oldest first, each with the number of answers before it."""
        return self.steps.class_edits

    @property
    def classes(self) -> ClassList:
        """The classes."""
        return self.steps.classes

    @classes.setter
    def classes(self, classes: ClassList) -> None:
        """Replace the classes; undo does not bring the others back."""
        self.steps.classes = self.steps.initial_classes = classes

    @property
    def one_key_mode(self) -> bool | None:
        """Whether a digit answers at once; None if not chosen."""
        return self._one_key_mode

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
            self.stop_count += is_training and not is_complete

    def split_cluster(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        """Split a cluster."""
        self.calls.append(f"split_cluster {format_path(path)} {part_count}")
        yield Progress("splitting", 0, 1)
        self.steps.record([(self._round_number, path, Split(part_count))])
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

    def map_images(self, class_ids: Collection[int] = ()) -> Iterator[Event]:
        """Place each class as a disc of points on a circle, with the clusters in the discs of their first classes."""
        self.calls.append(f"map_images {list(class_ids)}")
        yield Progress("computing the map", 0, 1)
        yield MapComputed(self._create_image_map(tuple(class_ids)))

    def load_labelling(self) -> Iterator[Event]:
        """Compute the labels, which are those of the script."""
        self.calls.append("load_labelling")
        yield Progress("classifying the images", 0, 1)
        yield LabellingLoaded("0123456789ab")

    def round_view(self) -> RoundView:
        """Return the round."""
        answers = effective_answers(self.answer_log)
        clusters = [
            cluster
            for index in range(self._cluster_count)
            for cluster in self._create_views((index,), 2000 + 137 * index, answers)
        ]
        leaves = [cluster for cluster in clusters if cluster.leaf_counts is None]
        last_step, undone_step = self.steps.last_step, self.steps.undone_step
        return RoundView(
            self._round_number,
            self._rounds,
            tuple(clusters),
            sum(cluster.answer is not None for cluster in leaves),
            len(leaves),
            self.steps.list_unanswered_class_ids(),
            self.steps.count_answers(),
            self.digit_keys(),
            describe_step(last_step, self._round_number) if last_step else None,
            describe_step(undone_step, self._round_number) if undone_step else None,
        )

    def set_one_key_mode(self, is_on: bool) -> None:
        """Choose whether a digit answers at once."""
        self.calls.append(f"set_one_key_mode {is_on}")
        self._one_key_mode = is_on

    def record_answer(self, path: ClusterPath, answer: ClusterAnswer) -> None:
        """Record an answer."""
        self.record_answers([(path, answer)])

    def record_answers(
        self,
        answers: Sequence[tuple[ClusterPath, ClusterAnswer]],
        new_class: AddClass | None = None,
        extends_last_step: bool = False,
    ) -> None:
        """Record answers as one step."""
        self.calls += [f"record_answer {format_path(path)}" for path, _ in answers]
        round_answers = [(self._round_number, path, answer) for path, answer in answers]
        self.steps.record(round_answers, [] if new_class is None else [new_class], extends_last_step)

    def correct_answer(self, round_number: int, path: ClusterPath, answer: ClusterAnswer) -> None:
        """Record an answer for a cluster of any round."""
        self.calls.append(f"correct_answer {round_number} {format_path(path)}")
        self._require_no_training()
        self.steps.record([(round_number, path, answer)])

    def record_image_answers(self, answers: Sequence[AnsweredImage], origin: ImageAnswerOrigin) -> None:
        """Record answers about single images as one step."""
        self.calls.append(f"record_image_answers {[item.image_index for item in answers]} {origin}")
        self._require_no_training()
        for item in answers:
            if not 0 <= item.image_index < self.image_count:
                raise UserError(f"There is no image {item.image_index:,}.")
        self.steps.record_images(answers, origin)

    def record_border(self, class_id: int, image_indices: Sequence[int]) -> None:
        """Record the images beyond the border of a class."""
        self.calls.append(f"record_border {class_id} {len(image_indices)}")
        self._require_no_training()
        self.steps.record_border(class_id, image_indices)

    def select_images(self, image_indices: Sequence[int]) -> Pixels:
        """Draw images by index: image i shows the class i modulo the number of classes."""
        self.calls.append(f"select_images {len(image_indices)}")
        if not self.is_loaded or not len(image_indices):
            return np.zeros((0, self._side, self._side), np.uint8)
        class_count = len(self.classes)
        return np.stack([draw_digit(index % class_count % 10, index, self._side) for index in image_indices])

    def digit_keys(self) -> DigitKeys:
        """Return the class of each digit key."""
        return add_new_classes(
            assign_digit_keys(self.steps.initial_classes, {}), [edit for _, edit in self.class_edits]
        )

    def export_labels(
        self, output: Path, format_name: str | None = None, min_confidence: float = 0.0, force: bool = False
    ) -> Iterator[Event]:
        """Write a line with the number of answers."""
        self.calls.append(f"export_labels {output.name} {format_name} {min_confidence:g}{' force' * force}")
        if not output.parent.is_dir():
            raise UserError(f"Directory {output.parent} does not exist. Create it first.")
        if output.exists() and not force:
            raise OutputExistsError(output)
        for step in range(3):
            yield Progress("encoding the training images", step, 2)
            self.export_steps.acquire(timeout=10)
        output.write_text(f"{len(self.answer_log)} answers\n")
        yield LabelsExported(f"{output}: 640 labels written; you saw 132 images. Not audited.")

    def load_history(self) -> Iterator[Event]:
        """Load the answers in force."""
        self.calls.append("load_history")
        yield Progress("loading the answers", 0, 1)
        yield HistoryLoaded(
            tuple(
                HistoryEntry(
                    item.round_number,
                    item.path,
                    item.answer,
                    400 + 10 * sum(item.path),
                    draw_digit(sum(item.path) % 10, sum(item.path), self._side),
                    1_760_000_000.0 + 5 * index,
                )
                for index, item in enumerate(self.steps.list_effective_answers())
            )
        )

    def undo(self) -> ClusterPath | None:
        """Undo the last step."""
        self.calls.append("undo")
        return self._find_changed_path(self.steps.undo())

    def redo(self) -> ClusterPath | None:
        """Redo the step undone last."""
        self.calls.append("redo")
        return self._find_changed_path(self.steps.redo())

    def edit_classes(self, edit: ClassEdit) -> None:
        """Apply an edit to the classes."""
        self.calls.append(f"edit_classes {edit}")
        self.steps.record([], [edit])

    def answer_counts(self) -> tuple[int, ...]:
        """Count the answers in force by class."""
        return self.steps.count_answers_by_class()

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        """Draw members that resemble the centre; each order draws others."""
        suffix = "" if round_number is None else f" {round_number}"
        self.calls.append(f"member_images {format_path(path)} {order}{suffix}")
        if not self.is_loaded or count < 1:
            return np.zeros((0, self._side, self._side), np.uint8)
        seed = {"nearest": 100, "random": 200, "farthest": 300}[order]
        return np.stack([draw_digit(sum(path), seed + index, self._side) for index in range(count)])

    def least_sure_images(self, class_id: int, count: int) -> tuple[Pixels, tuple[float, ...]]:
        """Draw images of the class with rising confidences."""
        self.calls.append(f"least_sure_images {class_id} {count}")
        if not self.is_loaded:
            return np.zeros((0, self._side, self._side), np.uint8), ()
        pictures = [draw_digit(class_id % 10, 400 + index, self._side) for index in range(count)]
        return np.stack(pictures), tuple(0.31 + 0.02 * index for index in range(count))

    def close_round(self) -> None:
        """End the round."""
        self.calls.append("close_round")
        if self.current_phase != "labelling":
            raise UserError("There is no round to end.")
        self.steps.end_round()
        self.current_phase = "training"
        self._round_number += 1

    def add_round(self) -> None:
        """Add a round to a finished run."""
        self.calls.append("add_round")
        self._rounds += 1
        self._round_number = self._rounds
        self.current_phase = "labelling"

    @property
    def image_count(self) -> int:
        """Number of images, without held-out ones."""
        return STEPS_PER_EPOCH * self.config.training.batch_size

    def last_saved_at(self) -> float | None:
        """Return when the last `Saved` event was recorded."""
        return self.saved_at_s

    def training_curves(self) -> TrainingCurves:
        """Return losses and epochs so far, without any expected accuracy while a class has no answer."""
        unanswered_class_ids, epochs = self._list_reported_unanswered_class_ids(), tuple(self.finished_epochs)
        if unanswered_class_ids:
            epochs = tuple(replace(epoch, mean_confidence=None, expected_accuracy=None) for epoch in epochs)
        return TrainingCurves(tuple(self.loss_points), epochs, unanswered_class_ids, self.disagreement)

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
        return Summary(
            class_counts,
            self._list_reported_unanswered_class_ids(),
            64,
            125.0,
            240.0,
            self.agreements,
            self.advice,
        )

    def close(self) -> None:
        """Close the session."""
        self.is_closed = True

    def _require_no_training(self) -> None:
        if self.current_phase == "training":
            raise UserError("Answers cannot be corrected while the networks are trained. Wait for the next round.")

    def _record_event(self, event: Event) -> None:
        if isinstance(event, BatchesTrained):
            self.loss_points.append(((event.epoch - 1) * event.steps_per_epoch + event.step, event.losses))
        if isinstance(event, EpochEnded):
            self.finished_epochs.append(event)
        if isinstance(event, Saved):
            self.saved_at_s = time.time()

    def _create_reading_test(self, epoch: int) -> ReadingTest:
        pictures = np.stack([draw_digit(index % 10, 300 + index, self._side) for index in range(HELD_OUT_COUNT)])
        class_ids = self.readings.get(epoch, ())
        correct_count = sum(class_id == index % 10 for index, class_id in enumerate(class_ids))
        accuracy = correct_count / HELD_OUT_COUNT if len(class_ids) == HELD_OUT_COUNT else None
        return ReadingTest(epoch, pictures, class_ids, accuracy, assign_digit_keys(self.classes, {}))

    def _is_current(self, answer: ScriptedAnswer) -> bool:
        return self.current_phase != "finished" and answer.round_number == self._round_number

    def _find_changed_path(self, step: Sequence[ScriptedAction]) -> ClusterPath | None:
        """Return the cluster of the last answer of a step for the current round; () without one, None without step."""
        answers = [action for action in step if isinstance(action, ScriptedAnswer) and self._is_current(action)]
        return answers[-1].path if answers else () if step else None

    def _list_reported_unanswered_class_ids(self) -> tuple[int, ...]:
        """Return the classes that curves and summary report; a script without answers sets them."""
        return self.steps.list_unanswered_class_ids() if self.steps.earlier_answers else self.unanswered_class_ids

    def _create_views(self, path: ClusterPath, size: int, answers: dict[ClusterPath, Answer]) -> list[ClusterView]:
        answer = self.steps.resolve_answer(answers[path]) if path in answers else None
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
            (class_id, share)
            for offset, share in (() if self.top_share is None else ((0, self.top_share), (5, 0.41), (7, 0.06)))
            if (class_id := self.classes.canonical[(digit + offset) % class_count])
            in (self.classes.active_ids if self.learned_class_ids is None else self.learned_class_ids)
        )
        picture = draw_digit(digit, sum(path), self._side)
        mean_distance = 1.6 + 0.1 * (path[0] % 8)
        mean_picture = None if self._is_decoding else picture // 2
        view = ClusterView(
            path, picture, size, mean_distance, answer, leaf_counts, class_shares, 0.64, mean_picture=mean_picture
        )
        return [view, *parts]

    @property
    def _is_decoding(self) -> bool:
        """Whether the networks decode images: else there are no reconstructions, and clusters have mean pictures."""
        return decodes_images(self.config.network)

    def _create_image_map(self, chosen_class_ids: tuple[int, ...]) -> ImageMap:
        generator, active_ids = np.random.default_rng(0), self.classes.active_ids
        angles = {class_id: 2 * np.pi * index / len(active_ids) for index, class_id in enumerate(active_ids)}
        centres = {
            class_id: (0.5 + 0.4 * float(np.cos(angle)), 0.5 + 0.4 * float(np.sin(angle)))
            for class_id, angle in angles.items()
        }
        points = [generator.uniform(-0.05, 0.05, (200, 2)) + centre for centre in centres.values()]
        clusters = []
        for view in self.round_view().clusters if self.current_phase == "labelling" else ():
            if view.leaf_counts is None:
                class_id = view.class_shares[0][0] if view.class_shares else -1
                x, y = centres.get(class_id, (0.5, 0.5))
                y += 0.02 * (len(clusters) // 8)
                clusters.append(MapCluster(view.path, (x, y), view.answer, view.size, class_id))
        pairs = itertools.pairwise(active_ids)
        return ImageMap(
            round_number=self._round_number,
            image_count=200 * len(active_ids),
            points=np.concatenate(points).astype(np.float32),
            class_ids=np.repeat(active_ids, 200),
            clusters=tuple(clusters),
            separated_class_ids=chosen_class_ids or active_ids,
            confusions=tuple((first, second, 100 - first) for first, second in pairs),
        )

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
        ended = replace(create_epoch(epoch), answer_count=self.steps.count_answers())
        if not self._is_decoding:
            ended = replace(ended, pixel_accuracy=None)
        return [
            Loading("PyTorch"),
            *steps,
            *([Reconstructed(pictures, pictures // 2, None)] if self._is_decoding else []),
            ended,
            Saved(),
            last_event,
        ]


class EndlessSession(ScriptedSession):
    """A session that yields the given events and then trains one epoch for ever, a few milliseconds a step."""

    def __init__(self, first_events: Sequence[Event] = (), config: Config | None = None) -> None:
        super().__init__("training", config=config)
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
