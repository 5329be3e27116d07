"""The session picker: all sessions with their states; resume, create, delete or export one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import get_current_worker

from vaetui.errors import UserError
from vaetui.tui.keymap import PICKER_GLOSSARY, PICKER_KEYS
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.presenters.picker_presenter import (
    NO_SESSION_HINT,
    FeaturesDialogue,
    NewChoice,
    NewSessionDialogue,
    PickerChoice,
    PickerPresenter,
    ResumeChoice,
    format_deletion_question,
)
from vaetui.tui.presenters.text_wrapping import wrap_text
from vaetui.tui.presenters.yes_no_dialogue import YesNoDialogue
from vaetui.tui.screens.prompt_screen import RESERVED_ROWS, PromptScreen
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.styled_lines import StyledLines

if TYPE_CHECKING:
    # Imported for types only: NumPy would delay the first frame.
    from vaetui.session.session_catalogue import SessionCatalogue, SessionEntry
    from vaetui.tui.presenters.styled_text import Piece

RELOAD_S = 3.0
"""Seconds until the states of sessions that other processes have open are read again."""
NOT_CREATED_HINT = "No session was created"
"""Shown in the line when it asks again, below the reason."""
HEADING = "sessions"
"""The text at the left of the header."""


class PickerAppProtocol(Protocol):
    """The app as this screen uses it, beside what all screens use."""

    def choose(self, choice: PickerChoice) -> None:
        """Exit with a choice."""

    def open_export(self, name: str) -> None:
        """Ask where to export the labels of a session to."""

    def leave_after_failure(self, failure: BaseException) -> None:
        """Exit because of an exception."""


class EntryLoaded(Message, bubble=False):
    """The state of a session has been read."""

    def __init__(self, entry: SessionEntry) -> None:
        """Wrap the entry."""
        super().__init__()
        self.entry = entry
        """The session with its state."""


class EntriesLoaded(Message, bubble=False):
    """The states of all sessions that were to be read have been read."""


class SessionDeleted(Message, bubble=False):
    """A session has been deleted, or could not be."""

    def __init__(self, name: str, problem: str = "") -> None:
        """Name the session."""
        super().__init__()
        self.session_name = name
        """The session name."""
        self.problem = problem
        """Why it was not deleted; "" if it was."""


class ThreadFailed(Message, bubble=False):
    """A thread ended with an unexpected exception."""

    def __init__(self, failure: BaseException) -> None:
        """Wrap the exception."""
        super().__init__()
        self.failure = failure
        """The exception."""


class PickerScreen(PromptScreen):
    """The list of sessions and a prompt about the selected one."""

    BINDINGS = build_bindings(PICKER_KEYS)
    DEFAULT_CSS = """
    PickerScreen { layout: vertical; overflow: hidden; }
    """
    glossary = PICKER_GLOSSARY

    def __init__(
        self, catalogue: SessionCatalogue, failed_choice: PickerChoice | None = None, problem: str = ""
    ) -> None:
        """Show the sessions of the catalogue.

        `failed_choice` is what could not be done because of `problem`; it is selected or asked again.
        """
        super().__init__(HEADING)
        self.presenter = PickerPresenter(catalogue.list_entries())
        """The sessions and the selected one."""
        self._catalogue = catalogue
        self._failed_choice, self._hint, self._note = failed_choice, problem, ""
        self._problem = self._features_text = ""

    def compose_body(self) -> ComposeResult:
        """Create the list and the prompt."""
        yield StyledLines(id="sessions")
        yield Prompt()

    def on_mount(self) -> None:
        """Show the names, and read the states after the first frame."""
        self.presenter = PickerPresenter(self.presenter.entries, self._vaetui_app.format_key)
        if isinstance(self._failed_choice, ResumeChoice):
            self.presenter.focus_name(self._failed_choice.name)
        self.call_after_refresh(self._start)

    def handle_bound_key(self, key: str) -> None:
        """Move, or act on the selected session."""
        self._hint = self._note = self._problem = ""
        entry = self.presenter.focused_entry
        if key == "new":
            self._ask_for_images()
        elif entry is None:
            self._hint = f"{NO_SESSION_HINT}: press {self._vaetui_app.format_key('picker.new')} to create one"
        elif key in ("resume", "delete", "export", "find"):
            self._act(key, entry.name)
        else:
            self.presenter.move_focus(key, self._page_rows)
        self._update_view()

    def show_notice(self, text: str) -> None:
        """Show a notice in the prompt."""
        self._hint, self._note = "", text
        self._update_view()

    @on(EntryLoaded)
    def handle_entry_loaded(self, message: EntryLoaded) -> None:
        """Show the state of a session."""
        self.presenter.update_entry(message.entry)
        self._update_view()

    @on(EntriesLoaded)
    def handle_entries_loaded(self) -> None:
        """Read again, after a while, what other processes may change."""
        self.set_timer(
            RELOAD_S, lambda: self._start_loading([entry for entry in self.presenter.entries if entry.holder])
        )

    @on(SessionDeleted)
    def handle_session_deleted(self, message: SessionDeleted) -> None:
        """Remove a session from the list, or show why it was not deleted."""
        if message.problem:
            self._hint, self._note = message.problem, ""
        else:
            self.presenter.remove_entry(message.session_name)
            self._hint, self._note = "", f"Session {message.session_name} was deleted."
        self._update_view()

    @on(ThreadFailed)
    def handle_thread_failed(self, message: ThreadFailed) -> None:
        """Exit; the command writes the traceback to a log file."""
        self._picker_app.leave_after_failure(message.failure)

    @property
    def _page_rows(self) -> int:
        return max(self.app.size.height - RESERVED_ROWS - 1, 1)

    @property
    def _picker_app(self) -> PickerAppProtocol:
        return cast(PickerAppProtocol, self.app)

    def _start(self) -> None:
        self._start_loading(tuple(self.presenter.entries))
        if isinstance(self._failed_choice, NewChoice):
            self._problem, self._hint = self._hint, ""
            self._features_text = self._failed_choice.features_text
            self._ask_for_images(self._failed_choice.path_text, NOT_CREATED_HINT)
            self._update_view()

    def _start_loading(self, entries: Sequence[SessionEntry]) -> None:
        if entries:
            self.run_worker(lambda: self._load_entries(entries), thread=True, exit_on_error=False)

    def _act(self, key: str, name: str) -> None:
        try:
            match key:
                case "resume":
                    self._catalogue.require_resumable(name)
                    self._picker_app.choose(ResumeChoice(name))
                case "delete":
                    question = format_deletion_question(name, self._catalogue.count_answers_to_delete(name))
                    self.open_line(YesNoDialogue(question, lambda: self._delete(name)))
                case "export":
                    self._picker_app.open_export(name)
                case "find":
                    self.open_line(LineDialogue("Session:", self.presenter.list_choices(), on_choice=self._focus_name))
        except UserError as error:
            self._hint = str(error)

    def _ask_for_images(self, path_text: str = "", hint: str = "") -> None:
        find_problem = self._catalogue.describe_data_problem
        self.open_line(NewSessionDialogue(self._create, find_problem, path_text, hint))

    def _create(self, path_text: str) -> None:
        """Create a session of the bundled images, or ask for the features of other ones first."""
        if not path_text:
            self._picker_app.choose(NewChoice(""))
            return

        def create_with_features(features_text: str) -> None:
            self._picker_app.choose(NewChoice(path_text, features_text))

        self.open_line(FeaturesDialogue(create_with_features, self._features_text))

    def _focus_name(self, name: object) -> None:
        self.presenter.focus_name(str(name))
        self._update_view()

    def _delete(self, name: str) -> None:
        self.show_notice(f"Deleting {name} …")
        self.run_worker(lambda: self._delete_in_thread(name), thread=True, exit_on_error=False)

    def _load_entries(self, entries: Sequence[SessionEntry]) -> None:
        """Read the states in a thread, one by one, until the screen closes."""
        worker = get_current_worker()
        try:
            for entry in entries:
                if worker.is_cancelled:
                    return
                self.post_message(EntryLoaded(self._catalogue.load_entry(entry)))
            self.post_message(EntriesLoaded())
        except Exception as error:
            self.post_message(ThreadFailed(error))

    def _delete_in_thread(self, name: str) -> None:
        try:
            self._catalogue.delete(name)
            self.post_message(SessionDeleted(name))
        except UserError as error:
            self.post_message(SessionDeleted(name, str(error)))
        except Exception as error:
            self.post_message(ThreadFailed(error))

    def _update_view(self) -> None:
        presenter, (width, height) = self.presenter, self.app.size
        self.query_one(Header).set_text(presenter.header_text)
        question, keys, note = presenter.describe_focus()
        self.query_one(Prompt).show_question(question, keys, self._hint, self._note or note)
        # The line covers the prompt, and has no room for a sentence: it stands below the list.
        problem_lines = (
            [[(f"! {text}", "bold")] for text in wrap_text(self._problem, width - 4)] if self._problem else []
        )
        rows = max(height - RESERVED_ROWS - len(problem_lines), 1)
        lines = presenter.list_lines(rows, width)
        padding: list[list[Piece]] = [[] for _ in range(rows - len(lines))]
        self.query_one("#sessions", StyledLines).show_lines([*lines, *padding, *problem_lines])
