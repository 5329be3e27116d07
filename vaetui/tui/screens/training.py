"""The training screen: losses, metrics by epoch, reconstructions and progress of a run in training."""

from __future__ import annotations

from time import monotonic, time

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize, ScreenResume
from textual.widgets import Static

from vaetui.engine.config import find_current_epoch
from vaetui.engine.events import Clustered, EpochEnded, Loaded, Loading, Progress, Reconstructed, Saved, Watched
from vaetui.errors import UserError, format_count
from vaetui.tui import keymap
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.presenters.epoch_metrics import select_unsupervised_metrics
from vaetui.tui.presenters.loss_terms import select_loss_terms
from vaetui.tui.presenters.sections import format_section
from vaetui.tui.presenters.time_to_question import describe_next_phase, estimate_question_seconds
from vaetui.tui.presenters.training_progress import (
    Activity,
    ThroughputMeter,
    format_activity,
    format_epoch_number,
    format_training_progress,
)
from vaetui.tui.screens.vaetui_screen import NO_DECODER_NOTICE, VaetuiScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.curve_panes import AccuracyPane, LossPane, UnsupervisedMetricsPane
from vaetui.tui.widgets.epoch_table import EpochTable, select_test_metrics
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.reconstruction_grid import ReconstructionGrid
from vaetui.tui.widgets.status_line import StatusLine
from vaetui.tui.widgets.text_line import TextLine

REFRESHES_PER_S = 2
"""Refreshes of the figures per second; plots follow at every second one. Each refresh takes time from training."""
SAVED_CELLS = 16
"""Columns of the time since the last save."""
BRIEF_COLUMNS = 100
"""A terminal with fewer columns has the shorter words for the next phase."""
STARTING = Activity("starting")
"""What the screen shows before the first event."""
PAUSING_NOTICE = "pausing …"
IMPORTED_CLASS = "-imported"
"""Class of the screen while it shows what was imported in place of the curves, before the first batch of a run."""


