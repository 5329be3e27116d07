"""An invisible widget that asks for an output, exports the labels in a thread, and reports on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from textual import on
from textual.widget import Widget

from vaetui.engine.events import LabelsExported, Loading, Notice, Progress
from vaetui.errors import UserError
from vaetui.storage.output_files import OutputExistsError
from vaetui.tui.event_worker import AppProtocol, EventReported, EventWorker, WorkerEnded
from vaetui.tui.presenters.export_dialogue import (
    ExportDialogue,
    OverwriteDialogue,
    find_export_format,
    format_progress,
    format_result,
)
from vaetui.tui.screens.vaetui_screen import VaetuiScreen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaetui.engine.events import Event


class LabelSource(Protocol):
    """A session whose labels can be exported, open or not."""

    @property
    def name(self) -> str:
        """The session name."""

    def export_labels(
        self, output: Path, format_name: str | None = None, min_confidence: float = 0.0, force: bool = False
    ) -> Iterator[Event]:
        """Write one label per image; the last event is LabelsExported. See `Session.export_labels`."""


class LabelExporter(Widget):
    """Exports labels while the user goes on; its screen must stay until the app ends."""

    DEFAULT_CSS = """
    LabelExporter { display: none; }
    """

    def __init__(self, session: LabelSource) -> None:
        """Export the labels of a session."""
        super().__init__()
        self._session = session
        self._worker = EventWorker()
        self._path_text = f"{session.name}.csv"
        self._output = Path(self._path_text)
        self._result = self._progress = ""
        self._notices: list[str] = []
        self._was_warned = False

    @property
    def is_busy(self) -> bool:
        """Whether an export runs."""
        return self._worker.is_busy

    def ask(self, hint: str = "") -> None:
        """Ask for the output in the line of the current screen, unless an export runs."""
        if self._worker.is_busy:
            self._show("An export is running. Wait until it ends")
        elif isinstance(self.app.screen, VaetuiScreen):
            self.app.screen.open_line(ExportDialogue(self._path_text, self._export, hint))

    def delay_leaving(self) -> bool:
        """Return whether to stay for an export that runs; the user is told once, and leaves by asking again."""
        if not self._worker.is_busy or self._was_warned:
            self._worker.stop()
            return False
        self._was_warned = True
        leave_key = self._vaetui_app.format_key("any.leave")
        self._show(f"An export is running. {leave_key} again leaves without it")
        return True

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the progress of the export, and keep its result."""
        match message.event:
            case Progress(activity, completed, total):
                self._show_progress(format_progress(activity, completed, total))
            case Loading(component):
                self._show_progress(format_progress(f"loading {component}", 0, 1))
            case Notice(text):
                self._notices.append(text)
            case LabelsExported(text):
                self._result = text

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Show the result, ask whether to overwrite a file, or show why nothing was exported."""
        self._worker.mark_idle()
        failure, is_in_use = message.failure, self._is_line_open
        if isinstance(failure, OutputExistsError) and not is_in_use:
            dialogue = OverwriteDialogue(failure.output.name, self._overwrite)
            cast(VaetuiScreen, self.app.screen).open_line(dialogue)
        elif isinstance(failure, UserError):
            self._show(str(failure))
            if not self._progress and not is_in_use:
                self.ask(str(failure))
        elif failure is not None:
            self._vaetui_app.leave_after_failure(failure)
        elif self._result:
            self._show(" ".join([format_result(self._result, str(self._output)), *self._notices]))

    def _export(self, path_text: str) -> None:
        self._path_text = path_text
        self._start(is_overwriting=False)

    def _overwrite(self) -> None:
        self._start(is_overwriting=True)

    def _start(self, is_overwriting: bool) -> None:
        """Start the export; what is wrong with the output is found in the thread, because files may be slow."""
        self._result, self._progress, self._notices, self._was_warned = "", "", [], False
        self._output = Path(self._path_text).expanduser().absolute()
        events: Iterator[Event] = self._session.export_labels(
            self._output, find_export_format(self._path_text), force=is_overwriting
        )
        self._worker.start(events, target=self)

    def _show_progress(self, text: str) -> None:
        if text != self._progress:
            self._progress = text
            self._show(text)

    def _show(self, text: str) -> None:
        self._vaetui_app.show_notice(text)

    @property
    def _is_line_open(self) -> bool:
        """Whether a question cannot be asked now."""
        screen = self.app.screen
        return not isinstance(screen, VaetuiScreen) or screen.is_line_open

    @property
    def _vaetui_app(self) -> AppProtocol:
        return cast(AppProtocol, self.app)
