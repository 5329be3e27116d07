"""A session in memory that follows a script; it knows no network, no image file and no disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from tests.tui.drawn import draw_digit
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
from vaetui.session.digit_keys import add_new_classes
from vaetui.session.views import ClusterView, MemberOrder, Phase, ReadingTest, RoundView, Summary, TrainingCurves

HELD_OUT_COUNT = 12
"""Pictures in a reading test; what is drawn in them is their place's last digit."""


def create_epoch(epoch: int, answers: int = 0) -> EpochEnded:
    """Make the report of an epoch that went as one would hope."""
    losses = Losses(220.0 / epoch, 5.0 + epoch / 10, 0.5 / epoch)
    return EpochEnded(epoch, losses, min(0.1 + 0.3 * epoch, 0.97), 0.9, 0.6, answers, 20.0)


def _words(act: tuple[ClusterPath, Answer] | ClassEdit) -> str:
    return f"the answer to {format_path(act[0])}" if isinstance(act, tuple) else "the classes"


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
        has_test_labels: bool = True,
    ) -> None:
        """Stand at the start of a phase; `events` is what the first `advance` of a training phase yields."""
        self.name = name
        self.config = config or Config(training=TrainingConfig(rounds=rounds))
        self.classes = self._begun = ClassList.from_names(
            classes or tuple(map(str, range(self.config.network.classes)))
        )
        self.has_test_labels = has_test_labels
        self.answer_log: list[tuple[ClusterPath, Answer]] = []
        """What stands said, oldest first."""
        self.class_edits: list[tuple[int, ClassEdit]] = []
        """What was done to the classes and stands, oldest first, each with how much stood said by then."""
        self.undone_actions: list[tuple[ClusterPath, Answer] | ClassEdit] = []
        """What was undone, the last undone last."""
        self.is_loaded = False
        """Whether members can be shown."""
        self.is_closed = False
        """Whether it was closed."""
        self.stop_count = 0
        """How often a slow verb was closed before its end."""
        self.calls: list[str] = []
        """The verbs that were called, in order."""
        self.loss_points: list[tuple[int, Losses]] = []
        """The losses so far."""
        self.finished_epochs: list[EpochEnded] = []
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
    def round_number(self) -> int:
        """Tell the round; 0 where none is left."""
        return self._round if self._round <= self._rounds else 0

    @property
    def device_name(self) -> str:
        """Tell what it computes on, once it has begun to."""
        return "cpu, 2 threads" if self.is_loaded else ""

    def advance(self) -> Iterator[Event]:
        """Go through the script."""
        self.calls.append("advance")
        training = self._phase == "training"
        done = False
        try:
            for event in self._script() if training else (Loading("PyTorch"), Loading("images")):
                if isinstance(event, BatchesTrained):
                    self.loss_points.append(((event.epoch - 1) * event.steps_per_epoch + event.step, event.losses))
                if isinstance(event, EpochEnded):
                    self.finished_epochs.append(event)
                self.is_loaded = True
                if training and isinstance(event, Clustered):
                    self._phase = "labelling"
                if training and isinstance(event, Finished):
                    self._phase = "finished"
                yield event
            done = True
        finally:
            self.stop_count += not done

    def split(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        """Divide a cluster."""
        self.calls.append(f"split {format_path(path)} {part_count}")
        yield Progress("splitting", 0, 1)
        self._say(path, Split(part_count))
        yield ClusterSplit(path, part_count)

    def samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        """Draw digits of any kind or of one, each seed others; there is nothing to draw before an epoch has ended."""
        self.calls.append(f"samples {count} {class_id} {seed}")
        if not self.finished_epochs:
            raise UserError("There is nothing to draw from yet.")
        yield Progress("drawing", 1, 2)
        kinds = [at if class_id is None else class_id for at in range(count)]
        yield SamplesGenerated(np.stack([draw_digit(kind, 1000 * seed + at, self._side) for at, kind in enumerate(kinds)]))

    def round_view(self) -> RoundView:
        """Show the round."""
        answers = effective_answers(self.answer_log)
        places = [(part,) for part in range(self._clusters)]
        tiles = [tile for place in places for tile in self._tiles(place, 2000 + 137 * place[0], answers)]
        open_or_not = [tile for tile in tiles if tile.leaf_counts is None]
        answered = [tile for tile in open_or_not if tile.answer is not None]
        whole = sum(tile.size for tile in open_or_not)
        covered = sum(tile.size for tile in answered if isinstance(tile.answer, ClassAnswer)) / whole
        return RoundView(
            self._round,
            self._rounds,
            tuple(tiles),
            len(answered),
            len(open_or_not),
            covered,
            self._earlier + len(self.answer_log),
            add_new_classes(tuple(range(min(10, len(self._begun)))), [naming for _, naming in self.class_edits]),
            "the classes"
            if self._named_last()
            else f"the answer to {format_path(self.answer_log[-1][0])}"
            if self.answer_log
            else None,
            _words(self.undone_actions[-1]) if self.undone_actions else None,
        )

    def answer(self, path: ClusterPath, answer: ClassAnswer | Unreadable) -> None:
        """Keep an answer."""
        self.calls.append(f"answer {format_path(path)}")
        if isinstance(answer, ClassAnswer):
            self.classes.require_active(answer.class_id)
        self._say(path, answer)

    def undo(self) -> ClusterPath | None:
        """Take back the last word."""
        self.calls.append("undo")
        if self._named_last():
            self.undone_actions.append(self.class_edits.pop()[1])
            self._count()
            return ()
        if not self.answer_log:
            return None
        path, answer = self.answer_log.pop()
        self.undone_actions.append((path, answer))
        return path

    def redo(self) -> ClusterPath | None:
        """Bring back the last word taken."""
        self.calls.append("redo")
        if not self.undone_actions:
            return None
        act = self.undone_actions.pop()
        if isinstance(act, tuple):
            self.answer_log.append(act)
            return act[0]
        self.class_edits.append((len(self.answer_log), act))
        self._count()
        return ()

    def edit_classes(self, edit: ClassEdit) -> None:
        """Do that to the classes."""
        self.calls.append(f"amend {edit}")
        self.classes = self.classes.apply(edit)
        self.class_edits.append((len(self.answer_log), edit))
        self.undone_actions.clear()

    def answer_counts(self) -> tuple[int, ...]:
        """Count the answers by class."""
        labels = [self.classes.canonical[answer.class_id] for _, answer in self.answer_log if isinstance(answer, ClassAnswer)]
        return tuple(labels.count(label) for label in range(len(self.classes)))

    def members(self, path: ClusterPath, order: MemberOrder, count: int) -> Pixels:
        """Draw members that look like their centre."""
        self.calls.append(f"members {format_path(path)} {order}")
        if not self.is_loaded:
            return np.zeros((0, self._side, self._side), np.uint8)
        seed = {"nearest": 100, "random": 200, "farthest": 300}[order]
        return np.stack([draw_digit(sum(path), seed + n, self._side) for n in range(count)])

    def finish_round(self) -> None:
        """End the round."""
        self.calls.append("go_on")
        if self._phase != "labelling":
            raise UserError("There is no round to end.")
        self._earlier += len(self.answer_log)
        self.answer_log, self.class_edits, self.undone_actions, self._begun = [], [], [], self.classes
        self._phase = "training"
        self._round += 1

    def add_round(self) -> None:
        """Make the run one round longer."""
        self.calls.append("another_round")
        self._rounds += 1
        self._round = self._rounds
        self._phase = "labelling"

    def training_curves(self) -> TrainingCurves:
        """Give what the script has yielded so far."""
        return TrainingCurves(tuple(self.loss_points), tuple(self.finished_epochs))

    def reading_test(self) -> ReadingTest:
        """Draw the held-out images as they are remembered."""
        if not self.finished_epochs:
            raise UserError("There is no reading test before the first epoch ends.")
        return self._sheet(self.finished_epochs[-1].epoch)

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        """Keep what was read, and judge it by how it was drawn."""
        self.calls.append(f"read {epoch} {start} {list(class_ids)}")
        self.readings[epoch] = (*self.readings.get(epoch, ())[:start], *class_ids)
        sheet = self._sheet(epoch)
        at = [one.epoch for one in self.finished_epochs].index(epoch)
        self.finished_epochs[at] = replace(self.finished_epochs[at], reading_accuracy=sheet.accuracy)
        return sheet

    def summary(self) -> Summary:
        """Tell what the run came to."""
        if self._phase != "finished":
            raise UserError("The run is not over yet.")
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
        self.is_closed = True

    def _sheet(self, epoch: int) -> ReadingTest:
        pictures = np.stack([draw_digit(place % 10, 300 + place, self._side) for place in range(HELD_OUT_COUNT)])
        read = self.readings.get(epoch, ())
        right = sum(seen == place % 10 for place, seen in enumerate(read))
        keyed = tuple(range(min(10, len(self.classes))))
        return ReadingTest(epoch, pictures, read, right / HELD_OUT_COUNT if len(read) == HELD_OUT_COUNT else None, keyed)

    def _named_last(self) -> bool:
        """Tell whether the last act was on the classes."""
        return bool(self.class_edits) and self.class_edits[-1][0] == len(self.answer_log)

    def _count(self) -> None:
        self.classes = reduce(ClassList.apply, [naming for _, naming in self.class_edits], self._begun)

    def _say(self, path: ClusterPath, answer: Answer) -> None:
        self.answer_log.append((path, answer))
        self.undone_actions.clear()

    def _tiles(self, path: ClusterPath, size: int, answers: dict[ClusterPath, Answer]) -> list[ClusterView]:
        answer = answers.get(path)
        if isinstance(answer, ClassAnswer):
            answer = replace(answer, class_id=self.classes.canonical[answer.class_id])
        below: list[ClusterView] = []
        parts = None
        if isinstance(answer, Split):
            share = size // answer.parts
            places = [(*path, part) for part in range(answer.parts)]
            below = [tile for place in places for tile in self._tiles(place, share, answers)]
            unsplit = [tile for tile in below if tile.leaf_counts is None]
            parts = (sum(tile.answer is not None for tile in unsplit), len(unsplit))
        likely = sum(path) % 10
        count = len(self.classes)
        votes = tuple(
            (self.classes.canonical[(likely + step) % count], share)
            for step, share in ((0, 0.48), (5, 0.41), (7, 0.06))
        )
        picture = draw_digit(likely, sum(path), self._side)
        return [ClusterView(path, picture, size, 1.6 + 0.1 * (path[0] % 8), answer, parts, votes, 0.64), *below]

    def _script(self) -> Sequence[Event]:
        if self._events is not None:
            script, self._events = self._events, None
            return script
        epoch = len(self.finished_epochs) + 1
        pictures = np.stack([draw_digit(label) for label in range(8)])
        steps = [
            BatchesTrained(epoch, step, 900, Losses(300.0 / (epoch * 900 + step) ** 0.2, 5.0, 0.4), 2_870.0, 1.1)
            for step in range(50, 901, 50)
        ]
        over = self._round > self._rounds
        last: Event = Finished() if over else Clustered(self._round, self._clusters, ())
        ended = replace(create_epoch(epoch), answer_count=self._earlier)
        return [Loading("PyTorch"), *steps, Reconstructed(pictures, pictures // 2, None), ended, Saved(), last]
