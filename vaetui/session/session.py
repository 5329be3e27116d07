"""The session class that front ends use: train, cluster, answer, split, undo and export.

Heavy libraries are imported only by the operations that need them, so that the first frame appears before torch loads.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.engine.answers import AnsweredImage, ClusterAnswer, ClusterPath, ImageAnswerOrigin
from vaetui.engine.classes import AddClass, ClassEdit
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, Device, count_epochs, decodes_images, find_round_of_epoch
from vaetui.engine.events import (
    ClusterSplit,
    EpochEnded,
    Event,
    Finished,
    LabellingLoaded,
    Loaded,
    Loading,
    Notice,
    Progress,
    SamplesGenerated,
)
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.session.answer_recorder import AnswerRecorder
from vaetui.session.audits import Audits
from vaetui.session.dataset_location import has_scorable_test_images
from vaetui.session.digit_keys import load_digit_keys, sum_counts_of_merged_classes
from vaetui.session.image_review import ImageReview
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.label_renewal import are_labels_renewed, renew_labels
from vaetui.session.labelling import LabellingLoader
from vaetui.session.labelling_rounds import LabellingRounds
from vaetui.session.metric_history import MetricHistory
from vaetui.session.resources import Resources
from vaetui.session.views import DigitKeys, MemberOrder, Phase, ReadingTest, RoundView, Summary, TrainingCurves
from vaetui.storage import file_names, live_progress, log
from vaetui.storage.lock import Lock

if TYPE_CHECKING:
    from vaetui.engine.inference import Predictions
    from vaetui.engine.pseudo_labels import PseudoLabels
    from vaetui.export.label_table import LabelTable
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.session.session_true_labels import SessionTrueLabels
    from vaetui.session.trainer import Trainer

CORRECTION_REFUSAL = "Answers cannot be corrected while the networks are trained. Wait for the next round."


class Session:
    """One session, open for writing.

    `advance`, `split_cluster`, `load_labelling`, `build_label_table` and `propagate_answers` are slow: iterators of
    events for one worker thread. Every fact is recorded before its event; close the iterator to stop, progress is
    saved. All other methods are quick and must not run beside a slow one, except `training_curves`, the reading test
    and the properties, and beside an `advance` that only loads. `generate_samples`, `load_history`, `map_images` and
    `export_labels` are slow but change nothing in the session; they may run in threads of their own.
    """

    phase: Phase
    """The phase of the run: training, labelling or finished."""
    round_number: int
    """The current or next labelling round; 0 after the last one."""

    def __init__(self, resources: Resources, lock: Lock | None, device: Device | None = None) -> None:
        """Take over open resources and a lock (None: read-only), see `lifecycle`; `device` overrides the setting."""
        store, repository = resources.store, resources.repository
        self.directory = store.directory
        """The session directory."""
        self.name = store.directory.name
        """The session name."""
        self.device_name = ""
        """The device in use, such as "cpu, 2 threads"; empty before the networks are loaded."""
        self.classes = repository.load_class_list()
        """The classes, including merged ones."""
        self.import_lines: Mapping[str, str] = repository.data_record.import_lines
        """What the import of the images took and left out, as lines of text by heading."""
        self._config = repository.config if device is None else replace(repository.config, device=device)
        self._store = store
        self._repository = repository
        self._lock = lock
        self._resources = resources
        self._history = MetricHistory(repository, self._config)
        self._rounds = LabellingRounds(store, repository, lambda: self.config)
        self._propagator = LabelPropagator(repository, store, self._rounds.load)
        self.labellings = LabellingLoader(
            self.name, store, repository, self._propagator, self._rounds.load, self._predict_all
        )
        """The labels as an export would write them now."""
        self.reviews = ImageReview(repository, self._propagator, self.labellings)
        """Pages of single images to correct."""
        self.audits = Audits(store, repository, self.labellings, self._prepare_trainer, self.record_image_answers)
        """The audits of the labels."""
        self._recorder: AnswerRecorder | None = None
        self._one_key_mode = repository.one_key_mode
        self.has_test_labels = self._history.has_test_accuracy or has_scorable_test_images(repository)
        """Whether true labels of test images exist, so that epochs have a test accuracy."""
        self.has_features = self._config.network.inputs == "vectors"
        """Whether the networks are trained on vectors in place of the images."""
        self.has_decoder = decodes_images(self._config.network)
        """Whether the networks decode images: centres, reconstructions and samples."""
        self._derive_next_step()

    # State.

    @property
    def config(self) -> Config:
        """The configuration, with the current number of classes."""
        return replace(self._config, network=replace(self._config.network, classes=len(self.classes)))

    @property
    def round_count(self) -> int:
        """Number of rounds in the run."""
        return self.config.training.rounds

    @property
    def epoch_count(self) -> int:
        """Number of epochs in the run."""
        return count_epochs(self.config.training)

    @property
    def true_labels(self) -> SessionTrueLabels | None:
        """The true labels, for evaluation only; None before the images are loaded."""
        return self._resources.true_labels

    @property
    def image_count(self) -> int:
        """Number of images for training and validation."""
        return self._repository.shape[0]

    def last_saved_at(self) -> float | None:
        """Return when the newest checkpoint was written, in seconds since 1970; None without one."""
        for epoch, step in self._repository.list_checkpoints()[:1]:
            with suppress(OSError):
                return (self.directory / file_names.checkpoint_name(epoch, step)).stat().st_mtime
        return None

    def training_curves(self) -> TrainingCurves:
        """Return the losses and epochs measured so far."""
        return self._history.training_curves()

    # Slow operations.

    @live_progress.reports_progress
    def advance(self) -> Generator[Event, None, None]:
        """Train and cluster until a round needs answers or the run is finished.

        In a phase that waits for answers, only load what answering needs. Raises UserError for missing or changed
        images and for a full disk; recorded facts are kept.
        """
        trainer = yield from self._prepare_trainer()
        try:
            while self._next_step in ("train", "cluster"):
                epoch = len(self._history.finished_epochs)
                if self._next_step == "cluster":
                    yield from trainer.cluster_for_round(
                        self.round_number, epoch, self._propagator.propagate_earlier_answers
                    )
                    yield from self._rounds.prepare(self.round_number)
                else:
                    yield from self._train_epoch(trainer, epoch + 1)
                self._derive_next_step()
        finally:
            self._derive_next_step()  # the last fact may have been recorded just before the iterator was closed
        if self._next_step == "finish":
            yield Finished()

    def split_cluster(self, path: ClusterPath, part_count: int) -> Generator[Event, None, None]:
        """Split a cluster of the current round by k-means; the parts replace it, at any depth.

        Raises UserError immediately for fewer than 2 parts or fewer distinct members than parts.
        """
        labelling_round = self.require_current_round()
        cluster = labelling_round.require_splittable(path, part_count)

        def split_events() -> Generator[Event, None, None]:
            trainer = yield from self._prepare_trainer()
            split_snapshot = yield from trainer.split_cluster(cluster, part_count, labelling_round)
            self._require_recorder().record_split(labelling_round, path, split_snapshot)
            yield ClusterSplit(path, len(split_snapshot.centres))

        return split_events()

    def load_labelling(self) -> Generator[Event, None, None]:
        """Compute the labels as an export would write them now, with what speaks for them; see `labellings`.

        The last event is LabellingLoaded. Raises NoLabelsError if nothing has an answer yet.
        """
        yield LabellingLoaded((yield from self.labellings.load()).version)

    def build_label_table(self) -> Generator[Event, None, LabelTable]:
        """Return one label per image: from the answers of all rounds, else from the classifier if it has learned.

        Raises NoLabelsError if no cluster has an answer yet.
        """
        yield from self._prepare_trainer()
        return (yield from self.labellings.load()).label_table

    def propagate_answers(self) -> Generator[Event, None, PseudoLabels]:
        """Return the pseudo-labels of all training images by the current answers, as the next epoch trains on them."""
        return (yield from self._propagator.propagate_answers(self.config, self.require_current_round().round_number))

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Generator[Event, None, None]:
        """Generate images by the newest checkpoint, of any class or of one; the last event holds them.

        Raises UserError without a checkpoint, and for a class that the networks have not learned.
        """
        yield Loading("PyTorch")
        from vaetui.session.predictor import Predictor

        yield SamplesGenerated((yield from Predictor(self.name).generate_samples(count, class_id, seed)))

    def map_images(self, class_ids: Collection[int] = ()) -> Generator[Event, None, None]:
        """Compute the map of the images in the current round, else in the last one; the last event holds it.

        The map shows the chosen classes apart, or all if none is chosen. Raises UserError before the first round.
        """
        yield Progress("computing the map", 0, 1)
        from vaetui.session.image_map import map_newest_round

        yield from map_newest_round(
            self._store, self._repository, self.config, self._propagator, self._rounds, class_ids
        )

    def export_labels(
        self, output: Path, format_name: str | None = None, min_confidence: float = 0.0, force: bool = False
    ) -> Generator[Event, None, None]:
        """Write one label per image, by the answers and networks so far; the last event is LabelsExported.

        Without a format, the name of the output chooses it. Raises UserError for an output that cannot be written, and
        OutputExistsError for an existing file unless `force`.
        """
        from vaetui.export.format_names import choose_format
        from vaetui.session.label_export import ExportOptions, export_labels
        from vaetui.session.session_snapshot import SessionSnapshot
        from vaetui.session.snapshot_labels import label_images

        options = ExportOptions(choose_format(str(output), format_name), min_confidence, force=force)
        with closing(SessionSnapshot(self.directory)) as snapshot:
            labelling = yield from self.labellings.load_current()
            label_events = label_images(snapshot, self._resources.images, labelling)
            yield from export_labels(snapshot, label_events, output, options)

    # The current round.

    def require_current_round(self) -> LabellingRound:
        """Return the round that waits for answers. Raises UserError if there is none."""
        if self._rounds.current is None:
            raise UserError("No round is waiting for answers.")
        return self._rounds.current

    def round_view(self) -> RoundView:
        """Return the state of the current round."""
        return self.require_current_round().build_round_view(self._require_recorder().undo_stack)

    @property
    def one_key_mode(self) -> bool | None:
        """Whether a digit answers at once in this session; None if it was not chosen."""
        return self._one_key_mode

    def set_one_key_mode(self, is_on: bool) -> None:
        """Record whether a digit answers at once in this session."""
        self._repository.record_one_key_mode(is_on)
        self._one_key_mode = is_on

    def record_answer(self, path: ClusterPath, answer: ClusterAnswer) -> None:
        """Record an answer for a cluster; it is on the disk on return.

        Raises UserError for an unknown cluster and an unknown or merged class.
        """
        self.record_answers([(path, answer)])

    def record_answers(
        self,
        answers: Sequence[tuple[ClusterPath, ClusterAnswer]],
        new_class: AddClass | None = None,
        extends_last_step: bool = False,
    ) -> None:
        """Record a new class, if any, and then answers, as one step of undo; they are on the disk on return.

        They become part of the last step, if there is one, with `extends_last_step`. Raises UserError, and records
        nothing, for an unknown cluster and an unknown or merged class.
        """
        class_edits = [] if new_class is None else [new_class]
        self._require_recorder().record(self.require_current_round(), answers, class_edits, extends_last_step)

    def correct_answer(self, round_number: int, path: ClusterPath, answer: ClusterAnswer) -> None:
        """Record an answer for a cluster of any round as a step; it is on the disk on return.

        It counts in an export at once, and in training from the next epoch on. Raises UserError while the networks are
        trained, and for an unknown round, cluster or class and a merged class.
        """
        self._require_recorder(CORRECTION_REFUSAL).record(self._rounds.find(round_number), [(path, answer)])

    def record_image_answers(self, answers: Sequence[AnsweredImage], origin: ImageAnswerOrigin) -> None:
        """Record answers about single images as a step; all of them are on the disk on return, or none.

        An answer counts in an export at once, and in training from the next epoch on, before any answer about a
        cluster. It replaces an earlier one about the image or a copy of it. Raises UserError, and records nothing,
        while the networks are trained, for an unknown image and for an unknown or merged class.
        """
        self._require_recorder(CORRECTION_REFUSAL).record_images(answers, origin)

    def record_border(self, class_id: int, image_indices: Sequence[int]) -> None:
        """Record as a step which images of a class lie beyond its border; they lose that label, but not another one.

        Images that a person labelled keep their label. Raises UserError as `record_image_answers`.
        """
        self._require_recorder(CORRECTION_REFUSAL).record_border(class_id, image_indices)

    def load_history(self) -> Generator[Event, None, None]:
        """Load the answers in force of all rounds; the last event holds them. Answers of a lost round are left out."""
        from vaetui.session.answer_history import load_answer_history

        yield from load_answer_history(self._repository, self._rounds.load)

    def edit_classes(self, edit: ClassEdit) -> None:
        """Record a class edit, which also applies to earlier answers and predictions; it is on the disk on return."""
        self._require_recorder().record(self.require_current_round(), class_edits=[edit])

    def undo(self) -> ClusterPath | None:
        """Undo the last step of the round, or the last correction after the last round.

        Return the cluster of its last answer for the current round, () without such an answer, None if there is no
        step.
        """
        return self._require_recorder().undo()

    def redo(self) -> ClusterPath | None:
        """Redo the step undone last; return as `undo`."""
        return self._require_recorder().redo()

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        """Return at most `count` images of a cluster, [<= count, H, W]; empty before the images are loaded.

        The cluster is one of the current round, or of the round with that number.
        """
        labelling_round = self.require_current_round() if round_number is None else self._rounds.find(round_number)
        return self._resources.select_training_images(labelling_round.member_indices(path, order, count))

    def select_images(self, image_indices: Sequence[int]) -> Pixels:
        """Return images by their index in the data set, [M, H, W]; empty before the images are loaded."""
        return self._resources.select_images(image_indices)

    def digit_keys(self) -> DigitKeys:
        """Return the class of each digit key: in a round those of its view, else as in the next round."""
        if self._rounds.current is not None:
            return self._rounds.current.find_digit_keys(self._require_recorder().undo_stack)
        return load_digit_keys(self._repository, sum(end is not None for *_, end in self._repository.list_rounds()))

    def least_sure_images(self, class_id: int, count: int) -> tuple[Pixels, tuple[float, ...]]:
        """Return the training images that are labelled with a class with the least confidence.

        At most `count` images, [<= count, H, W], least confident first, with their confidences; see
        `find_least_sure_images`. Empty before the images are loaded.
        """
        from vaetui.session.least_sure_images import find_least_sure_images

        epoch = len(self._history.finished_epochs)
        indices, confidences = find_least_sure_images(
            self._store, self._repository, self._propagator, self.config, epoch, class_id, count
        )
        images = self._resources.select_training_images(indices)
        return images, confidences[: len(images)]

    def answer_counts(self) -> tuple[int, ...]:
        """Return the number of answers per class; those of merged classes count for their target."""
        return sum_counts_of_merged_classes(self.classes, self._repository.count_answers_by_class())

    def close_round(self) -> None:
        """End the round; its actions can no longer be undone, and training continues with its answers."""
        self._repository.record_round_end(self.require_current_round().round_number)
        self._rounds.current = None
        self._derive_next_step()

    # The run.

    def add_round(self) -> None:
        """Add one round, with its epochs, to a finished run."""
        self._config = replace(self._config, training=replace(self.config.training, rounds=self.round_count + 1))
        self._repository.save_config(self.config)
        self._derive_next_step()

    def reading_test(self) -> ReadingTest:
        """Return the unfinished reading test, else that of the last epoch; raises UserError without one to read."""
        from vaetui.session.reading_test import load_reading_test

        return load_reading_test(self._store, self._repository, self.true_labels)

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        """Record classes read from image `start` on, None for an unreadable image; later readings are discarded."""
        from vaetui.session.reading_test import record_reading

        reading_test = record_reading(self._store, self._repository, self.true_labels, epoch, start, class_ids)
        self._history.set_reading_accuracy(epoch, reading_test.accuracy)
        return reading_test

    def summary(self) -> Summary:
        """Return the result of the run."""
        from vaetui.session.session_status import build_summary

        self._history.refresh_estimates()  # answers may have been corrected
        return build_summary(self._store, self._repository, self._propagator)

    def close(self) -> None:
        """Close the database and the log, and release the lock."""
        self._repository.close()
        log.stop_file_log()
        if self._lock is not None:
            self._lock.release()

    def _train_epoch(self, trainer: Trainer, epoch: int) -> Iterator[Event]:
        pseudo_labels = yield from self._propagate_for_epoch(trainer, epoch)
        yield from trainer.train_epoch(epoch, pseudo_labels, self._history.add_losses)
        from vaetui.session.label_evidence import expect_accuracy

        scorer = self.true_labels.test_scorer if self.true_labels else None
        estimator = partial(expect_accuracy, self._store, self._repository, self._propagator)
        for event in trainer.evaluate_epoch(epoch, pseudo_labels, self._repository.count_answers(), scorer, estimator):
            if isinstance(event, EpochEnded):
                self._history.add_epoch(event)
                self._history.refresh_disagreement(self._store)
            yield event
        yield from map(Notice, self._resources.pop_notices())  # a long check of the source files may be done now

    def _prepare_trainer(self) -> Generator[Event, None, Trainer]:
        """Load images and networks, and repeat the epochs that lost checkpoints held."""
        trainer = yield from self._resources.load_trainer(self.config)
        yield Loaded()
        if not self.device_name:
            self.device_name, self._config = trainer.device_name, trainer.config
            self._history.reload_losses()  # losses after the restored checkpoint were deleted
        yield from map(Notice, [*self._store.pop_repair_notices(), *self._resources.pop_notices()])
        for epoch in range(max(trainer.last_trained_epoch + 1, 1), len(self._history.finished_epochs) + 1):
            yield Progress(f"repeating epoch {epoch}", 0, 1)
            yield from trainer.train_epoch(
                epoch, (yield from self._propagate_for_epoch(trainer, epoch)), self._history.add_losses
            )
        return trainer

    def _predict_all(self, class_ids: tuple[int, ...]) -> Generator[Event, None, tuple[Predictions, Predictions]]:
        """Return the predictions of the newest networks, of these classes only."""
        trainer = yield from self._prepare_trainer()
        return (yield from trainer.predict_all(len(self._history.finished_epochs), class_ids))

    def _propagate_for_epoch(self, trainer: Trainer, epoch: int) -> Generator[Event, None, PseudoLabels | None]:
        """Return the pseudo-labels that an epoch trains on; None before the first round."""
        round_number = find_round_of_epoch(self.config.training, epoch)
        if round_number is None:
            return None
        if are_labels_renewed(self.config, round_number, epoch):
            return (yield from renew_labels(self._store, self._repository, trainer, self._propagator, epoch))
        return (yield from self._propagator.propagate_answers(self.config, round_number))

    def _handle_changed_answers(self) -> None:
        self.classes = self._repository.load_class_list()
        if self.phase == "finished":
            self._history.refresh_estimates()  # in a round, `advance` does it
        self._history.refresh_disagreement(self._store)

    def _require_recorder(self, refusal: str = "No round is waiting for answers.") -> AnswerRecorder:
        if self._recorder is None:
            raise UserError(refusal)
        return self._recorder

    def _derive_next_step(self) -> None:
        """Derive the next step from the recorded facts, and load the round if it waits for answers."""
        self._history.refresh_estimates()
        self._next_step = schedule.next_step(self.config.training, self._repository)
        self.phase = schedule.phase_for_step(self._next_step)
        self.round_number = schedule.next_round_number(self.config.training, self._repository)
        self._rounds.keeps_clusters = self._next_step in ("ask", "finish")
        if self._next_step == "ask" and self._rounds.current is None:
            self._rounds.current = self._rounds.load(self.round_number)
        if not self._rounds.keeps_clusters:
            self._recorder = None
            self._rounds.drop_clusters()
            return
        self._history.refresh_disagreement(self._store)
        if self._recorder is None:
            made_in_round = self.round_number or self.round_count + 1
            self._recorder = AnswerRecorder(
                self._store,
                self._repository,
                made_in_round,
                self._rounds.current,
                self._propagator.load_split,
                self._handle_changed_answers,
            )