class TrainingScreen(VaetuiScreen):
    """Header, curves, a table of epochs if it fits, reconstructions and a status line.

    A new run shows what was imported in place of the curves until it trains.
    """

    BINDINGS = build_bindings(keymap.TRAINING_KEYS)
    refused_key_bindings = keymap.TRAINING_KEYS
    DEFAULT_CSS = """
    TrainingScreen #curves { height: 1fr; }
    TrainingScreen #epochs { display: none; }
    TrainingScreen #users { height: 1; padding: 0 1; color: $foreground 80%; }
    TrainingScreen.-tall.-wide #epochs { display: block; }
    TrainingScreen.-without-pictures.-short #epochs, TrainingScreen.-without-pictures.-tall #epochs { display: block; }
    TrainingScreen #import { display: none; height: 1fr; padding: 1 2; }
    TrainingScreen.-imported #import { display: block; }
    TrainingScreen.-imported.-without-pictures #epochs { display: none; }
    TrainingScreen.-imported #curves, TrainingScreen.-imported ReconstructionGrid { display: none; }
    """

    def __init__(self, session: Session) -> None:
        """Show the run of the session."""
        super().__init__(session.name)
        self.session = session
        """The session that trains."""
        if session.has_test_labels:
            self._accuracy_pane: AccuracyPane | UnsupervisedMetricsPane = AccuracyPane(session.config, "accuracy")
        else:
            self._accuracy_pane = UnsupervisedMetricsPane(session.config, "accuracy")
        self.glossary = keymap.build_training_glossary(
            session.has_test_labels, session.has_features, session.has_decoder
        )
        self.throughput = ThroughputMeter()
        """The speed of training."""
        self.activity: Activity | None = STARTING
        """What the session does other than training; None while it trains."""
        self.is_paused = False
        """Whether training waits for the user."""
        self._is_idle = False  # while a session that is watched is not trained
        self._saved_at_s: float | None = None
        self._last_event_at_s = monotonic()
        self._clustering_notice = ""
        self._tick = 0
        self._early_notice = ""
        self.set_class(not self.session.has_decoder, "-without-pictures")
        self._loss_plot_state: tuple[object, ...] = ()
        self._epoch_plot_state: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Create the curves, the table, the reconstructions and the status line."""
        with Horizontal(id="curves"):
            yield LossPane(self.session.config, id="loss")
            yield self._accuracy_pane
        yield Static(format_section("imported images", self.session.import_lines.items()), id="import")
        yield EpochTable(
            select_loss_terms(self.session.config),
            (select_test_metrics if self.session.has_test_labels else select_unsupervised_metrics)(self.session.config),
            id="epochs",
        )
        if self.session.has_decoder:
            yield ReconstructionGrid()
        yield StatusLine()
        if self._vaetui_app.access != "full":
            yield TextLine(id="users")

    def on_mount(self) -> None:
        """Start polling; the last report of earlier training does not count as new."""
        self.throughput.last_event = self._vaetui_app.event_worker.latest_batches
        self._read_save_time()
        if self._early_notice:
            self.show_notice(self._early_notice)
        curves = self.session.training_curves()
        has_curves = bool(curves.loss_points or curves.finished_epochs)
        self.set_class(bool(self.session.import_lines) and not has_curves, IMPORTED_CLASS)
        self._update_epoch_table()
        self.set_interval(1 / REFRESHES_PER_S, self.show_latest_metrics)
        self.call_after_refresh(self.show_latest_metrics)

    async def on_resize(self, event: Resize) -> None:
        """Change the layout of the pictures for the new size, and draw the plots again."""
        if self.session.has_decoder:
            await self.query_one(ReconstructionGrid).update_layout(self.app.size)
        self._loss_plot_state = self._epoch_plot_state = ()
        self.call_after_refresh(self.show_latest_metrics)

    @on(ScreenResume)
    def handle_screen_resume(self) -> None:
        """Show the result of the reading test that was closed."""
        if self.is_current:  # the screen may have been replaced
            self._update_epoch_table()

    def show_latest_metrics(self) -> None:
        """Show the latest figures, unless another screen covers this one."""
        if not self.is_current:
            return
        if self.throughput.add_event(self._vaetui_app.event_worker.latest_batches):
            self._last_event_at_s = monotonic()
            self.activity, self._clustering_notice = None, ""
            self.remove_class(IMPORTED_CLASS)
        self._tick += 1
        self._update_header()
        self._update_status()
        if self._tick % 2 or not self._loss_plot_state:
            self._update_plots()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show an event of the session."""
        match event := message.event:
            case Loading(description):
                self.activity = Activity(f"loading {description}")
            case Progress(description, done, total):
                self.activity = Activity(description, done / max(total, 1))
            case Reconstructed() if self.session.has_decoder:
                self.query_one(ReconstructionGrid).show_reconstructions(event)
            case Saved():
                self._read_save_time()
            case EpochEnded():
                self._update_epoch_table()
            case Watched():
                self._show_users(event)
            case Loaded() if self._vaetui_app.access != "full":
                self.activity = STARTING  # elsewhere
            case Clustered(round_number, cluster_count, inertias):
                candidates = f" (k = {inertias[0][0]}-{inertias[-1][0]} tried)" if inertias else ""
                self._clustering_notice = f"round {round_number}: {format_count(cluster_count, 'cluster')}{candidates}"
        self.show_latest_metrics()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Wait for the user: the worker stopped before the end of training."""
        if self._vaetui_app.access == "watched":
            return
        self.is_paused = True
        self.activity = None
        self._read_save_time()  # stopping saves
        self.query_one(Header).pin_text(None)
        self.show_latest_metrics()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the reading test without reconstructions, and what may not be changed here."""
        return not self.is_refused(parameters) and (self.session.has_decoder or parameters != ("read",))

    def handle_bound_key(self, key: str) -> None:
        """Pause or resume, or open the reading test or the samples."""
        match key:
            case "pause":
                self._toggle_pause()
            case "draw" if not self.session.has_decoder:
                self.show_notice(NO_DECODER_NOTICE)
            case "draw":
                self._vaetui_app.open_samples()
            case _:
                self._open_reading_test()

    def show_notice(self, text: str) -> None:
        """Show a notice in the status line, also one that comes before the screen has its widgets."""
        self._early_notice = text
        if not self.query(StatusLine):
            return
        self.query_one(StatusLine).show_message(text, monotonic())
        self._update_status()

    def _toggle_pause(self) -> None:
        worker = self._vaetui_app.event_worker
        if worker.is_stopping:
            return
        self.show_notice("")  # it would hide whether training is paused
        if worker.is_busy:
            worker.stop()
            self.query_one(Header).pin_text(PAUSING_NOTICE)
        elif self.is_paused:
            self.is_paused = False
            self.activity = Activity("resuming")
            self._vaetui_app.continue_session()
        self._update_header()
        self._update_status()

    def _open_reading_test(self) -> None:
        try:
            self._vaetui_app.open_reading_test()
            self.show_notice("")
        except UserError as error:
            self.show_notice(str(error))

    def _show_users(self, event: Watched) -> None:
        """Show what was recorded elsewhere, and which processes train the session."""
        if event.has_changed:
            self._update_epoch_table()
            self._read_save_time()
        self._is_idle = not event.is_training
        if self._is_idle:
            self.activity = STARTING
        if self.query("#users"):
            prefix = "Only watched: " if self._vaetui_app.access == "watched" else ""
            self.query_one("#users", TextLine).set_text(f"{prefix}{event.users}")

    def _update_epoch_table(self) -> None:
        table = self.query_one(EpochTable)
        table.styles.height = min(self.session.epoch_count, EpochTable.MAX_ROWS) + 2
        table.show_epochs(self.session.training_curves().finished_epochs)

    def _update_header(self) -> None:
        event, epochs = self.throughput.last_event, self.session.epoch_count
        finished_epochs = len(self.session.training_curves().finished_epochs)
        epoch = find_current_epoch(self.session.config.training, finished_epochs, self.session.round_number)
        if self._is_idle:
            text = Text(f"{format_epoch_number(epoch, epochs)}  not training now")
        elif self.activity is not None:
            text = format_activity(self.activity, epoch, epochs, self._tick)
        elif event is not None:
            training, image_count = self.session.config.training, self.session.image_count
            text = format_training_progress(event, training, image_count, self.throughput.images_per_s, self.size.width)
        else:
            text = Text(format_epoch_number(epoch, epochs))
        self.query_one(Header).set_text(text)

    def _update_status(self) -> None:
        """Update the status line, and draw the plots again if its height changed."""
        if self.query_one(StatusLine).show_status(self._format_status(), monotonic()):
            self._loss_plot_state = self._epoch_plot_state = ()
            self.call_after_refresh(self._update_plots)

    def _read_save_time(self) -> None:
        """Read when training progress was last saved; from then on only a monotonic clock counts."""
        saved_at = self.session.last_saved_at()
        self._saved_at_s = None if saved_at is None else monotonic() - max(time() - saved_at, 0.0)

    def _format_status(self) -> str:
        """Return speed, device and time since the last save, as far as they fit, and what follows training."""
        session, images_per_s = self.session, self.throughput.images_per_s
        right = self._clustering_notice or self._describe_next_phase()
        saved = "" if self._saved_at_s is None else f"saved {_format_age(monotonic() - self._saved_at_s)}"
        speed = f"{images_per_s:>6,.0f} img/s" if images_per_s and not self._is_idle else ""
        if self.is_paused:
            speed = f"paused · {self._vaetui_app.format_key('training.pause')}: resume"
        device = f" on {session.device_name}" if images_per_s and session.device_name and not self.is_paused else ""
        room = max(self.size.width - 4 - len(right), 0)
        # Speed and save have fixed columns, so that nothing moves when a number changes its width.
        padded = f"{saved:<{SAVED_CELLS}}"
        texts = (f"{speed}{device}   {padded}", f"{speed}   {padded}") if speed else ()
        texts = (*texts, padded if saved else speed)
        left = next((text for text in texts if len(text) <= room), "")
        return f"{left:<{room}}  {right}"

    def _describe_next_phase(self) -> str:
        """Return what follows training, with the time until then while it trains."""
        session, event, seconds = self.session, self.throughput.last_event, None
        if event is not None and not (self.is_paused or self._is_idle):
            seconds = estimate_question_seconds(
                session.config.training,
                event,
                session.round_number,
                self.throughput.images_per_s,
                session.image_count,
                self._vaetui_app.event_worker.seconds_after_training,
                monotonic() - self._last_event_at_s,
            )
        return describe_next_phase(session.round_number, session.round_count, seconds, self.size.width < BRIEF_COLUMNS)

    def _update_plots(self) -> None:
        """Draw the plots whose data or size changed: each takes about 10 ms."""
        curves = self.session.training_curves()
        event = self.throughput.last_event
        last_step = curves.loss_points[-1][0] if curves.loss_points else 0
        if event is not None:
            last_step += event.steps_per_epoch - event.step
        loss_plot_state = (len(curves.loss_points), last_step, self.size)
        if loss_plot_state != self._loss_plot_state:
            self._loss_plot_state = loss_plot_state
            self.query_one(LossPane).show_losses(curves, last_step)
        epoch_plot_state = (len(curves.finished_epochs), self.session.epoch_count, self.size)
        if epoch_plot_state != self._epoch_plot_state:
            self._epoch_plot_state = epoch_plot_state
            self._accuracy_pane.show_epochs(curves, self.session.epoch_count, self.session.classes)


def _format_age(seconds: float) -> str:
    """Return how long ago something was, such as "4 s ago" or "3 min ago"."""
    if seconds < 100:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 6000 else f"{seconds / 3600:.0f} h ago"
