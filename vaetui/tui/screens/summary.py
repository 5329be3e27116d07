"""The screen of a run that is over; it does not know how the figures came about."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize, ScreenResume
from textual.widgets import Static

from vaetui.engine.events import EpochEnded
from vaetui.engine.metrics import Agreement
from vaetui.errors import Trouble
from vaetui.session.views import Summary
from vaetui.tui.presenters.epoch_metrics import FIGURES as KNOWN
from vaetui.tui.presenters.number_format import percent, span
from vaetui.tui.presenters.round_gain import ENOUGH, gained, is_enough
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.screens.help import Figures
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.bars import Bars
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.result_plots import ByEpoch, ByRound
from vaetui.tui.widgets.size_notice import WIDE, Room
from vaetui.tui.worker import Ended, Following

SHARES = (
    ("pixels", "share of the pixels of the held-out images that are on the right side of one half"),
    ("read right", "share of the reconstructions of an epoch that you read right in its reading test"),
    ("covered", "share of the training images that a label of yours reaches"),
    ("answers", "labels, unreadables and splits"),
    (
        "agreement",
        "share of the images seen in the answers of a round that the classifier had called the same before, and the "
        "share that it expected to have called right; a round may ask only of images in doubt, where it is less",
    ),
)
FIGURES = (("test accuracy", "share of the test images that the classifier calls right"), *SHARES)
"""What the figures mean."""
UNTESTED = (*KNOWN, *SHARES)
"""The same where no true labels tell an accuracy."""
SHOWN = 4
"""Rounds whose agreement is told on a wide screen, the last ones; else there is room for one."""
WANTED = "One more round begins as soon as PyTorch is loaded …"
"""What is said while one more round waits for the worker."""


class SummaryScreen(Guarded):
    """Accuracy by round or what is known without labels, class counts, what it took, and what to type next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "press('more')", "one more round", id="summary.more", tooltip="Ask one more round, train on"),
        Binding(
            "t",
            "press('read')",
            "reading test",
            id="summary.read",
            tooltip="Read what the network remembers of the held-out images",
        ),
        Binding(
            "d",
            "press('draw')",
            "samples",
            id="summary.draw",
            tooltip="Draw new pictures from the latent space, of any class or of one",
        ),
        Binding("down,j", "scroll_down", "down", show=False, id="summary.down", tooltip="Go down on a low screen"),
        Binding("up,k", "scroll_up", "up", show=False, id="summary.up", tooltip="Go up on a low screen"),
    ]
    WEIGHTY = frozenset(["summary.more", "summary.read", "summary.draw"])
    FIGURES: Figures = FIGURES
    DEFAULT_CSS = """
    SummaryScreen #figures { height: 1fr; min-height: 12; max-height: 25; }
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
        self._outcome = ByRound(session) if session.tested else ByEpoch(session)
        if not session.tested:
            self.FIGURES = UNTESTED

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        session = self.session
        self._summary = summary = session.summary()
        header = Header(session.name)
        header.say(f"finished: {session.rounds} rounds, {session.epochs} epochs")
        yield header
        with Horizontal(id="figures"):
            yield self._outcome
            counts = [(session.classes.names[label], count) for label, count in summary.classes]
            yield Bars("training images by class", counts, id="classes")
        yield Static(self._facts(), id="facts")
        yield Static(_commands(session.name), id="commands")
        yield Static(id="note", markup=False)
        yield Keys()
        yield Room()

    async def on_resize(self, event: Resize) -> None:
        """Draw the curves for the new size, and tell what there is room for."""
        self.query_one("#facts", Static).update(self._facts())
        self.call_after_refresh(self._outcome.draw)

    @on(ScreenResume)
    def refresh_facts(self) -> None:
        """Show what was read in the reading test."""
        if self.is_current:  # one that is resumed may be gone again, and with it the phase
            self.query_one("#facts", Static).update(self._facts())

    @on(Ended)
    def begin(self, message: Ended) -> None:
        """Begin the round that was asked for while the worker was busy."""
        if self.wanted:
            self._more()

    def press(self, key: str) -> None:
        """Ask one more round, open the reading test or the new pictures."""
        match key:
            case "more":
                self._more()
            case "draw":
                self._open(self._following.open_samples)
            case _:
                self._open(self._following.open_test)

    def tell(self, words: str) -> None:
        """Say that below everything else."""
        self.query_one("#note", Static).update(Text(words))

    def _facts(self) -> Text:
        rounds = SHOWN if self.app.size.width >= WIDE else 1
        return _facts(self._summary, self.session.curves().epochs, self.session.tested, rounds)

    @property
    def _following(self) -> Following:
        return cast(Following, self.app)

    def _more(self) -> None:
        """Ask one more round, now or as soon as the worker is idle."""
        following = self._following
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

    def _open(self, opening: Callable[[], None]) -> None:
        """Open something over this screen, or say why not."""
        if self.wanted:
            self.tell(WANTED)
            return
        try:
            opening()
            self.tell("")
        except Trouble as trouble:
            self.tell(str(trouble))


def _facts(summary: Summary, epochs: tuple[EpochEnded, ...], tested: bool, rounds: int) -> Text:
    """Tell what the run took and gave, with the agreement of so many rounds.

    Without true labels the figures of the last epoch stand in a table.
    """
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
    if words := gained(epochs) if tested else ENOUGH * is_enough(epochs):
        facts.append(f"\n{words}")
    if summary.agreements:
        facts.append_text(_agreements(summary.agreements[-rounds:]))
    read = [one for one in epochs if one.reading_accuracy is not None]
    if read:
        share = percent(read[-1].reading_accuracy).strip()
        facts.append_text(
            Text.assemble("\nreconstructions read right ", (f"{share} %", "bold"), f" (epoch {read[-1].epoch})")
        )
    return facts


def _agreements(agreements: Sequence[tuple[int, Agreement]]) -> Text:
    """Say how far the answers of these rounds agreed with the classifier, and how far it expected that."""
    words, expects = Text("\nagreement of your answers with the classifier: "), "it expected "
    for at, (number, told) in enumerate(agreements):
        words.append(f"{', ' if at else ''}round {number} ")
        words.append(f"{100 * told.agreed:.0f} %", "bold")
        if told.expected is not None:
            words.append(f" ({expects}{100 * told.expected:.0f} %)")
            expects = ""
    return words


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
