"""A session in memory that follows a script; it knows no network, no image file and no disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from tests.tui.drawn import digit
from vaetui.engine.answers import Answer, Label, Path, Split, Unreadable, standing, written
from vaetui.engine.classes import Classes, Naming
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, TrainingConfig
from vaetui.engine.events import (
    Clustered,
    Drawn,
    EpochEnded,
    Event,
    Finished,
    Loading,
    Losses,
    Parted,
    Progressed,
    Reconstructed,
    Saved,
    Stepped,
)
from vaetui.engine.metrics import Agreement
from vaetui.errors import Trouble
from vaetui.session.digit_keys import joining
from vaetui.session.views import Board, Curves, Phase, Sheet, Summary, Tile, Which

HELD_OUT = 12
"""Pictures in a reading test; what is drawn in them is their place's last digit."""


def epoch_ended(epoch: int, answers: int = 0) -> EpochEnded:
    """Make the report of an epoch that went as one would hope."""
    losses = Losses(220.0 / epoch, 5.0 + epoch / 10, 0.5 / epoch)
    return EpochEnded(epoch, losses, min(0.1 + 0.3 * epoch, 0.97), 0.9, 0.6, answers, 20.0)


def _words(act: tuple[Path, Answer] | Naming) -> str:
    return f"the answer to {written(act[0])}" if isinstance(act, tuple) else "the classes"


