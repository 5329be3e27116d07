"""Base class of the screens that open over the screen of the phase while the session goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from vaetui.session.digit_keys import list_active_digits
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.class_choices import create_class_choices
from vaetui.tui.presenters.cluster_text import format_unassigned_digit
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.screens.prompt_screen import PromptScreen
from vaetui.tui.session_protocol import Session


class OverlayScreen(PromptScreen):
    """Base class of a screen over that of the phase, with digits that choose classes."""

    _note = _pending_text = ""

    def __init__(self, session: Session, digit_keys: DigitKeys) -> None:
        """Show the session, with the classes that the digits choose."""
        super().__init__(session.name)
        self.session = session
        """The session that is shown."""
        self._digit_keys = digit_keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable digits that have no class."""
        key = str(parameters[0]) if action == "press" and parameters else ""
        return not key.isdigit() or int(key) in self._active_digits

    def show_pending_phase(self, text: str) -> None:
        """Show in the header that another phase waits until this screen is closed."""
        self._pending_text = f"{text}   "
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown, or that the digit has no class."""
        if key.isdigit() and self._active_digits:
            self._hint = format_unassigned_digit(key, self._active_digits)
            self._update_view()
        else:
            super().on_unbound_key(key)

    def show_notice(self, text: str) -> None:
        """Show a notice in the prompt."""
        self._hint, self._note = "", text
        self._update_view()

    def _open_class_line(self, choice_callback: Callable[[int], None]) -> None:
        """Ask for one of the active classes in a line, which offers no new name."""
        classes = self.session.classes
        self.open_line(
            LineDialogue(
                "Class?",
                create_class_choices(classes, classes.active_ids, self._digit_keys),
                on_choice=lambda class_id: choice_callback(cast(int, class_id)),
                help_text="part of its name",
            )
        )

    @property
    def _active_digits(self) -> Sequence[int]:
        return list_active_digits(self._digit_keys, self.session.classes)
