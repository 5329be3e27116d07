"""The audit screen: single images without their label, then pages of one label, to be judged with few keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.events import Resize

from vaetui.engine.audit_plans import PAGE_IMAGES
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Loading, Notice, Progress
from vaetui.errors import UserError, format_count
from vaetui.tui.audit_keymap import AUDIT_GLOSSARY, AUDIT_KEYS
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.presenters.audit_presenter import AuditPresenter
from vaetui.tui.presenters.audit_text import format_introduction
from vaetui.tui.presenters.cluster_text import format_digit_keys
from vaetui.tui.presenters.layout import compute_page_grid
from vaetui.tui.presenters.number_format import format_progress_bar
from vaetui.tui.presenters.plan_dialogue import PlanDialogue
from vaetui.tui.presenters.yes_no_dialogue import YesNoDialogue
from vaetui.tui.screens.worker_screen import WorkerScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.selectable_tiles import SelectableTiles
from vaetui.tui.widgets.text_line import TextLine
from vaetui.tui.widgets.tiled_images import LOADING_TEXT

BODY_MARGIN_ROWS = 4
"""Rows of header, classes, prompt and footer."""
LAYOUT_POLL_S = 0.05
"""Seconds between two attempts to show the images before they have a place."""
RETRY_S = 0.2
"""Seconds between two attempts to show the images while they are being loaded."""
PAINT_POLL_S = 0.02
"""Seconds between two looks whether the terminal has got the images."""
MIN_LOOK_S = 0.25
"""Seconds for which a page must have been on the screen before it can be accepted: a held key would accept many."""
WAITING_TEXT = "Loading the model …"
EARLY_KEY_NOTICE = "Ignored: the key came before the images were shown"
ALWAYS_ACTIVE_KEYS = frozenset({"close"})
BLIND_KEYS = ALWAYS_ACTIVE_KEYS | {"unreadable", "undo", "redo", "choose", "abandon"}
"""Names of the keys that work while a single image is judged, beside the digits."""
JUDGING_KEYS = frozenset({"unreadable", "choose", "accept", "clear"})
"""Names of the keys that judge what is on the screen, beside the digits."""


class AuditScreen(WorkerScreen):
    """Images to judge, the classes of the digits, and a prompt; before the audit starts an introduction."""

    BINDINGS = build_bindings(AUDIT_KEYS)
    DEFAULT_CSS = """
    AuditScreen { layout: vertical; overflow: hidden; }
    AuditScreen #introduction { height: 1fr; padding: 1 2; }
    AuditScreen SelectableTiles, AuditScreen #digit-keys { display: none; }
    AuditScreen.-started #introduction { display: none; }
    AuditScreen.-started SelectableTiles, AuditScreen.-started #digit-keys { display: block; }
    AuditScreen #digit-keys { height: 1; padding: 0 1; color: $foreground 60%; text-align: center; }
    """
    glossary = AUDIT_GLOSSARY

    def __init__(self, session: Session, plan: str = "") -> None:
        """Go on with the open audit, else start one of this plan, else ask for the plan."""
        super().__init__(session, session.digit_keys())
        self.presenter: AuditPresenter | None = None
        """The audit; None before it is loaded."""
        self._plan, self._is_waiting = plan, False
        self._progress_text: Text | None = None
        self._images: dict[int, Pixels] = {}  # of the current view, by image index
        self._shown_positions: list[int] | None = None
        self._shown_at_s: float | None = None  # None until the terminal has got the images

    @property
    def awaits_paint(self) -> bool:
        """Whether the images to judge are not on the screen yet."""
        return self._shown_at_s is None

    def compose_body(self) -> ComposeResult:
        """Create the introduction, the images and the prompt."""
        yield TextLine(id="introduction")
        yield SelectableTiles()
        if self._format_digit_keys():
            yield TextLine(id="digit-keys")
        yield Prompt()

    def on_mount(self) -> None:
        """Go on with the open audit, or ask for the plan."""
        view = self.session.audits.view
        if view is not None and view.part != "done":
            self._start(view.plan)
        elif self._plan:
            self._start(self._plan)
        else:
            grid = compute_page_grid(self.app.size.width, self.app.size.height - BODY_MARGIN_ROWS, PAGE_IMAGES)
            part_count = -(-PAGE_IMAGES // grid.capacity)
            self.open_line(PlanDialogue(self._start, part_count))  # at once, so that it gets the next key
        self._update_view()

    async def on_resize(self, event: Resize) -> None:
        """Show what fits the new size after the layout."""
        self.call_after_refresh(self._update_view)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the keys that do something in this part of the audit, and the digits that have a class."""
        key = str(parameters[0]) if action == "press" and parameters else ""
        if not key or key in ALWAYS_ACTIVE_KEYS:
            return True
        if self.presenter is None:
            return False
        if key.isdigit():
            return int(key) in self._active_digits
        return not self.presenter.is_blind or key in BLIND_KEYS

    def handle_bound_key(self, key: str) -> None:
        """Judge, move, undo, abandon the audit or leave it; keys that judge what is not shown yet are ignored."""
        self._hint = self._note = ""
        presenter = self.presenter
        if key == "close":
            self._close()
        elif presenter is None:
            pass
        elif (key.isdigit() or key in JUDGING_KEYS) and not self._is_on_screen(key):
            presenter.clear_messages()
            self._hint = EARLY_KEY_NOTICE
            self._update_view()
        elif key == "choose":
            self._open_class_line(self._judge)
        elif key == "abandon":
            self._ask_whether_to_abandon()
        else:
            self._perform(lambda: presenter.handle_key(key))

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown, or that the digit has no class; nothing while there is no audit."""
        if self.presenter is not None:
            self.presenter.clear_messages()
            super().on_unbound_key(key)

    def close_line(self) -> None:
        """Close the line, and the screen if no plan was chosen in it."""
        super().close_line()
        self.call_later(self._close_without_audit)

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the progress."""
        match message.event:
            case Notice(text):
                self.show_notice(text)
            case Loading(component):
                self._progress_text = Text(f"Loading {component} …", "bold")
            case Progress(activity, completed, total):
                bar = format_progress_bar(completed / max(total, 1), 20)
                self._progress_text = Text(f"{activity}  ".capitalize(), "bold").append_text(bar)
        self._update_view()

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Show the first image to judge, or why there is none."""
        view = self.session.audits.view if message.failure is None and not message.was_stopped else None
        if view is not None and view.part != "done":
            format_key = self._vaetui_app.format_key
            self.presenter = AuditPresenter(self.session.audits, self.session.classes, self._digit_keys, format_key)
            self.add_class("-started")
            self.refresh_bindings()
            self.call_after_refresh(self._update_view)
        self._progress_text = None
        self._end_work(message)

    def _start(self, plan: str) -> None:
        """Start the audit as soon as the app has loaded the model, which the audit would load a second time."""
        self._plan, self._is_waiting = plan, self._vaetui_app.event_worker.is_busy
        if self._is_waiting:
            self._progress_text = Text(WAITING_TEXT, "bold")
            self.set_timer(RETRY_S, self._start_if_open)
            self._update_view()
        else:
            self.event_worker.start(self.session.audits.start(plan), target=self)

    def _start_if_open(self) -> None:
        if self in self.app.screen_stack and not self._vaetui_app.is_leaving:
            self._start(self._plan)

    def _close_without_audit(self) -> None:
        is_starting = self._is_waiting or self.event_worker.is_busy
        if self.presenter is None and not is_starting and not self.is_line_open:
            self._close()

    def _judge(self, class_id: int) -> None:
        if (presenter := self.presenter) is not None:
            self._perform(lambda: presenter.judge(class_id))

    def _perform(self, change: Callable[[], None]) -> None:
        """Change the audit, and show its next image, or its result after the last one."""
        presenter, was_blind = self.presenter, self.presenter is not None and self.presenter.is_blind
        assert presenter is not None
        try:
            change()
        except UserError as error:
            self._hint = str(error)
        if presenter.is_done:
            self._vaetui_app.show_audit_result()
            return
        if presenter.is_blind != was_blind:
            self.refresh_bindings()
        self._update_view()

    def _is_on_screen(self, key: str) -> bool:
        """Return whether what a key judges has been on the screen, for a while if the key accepts many images."""
        if self._shown_at_s is None:
            return False
        is_zoomed = self.presenter is not None and self.presenter.is_zoomed
        return key != "accept" or is_zoomed or time.monotonic() >= self._shown_at_s + MIN_LOOK_S

    def _ask_whether_to_abandon(self) -> None:
        view = self.session.audits.view
        count = format_count(0 if view is None else view.keys, "key")
        self.open_line(YesNoDialogue(f"End the audit without a result, after {count}? y/n", self._abandon))

    def _abandon(self) -> None:
        try:
            self.session.audits.abandon()
        except UserError as error:
            self.show_notice(str(error))
            return
        self._close()
        self._vaetui_app.show_notice("The audit ended without a result")

    def _update_view(self) -> None:
        presenter, prompt = self.presenter, self.query_one(Prompt)
        if presenter is None:
            width = self.app.size.width
            self.query_one("#introduction", TextLine).set_text(format_introduction(width - 4), wrap=True)
            self.query_one(Header).set_text(f"{self._pending_text}audit")
            if self._progress_text is not None:
                close_key = self._vaetui_app.format_key("audit.close")
                prompt.set_text(Text.assemble(self._progress_text, (f"  {close_key}: cancel", "dim")))
            else:
                text = f"{self._vaetui_app.format_key('audit.close')}: back"
                prompt.show_question("Audit", text, self._hint, self._note)
            return
        if presenter.is_done:
            return
        for line in self.query("#digit-keys").results(TextLine):
            line.set_text(self._format_digit_keys())
        are_shown = self._show_images(presenter)
        self.query_one(Header).set_text(f"{self._pending_text}{presenter.header_text}")
        question, help_text = presenter.format_question()
        hint, note = self._hint or presenter.hint, self._note or presenter.status_text
        prompt.show_question(question, help_text if are_shown else LOADING_TEXT, hint, note)

    def _show_images(self, presenter: AuditPresenter) -> bool:
        """Show the image or the page, or the part of the page that fits; return False if it is not loaded yet."""
        widget = self.query_one(SelectableTiles)
        if not widget.size:
            self.set_timer(LAYOUT_POLL_S, self._update_view)  # before the first layout, or in too small a terminal
            return False
        indices = [item.image_index for item in presenter.view.items]
        if not set(indices) <= self._images.keys():
            pixels = self.session.select_images(indices)
            if not len(pixels):
                self._shown_at_s, self._shown_positions = None, None
                widget.clear()
                self.set_timer(RETRY_S, self._update_view)
                return False
            self._images = dict(zip(indices, pixels, strict=True))
        if not presenter.is_blind:
            has_colours = self._images[indices[0]].ndim == 3
            grid = compute_page_grid(*widget.size, len(indices), has_colours)
            presenter.set_grid(grid.columns, grid.rows)
        if presenter.is_blind or presenter.is_zoomed:
            item = presenter.selected_item
            self._note_positions([item.position])
            widget.show_full_size(self._images[item.image_index])
        else:
            items = presenter.shown_items
            self._note_positions([item.position for item in items])
            widget.show_tiles(
                grid,
                [self._images[item.image_index] for item in items],
                [presenter.format_caption(item, grid.image_cells[0]) for item in items],
                presenter.selection.index - presenter.selection.page_bounds[0],
            )
        return True

    def _note_positions(self, positions: Sequence[int]) -> None:
        """Wait for the terminal if other images are shown than before, or other ones of them."""
        if self._shown_positions is not None and set(positions) <= set(self._shown_positions):
            self._shown_positions = list(positions)
            return
        self._shown_positions, self._shown_at_s = list(positions), None
        self.call_after_refresh(self._note_paint)

    def _note_paint(self) -> None:
        """Accept keys as soon as the images are on the screen."""
        if self._vaetui_app.is_paint_pending:
            self.set_timer(PAINT_POLL_S, self._note_paint)
        elif self._shown_at_s is None and self._shown_positions is not None:
            self._shown_at_s = time.monotonic()

    def _format_digit_keys(self) -> str:
        """List the digits with their class names; empty for plain digits."""
        return format_digit_keys(self.session.classes, self._digit_keys, self.app.size.width - 2)
