"""Session: a run that is trained, asked and trained again; it does not know any screen.

Nothing heavy is imported before a slow verb needs it, so that a screen can be painted first.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from vaetui.engine.answers import Label, Path, Unreadable
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import held_out, round_before, total_epochs
from vaetui.engine.events import EpochEnded, Event, Finished, Loading, Losses, Parted, Stepped
from vaetui.session import plan
from vaetui.session.board import Board, Curves, Phase, Summary, Which
from vaetui.store import places
from vaetui.store.facts import Facts
from vaetui.store.lock import Lock
from vaetui.trouble import Trouble

if TYPE_CHECKING:
    from vaetui.engine.weights import Weights
    from vaetui.session.data import Data
    from vaetui.session.export import Row
    from vaetui.session.labelling import Labelling
    from vaetui.session.learning import Learning


class Session:
    """One session, opened for writing.

    The slow verbs, `advance` and `split`, are iterators of events for one worker thread; every fact is recorded
    before it is yielded, and to stop is not to consume. The other verbs are quick and are called while no slow
    one runs; only `curves` and the plain properties may be asked at any time.
    """

    def __init__(self, directory: FilePath, facts: Facts, lock: Lock, device: str | None = None) -> None:
        """Take over an open session; `creation` makes and opens them. A device takes the place of its own."""
        self.directory = directory
        self.name = directory.name
        self.config = facts.config if device is None else replace(facts.config, device=device)
        self.machine = ""
        self._facts = facts
        self._lock = lock
        self._data: Data | None = None
        self._learning: Learning | None = None
        self._labelling: Labelling | None = None
        count, *_ = facts.shape
        trained = count - held_out(self.config.training, count)
        self._steps = math.ceil(trained / self.config.training.batch)
        self._epochs = facts.epochs()
        self._points = self._recorded()
        self._settle()

    # What a screen may ask at any time.

    @property
    def phase(self) -> Phase:
        """Whether the session trains, is asked, or has finished."""
        return plan.phase(self._step)

    @property
    def rounds(self) -> int:
        """Rounds in the run."""
        return self.config.training.rounds

    @property
    def epochs(self) -> int:
        """Epochs in the run."""
        return total_epochs(self.config.training)

    @property
    def round(self) -> int:
        """The round being asked, or the next one to be; 0 where none is left."""
        return self._next_round

    def curves(self) -> Curves:
        """Show what was measured so far."""
        return Curves(tuple(self._points), tuple(self._epochs))

    # The slow verbs.

    def advance(self) -> Iterator[Event]:
        """Train and cluster until a person is needed or the run is over; then only load what answering needs.

        Raises Trouble for images that are gone or changed, and for a full disk; nothing recorded is lost.
        """
        learning = yield from self._ready()
        try:
            while self._step in ("train", "cluster"):
                epoch = len(self._epochs)
                if self._step == "cluster":
                    yield from learning.cluster(self.round, epoch)
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
        labelling = self._asked()
        cluster = labelling.cluster(path)
        if parts < 2:
            raise Trouble("A centre can be split into 2 parts or more.")
        different = labelling.different(path)
        if different < parts:
            raise Trouble(f"This centre stands for {different} different images; they cannot become {parts} parts.")

        def cutting() -> Iterator[Event]:
            learning = yield from self._ready()
            part = learning.cut(cluster, parts, labelling.photograph, labelling.round)
            labelling.divide(path, part)
            yield Parted(path, len(part.centres))

        return cutting()

    def labels(self) -> Generator[Event, None, list[Row]]:
        """Give one label per training image: by the last round with answers, else by the classifier.

        Raises Trouble while nothing was answered yet.
        """
        if not self._facts.last_answered():
            raise Trouble(f"Nothing was answered yet, so there are no labels; go on with: vaetui resume {self.name}")
        learning = yield from self._ready()
        train, held_out = yield from learning.read(len(self._epochs))
        last = self._round(self._facts.last_answered())
        from vaetui.session.export import rows

        return rows(last, train, held_out, learning.data.division)

    # The quick verbs.

    def board(self) -> Board:
        """Show the round being asked."""
        return self._asked().board()

    def answer(self, path: Path, answer: Label | Unreadable) -> None:
        """Record what a person says of a cluster; it is on the disk when this returns."""
        self._asked().say(path, answer)

    def undo(self) -> Path | None:
        """Take back the last answer or split of the round, and give its cluster; None where there is none."""
        return self._asked().undo()

    def redo(self) -> Path | None:
        """Bring back what was taken back last, and give its cluster; None where there is nothing."""
        return self._asked().redo()

    def members(self, path: Path, which: Which, count: int) -> Pixels:
        """Give pictures of some members of a cluster, [<= count, H, W]; none before the images are loaded."""
        if self._data is None:
            import numpy as np

            _, height, width = self._facts.shape
            return np.empty((0, height, width), np.uint8)
        return self._data.train.pixels[self._asked().members(path, which, count)]

    def go_on(self) -> None:
        """End the round: training goes on with what stands, which can no longer be undone."""
        self._facts.end_round(self._asked().round)
        self._labelling = None
        self._settle()

    def another_round(self) -> None:
        """Add a round, with its epochs, to a finished run."""
        training = replace(self.config.training, rounds=self.rounds + 1)
        self.config = replace(self.config, training=training)
        self._facts.keep_config(self.config)
        self._settle()

    def summary(self) -> Summary:
        """Show what the run came to."""
        from vaetui.session.report import summarise

        return summarise(self.directory, self._facts)

    def close(self) -> None:
        """Give the session back."""
        self._facts.close()
        self._lock.release()

    def _train(self, learning: Learning, epoch: int) -> Iterator[Event]:
        """Train, measure and record one epoch, with what the last round said."""
        weights = self._weights(epoch)
        yield from learning.train(epoch, weights, self._heard)
        covered = weights.covered if weights else 0.0
        for event in learning.measure(epoch, covered, self._facts.answers()):
            if isinstance(event, EpochEnded):
                self._epochs.append(event)
            yield event

    def _weights(self, epoch: int) -> Weights | None:
        last = round_before(self.config.training, epoch)
        return None if last is None else self._round(last).weights()

    def _heard(self, stepped: Stepped) -> None:
        self._points.append((self._place(stepped.epoch, stepped.step), stepped.losses))

    def _recorded(self) -> list[tuple[int, Losses]]:
        return [(self._place(epoch, step), losses) for epoch, step, losses, _ in self._facts.figures()]

    def _place(self, epoch: int, step: int) -> int:
        return (epoch - 1) * self._steps + step

    def _ready(self) -> Generator[Event, None, Learning]:
        """Load images and networks, unless they are there."""
        if self._data is None:
            yield Loading("the images")
            from vaetui.session.data import load

            self._data = load(self._facts.data, self.config, places.division(self.directory))
        if self._learning is None:
            yield Loading("PyTorch")
            from vaetui.session.learning import Learning

            yield Loading("the networks")
            self._learning = Learning(self.directory, self._facts, self.config, self._data)
            self.machine = self._learning.machine
            self._points = self._recorded()  # those from after the checkpoint are forgotten by now
            self.config = self._learning.config
        return self._learning

    def _settle(self) -> None:
        """Look at what is recorded for what comes next."""
        self._step = plan.next_step(self.config.training, self._facts)
        asked = sum(ended is not None for _, _, ended in self._facts.rounds())
        self._next_round = asked + 1 if asked < self.rounds else 0
        if self._step == "ask" and self._labelling is None:
            self._labelling = self._round(self.round)

    def _round(self, number: int) -> Labelling:
        from vaetui.session.labelling import Labelling

        return Labelling(self.directory, self._facts, self.config, number)

    def _asked(self) -> Labelling:
        if self._labelling is None:
            raise Trouble("No round is being asked now.")
        return self._labelling
