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
from vaetui.errors import UserError
from vaetui.session.views import Summary
from vaetui.tui.presenters.epoch_metrics import METRIC_HELP as KNOWN
from vaetui.tui.presenters.number_format import format_duration, format_percent
from vaetui.tui.presenters.round_gain import LOW_GAIN_MESSAGE, describe_round_gain, has_low_churn
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.screens.help import Glossary
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.bars import BarChart
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.result_plots import AccuracyByRound, MetricsByEpoch
from vaetui.tui.widgets.size_notice import WIDE_COLUMNS, SizeNotice
from vaetui.tui.worker import AppProtocol, WorkerEnded

SUMMARY_SHARE_GLOSSARY = (
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
SUMMARY_GLOSSARY = (
    ("test accuracy", "share of the test images that the classifier calls right"),
    *SUMMARY_SHARE_GLOSSARY,
)
"""What the figures mean."""
SUMMARY_GLOSSARY_WITHOUT_TEST_LABELS = (*KNOWN, *SUMMARY_SHARE_GLOSSARY)
"""The same where no true labels tell an accuracy."""
MAX_AGREEMENT_ROUNDS = 4
"""Rounds whose agreement is told on a wide screen, the last ones; else there is room for one."""
ROUND_PENDING_NOTICE = "One more round begins as soon as PyTorch is loaded …"
"""What is said while one more round waits for the worker."""


class SummaryScreen(GuardedScreen):
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
    CONFIRMED_KEYS = frozenset(["summary.more", "summary.read", "summary.draw"])
    GLOSSARY: Glossary = SUMMARY_GLOSSARY
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
        self.is_round_requested = False
        """Whether one more round begins as soon as the worker is idle."""
        self._result_plot = AccuracyByRound(session) if session.has_test_labels else MetricsByEpoch(session)
        if not session.has_test_labels:
            self.GLOSSARY = SUMMARY_GLOSSARY_WITHOUT_TEST_LABELS

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        session = self.session
        self._summary = summary = session.summary()
        header = Header(session.name)
        header.set_text(f"finished: {session.rounds} rounds, {session.epochs} epochs")
        yield header
        with Horizontal(id="figures"):
            yield self._result_plot
            counts = [(session.classes.names[label], count) for label, count in summary.class_counts]
            yield BarChart("training images by class", counts, id="classes")
        yield Static(self._format_facts(), id="facts")
        yield Static(_format_commands(session.name), id="commands")
        yield Static(id="note", markup=False)
        yield Footer()
        yield SizeNotice()

    async def on_resize(self, event: Resize) -> None:
        """Draw the curves for the new size, and tell what there is room for."""
        self.query_one("#facts", Static).update(self._format_facts())
        self.call_after_refresh(self._result_plot.draw)

    @on(ScreenResume)
    def refresh_facts(self) -> None:
        """Show what was read in the reading test."""
        if self.is_current:  # one that is resumed may be gone again, and with it the phase
            self.query_one("#facts", Static).update(self._format_facts())

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Begin the round that was asked for while the worker was busy."""
        if self.is_round_requested:
            self._request_round()

    def press(self, key: str) -> None:
        """Ask one more round, open the reading test or the new pictures."""
        match key:
            case "more":
                self._request_round()
            case "draw":
                self._open_overlay(self._vaetui_app.open_samples)
            case _:
                self._open_overlay(self._vaetui_app.open_reading_test)

    def show_notice(self, text: str) -> None:
        """Say that below everything else."""
        self.query_one("#note", Static).update(Text(text))

    def _format_facts(self) -> Text:
        rounds = MAX_AGREEMENT_ROUNDS if self.app.size.width >= WIDE_COLUMNS else 1
        return _format_summary(
            self._summary, self.session.training_curves().finished_epochs, self.session.has_test_labels, rounds
        )

    @property
    def _vaetui_app(self) -> AppProtocol:
        return cast(AppProtocol, self.app)

    def _request_round(self) -> None:
        """Ask one more round, now or as soon as the worker is idle."""
        following = self._vaetui_app
        if following.is_leaving:
            return
        if following.event_worker.is_busy:
            self.is_round_requested = True
            self.show_notice(ROUND_PENDING_NOTICE)
            return
        try:
            self.session.add_round()
        except UserError as trouble:
            self.is_round_requested = False
            self.show_notice(str(trouble))
            return
        following.continue_session()

    def _open_overlay(self, open_screen: Callable[[], None]) -> None:
        """Open something over this screen, or say why not."""
        if self.is_round_requested:
            self.show_notice(ROUND_PENDING_NOTICE)
            return
        try:
            open_screen()
            self.show_notice("")
        except UserError as trouble:
            self.show_notice(str(trouble))


def _format_summary(summary: Summary, epochs: tuple[EpochEnded, ...], has_test_labels: bool, max_rounds: int) -> Text:
    """Tell what the run took and gave, with the agreement of so many rounds.

    Without true labels the figures of the last epoch stand in a table.
    """
    facts = Text.assemble(
        "covered ",
        (format_percent(summary.label_coverage).strip() + " %", "bold"),
        " of the images   ",
        (f"{summary.answer_count:,}", "bold"),
        " answers   training ",
        (format_duration(summary.training_seconds).strip(), "bold"),
        "   labelling ",
        (format_duration(summary.labelling_seconds).strip(), "bold"),
    )
    if words := describe_round_gain(epochs) if has_test_labels else LOW_GAIN_MESSAGE * has_low_churn(epochs):
        facts.append(f"\n{words}")
    if summary.agreements:
        facts.append_text(_format_agreements(summary.agreements[-max_rounds:]))
    read = [one for one in epochs if one.reading_accuracy is not None]
    if read:
        share = format_percent(read[-1].reading_accuracy).strip()
        facts.append_text(
            Text.assemble("\nreconstructions read right ", (f"{share} %", "bold"), f" (epoch {read[-1].epoch})")
        )
    return facts


def _format_agreements(agreements: Sequence[tuple[int, Agreement]]) -> Text:
    """Say how far the answers of these rounds agreed with the classifier, and how far it expected that."""
    words, expects = Text("\nagreement of your answers with the classifier: "), "it expected "
    for at, (number, told) in enumerate(agreements):
        words.append(f"{', ' if at else ''}round {number} ")
        words.append(f"{100 * told.agreement_rate:.0f} %", "bold")
        if told.mean_confidence is not None:
            words.append(f" ({expects}{100 * told.mean_confidence:.0f} %)")
            expects = ""
    return words


def _format_commands(session_name: str) -> Text:
    name = shlex.quote(session_name)
    rows = (
        (f"vaetui export {name} -o {shlex.quote(f'{session_name}.csv')}", "every image with its label"),
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
