"""A whole run without a screen: the very same Session that the screens drive, answered by an annotator."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vaetui.engine.events import EpochEnded, Event, Reconstructed
from vaetui.engine.ground_truth import Truth
from vaetui.engine.metrics import reading_accuracy
from vaetui.errors import Trouble
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import Habits
from vaetui.simulation.annotators import Annotator, CentreAnnotator, Fingers, MembersAnnotator
from vaetui.simulation.budgeted_annotator import SURE, Round
from vaetui.simulation.reader_cache import Shelved
from vaetui.simulation.result import Exported, Outcome, Quality, judge, judge_export, label_accuracy
from vaetui.simulation.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Answered:
    """A round was answered."""

    round: int
    """The round, from 1."""
    answers: int
    """Answers given in it."""
    quality: Quality
    """How good the labels are that they spread."""


@dataclass(frozen=True, slots=True)
class Read:
    """The reconstructions of a whole epoch were read."""

    epoch: EpochEnded
    """The epoch, with its reading accuracy."""


Seen: TypeAlias = Event | Answered | Read


class Simulation:
    """Drives one session to its end."""

    def __init__(self, session: Session, shelved: Shelved, habits: Habits, watch: Stopwatch) -> None:
        """Drive a session, a new one, with a reader for centres and reconstructions."""
        self._session = session
        self._shelved = shelved
        self._habits = habits
        self._watch = watch
        self._fingers = Fingers(session.config.network.classes, habits.error_rate, session.config.seed)
        self._pictures = 0
        self._answers: list[int] = []
        self._qualities: list[Quality] = []
        self._checks: dict[int, float] = {}

    def run(self) -> Generator[Seen, None, Outcome]:
        """Train, answer, train to the end; yields what happens and returns what it came to.

        Raises Trouble where there is no label of a training image.
        """
        while True:
            for event in self._watch.follow(self._session.advance()):
                yield event
                if isinstance(event, Reconstructed) and event.check is not None:
                    yield from self._read(event, event.check)
            if self._session.phase == "finished":
                return self._outcome((yield from self._export()))
            yield from self._answer()
            self._session.go_on()

    def _answer(self) -> Iterator[Seen]:
        """Answer a round, and look at what it spread."""
        session = self._session
        round = Round(session, self._annotator(), self._fingers, self._habits.answers, self._watch)
        yield from round.answer()
        self._pictures += round.pictures
        self._answers.append(self._habits.answers - round.budget)
        with self._watch.part("judging"):
            weights = yield from session.spread()
            self._qualities.append(judge(session.round, weights, self._truth("train")))
        yield Answered(session.round, self._answers[-1], self._qualities[-1])

    def _read(self, seen: Reconstructed, check: int) -> Iterator[Seen]:
        """Read the reconstructions of a check; at the end of an epoch, in the session's reading test."""
        session = self._session
        with self._watch.part("reading"):
            opinions = self._shelved.reader.read(seen.reconstructions)
            pairs = zip(opinions.classes.tolist(), opinions.certainty.tolist(), strict=True)
            read = [label if certainty >= SURE else None for label, certainty in pairs]
            self._checks[check] = reading_accuracy(read, self._truth("validation"))
            epoch, rest = divmod(check, session.config.training.checks)
            if rest:
                return
            session.read(epoch, 0, read)
        yield Read(session.curves().epochs[-1])

    def _export(self) -> Generator[Seen, None, Exported | None]:
        """Look at the labels that a person would take away."""
        if not sum(self._answers):
            return None
        with self._watch.part("judging"):
            return judge_export((yield from self._session.labels()), self._truth("all"))

    def _annotator(self) -> Annotator:
        if self._habits.annotator == "centre":
            return CentreAnnotator(self._shelved.reader)
        return MembersAnnotator(self._truth("train"))

    def _truth(self, of: Literal["train", "validation", "all"]) -> Truth:
        truth: Truth | None = getattr(self._session.truths, of)
        if truth is None:
            raise Trouble(f"The {of} images have no labels, so nobody can stand in for you.")
        return truth

    def _outcome(self, exported: Exported | None) -> Outcome:
        epochs, config = self._session.curves().epochs, self._session.config
        return Outcome(
            test_accuracy=tuple(epoch.test_accuracy for epoch in epochs),
            reading_accuracy=tuple(epoch.reading_accuracy for epoch in epochs),
            reading_checks=tuple(
                self._checks.get(check) for check in range(1, len(epochs) * config.training.checks + 1)
            ),
            answers=sum(self._answers),
            answers_by_round=tuple(self._answers),
            pictures_shown=self._pictures,
            label_accuracy=label_accuracy(self._qualities),
            exported=exported,
            seconds={"total": self._watch.total, **self._watch.seconds},
            recipe=config.recipe,
            annotator=self._habits.annotator,
            error_rate=self._habits.error_rate,
            reader_accuracy=self._shelved.accuracy,
            seed=config.seed,
            config=dataclasses.asdict(config),
        )
