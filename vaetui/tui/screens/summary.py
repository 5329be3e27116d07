"""The summary screen of a finished run: accuracy, class counts, costs, and the commands to use next."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize, ScreenResume
from textual.widgets import Static

from vaetui.engine.events import Loaded, Watched
from vaetui.errors import UserError
from vaetui.tui import keymap
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.presenters.class_colours import get_class_style
from vaetui.tui.presenters.expected_accuracy import fit_texts
from vaetui.tui.presenters.label_facts import collect_label_facts
from vaetui.tui.presenters.least_sure import compute_least_sure_layout
from vaetui.tui.presenters.run_position import format_position
from vaetui.tui.presenters.size_breakpoints import HIDDEN_CLASS, WIDE_COLUMNS
from vaetui.tui.presenters.summary_text import (
    MAX_AGREEMENT_ROUNDS,
    format_agreements,
    format_commands,
    format_costs,
    format_reading_accuracy,
    split_words,
    wrap_pieces,
)
from vaetui.tui.screens.vaetui_screen import NO_DECODER_NOTICE, VaetuiScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.bar_chart import Bar, BarChart
from vaetui.tui.widgets.least_sure_images import ClassImages, LeastSureImages
from vaetui.tui.widgets.result_plots import AccuracyByRoundPlot, MetricsByEpochPlot

MIN_FIGURE_ROWS = 15
"""Rows of the figures that images never take."""
SCROLLBAR_CELLS = 2
"""Columns of a vertical scroll bar."""
MAX_CLASS_IMAGES = 12
"""Least sure images of one class that are loaded."""
ROUND_PENDING_NOTICE = "Loading the model; the round starts when it is ready"


class SummaryScreen(VaetuiScreen):
    """Accuracy by round, or metrics without true labels; class counts, costs and commands."""

    BINDINGS = build_bindings(keymap.SUMMARY_KEYS)
    refused_key_bindings = keymap.SUMMARY_KEYS
    DEFAULT_CSS = """
    SummaryScreen #figures { height: 1fr; min-height: 9; }
    SummaryScreen #classes { width: 1fr; height: 1fr; }
    SummaryScreen #facts { height: auto; padding: 0 1; }
    SummaryScreen #commands { height: auto; padding: 0 1; }
    SummaryScreen.-tall #facts, SummaryScreen.-tall #commands { padding: 1 1 0 1; }
    SummaryScreen #note {
        dock: bottom; height: auto; margin-bottom: 1; padding: 0 1; background: $background; color: $warning;
    }
    """

    def __init__(self, session: Session) -> None:
        """Show the finished run of the session."""
        position = format_position("finished", session.epoch_count, session.epoch_count, 0, session.round_count)
        super().__init__(session.name, f"finished: {position}")
        self.session = session
        """The session that is shown."""
        self.is_round_requested = False
        """Whether another round starts as soon as the worker is idle."""
        self.shows_images_alone = False
        """Whether the least sure images stand in place of the figures."""
        if session.has_test_labels:
            self._result_plot: AccuracyByRoundPlot | MetricsByEpochPlot = AccuracyByRoundPlot(session)
        else:
            self._result_plot = MetricsByEpochPlot(session)
        self.glossary = keymap.build_summary_glossary(session.has_test_labels, session.has_decoder)

    def compose_body(self) -> ComposeResult:
        """Create the plots, the facts and the commands."""
        session = self.session
        self._load_summary()
        with Horizontal(id="figures"):
            yield self._result_plot
            yield BarChart("Training images by class", self._list_bars(), id="classes")
        yield LeastSureImages(session.classes, id="least-sure")
        yield Static(self._format_facts(), id="facts")
        yield Static(self._format_commands(), id="commands")
        yield Static(id="note", classes=HIDDEN_CLASS, markup=False)

    async def on_resize(self, event: Resize) -> None:
        """Arrange images and figures for the new size, and show as many rounds as fit."""
        self._update_facts()
        self._arrange()

    def _load_summary(self) -> None:
        self._summary = self.session.summary()
        self._unanswered_ids = self._summary.unanswered_class_ids if self._summary.answer_count else ()
        self._answer_counts = self.session.answer_counts()

    def _list_bars(self) -> list[Bar]:
        """Return a bar for each class that has an answer."""
        names, unanswered_ids = self.session.classes.names, self._summary.unanswered_class_ids
        return [
            Bar(names[class_id], count, get_class_style(class_id))
            for class_id, count in self._summary.class_counts
            if class_id not in unanswered_ids
        ]

    def _arrange(self) -> None:
        """Give the images what figures, facts and commands leave of the screen, or the place of the figures too."""
        texts = (self._format_facts(), self._format_commands())
        padding = 2 if self.has_class("-tall") else 0
        used_rows = 2 + sum(len(text.plain.splitlines()) for text in texts) + padding
        free_rows = self.app.size.height - used_rows - (0 if self.shows_images_alone else MIN_FIGURE_ROWS)
        layout = compute_least_sure_layout(self.app.size.width, free_rows)
        self.query_one("#figures").set_class(bool(self.shows_images_alone and layout), HIDDEN_CLASS)
        self.query_one(LeastSureImages).show_layout(layout)
        self.call_after_refresh(self._result_plot.draw)

    @on(ScreenResume)
    def refresh_facts(self) -> None:
        """Show the result of the reading test, or of the corrections in the history, that was closed."""
        if self.is_current:  # the screen may have been replaced, and the session may be in another phase
            if self._answer_counts != self.session.answer_counts():  # corrected in the history
                self._load_summary()
                self.query_one(BarChart).show_bars(self._list_bars())
                self.call_after_refresh(self._result_plot.draw)
            self._update_facts()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Start the round that was requested while the worker was busy, else show the images that are loaded now."""
        if self.is_round_requested:
            self._request_additional_round()
        else:
            self._load_all_images()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the images of a session that is watched once they are loaded, and corrections that were recorded."""
        match message.event:
            case Loaded() if self._vaetui_app.access == "watched":
                self._load_all_images()
            case Watched(has_changed=True):
                self.refresh_facts()

    def _load_all_images(self) -> None:
        self._load_images({}, [class_id for class_id, count in self._summary.class_counts if count])

    def _load_images(self, images: dict[int, ClassImages], class_ids: list[int]) -> None:
        """Load the least sure images of one class after the other; keys are handled between two classes."""
        if not self.is_current or self.session.phase != "finished":
            return
        for class_id in class_ids[:1]:
            pixels, confidences = self.session.least_sure_images(class_id, MAX_CLASS_IMAGES)
            if len(pixels):
                images[class_id] = pixels, confidences
        if class_ids[1:]:
            self.call_later(self._load_images, images, class_ids[1:])
        else:
            self.query_one(LeastSureImages).show_images(images)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the reading test without reconstructions, and what would change a session that is only watched."""
        return not self.is_refused(parameters) and (self.session.has_decoder or parameters != ("read",))

    def handle_bound_key(self, key: str) -> None:
        """Request another round, or open the reading test, the samples, the map or the history."""
        match key:
            case "more":
                self._request_additional_round()
            case "draw" if not self.session.has_decoder:
                self.show_notice(NO_DECODER_NOTICE)
            case "draw":
                self._try_open_overlay(self._vaetui_app.open_samples)
            case "map":
                self._try_open_overlay(self._vaetui_app.open_map)
            case "least_sure":
                self.shows_images_alone = not self.shows_images_alone
                self._arrange()
            case "history":
                self._try_open_overlay(self._vaetui_app.open_history)
            case "audit":
                self._try_open_overlay(self._vaetui_app.open_audit)
            case "review":
                self._try_open_overlay(self._vaetui_app.open_review)
            case "export":
                self._vaetui_app.open_export()
            case _:
                self._try_open_overlay(self._vaetui_app.open_reading_test)

    def show_notice(self, text: str) -> None:
        """Show a notice above the footer, where it stays visible while the screen scrolls."""
        note = self.query_one("#note", Static)
        note.set_class(not text, HIDDEN_CLASS)
        note.update(Text(text))

    def _format_commands(self) -> Text:
        app = self._vaetui_app
        return format_commands(self.session.name, app.format_key, can_change=app.access != "watched")

    def _format_shown_key(self, binding_id: str) -> str:
        """Return the key of a command, or the command of the shell in place of a key that is refused."""
        app, name = self._vaetui_app, shlex.quote(self.session.name)
        if app.access != "watched":
            return app.format_key(binding_id)
        return f"vaetui audit {name}" if binding_id == "summary.audit" else f"vaetui resume {name}"

    def _update_facts(self) -> None:
        self.query_one("#facts", Static).update(self._format_facts())

    def _format_facts(self) -> Text:
        """Return costs, the facts about the labels, agreement of the last rounds and the reading test.

        Classes without an answer are named in place of all expectations.
        """
        summary, epochs, width = self._summary, self.session.training_curves().finished_epochs, self.app.size.width
        format_key = self._format_shown_key
        facts = collect_label_facts(self.session, self._unanswered_ids, format_key, max_name_cells=width - 2)
        max_rounds = MAX_AGREEMENT_ROUNDS if width >= WIDE_COLUMNS else 1
        lines = [
            fit_texts([alternatives], width - 2)
            for alternatives in (facts.unanswered, facts.accuracy, facts.gain, facts.review, facts.disagreement)
        ]
        before = [format_costs(summary), *map(split_words, lines)]
        after = [format_agreements(summary.agreements[-max_rounds:]), format_reading_accuracy(epochs)]
        wrapped = [wrap_pieces(pieces, width - 2) for pieces in before]
        # The advice is wrapped in every terminal, and a scroll bar may stand beside it.
        wrapped.append(wrap_pieces(split_words(summary.advice or ""), width - 2 - SCROLLBAR_CELLS))
        wrapped += [wrap_pieces(pieces, width - 2) for pieces in after]
        return Text("\n").join([line for paragraph in wrapped for line in paragraph])

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
