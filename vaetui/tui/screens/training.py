"""The screen of a run in training; it does not know how anything is trained."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize, ScreenResume

from vaetui.engine.events import Clustered, EpochEnded, Event, Loading, Progress, Reconstructed, Saved
from vaetui.errors import UserError
from vaetui.tui.presenters.epoch_metrics import select_unsupervised_metrics
from vaetui.tui.presenters.training_progress import (
    Activity,
    ThroughputMeter,
    format_activity,
    format_epoch,
    format_training_progress,
)
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.screens.help import Glossary
from vaetui.tui.session_protocol import Session
from vaetui.tui.training_keys import (
    TRAINING_CONFIRMED_KEYS,
    TRAINING_GLOSSARY,
    TRAINING_GLOSSARY_WITHOUT_TEST_LABELS,
    TRAINING_KEYS,
)
from vaetui.tui.widgets.curves import AccuracyPane, LabelFreeMetricsPane, LossPane
from vaetui.tui.widgets.epoch_table import TEST_METRICS, EpochTable
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.reconstructions import ReconstructionGrid
from vaetui.tui.widgets.size_notice import SizeNotice
from vaetui.tui.widgets.status import StatusLine
from vaetui.tui.worker import AppProtocol, EventReported, WorkerEnded

REFRESHES_PER_S = 2
"""Looks at the figures in a second; the curves are drawn at every second one. Each costs training its time."""

PAUSING_NOTICE = "pausing …"
"""What the header says until training has stopped."""


class TrainingScreen(GuardedScreen):
    """Header, curves, finished epochs where there is room, pictures, one line of state, keys."""

    BINDINGS: ClassVar[list[BindingType]] = TRAINING_KEYS
    CONFIRMED_KEYS = TRAINING_CONFIRMED_KEYS
    GLOSSARY: Glossary = TRAINING_GLOSSARY
    DEFAULT_CSS = """
    TrainingScreen #curves { height: 1fr; }
    TrainingScreen #epochs { display: none; }
    TrainingScreen.-tall.-wide #epochs { display: block; }
    """

    def __init__(self, session: Session) -> None:
        """Show that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self._accuracy_pane: AccuracyPane | LabelFreeMetricsPane = AccuracyPane(id="accuracy")
        if not session.has_test_labels:
            self._accuracy_pane, self.GLOSSARY = (
                LabelFreeMetricsPane(session.config, "accuracy"),
                TRAINING_GLOSSARY_WITHOUT_TEST_LABELS,
            )
        self.pace = ThroughputMeter()
        """The speed of training."""
        self.activity: Activity | None = Activity("starting")
        """What goes on other than training."""
        self.is_paused = False
        """Whether nothing goes on until a person says so."""
        self._saved_at_s: float | None = None
        self._clustering_notice = ""
        self._ticks = 0
        self._loss_plot_state: tuple[object, ...] = ()
        self._epoch_plot_state: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Header(self.session.name)
        with Horizontal(id="curves"):
            yield LossPane(id="loss")
            yield self._accuracy_pane
        yield EpochTable(
            TEST_METRICS if self.session.has_test_labels else select_unsupervised_metrics(self.session.config),
            id="epochs",
        )
        yield ReconstructionGrid(id="strip")
        yield StatusLine(id="status")
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Begin to look at the figures; those of an earlier stretch of training are not news."""
        self._vaetui_app = cast(AppProtocol, self.app)
        self.pace.last_event = self._vaetui_app.event_worker.latest_batches
        self._update_epoch_table()
        self.set_interval(1 / REFRESHES_PER_S, self.poll_metrics)
        self.call_after_refresh(self.poll_metrics)

    async def on_resize(self, event: Resize) -> None:
        """Lay the pictures out for the new size and draw the curves anew."""
        await self.query_one(ReconstructionGrid).relayout(self.app.size)
        self._loss_plot_state = self._epoch_plot_state = ()
        self.call_after_refresh(self.poll_metrics)

    @on(ScreenResume)
    def refresh_epochs(self) -> None:
        """Show what was read in the reading test."""
        if self.is_current:  # one that is resumed may be gone again
            self._update_epoch_table()

    def poll_metrics(self) -> None:
        """Show the latest figures, unless the keys are being explained on top of them."""
        if not self.is_current:
            return
        if self.pace.update(self._vaetui_app.event_worker.latest_batches):
            self.activity, self._clustering_notice = None, ""
        self._ticks += 1
        self._update_header()
        self._update_status()
        if self._ticks % 2 or not self._loss_plot_state:
            self._update_plots()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show what was reported."""
        self._apply_event(message.event)

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Wait for a person: the slow verb ended and there is training left."""
        self.is_paused = True
        self.activity = None
        self.query_one(Header).pin_text(None)
        self.poll_metrics()

    def press(self, key: str) -> None:
        """Pause and go on, open the reading test or the new pictures."""
        match key:
            case "pause":
                self._toggle_pause()
            case "draw":
                self._vaetui_app.open_samples()
            case _:
                self._open_reading_test()

    def show_pending_key(self, binding_id: str) -> None:
        """Show that a pause comes, which takes up to a step anyway."""
        if binding_id == "training.pause" and self._vaetui_app.event_worker.is_busy:
            self.query_one(Header).pin_text(PAUSING_NOTICE)

    def show_notice(self, text: str) -> None:
        """Say that in the line of state, and no more that a pause comes unless it does."""
        if not self._vaetui_app.event_worker.is_stopping:
            self.query_one(Header).pin_text(None)
        self.query_one(StatusLine).show_message(text, monotonic())
        self._update_status()

    def _toggle_pause(self) -> None:
        """Stop at the next step, or go on."""
        follower = self._vaetui_app.event_worker
        if follower.is_stopping:
            return
        if follower.is_busy:
            follower.stop()
            self.query_one(Header).pin_text(PAUSING_NOTICE)
        elif self.is_paused:
            self.is_paused = False
            self.activity = Activity("going on")
            self._vaetui_app.continue_session()
        self._update_header()
        self._update_status()

    def _open_reading_test(self) -> None:
        """Open the reading test, or say why there is none."""
        try:
            self._vaetui_app.open_reading_test()
            self.show_notice("")
        except UserError as trouble:
            self.show_notice(str(trouble))

    def _apply_event(self, event: Event) -> None:
        match event:
            case Loading(what):
                self.activity = Activity(f"loading {what}")
            case Progress(what, done, total):
                self.activity = Activity(what, done / max(total, 1))
            case Reconstructed():
                self.query_one(ReconstructionGrid).show(event)
            case Saved():
                self._saved_at_s = monotonic()
            case EpochEnded():
                self._update_epoch_table()
            case Clustered(number, clusters, inertias):
                tried = f" of k {inertias[0][0]}-{inertias[-1][0]}" if inertias else ""
                self._clustering_notice = f"round {number}: {clusters} clusters{tried}"
            case _:
                pass
        self.poll_metrics()

    def _update_epoch_table(self) -> None:
        table = self.query_one(EpochTable)
        table.styles.height = min(self.session.epochs, EpochTable.MAX_ROWS) + 2
        table.show(self.session.training_curves().finished_epochs)

    def _update_header(self) -> None:
        latest, epochs = self.pace.last_event, self.session.epochs
        epoch = min(len(self.session.training_curves().finished_epochs) + 1, epochs)
        if self.activity is not None:
            text = format_activity(self.activity, epoch, epochs, self._ticks)
        elif latest is not None:
            batch = self.session.config.training.batch_size
            text = format_training_progress(latest, epochs, batch, self.pace.images_per_s, self.size.width)
        else:
            text = Text(format_epoch(epoch, epochs))
        self.query_one(Header).set_text(text)

    def _update_status(self) -> None:
        """Say in the status line what goes on, and draw the curves anew where that left them another room."""
        if self.query_one(StatusLine).show(self._format_status(), monotonic()):
            self._loss_plot_state = self._epoch_plot_state = ()
            self.call_after_refresh(self._update_plots)

    def _format_status(self) -> str:
        """Say how fast, on what, how safe, and what comes next."""
        session = self.session
        speed = f"{self.pace.images_per_s:>7,.0f} img/s" if self.pace.images_per_s else ""
        machine = f" on {session.device_name}" if session.device_name and not self.is_paused else ""
        saved = f"saved {monotonic() - self._saved_at_s:.0f} s ago" if self._saved_at_s is not None else ""
        coming = f"round {session.round_number} of {session.rounds} next"
        if session.round_number == 0:
            coming = "the summary next"
        left, right = speed, self._clustering_notice or coming
        if self.is_paused:
            left = "  paused: space goes on"
        room = max(self.size.width - 4 - len(right), 0)
        if len(left + machine) + 16 <= room:
            left += machine
        if len(left) + 16 <= room:
            left += f"{saved:>16}"
        return f"{left:<{room}}  {right}"

    def _update_plots(self) -> None:
        curves = self.session.training_curves()
        latest = self.pace.last_event
        end = latest.epoch * latest.steps_per_epoch if latest is not None else 0
        # A plot costs about ten milliseconds, so each is drawn only when it has something new.
        losses = (len(curves.loss_points), end, self.size)
        if losses != self._loss_plot_state:
            self._loss_plot_state = losses
            self.query_one(LossPane).show(curves, end)
        epochs = (len(curves.finished_epochs), self.session.epochs, self.size)
        if epochs != self._epoch_plot_state:
            self._epoch_plot_state = epochs
            self._accuracy_pane.show(curves.finished_epochs, self.session.epochs)
