"""The review screen: pages of images with the same label, the most doubtful first, to correct and accept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from rich.text import Text
from textual import on

from vaetui.engine.events import Loading, Notice, Progress
from vaetui.errors import UserError
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.presenters.review_presenter import ReviewPresenter
from vaetui.tui.review_keymap import REVIEW_GLOSSARY, REVIEW_KEYS
from vaetui.tui.screens.border import BorderScreen
from vaetui.tui.screens.pair import PairScreen
from vaetui.tui.screens.tile_screen import RETRY_S, TileScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt

LOADING_NOTE = "Loading the labels"


class ReviewScreen(TileScreen):
    """A page of images of one class, the stopping line, and a prompt about the selected image."""

    BINDINGS = build_bindings(REVIEW_KEYS)
    glossary = REVIEW_GLOSSARY

    def __init__(self, session: Session, draft: ReviewDraft, on_close: Callable[[], None] | None = None) -> None:
        """Review the labels of the session; `on_close` is called after the review has closed."""
        super().__init__(session, session.digit_keys(), draft)
        self.presenter = ReviewPresenter(session, self._digit_keys, draft)
        """The class, its page and the marks."""
        draft.begin(len(session.training_curves().finished_epochs))
        self._on_close = on_close
        self._activity = LOADING_NOTE
        self._is_waiting = False

    def on_mount(self) -> None:
        """Load the labels."""
        self.presenter = ReviewPresenter(self.session, self._digit_keys, self.draft, self._vaetui_app.format_key)
        self._start_loading()
        self._update_view()

    def handle_bound_key(self, key: str) -> None:
        """Pass a key to the presenter, and open a line or another screen for it."""
        if self._intercept_key(key, ("accept",), ("close", "accept")):
            return
        match self._pass_on(self.presenter.handle_key, key):
            case "close":
                self._close_and_report()
                return
            case "choose" if self.presenter.selected_image is not None:
                self._open_class_line(self._relabel)
            case "list":
                choices = self.presenter.list_class_choices()
                self.open_line(LineDialogue("Review class:", choices, on_choice=self.go_to_target))
            case "pairs":
                self._open_step_screen(PairScreen(self.session, self._digit_keys, self.draft))
            case "border":
                self._open_border()
            case "zoom":
                self.is_zoomed = not self.is_zoomed and self.presenter.selected_image is not None
        self._update_view()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show how far the labels are loaded."""
        match message.event:
            case Notice(text):
                self.show_notice(text)
                return
            case Loading(component):
                self._activity = f"Loading {component}"
            case Progress(activity, completed, total):
                self._activity = f"{activity.capitalize()}, {100 * completed // max(total, 1)} %"
        self._update_view()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Show the first page, or why there is none."""
        if message.failure is None and not message.was_stopped and self in self.app.screen_stack:
            try:
                self.presenter.load()
            except UserError as error:
                self._hint = str(error)
        self._end_work(message)

    def list_targets(self) -> Sequence[Choice]:
        """Return the classes for the command palette."""
        return self.presenter.list_class_choices() if self.presenter.is_loaded else ()

    def go_to_target(self, value: object) -> None:
        """Review the class with this id."""
        self.is_zoomed = False
        self.presenter.show_class(cast(int, value))
        self._update_view()

    def _start_loading(self) -> None:
        """Load the labels as soon as the app has loaded the model, which this would load a second time."""
        if self not in self.app.screen_stack:
            return
        self._is_waiting = self._vaetui_app.event_worker.is_busy
        if self._is_waiting:
            self.set_timer(RETRY_S, self._start_loading)
        else:
            self.event_worker.start(self.session.load_labelling(), target=self)

    def _relabel(self, class_id: int) -> None:
        self.presenter.relabel(class_id)
        self._update_view()

    def _open_border(self) -> None:
        presenter = self.presenter
        page_images = self._view.compute_grid(has_digit_keys=False).capacity
        try:
            screen = BorderScreen(self.session, presenter.border_class_id, page_images, self.draft)
        except UserError as error:
            self._hint = str(error)
            return
        self._open_step_screen(screen)

    def _open_step_screen(self, screen: TileScreen) -> None:
        """Open a screen that may record steps, and show afterwards what it recorded."""
        count = len(self.draft.recorded_steps)
        self.open_screen(screen, lambda _: self._handle_screen_closed(count))

    def _handle_screen_closed(self, step_count: int) -> None:
        presenter, steps = self.presenter, self.draft.recorded_steps
        presenter.show_page(None if presenter.selected_image is None else presenter.selected_image.image_index)
        if len(steps) > step_count:
            self._note = f"Saved: {steps[-1].description}. {self._vaetui_app.format_key('review.undo')}: undo"
        self._update_view()

    def _close_and_report(self) -> None:
        self._close()
        if self._on_close is not None:
            self._on_close()
        if text := self.draft.describe_marks(self._vaetui_app.format_key("label.review")):
            self._vaetui_app.show_notice(text)

    def _update_view(self) -> None:
        presenter, view = self.presenter, self._view
        if not self._has_layout:
            self._await_layout()
            return
        if not presenter.is_loaded:
            self._update_header()
            self._show_state_of_loading()
            return
        first_image = next(iter(presenter.shown_images), None)
        if first_image is not None and not view.load_colours(first_image.image_index):
            self._show_loading()
            return
        grid = view.compute_grid(bool(self._digit_text))
        presenter.resize(grid)
        self._update_header()
        has_stopping_line = view.show_lines(grid, presenter.stopping_lines, self._digit_text)
        if self.is_zoomed and presenter.selected_image is not None:
            view.show_full_size(presenter.selected_image.image_index)
        else:
            indices = [None if image is None else image.image_index for image in presenter.images]
            view.show_page(grid, indices, presenter.list_captions(grid.image_cells[0]), presenter.cursor)
        note = presenter.status_text
        if presenter.has_just_recorded and not has_stopping_line:
            note = f"{note}. {presenter.stopping_lines[-1].capitalize()}"
        self._show_prompt(*presenter.format_prompt(is_zoomed=self.is_zoomed), note)

    def _update_header(self) -> None:
        heading = self.presenter.format_heading(self._heading_cells)
        self.query_one(Header).set_text(f"{self._pending_text}{heading}")

    def _show_prompt(self, question: str, help_text: str, note: str) -> None:
        hint = self._hint or self.presenter.hint
        self.query_one(Prompt).show_question(question, help_text, hint, self._note or note, cuts_note=not self._note)

    def _show_state_of_loading(self) -> None:
        prompt = self.query_one(Prompt)
        if self._is_waiting or self.event_worker.is_busy:
            prompt.set_text(Text(f"{self._activity} …", "bold"))
        else:
            close_key = self._vaetui_app.format_key("review.close")
            prompt.show_question("Review:", f"{close_key}: back", self._hint or self.presenter.hint, self._note)
