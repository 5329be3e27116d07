"""The history screen: all answers of all rounds, to look at, correct, delete, or go to."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from vaetui.engine.answers import ClusterPath
from vaetui.engine.events import HistoryEntry, HistoryLoaded, Notice
from vaetui.errors import UserError
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.keymap import HISTORY_GLOSSARY, HISTORY_KEYS
from vaetui.tui.presenters.cluster_text import NEAREST_IMAGE_HEADING, shows_nearest_images
from vaetui.tui.presenters.history_presenter import HistoryPresenter
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.screens.prompt_screen import RESERVED_ROWS
from vaetui.tui.screens.worker_screen import WorkerScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.answer_preview import AnswerPreview
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.styled_lines import StyledLines

PREVIEW_CELLS, SMALL_PREVIEW_CELLS = 30, 22
"""Cells of the preview on narrow terminals, where two members fit side by side, and on still narrower ones."""
MAX_LIST_CELLS = 64
"""Cells of the list on wide terminals; the preview gets the others."""
RETRY_S = 0.5
"""Seconds between two attempts to show members while the images are being loaded."""
LOADING_NOTE = "Loading the answers …"


class HistoryScreen(WorkerScreen):
    """The list of the answers beside pictures of the selected one, and a prompt."""

    BINDINGS = build_bindings(HISTORY_KEYS)
    DEFAULT_CSS = """
    HistoryScreen { layout: vertical; overflow: hidden; }
    HistoryScreen Horizontal { height: 1fr; }
    """
    glossary = HISTORY_GLOSSARY

    def __init__(self, session: Session, on_close: Callable[[ClusterPath | None], None] | None = None) -> None:
        """Show the answers of the session.

        `on_close` is called after the history has closed, with the cluster to go to, or None.
        """
        super().__init__(session)
        self.presenter: HistoryPresenter = HistoryPresenter(session)
        """The answers, the selected one, and the correction typed so far."""
        self._on_close = on_close
        self._is_outdated = False
        self._previewed_entry: HistoryEntry | None = None

    def compose_body(self) -> ComposeResult:
        """Create the list, the preview and the prompt."""
        with Horizontal():
            yield StyledLines(id="answers")
            yield AnswerPreview()
        yield Prompt()

    def on_mount(self) -> None:
        """Load the answers."""
        self.presenter = HistoryPresenter(self.session, self._vaetui_app.format_key)
        self._load_entries()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable all digits: one without a class shows a hint."""
        return True

    def handle_bound_key(self, key: str) -> None:
        """Select, correct or delete an answer, filter, go to a cluster or close."""
        self._hint = self._note = ""
        match self.presenter.handle_key(key, self._page_rows):
            case "close":
                self._close_and_report(None)
                return
            case "jump" if (entry := self.presenter.focused_entry) is not None:
                self._close_and_report(entry.path)
                return
            case "filter":
                choices = self.presenter.list_filter_choices()
                self.open_line(LineDialogue("List:", choices, on_choice=self._apply_filter))
            case "choose":
                self._open_class_line(self._choose_class)
            case "reload":
                self._load_entries()
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown."""
        self._hint = self.unknown_key_hint
        self._update_view()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the answers that were loaded, unless they changed meanwhile."""
        match message.event:
            case Notice(text):
                self.show_notice(text)
            case HistoryLoaded(entries) if not self._is_outdated:
                self.presenter.show_entries(entries)
                self._update_view()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Load the answers again if they changed meanwhile, or show why they cannot be loaded."""
        self._end_work(message, self._load_entries if self._is_outdated else None)

    @property
    def _page_rows(self) -> int:
        return max(self.app.size.height - RESERVED_ROWS - 1, 1)

    def _apply_filter(self, value: object) -> None:
        self.presenter.set_filter(value)
        self._update_view()

    def _choose_class(self, class_id: int) -> None:
        if self.presenter.select_class(class_id) == "reload":
            self._load_entries()
        self._update_view()

    def _load_entries(self) -> None:
        """Load the answers, again if the worker is busy with a former state."""
        self._is_outdated = self.event_worker.is_busy
        if not self._is_outdated:
            self.event_worker.start(self.session.load_history(), target=self)

    def _close_and_report(self, path: ClusterPath | None) -> None:
        self._close()
        if self._on_close is not None:
            self._on_close(path)

    def _update_view(self) -> None:
        presenter, (width, height) = self.presenter, self.app.size
        list_cells = min(width - (PREVIEW_CELLS if width >= 80 else SMALL_PREVIEW_CELLS), MAX_LIST_CELLS)
        rows = max(height - RESERVED_ROWS, 1)
        answers, preview = self.query_one("#answers", StyledLines), self.query_one(AnswerPreview)
        answers.styles.width = list_cells
        preview.update_layout(width - list_cells, rows)
        self.query_one(Header).set_text(f"{self._pending_text}{presenter.describe_entries()}")
        answers.show_lines(presenter.list_lines(rows, list_cells))
        entry = presenter.focused_entry
        if entry is not self._previewed_entry or not any(image is not None for image in preview.shown_images):
            self._previewed_entry = entry
            heading = NEAREST_IMAGE_HEADING if shows_nearest_images(self.session.config) else "decoded centre"
            preview.show_centre(None if entry is None else entry.picture, heading)
            self.call_later(self._show_members, entry)
        self._update_prompt()

    def _show_members(self, entry: HistoryEntry | None) -> None:
        """Show the members of an answer, unless another one has been selected since."""
        preview = self.query_one(AnswerPreview)
        if entry is None or entry is not self._previewed_entry or not preview.capacity:
            return
        try:
            pixels = self.session.member_images(entry.path, "nearest", preview.capacity, entry.round_number)
        except UserError as error:
            self._hint = str(error)
            self._update_prompt()
            return
        preview.show_members(pixels)
        if not len(pixels):
            self.set_timer(RETRY_S, lambda: self._show_members(entry))

    def _update_prompt(self) -> None:
        presenter, prompt = self.presenter, self.query_one(Prompt)
        if self.event_worker.is_busy and not presenter.entries:
            prompt.set_text(Text(LOADING_NOTE, "bold"))
            return
        hint, note = self._hint or presenter.hint, self._note or presenter.status_text
        question = "" if note and not hint else presenter.describe_focus()  # the note names its cluster itself
        prompt.show_question(question, presenter.describe_keys(), hint, note)
