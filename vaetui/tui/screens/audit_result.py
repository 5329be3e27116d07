"""The result of an audit: the measured share of right labels, how it was measured, and where labels are wrong."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from vaetui.errors import UserError, format_count
from vaetui.session.audit_views import AuditResult
from vaetui.tui.audit_keymap import AUDIT_RESULT_GLOSSARY, AUDIT_RESULT_KEYS
from vaetui.tui.presenters.audit_text import format_accuracy, format_result_text
from vaetui.tui.presenters.yes_no_dialogue import YesNoDialogue
from vaetui.tui.screens.overlay_screen import OverlayScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt

MARGIN_CELLS = 5
"""Cells of a line beside the text: padding and the scrollbar."""


class AuditResultScreen(OverlayScreen):
    """The result as text that scrolls, and a prompt."""

    BINDINGS = build_bindings(AUDIT_RESULT_KEYS)
    DEFAULT_CSS = """
    AuditResultScreen #scroll { height: 1fr; padding: 0 2; scrollbar-size-vertical: 1; }
    AuditResultScreen #text { width: 1fr; height: auto; }
    """
    glossary = AUDIT_RESULT_GLOSSARY

    def __init__(self, session: Session, result: AuditResult, is_current: bool | None) -> None:
        """Show a result; `is_current` is whether it holds for the present labels, None before they are loaded."""
        super().__init__(session, ())
        self.result = result
        """The result that is shown."""
        self.is_of_present_labels = is_current
        """Whether it holds for the present labels; None before they are loaded."""

    def compose_body(self) -> ComposeResult:
        """Create the text in a container that scrolls; keys go to the screen, so that they can be rebound."""
        with VerticalScroll(id="scroll", can_focus=False):
            yield Static(id="text", markup=False)
        yield Prompt()

    async def on_resize(self, event: Resize) -> None:
        """Break the lines for the new width."""
        self._update_view()

    def handle_bound_key(self, key: str) -> None:
        """Scroll, learn, audit again, go on with the audit or close."""
        self._hint = self._note = ""
        scroll, app = self.query_one("#scroll", VerticalScroll), self._vaetui_app
        page_rows = max(scroll.size.height - 1, 1)
        match key:
            case "close":
                app.close_overlay()
                return
            case "again":
                app.open_audit(is_new=True)
                return
            case "review":
                app.open_review()
                return
            case "undo":
                self._reopen_audit()
                return
            case "learn":
                question = f"Learn the {format_count(self.result.checked, 'check')} as answers? The result stays. y/n"
                self.open_line(YesNoDialogue(question, self._learn))
            case "down" | "up":
                scroll.scroll_relative(y=1 if key == "down" else -1, animate=False)
            case "page_down" | "page_up":
                scroll.scroll_relative(y=page_rows if key == "page_down" else -page_rows, animate=False)
            case "first" | "last":
                scroll.scroll_to(y=0 if key == "first" else scroll.max_scroll_y, animate=False)
        self._update_view()

    def _reopen_audit(self) -> None:
        try:
            is_undone = self.session.audits.undo()
        except UserError as error:
            self.show_notice(str(error))
            return
        if is_undone:
            self._vaetui_app.open_audit()
        else:
            self.show_notice("Nothing to undo")

    def _learn(self) -> None:
        try:
            count = self.session.audits.learn()
        except UserError as error:
            self.show_notice(str(error))
            return
        self.is_of_present_labels = False
        self.show_notice(f"Saved: answers for {format_count(count, 'image')}. They are learned in the next training")

    def _update_view(self) -> None:
        names, width = self.session.classes.names, self.app.size.width
        text = format_result_text(self.result, names, width - MARGIN_CELLS, self.is_of_present_labels)
        self.query_one("#text", Static).update(text)
        self.query_one(Header).set_text(f"{self._pending_text}result of the {self.result.plan} audit")
        key = self._vaetui_app.format_key
        help_text = " · ".join(
            f"{key(f'audit_result.{name}')}: {text}"
            for name, text in (
                ("learn", "learn the checks"),
                ("review", "review"),
                ("again", "new audit"),
                ("close", "back"),
            )
        )
        self.query_one(Prompt).show_question(f"{format_accuracy(self.result)}.", help_text, self._hint, self._note)
