"""The summary screen of a finished run: accuracy, class counts, costs, and the commands to use next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize, ScreenResume
from textual.widgets import Static

from vaetui.engine.metrics import Agreement
from vaetui.errors import UserError
from vaetui.tui import keymap
from vaetui.tui.event_worker import WorkerEnded
from vaetui.tui.presenters.number_format import format_duration, format_percent
from vaetui.tui.presenters.prediction_changes import LOW_GAIN_MESSAGE, describe_prediction_changes, has_low_churn
from vaetui.tui.presenters.size_breakpoints import WIDE_COLUMNS
from vaetui.tui.screens.key_guarded_screen import KeyGuardedScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.bar_chart import BarChart
from vaetui.tui.widgets.result_plots import AccuracyByRoundPlot, MetricsByEpochPlot

MAX_AGREEMENT_ROUNDS = 4
"""Rounds whose agreement a wide screen shows, the last ones; a narrow screen shows one."""
MAX_COMMAND_CELLS = 74
"""Cells of a command with its description; longer ones are shown without the description."""
ROUND_PENDING_NOTICE = "Loading the model; the round starts when it is ready"


class SummaryScreen(KeyGuardedScreen):
    """Accuracy by round, or metrics without true labels; class counts, costs and commands."""

    BINDINGS = build_bindings(keymap.SUMMARY_KEYS)
    CONFIRMED_KEYS = keymap.SUMMARY_CONFIRMED_KEYS
    DEFAULT_CSS = """
    SummaryScreen #figures { height: 1fr; min-height: 12; max-height: 25; }
    SummaryScreen #classes { width: 1fr; height: 1fr; }
    SummaryScreen #facts { height: auto; padding: 1 1 0 1; }
    SummaryScreen #commands { height: auto; padding: 1 1 0 1; }
    SummaryScreen #note { height: auto; padding: 0 1; color: $warning; }
    """

    def __init__(self, session: Session) -> None:
        """Show the finished run of the session."""
        super().__init__(session.name, f"finished: {session.round_count} rounds, {session.epoch_count} epochs")
        self.session = session
        """The session that is shown."""
        self.is_round_requested = False
        """Whether another round starts as soon as the worker is idle."""
        if session.has_test_labels:
            self._result_plot: AccuracyByRoundPlot | MetricsByEpochPlot = AccuracyByRoundPlot(session)
            self.glossary = keymap.SUMMARY_GLOSSARY
        else:
            self._result_plot = MetricsByEpochPlot(session)
            self.glossary = keymap.SUMMARY_GLOSSARY_WITHOUT_TEST_LABELS

    def compose_body(self) -> ComposeResult:
        """Create the plots, the facts and the commands."""
        session = self.session
        self._summary = session.summary()
        with Horizontal(id="figures"):
            yield self._result_plot
            counts = [(session.classes.names[class_id], count) for class_id, count in self._summary.class_counts]
            yield BarChart("Training images by class", counts, id="classes")
        yield Static(self._format_facts(), id="facts")
        yield Static(_format_commands(session.name), id="commands")
        yield Static(id="note", markup=False)

    async def on_resize(self, event: Resize) -> None:
        """Draw the plot for the new size, and show as many rounds as fit."""
        self.query_one("#facts", Static).update(self._format_facts())
        self.call_after_refresh(self._result_plot.draw)

    @on(ScreenResume)
    def refresh_facts(self) -> None:
        """Show the result of the reading test that was closed."""
        if self.is_current:  # the screen may have been replaced, and the session may be in another phase
            self.query_one("#facts", Static).update(self._format_facts())

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Start the round that was requested while the worker was busy."""
        if self.is_round_requested:
            self._request_additional_round()

    def handle_bound_key(self, key: str) -> None:
        """Request another round, or open the reading test, the samples, the map or the history."""
        match key:
            case "more":
                self._request_additional_round()
            case "draw":
                self._try_open_overlay(self._vaetui_app.open_samples)
            case "map":
                self._try_open_overlay(self._vaetui_app.open_map)
            case "history":
                self._try_open_overlay(self._vaetui_app.open_history)
            case _:
                self._try_open_overlay(self._vaetui_app.open_reading_test)

    def show_notice(self, text: str) -> None:
        """Show a notice below everything else."""
        self.query_one("#note", Static).update(Text(text))

    def _format_facts(self) -> Text:
        """Return costs, the changed predictions, agreement of the last rounds and the reading test.

        Without true labels the table of metrics shows the estimated accuracy; of the changes only the advice is left.
        """
        summary, epochs = self._summary, self.session.training_curves().finished_epochs
        facts = Text.assemble(
            (f"{summary.answer_count:,}", "bold"),
            " answers   training ",
            (format_duration(summary.training_seconds).strip(), "bold"),
            "   labelling ",
            (format_duration(summary.labelling_seconds).strip(), "bold"),
        )
        has_labels = self.session.has_test_labels
        if changes := describe_prediction_changes(epochs) if has_labels else LOW_GAIN_MESSAGE * has_low_churn(epochs):
            facts.append(f"\n{changes}")
        if summary.agreements:
            max_rounds = MAX_AGREEMENT_ROUNDS if self.app.size.width >= WIDE_COLUMNS else 1
            facts.append_text(_format_agreements(summary.agreements[-max_rounds:]))
        if read_epochs := [epoch for epoch in epochs if epoch.reading_accuracy is not None]:
            accuracy = format_percent(read_epochs[-1].reading_accuracy).strip()
            facts.append("\nreconstructions read correctly ").append(f"{accuracy} %", "bold")
            facts.append(f" (epoch {read_epochs[-1].epoch})")
        return facts

    def _request_additional_round(self) -> None:
        """Add a round and start it, now or as soon as the worker is idle."""
        app = self._vaetui_app
        if app.is_leaving:
            return
        if app.event_worker.is_busy:
            self.is_round_requested = True
            self.show_notice(ROUND_PENDING_NOTICE)
            return
        try:
            self.session.add_round()
        except UserError as error:
            self.is_round_requested = False
            self.show_notice(str(error))
            return
        app.continue_session()

    def _try_open_overlay(self, open_screen: Callable[[], None]) -> None:
        if self.is_round_requested:
            self.show_notice(ROUND_PENDING_NOTICE)
            return
        try:
            open_screen()
            self.show_notice("")
        except UserError as error:
            self.show_notice(str(error))


