"""The reading test: the user reads reconstructions of held-out images and gets the share read correctly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from rich.text import Text
from textual.app import ComposeResult
from textual.events import Resize

from vaetui.errors import UserError
from vaetui.session.views import ReadingTest
from vaetui.tui.keymap import READING_TEST_GLOSSARY, READING_TEST_KEYS
from vaetui.tui.presenters.cluster_text import format_digit_keys, format_digit_ranges
from vaetui.tui.presenters.number_format import format_percent
from vaetui.tui.screens.overlay_screen import OverlayScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.reading_test_view import ReadingTestView
from vaetui.tui.widgets.text_line import TextLine


class ReadingTestScreen(OverlayScreen):
    """One large picture and a prompt; after the last picture the result."""

    BINDINGS = build_bindings(READING_TEST_KEYS)
    DEFAULT_CSS = """
    ReadingTestScreen { layout: vertical; overflow: hidden; }
    ReadingTestScreen #result { width: 100%; height: 1fr; content-align: center middle; text-align: center; }
    ReadingTestScreen #result { display: none; }
    ReadingTestScreen.-complete ReadingTestView, ReadingTestScreen.-complete #digit-keys { display: none; }
    ReadingTestScreen.-complete #result { display: block; }
    ReadingTestScreen #digit-keys { height: 1; padding: 0 1; color: $foreground 60%; text-align: center; }
    """
    glossary = READING_TEST_GLOSSARY

    def __init__(self, session: Session, reading_test: ReadingTest) -> None:
        """Continue a reading test of the session."""
        super().__init__(session, reading_test.digit_keys)
        self.reading_test = reading_test
        """The pictures and the readings so far."""

    @property
    def is_complete(self) -> bool:
        """Whether every picture is read."""
        return len(self.reading_test.class_ids) >= len(self.reading_test.reconstructions)

    def compose_body(self) -> ComposeResult:
        """Create the pictures, the result and the prompt."""
        yield ReadingTestView()
        if self._format_digit_keys():
            yield TextLine(id="digit-keys")
        yield TextLine(id="result")
        yield Prompt()

    async def on_resize(self, event: Resize) -> None:
        """Change the layout if the new size needs another one."""
        await self.query_one(ReadingTestView).update_layout(self.app.size)

    def handle_bound_key(self, key: str) -> None:
        """Record a reading, reopen the previous picture, restart or close."""
        self._hint = self._note = ""
        index = len(self.reading_test.class_ids)
        match key:
            case "close":
                self._vaetui_app.close_overlay()
                return
            case "back" if index == 0:
                self._hint = "This is the first picture"
            case "back":
                self._record_readings(index - 1, (), f"Picture {index} reopened")
            case "again" if self.is_complete:
                self._record_readings(0, (), "Test restarted")
            case "again":
                self._hint = "Read all pictures before you restart"
            case _ if self.is_complete:
                self._hint = f"All pictures are read. {self._format_final_keys()}"
            case "choose":
                self._open_class_line(self._record_class)
            case "unreadable":
                self._record_readings(index, (None,), f"Saved: picture {index + 1} = unreadable")
            case _:
                self._record_class(cast(int, self._digit_keys[int(key)]))
                return
        self._update_view()

    def _record_class(self, class_id: int) -> None:
        index, class_name = len(self.reading_test.class_ids), self.session.classes.names[class_id]
        self._record_readings(index, (class_id,), f'Saved: picture {index + 1} = "{class_name}"')
        self._update_view()

    def _record_readings(self, start: int, readings: Sequence[int | None], note: str) -> None:
        try:
            self.reading_test = self.session.record_reading(self.reading_test.epoch, start, readings)
            self._note = note
        except UserError as error:
            self._hint = str(error)

    def _update_view(self) -> None:
        test, prompt = self.reading_test, self.query_one(Prompt)
        read_count, total = len(test.class_ids), len(test.reconstructions)
        title = self._pending_text or "reading test, "
        self.query_one(Header).set_text(f"{title}epoch {test.epoch}   {read_count:>{len(str(total))}} / {total}")
        self.set_class(self.is_complete, "-complete")
        if self.is_complete:
            keys = self._format_final_keys()
            self.query_one("#result", TextLine).set_text(_format_result(test, keys), wrap=True)
            help_text = f"{keys} · {self._vaetui_app.format_key('reading.back')}: undo"
            prompt.show_question("All pictures are read", help_text, self._hint, self._note)
        else:
            self.query_one(ReadingTestView).show_reading_test(test, self.session.classes)
            for line in self.query("#digit-keys").results(TextLine):
                line.set_text(self._format_digit_keys())
            digits, class_count = self._active_digits, len(self.session.classes.active_ids)
            format_key = self._vaetui_app.format_key
            other_key = "" if len(digits) == class_count else f" or {format_key('reading.choose')}"
            unreadable_key = format_key("reading.unreadable")
            help_text = f"{format_digit_ranges(digits)}{other_key}: class · {unreadable_key}: unreadable"
            prompt.show_question(f"Picture {read_count + 1}: what do you read?", help_text, self._hint, self._note)

    def _format_final_keys(self) -> str:
        """Return the keys that work after the last picture."""
        format_key = self._vaetui_app.format_key
        return f"{format_key('reading.close')}: close · {format_key('reading.again')}: restart"

    def _format_digit_keys(self) -> str:
        """List the digits with their class names, which do not change during a test; empty for plain digits."""
        return format_digit_keys(self.session.classes, self._digit_keys, self.app.size.width - 2)


def _format_result(reading_test: ReadingTest, keys: str) -> Text:
    total, accuracy = len(reading_test.reconstructions), reading_test.accuracy or 0.0
    unreadable_count = sum(class_id is None for class_id in reading_test.class_ids)
    return Text.assemble(
        f"Reconstructions after epoch {reading_test.epoch}\n\n",
        (f"Read correctly: {round(accuracy * total)} of {total} ({format_percent(accuracy).strip()} %)", "bold"),
        f"\nUnreadable: {unreadable_count} (counted as wrong)\n\n",
        keys,
    )
