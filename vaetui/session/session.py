"""Session: a run that is trained, asked and trained again; it does not know any screen.

Nothing heavy is imported before a slow verb needs it, so that a screen can be painted first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vaetui.engine.answers import Path
from vaetui.engine.config import Device, round_before
from vaetui.engine.events import Drawn, EpochEnded, Event, Finished, Loaded, Loading, Noticed, Parted, Progressed
from vaetui.errors import Trouble
from vaetui.session.asking import Asking
from vaetui.session.label_propagator import Spreading
from vaetui.session.resources import Workshop
from vaetui.session.views import Sheet, Summary
from vaetui.storage import log
from vaetui.storage.artifact_store import Vault
from vaetui.storage.lock import Lock
from vaetui.storage.repository import Facts

if TYPE_CHECKING:
    from vaetui.engine.pseudo_labels import Weights
    from vaetui.export.label_table import Labels
    from vaetui.session.session_labels import Truths
    from vaetui.session.trainer import Learning


class Session(Asking):
    """One session, opened for writing.

    The slow verbs, `advance` and `split`, are iterators of events for one worker thread; every fact is recorded
    before it is yielded, and to stop is not to consume. The other verbs are quick and are called while no slow
    one runs; only `curves`, the reading test and the plain properties may be asked at any time. `samples` is slow and
    changes nothing: it has a thread and networks of its own.
    """

    def __init__(self, vault: Vault, facts: Facts, lock: Lock, device: Device | None = None) -> None:
        """Take over an open session; `creation` makes and opens them. A device takes the place of its own."""
        config = facts.config if device is None else replace(facts.config, device=device)
        super().__init__(vault, facts, config, Workshop(vault, facts))
        self.directory, self.name, self.machine = vault.directory, vault.directory.name, ""
        self._lock, self._spreading = lock, Spreading(facts, self._round)
        self._settle()

    @property
    def truths(self) -> Truths | None:
        """The true classes, which nothing here learns from; None until the images are loaded."""
        return self._workshop.truths

    # The slow verbs.

    def advance(self) -> Iterator[Event]:
        """Train and cluster until a person is needed or the run is over; then only load what answering needs.

        Raises Trouble for images that are gone or changed, and for a full disk; nothing recorded is lost.
        """
        learning = yield from self._ready()
        try:
            while self._step in ("train", "cluster"):
                epoch = len(self._course.epochs)
                if self._step == "cluster":
                    yield from learning.cluster(self.round, epoch, self._spreading.before)
                else:
                    yield from self._train(learning, epoch + 1)
                self._settle()
        finally:
            self._settle()  # the last fact may have been recorded just before this was left
        if self._step == "finish":
            yield Finished()

    def split(self, path: Path, parts: int) -> Iterator[Event]:
        """Cut a cluster of the round into parts, which are asked in its place; any depth, answered or not.

        Raises Trouble, at once, for fewer than 2 parts or fewer members than parts.
        """
        labelling = self.asked()
        cluster = labelling.divisible(path, parts)

        def cutting() -> Iterator[Event]:
            learning = yield from self._ready()
            part = yield from learning.cut(cluster, parts, labelling.photograph, labelling.round)
            labelling.divide(path, part)
            yield Parted(path, len(part.centres))

        return cutting()

    def labels(self) -> Generator[Event, None, Labels]:
        """Give one label per image of the set: by the answers of the rounds, else by the classifier.

        Raises Trouble while nothing was answered yet.
        """
        last = self._facts.last_answered()
        if not last:
            raise Trouble(f"Nothing was answered yet, so there are no labels; go on with: vaetui resume {self.name}")
        learning = yield from self._ready()
        read = yield from learning.read(len(self._course.epochs))
        from vaetui.session.final_labels import collect

        said, seen = self._spreading.said(self.config, last), self._spreading.seen(self.config, last)
        return collect(self._round(last).tree, said, seen, read, learning.data.division, self.classes)

    def spread(self) -> Generator[Event, None, Weights]:
        """Give label and weight of every image by the answers as they stand; training takes these when it goes on."""
        return (yield from self._spreading.weights(self.config, self.asked().round))

    def samples(self, count: int, label: int | None, seed: int) -> Iterator[Event]:
        """Draw new pictures by the newest checkpoint, of any class or of one; beside all other verbs.

        Raises Trouble before there is a checkpoint, and for a class where none has been learned.
        """
        yield Loading("PyTorch")
        from vaetui.session.predictor import Trained

        yield Drawn((yield from Trained(self.name).draw(count, label, seed)))

    # The quick verbs; those of the round being asked are Asking's.

    def go_on(self) -> None:
        """End the round: training goes on with what stands, which can no longer be undone."""
        self._facts.end_round(self.asked().round)
        self._labelling = None
        self._settle()

    def another_round(self) -> None:
        """Add a round, with its epochs, to a finished run."""
        training = replace(self.config.training, rounds=self.rounds + 1)
        self._config = replace(self._config, training=training)
        self._facts.keep_config(self.config)
        self._settle()

    def sheet(self) -> Sheet:
        """Show the reading test that was left unfinished, else that of the last finished epoch.

        Raises Trouble before there is one, and where it could not be judged.
        """
        from vaetui.session.reading_test import lay_out

        return lay_out(self._vault, self._facts, self.truths)

    def read(self, epoch: int, place: int, seen: Sequence[int | None]) -> Sheet:
        """Record what was read from that place on, None for an unreadable picture; what was read there is forgotten."""
        from vaetui.session.reading_test import record

        sheet = record(self._vault, self._facts, self.truths, epoch, place, seen)
        self._course.judge(epoch, sheet.accuracy)
        return sheet

    def summary(self) -> Summary:
        """Show what the run came to."""
        from vaetui.session.summary import summarise

        return summarise(self._vault, self._facts, self._spreading)

    def close(self) -> None:
        """Give the session back."""
        self._facts.close()
        log.close()
        self._lock.release()

    def _train(self, learning: Learning, epoch: int) -> Iterator[Event]:
        """Train, measure and record one epoch, with what the last round said."""
        weights = yield from self._weights(epoch)
        yield from learning.train(epoch, weights, self._course.hear)
        covered = weights.covered if weights else 0.0
        judge = self.truths.judge if self.truths else None
        for event in learning.measure(epoch, covered, self._facts.answers(), judge):
            if isinstance(event, EpochEnded):
                self._course.end(event)
            yield event
        yield from map(Noticed, self._workshop.news())  # a long look at the files may be over by now

    def _ready(self) -> Generator[Event, None, Learning]:
        """Load images and networks, and train again what lost checkpoints held."""
        learning = yield from self._workshop.opened(self.config)
        yield Loaded()
        if not self.machine:
            self.machine, self._config = learning.machine, learning.config
            self._course.recall()  # what came after the checkpoint is forgotten by now
        yield from map(Noticed, [*self._vault.news(), *self._workshop.news()])
        for epoch in range(max(learning.trained + 1, 1), len(self._course.epochs) + 1):
            yield Progressed(f"training epoch {epoch} once more", 0, 1)
            yield from learning.train(epoch, (yield from self._weights(epoch)), self._course.hear)
        return learning

    def _weights(self, epoch: int) -> Generator[Event, None, Weights | None]:
        """Give what an epoch trains with: what the rounds before it said, None before the first."""
        last = round_before(self.config.training, epoch)
        return None if last is None else (yield from self._spreading.weights(self.config, last))

    def _settle(self) -> None:
        """Look at what is recorded for what comes next, and read the round that is to be asked."""
        super()._settle()
        if self._step == "ask" and self._labelling is None:
            self._labelling = self._round(self.round)