def _format_agreements(agreements: Sequence[tuple[int, Agreement]]) -> Text:
    """Return the agreement of answers and classifier by round, with the classifier's own estimate."""
    text, label = Text("\nagreement of your answers with the classifier: "), "estimated "
    for index, (round_number, agreement) in enumerate(agreements):
        text.append(f"{', ' if index else ''}round {round_number} ")
        text.append(f"{100 * agreement.agreement_rate:.0f} %", "bold")
        if agreement.mean_confidence is not None:
            text.append(f" ({label}{100 * agreement.mean_confidence:.0f} %)")
            label = ""  # only the first estimate is labelled, for lack of space
    return text


def _format_commands(session_name: str) -> Text:
    name = shlex.quote(session_name)
    rows = (
        (f"vaetui export {name} -o {shlex.quote(f'{session_name}.csv')}", "every image with its label"),
        (f"vaetui show {name}", "these figures again"),
        (f"vaetui resume {name}", "this screen again"),
    )
    width = max(len(command) for command, _ in rows)
    text = Text("Leave with q, then type:")
    for command, description in rows:
        line = Text.assemble("\n  ", (f"{command:<{width}}", "bold"))
        if width + len(description) < MAX_COMMAND_CELLS:
            line.append(f"   {description}", "dim")
        text.append_text(line)
    return text