class ScriptedSession:
    """A session whose slow verbs yield a finite script and whose quick ones keep everything in lists."""

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
        tested: bool = True,
    ) -> None:
        """Stand at the start of a phase; `events` is what the first `advance` of a training phase yields."""
        self.name = name
        self.config = config or Config(training=TrainingConfig(rounds=rounds))
        self.classes = self._begun = Classes.named(classes or tuple(map(str, range(self.config.network.classes))))
        self.tested = tested
        self.said: list[tuple[Path, Answer]] = []
        """What stands said, oldest first."""
        self.named: list[tuple[int, Naming]] = []
        """What was done to the classes and stands, oldest first, each with how much stood said by then."""
        self.taken: list[tuple[Path, Answer] | Naming] = []
        """What was undone, the last undone last."""
        self.loaded = False
        """Whether members can be shown."""
        self.closed = False
        """Whether it was closed."""
        self.stopped = 0
        """How often a slow verb was closed before its end."""
        self.calls: list[str] = []
        """The verbs that were called, in order."""
        self.points: list[tuple[int, Losses]] = []
        """The losses so far."""
        self.ended: list[EpochEnded] = []
        """The epochs so far."""
        self.agreements: tuple[tuple[int, Agreement], ...] = ()
        """What the answers say of the classifier."""
        self.readings: dict[int, tuple[int | None, ...]] = {}
        """What was read, by epoch."""
        self._phase = phase
        self._clusters = clusters
        self._side = side
        self._rounds = rounds
        self._round = rounds if phase == "finished" else 1
        self._events = None if events is None else list(events)
        self._earlier = 0

    @property
    def phase(self) -> Phase:
        """Tell what the session waits for."""
        return self._phase

    @property
    def rounds(self) -> int:
        """Count the rounds."""
        return self._rounds

    @property
    def epochs(self) -> int:
        """Count the epochs: one before the rounds and one after each."""
        return 1 + self._rounds

    @property
    def round(self) -> int:
        """Tell the round; 0 where none is left."""
        return self._round if self._round <= self._rounds else 0

    @property
    def machine(self) -> str:
        """Tell what it computes on, once it has begun to."""
        return "cpu, 2 threads" if self.loaded else ""

    def advance(self) -> Iterator[Event]:
        """Go through the script."""
        self.calls.append("advance")
        training = self._phase == "training"
        done = False
        try:
            for event in self._script() if training else (Loading("PyTorch"), Loading("images")):
                if isinstance(event, Stepped):
                    self.points.append(((event.epoch - 1) * event.steps + event.step, event.losses))
                if isinstance(event, EpochEnded):
                    self.ended.append(event)
                self.loaded = True
                if training and isinstance(event, Clustered):
                    self._phase = "labelling"
                if training and isinstance(event, Finished):
                    self._phase = "finished"
                yield event
            done = True
        finally:
            self.stopped += not done

    def split(self, path: Path, parts: int) -> Iterator[Event]:
        """Divide a cluster."""
        self.calls.append(f"split {written(path)} {parts}")
        yield Progressed("splitting", 0, 1)
        self._say(path, Split(parts))
        yield Parted(path, parts)

    def samples(self, count: int, label: int | None, seed: int) -> Iterator[Event]:
        """Draw digits of any kind or of one, each seed others; there is nothing to draw before an epoch has ended."""
        self.calls.append(f"samples {count} {label} {seed}")
        if not self.ended:
            raise Trouble("There is nothing to draw from yet.")
        yield Progressed("drawing", 1, 2)
        kinds = [at if label is None else label for at in range(count)]
        yield Drawn(np.stack([digit(kind, 1000 * seed + at, self._side) for at, kind in enumerate(kinds)]))

    def board(self) -> Board:
        """Show the round."""
        answers = standing(self.said)
        places = [(part,) for part in range(self._clusters)]
        tiles = [tile for place in places for tile in self._tiles(place, 2000 + 137 * place[0], answers)]
        open_or_not = [tile for tile in tiles if tile.parts is None]
        answered = [tile for tile in open_or_not if tile.answer is not None]
        whole = sum(tile.size for tile in open_or_not)
        covered = sum(tile.size for tile in answered if isinstance(tile.answer, Label)) / whole
        return Board(
            self._round,
            self._rounds,
            tuple(tiles),
            len(answered),
            len(open_or_not),
            covered,
            self._earlier + len(self.said),
            joining(tuple(range(min(10, len(self._begun)))), [naming for _, naming in self.named]),
            "the classes"
            if self._named_last()
            else f"the answer to {written(self.said[-1][0])}"
            if self.said
            else None,
            _words(self.taken[-1]) if self.taken else None,
        )

    def answer(self, path: Path, answer: Label | Unreadable) -> None:
        """Keep an answer."""
        self.calls.append(f"answer {written(path)}")
        if isinstance(answer, Label):
            self.classes.check(answer.label)
        self._say(path, answer)

    def undo(self) -> Path | None:
        """Take back the last word."""
        self.calls.append("undo")
        if self._named_last():
            self.taken.append(self.named.pop()[1])
            self._count()
            return ()
        if not self.said:
            return None
        path, answer = self.said.pop()
        self.taken.append((path, answer))
        return path

    def redo(self) -> Path | None:
        """Bring back the last word taken."""
        self.calls.append("redo")
        if not self.taken:
            return None
        act = self.taken.pop()
        if isinstance(act, tuple):
            self.said.append(act)
            return act[0]
        self.named.append((len(self.said), act))
        self._count()
        return ()

    def amend(self, naming: Naming) -> None:
        """Do that to the classes."""
        self.calls.append(f"amend {naming}")
        self.classes = self.classes.after(naming)
        self.named.append((len(self.said), naming))
        self.taken.clear()

    def tally(self) -> tuple[int, ...]:
        """Count the answers by class."""
        labels = [self.classes.roots[answer.label] for _, answer in self.said if isinstance(answer, Label)]
        return tuple(labels.count(label) for label in range(len(self.classes)))

    def members(self, path: Path, which: Which, count: int) -> Pixels:
        """Draw members that look like their centre."""
        self.calls.append(f"members {written(path)} {which}")
        if not self.loaded:
            return np.zeros((0, self._side, self._side), np.uint8)
        seed = {"nearest": 100, "random": 200, "farthest": 300}[which]
        return np.stack([digit(sum(path), seed + n, self._side) for n in range(count)])

    def go_on(self) -> None:
        """End the round."""
        self.calls.append("go_on")
        if self._phase != "labelling":
            raise Trouble("There is no round to end.")
        self._earlier += len(self.said)
        self.said, self.named, self.taken, self._begun = [], [], [], self.classes
        self._phase = "training"
        self._round += 1

    def another_round(self) -> None:
        """Make the run one round longer."""
        self.calls.append("another_round")
        self._rounds += 1
        self._round = self._rounds
        self._phase = "labelling"

    def curves(self) -> Curves:
        """Give what the script has yielded so far."""
        return Curves(tuple(self.points), tuple(self.ended))

    def sheet(self) -> Sheet:
        """Draw the held-out images as they are remembered."""
        if not self.ended:
            raise Trouble("There is nothing to read before the first epoch has ended.")
        return self._sheet(self.ended[-1].epoch)

    def read(self, epoch: int, place: int, seen: Sequence[int | None]) -> Sheet:
        """Keep what was read, and judge it by how it was drawn."""
        self.calls.append(f"read {epoch} {place} {list(seen)}")
        self.readings[epoch] = (*self.readings.get(epoch, ())[:place], *seen)
        sheet = self._sheet(epoch)
        at = [one.epoch for one in self.ended].index(epoch)
        self.ended[at] = replace(self.ended[at], reading_accuracy=sheet.accuracy)
        return sheet

    def summary(self) -> Summary:
        """Tell what the run came to."""
        if self._phase != "finished":
            raise Trouble("The run is not over yet.")
        return Summary(
            tuple((label, 5_000 + 150 * label) for label in range(len(self.classes))),
            0.83,
            64,
            125.0,
            240.0,
            self.agreements,
        )

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _sheet(self, epoch: int) -> Sheet:
        pictures = np.stack([digit(place % 10, 300 + place, self._side) for place in range(HELD_OUT)])
        read = self.readings.get(epoch, ())
        right = sum(seen == place % 10 for place, seen in enumerate(read))
        keyed = tuple(range(min(10, len(self.classes))))
        return Sheet(epoch, pictures, read, right / HELD_OUT if len(read) == HELD_OUT else None, keyed)

    def _named_last(self) -> bool:
        """Tell whether the last act was on the classes."""
        return bool(self.named) and self.named[-1][0] == len(self.said)

    def _count(self) -> None:
        self.classes = reduce(Classes.after, [naming for _, naming in self.named], self._begun)

    def _say(self, path: Path, answer: Answer) -> None:
        self.said.append((path, answer))
        self.taken.clear()

    def _tiles(self, path: Path, size: int, answers: dict[Path, Answer]) -> list[Tile]:
        answer = answers.get(path)
        if isinstance(answer, Label):
            answer = replace(answer, label=self.classes.roots[answer.label])
        below: list[Tile] = []
        parts = None
        if isinstance(answer, Split):
            share = size // answer.parts
            places = [(*path, part) for part in range(answer.parts)]
            below = [tile for place in places for tile in self._tiles(place, share, answers)]
            unsplit = [tile for tile in below if tile.parts is None]
            parts = (sum(tile.answer is not None for tile in unsplit), len(unsplit))
        likely = sum(path) % 10
        count = len(self.classes)
        votes = tuple(
            (self.classes.roots[(likely + step) % count], share) for step, share in ((0, 0.48), (5, 0.41), (7, 0.06))
        )
        picture = digit(likely, sum(path), self._side)
        return [Tile(path, picture, size, 1.6 + 0.1 * (path[0] % 8), answer, parts, votes, 0.64), *below]

    def _script(self) -> Sequence[Event]:
        if self._events is not None:
            script, self._events = self._events, None
            return script
        epoch = len(self.ended) + 1
        pictures = np.stack([digit(label) for label in range(8)])
        steps = [
            Stepped(epoch, step, 900, Losses(300.0 / (epoch * 900 + step) ** 0.2, 5.0, 0.4), 2_870.0, 1.1)
            for step in range(50, 901, 50)
        ]
        over = self._round > self._rounds
        last: Event = Finished() if over else Clustered(self._round, self._clusters, ())
        ended = replace(epoch_ended(epoch), answers=self._earlier)
        return [Loading("PyTorch"), *steps, Reconstructed(pictures, pictures // 2, None), ended, Saved(), last]
