"""Session: a run that is trained, asked and trained again; it does not know any screen.

Nothing heavy is imported before a slow verb needs it, so that a screen can be painted first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vaetui.engine.answers import ClusterPath
from vaetui.engine.config import Device, find_label_round
from vaetui.engine.events import (
    ClusterSplit,
    EpochEnded,
    Event,
    Finished,
    Loaded,
    Loading,
    Notice,
    Progress,
    SamplesGenerated,
)
from vaetui.errors import UserError
from vaetui.session.asking import Asking
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.resources import Resources
from vaetui.session.views import ReadingTest, Summary
from vaetui.storage import log
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.lock import Lock
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.pseudo_labels import PseudoLabels
    from vaetui.export.label_table import LabelTable
    from vaetui.session.session_labels import SessionLabels
    from vaetui.session.trainer import Trainer


class Session(Asking):
    """One session, opened for writing.

    The slow verbs, `advance` and `split`, are iterators of events for one worker thread; every fact is recorded
    before it is yielded, and to stop is not to consume. The other verbs are quick and are called while no slow
    one runs; only `curves`, the reading test and the plain properties may be asked at any time. `samples` is slow and
    changes nothing: it has a thread and networks of its own.
    """

    def __init__(
        self, store: ArtifactStore, repository: SessionRepository, lock: Lock, device: Device | None = None
    ) -> None:
        """Take over an open session; `creation` makes and opens them. A device takes the place of its own."""
        config = repository.config if device is None else replace(repository.config, device=device)
        super().__init__(store, repository, config, Resources(store, repository))
        self.directory, self.name, self.device_name = store.directory, store.directory.name, ""
        self._lock, self._propagator = lock, LabelPropagator(repository, self._load_round)
        self._refresh()

    @property
    def true_labels(self) -> SessionLabels | None:
        """The true classes, which nothing here learns from; None until the images are loaded."""
        return self._resources.true_labels

    # The slow verbs.

    def advance(self) -> Iterator[Event]:
        """Train and cluster until a person is needed or the run is over; then only load what answering needs.

        Raises Trouble for images that are gone or changed, and for a full disk; nothing recorded is lost.
        """
        learning = yield from self._prepare_trainer()
        try:
            while self._next_step in ("train", "cluster"):
                epoch = len(self._history.finished_epochs)
                if self._next_step == "cluster":
                    yield from learning.cluster(self.round_number, epoch, self._propagator.prior_probabilities)
                else:
                    yield from self._train_epoch(learning, epoch + 1)
                self._refresh()
        finally:
            self._refresh()  # the last fact may have been recorded just before this was left
        if self._next_step == "finish":
            yield Finished()

    def split(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        """Cut a cluster of the round into parts, which are asked in its place; any depth, answered or not.

        Raises Trouble, at once, for fewer than 2 parts or fewer members than parts.
        """
        labelling = self.current_round()
        cluster = labelling.require_splittable(path, part_count)

        def split_events() -> Iterator[Event]:
            learning = yield from self._prepare_trainer()
            part = yield from learning.split_cluster(cluster, part_count, labelling.snapshot, labelling.round_number)
            labelling.record_split(path, part)
            yield ClusterSplit(path, len(part.centres))

        return split_events()

    def label_table(self) -> Generator[Event, None, LabelTable]:
        """Give one label per image of the set: by the answers of the rounds, else by the classifier.

        Raises Trouble while nothing was answered yet.
        """
        last = self._repository.last_answered_round()
        if not last:
            raise UserError(f"Nothing was answered yet, so there are no labels; go on with: vaetui resume {self.name}")
        learning = yield from self._prepare_trainer()
        read = yield from learning.predict_all(len(self._history.finished_epochs))
        from vaetui.session.final_labels import build_label_table

        said, seen = self._propagator.direct_labels(self.config, last), self._propagator.shown_images(self.config, last)
        return build_label_table(
            self._load_round(last).tree, said, seen, read, learning.images.train_val_split, self.classes
        )

    def propagate(self) -> Generator[Event, None, PseudoLabels]:
        """Give label and weight of every image by the answers as they stand; training takes these when it goes on."""
        return (yield from self._propagator.propagate(self.config, self.current_round().round_number))

    def samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        """Draw new pictures by the newest checkpoint, of any class or of one; beside all other verbs.

        Raises Trouble before there is a checkpoint, and for a class where none has been learned.
        """
        yield Loading("PyTorch")
        from vaetui.session.predictor import Predictor

        yield SamplesGenerated((yield from Predictor(self.name).generate_samples(count, class_id, seed)))

    # The quick verbs; those of the round being asked are Asking's.

    def finish_round(self) -> None:
        """End the round: training goes on with what stands, which can no longer be undone."""
        self._repository.record_round_end(self.current_round().round_number)
        self._current_round = None
        self._refresh()

    def add_round(self) -> None:
        """Add a round, with its epochs, to a finished run."""
        training = replace(self.config.training, rounds=self.rounds + 1)
        self._config = replace(self._config, training=training)
        self._repository.save_config(self.config)
        self._refresh()

    def reading_test(self) -> ReadingTest:
        """Show the reading test that was left unfinished, else that of the last finished epoch.

        Raises Trouble before there is one, and where it could not be judged.
        """
        from vaetui.session.reading_test import load_reading_test

        return load_reading_test(self._store, self._repository, self.true_labels)

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        """Record what was read from that place on, None for an unreadable picture; what was read there is forgotten."""
        from vaetui.session.reading_test import record_reading

        sheet = record_reading(self._store, self._repository, self.true_labels, epoch, start, class_ids)
        self._history.set_reading_accuracy(epoch, sheet.accuracy)
        return sheet

    def summary(self) -> Summary:
        """Show what the run came to."""
        from vaetui.session.summary import build_summary

        return build_summary(self._store, self._repository, self._propagator)

    def close(self) -> None:
        """Give the session back."""
        self._repository.close()
        log.close_log()
        self._lock.release()

    def _train_epoch(self, trainer: Trainer, epoch: int) -> Iterator[Event]:
        """Train, measure and record one epoch, with what the last round said."""
        weights = yield from self._pseudo_labels(epoch)
        yield from trainer.train(epoch, weights, self._history.add_losses)
        covered = weights.label_coverage if weights else 0.0
        judge = self.true_labels.test_scorer if self.true_labels else None
        for event in trainer.evaluate(epoch, covered, self._repository.count_answers(), judge):
            if isinstance(event, EpochEnded):
                self._history.add_epoch(event)
            yield event
        yield from map(Notice, self._resources.notices())  # a long look at the files may be over by now

    def _prepare_trainer(self) -> Generator[Event, None, Trainer]:
        """Load images and networks, and train again what lost checkpoints held."""
        learning = yield from self._resources.load_trainer(self.config)
        yield Loaded()
        if not self.device_name:
            self.device_name, self._config = learning.device_name, learning.config
            self._history.reload_losses()  # what came after the checkpoint is forgotten by now
        yield from map(Notice, [*self._store.pop_notices(), *self._resources.notices()])
        for epoch in range(max(learning.last_trained_epoch + 1, 1), len(self._history.finished_epochs) + 1):
            yield Progress(f"training epoch {epoch} once more", 0, 1)
            yield from learning.train(epoch, (yield from self._pseudo_labels(epoch)), self._history.add_losses)
        return learning

    def _pseudo_labels(self, epoch: int) -> Generator[Event, None, PseudoLabels | None]:
        """Give what an epoch trains with: what the rounds before it said, None before the first."""
        last = find_label_round(self.config.training, epoch)
        return None if last is None else (yield from self._propagator.propagate(self.config, last))

    def _refresh(self) -> None:
        """Look at what is recorded for what comes next, and read the round that is to be asked."""
        super()._refresh()
        if self._next_step == "ask" and self._current_round is None:
            self._current_round = self._load_round(self.round_number)
