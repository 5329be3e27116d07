"""The screen of a run that is over; it does not know how the figures came about."""

from __future__ import annotations

import shlex
from typing import ClassVar, cast

import numpy as np
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize, ScreenResume
from textual.widgets import Static

from vaetui.engine.config import TrainingConfig, round_before
from vaetui.engine.events import EpochEnded
from vaetui.session.board import Summary
from vaetui.trouble import Trouble
from vaetui.tui.bars import Bars
from vaetui.tui.door import Session
from vaetui.tui.follow import Ended, Following
from vaetui.tui.gain import gained
from vaetui.tui.gauge import figure, percent, span
from vaetui.tui.guarded import Guarded
from vaetui.tui.header import Header
from vaetui.tui.keys import Keys
from vaetui.tui.plot import Axis, Curve, Plot, round_ticks
from vaetui.tui.room import Room

WANTED = "One more round begins as soon as PyTorch is loaded …"
"""What is said while one more round waits for the worker."""


class SummaryScreen(Guarded):
    """Accuracy by round, class counts, what it took, and what to type next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "press('more')", "one more round", id="summary.more", tooltip="Ask one more round, train on"),
        Binding(
            "t",
            "press('read')",
            "reading test",
            id="summary.read",
            tooltip="Read what the network remembers of the held-out images",
        ),
        Binding("down,j", "scroll_down", "down", show=False, id="summary.down", tooltip="Go down on a low screen"),
        Binding("up,k", "scroll_up", "up", show=False, id="summary.up", tooltip="Go up on a low screen"),
    ]
    WEIGHTY = frozenset(["summary.more", "summary.read"])
    FIGURES = (
        ("test accuracy", "share of the test images that the classifier calls right"),
        ("pixels", "share of the pixels of the held-out images that are on the right side of one half"),
        ("read right", "share of the reconstructions of an epoch that you read right in its reading test"),
        ("covered", "share of the training images that a label of yours reaches"),
        ("answers", "labels, unreadables and splits"),
    )
    DEFAULT_CSS = """
    SummaryScreen #figures { height: 1fr; min-height: 12; max-height: 25; }
    SummaryScreen #accuracy { width: 1fr; }
    SummaryScreen #values { height: 2; }
    SummaryScreen #classes { width: 1fr; height: 1fr; }
    SummaryScreen #facts { height: auto; padding: 1 1 0 1; }
    SummaryScreen #commands { height: auto; padding: 1 1 0 1; }
    SummaryScreen #note { height: auto; padding: 0 1; color: $warning; }
    """

    def __init__(self, session: Session) -> None:
        """Show that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.wanted = False
        """Whether one more round begins as soon as the worker is idle."""
        self.heading, self.rounds = by_round(session.curves().epochs, session.config.training)
        """What is known of each round, and its name."""

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        session = self.session
        self._summary = summary = session.summary()
        header = Header(session.name)
        header.say(f"finished: {session.rounds} rounds, {session.epochs} epochs")
        yield header
        with Horizontal(id="figures"):
            with Vertical(id="accuracy"):
                yield Plot(f"{self.heading} in % by round")
                yield Static(id="values", markup=False)
            counts = [(session.classes.names[label], count) for label, count in summary.classes]
            yield Bars("training images by class", counts, id="classes")
        yield Static(_facts(summary, session.curves().epochs), id="facts")
        yield Static(_commands(session.name), id="commands")
        yield Static(id="note", markup=False)
        yield Keys()
        yield Room()

    async def on_resize(self, event: Resize) -> None:
        """Draw the curve for the new size."""
        self.call_after_refresh(self.draw)

    @on(ScreenResume)
    def refresh_facts(self) -> None:
        """Show what was read in the reading test."""
        if self.is_current:  # one that is resumed may be gone again, and with it the phase
            self.query_one("#facts", Static).update(_facts(self._summary, self.session.curves().epochs))

    def draw(self) -> None:
        """Draw accuracy by round."""
        plot = self.query_one(Plot)
        x = np.array([number for number, _ in self.rounds], dtype=np.float64)
        y = 100 * np.array([share for _, share in self.rounds], dtype=np.float64)
        last = max(self.session.rounds, 1)
        across = Axis(-0.4, last + 0.4, round_ticks(0.0, last, plot.columns // 4, least=1.0))
        curves = [Curve("⠒", "green", x, y), Curve("●", "green", x, y)]
        plot.draw(curves, across, Axis(-8.0, 108.0, (0.0, 50.0, 100.0)))
        shown = self.rounds[-max(plot.columns // 5, 1) :]
        values = Text.assemble(
            ("round", "dim"),
            *(f"{number:>5}" for number, _ in shown),
            ("\n    %", "dim"),
            *((f" {figure(100 * share, 4)}", "bold") for _, share in shown),
        )
        self.query_one("#values", Static).update(values, layout=False)

    @on(Ended)
    def begin(self, message: Ended) -> None:
        """Begin the round that was asked for while the worker was busy."""
        if self.wanted:
            self._more()

    def press(self, key: str) -> None:
        """Ask one more round, or open the reading test."""
        if key == "more":
            self._more()
        else:
            self._read()

    def tell(self, words: str) -> None:
        """Say that below everything else."""
        self.query_one("#note", Static).update(Text(words))

    def _more(self) -> None:
        """Ask one more round, now or as soon as the worker is idle."""
        following = cast(Following, self.app)
        if following.leaving:
            return
        if following.follower.busy:
            self.wanted = True
            self.tell(WANTED)
            return
        try:
            self.session.another_round()
        except Trouble as trouble:
            self.wanted = False
            self.tell(str(trouble))
            return
        following.proceed()

    def _read(self) -> None:
        """Open the reading test, or say why there is none."""
        if self.wanted:
            self.tell(WANTED)
            return
        try:
            cast(Following, self.app).open_test()
            self.tell("")
        except Trouble as trouble:
            self.tell(str(trouble))


def by_round(epochs: tuple[EpochEnded, ...], training: TrainingConfig) -> tuple[str, list[tuple[int, float]]]:
    """Give the accuracy after each round (0 is before the first): of the test images, else of the pixels."""
    tested = any(one.test_accuracy is not None for one in epochs)
    shares: dict[int, float] = {}
    for one in epochs:
        number = round_before(training, one.epoch) or 0
        share = one.test_accuracy if tested else one.pixel_accuracy
        if share is not None:
            shares[number] = share  # the last epoch of a round has the last word on it
    return ("test accuracy" if tested else "pixels right"), sorted(shares.items())


def _facts(summary: Summary, epochs: tuple[EpochEnded, ...]) -> Text:
    facts = Text.assemble(
        "covered ",
        (percent(summary.covered).strip() + " %", "bold"),
        " of the images   ",
        (f"{summary.answers:,}", "bold"),
        " answers   training ",
        (span(summary.training_seconds).strip(), "bold"),
        "   labelling ",
        (span(summary.labelling_seconds).strip(), "bold"),
    )
    if words := gained(epochs):
        facts.append(f"\n{words}")
    tested = [one for one in epochs if one.reading_accuracy is not None]
    if tested:
        share = percent(tested[-1].reading_accuracy).strip()
        facts.append_text(
            Text.assemble("\nreconstructions read right ", (f"{share} %", "bold"), f" (epoch {tested[-1].epoch})")
        )
    return facts


def _commands(session: str) -> Text:
    name = shlex.quote(session)
    rows = (
        (f"vaetui export {name} -o {shlex.quote(f'{session}.csv')}", "every image with its label"),
        (f"vaetui show {name}", "the figures again"),
        (f"vaetui resume {name}", "come back here"),
    )
    width = max(len(command) for command, _ in rows)
    text = Text("Leave with q, then type:")
    for command, does in rows:
        line = Text.assemble("\n  ", (f"{command:<{width}}", "bold"))
        if width + len(does) < 74:
            line.append(f"   {does}", "dim")
        text.append_text(line)
    return text
