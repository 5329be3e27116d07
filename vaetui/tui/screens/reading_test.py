"""The reading test: a person reads reconstructions, one after another; it does not know what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from vaetui.errors import UserError
from vaetui.session.digit_keys import active_digits
from vaetui.session.views import ReadingTest
from vaetui.tui.presenters.cluster_text import format_digit_keys, format_digit_ranges
from vaetui.tui.presenters.number_format import format_percent
from vaetui.tui.reading_keys import READING_TEST_CONFIRMED_KEYS, READING_TEST_GLOSSARY, READING_TEST_KEYS
from vaetui.tui.screens.class_picker import create_class_picker
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.reading_view import ReadingTestView
from vaetui.tui.widgets.size_notice import SizeNotice
from vaetui.tui.widgets.text_line import TextLine
from vaetui.tui.worker import AppProtocol


class ReadingTestScreen(GuardedScreen):
    """One picture large, a line that asks, and after the last picture the result."""

    BINDINGS: ClassVar[list[BindingType]] = READING_TEST_KEYS
    CONFIRMED_KEYS = READING_TEST_CONFIRMED_KEYS
    GLOSSARY = READING_TEST_GLOSSARY
    DEFAULT_CSS = """
    ReadingTestScreen { layout: vertical; overflow: hidden; }
    ReadingTestScreen #result { width: 100%; height: 1fr; content-align: center middle; text-align: center; }
    ReadingTestScreen #result, ReadingTestScreen.-read ReadingTestView, ReadingTestScreen.-read #named { display: none; }
    ReadingTestScreen.-read #result { display: block; }
    ReadingTestScreen #named { height: 1; padding: 0 1; color: $foreground 60%; text-align: center; }
    """

    def __init__(self, session: Session, reading_test: ReadingTest) -> None:
        """Go on with that test of that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.reading_test = reading_test
        """The test as it stands."""
        self._pending_text = self._hint = self._note = ""

    @property
    def is_complete(self) -> bool:
        """Tell whether every picture is read."""
        return len(self.reading_test.class_ids) >= len(self.reading_test.reconstructions)

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(self.session.name)
        yield ReadingTestView()
        if self._format_digit_keys():
            yield TextLine(id="named")
        yield TextLine(id="result")
        yield Prompt()
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Ask for the first picture that is not yet read."""
        self._update_view()

    async def on_resize(self, event: Resize) -> None:
        """Lay the pictures out anew where another size wants it."""
        await self.query_one(ReadingTestView).relayout(self.app.size)
        self._update_view()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the classes that there are."""
        key = str(parameters[0]) if action == "press" and parameters else ""
        return not key.isdigit() or int(key) in active_digits(self.reading_test.digit_keys, self.session.classes)

    def show_pending_phase(self, text: str) -> None:
        """Tell what awaits the person behind the test, in a few words."""
        self._pending_text = text
        self._update_view()

    def press(self, key: str) -> None:
        """Read, take back, begin anew or close."""
        self._hint = self._note = ""
        place = len(self.reading_test.class_ids)
        match key:
            case "close":
                cast(AppProtocol, self.app).close_overlay()
                return
            case "back" if place == 0:
                self._hint = "this is the first picture"
            case "back":
                self._record_readings(place - 1, (), f"{place} is to be read again")
            case "again" if self.is_complete:
                self._record_readings(0, (), "the test begins anew")
            case "again":
                self._hint = "r begins anew after the last picture"
            case _ if self.is_complete:
                self._hint = "every picture is read: r begins anew, Esc closes"
            case "choose":
                cast(AppProtocol, self.app).defer_paint()
                self.app.push_screen(create_class_picker(self.session, self._record_class))
            case "unreadable":
                self._record_readings(place, (None,), f"saved: {place + 1} is unreadable")
            case _:
                self._record_class(cast(int, self.reading_test.digit_keys[int(key)]))
                return
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Say which keys read."""
        there = f"there is no class {key}: {self._format_choices()}" if key.isdigit() else "that key does nothing here"
        self._hint = f"{there}, ? shows all keys"
        self._update_view()

    def show_notice(self, text: str) -> None:
        """Say that behind the question."""
        self._hint, self._note = "", text
        self._update_view()

    def _record_class(self, class_id: int) -> None:
        place = len(self.reading_test.class_ids)
        self._record_readings(
            place, (class_id,), f"saved: {place + 1} is read as {self.session.classes.names[class_id]}"
        )
        self._update_view()

    def _record_readings(self, start: int, readings: Sequence[int | None], note: str) -> None:
        try:
            self.reading_test = self.session.record_reading(self.reading_test.epoch, start, readings)
            self._note = note
        except UserError as trouble:
            self._hint = str(trouble)

    def _update_view(self) -> None:
        sheet, prompt = self.reading_test, self.query_one(Prompt)
        read, total = len(sheet.class_ids), len(sheet.reconstructions)
        what = f"{self._pending_text}   epoch" if self._pending_text else "reading test, epoch"
        self.query_one(Header).set_text(f"{what} {sheet.epoch}   {read:>{len(str(total))}} / {total}")
        self.set_class(self.is_complete, "-read")
        if self.is_complete:
            self.query_one("#result", TextLine).set_text(_format_result(sheet), wrap=True)
            help = "Esc closes, r begins anew, u takes the last back"
            prompt.show_question("every picture is read:", help, self._hint, self._note)
        else:
            self.query_one(ReadingTestView).show(sheet, self.session.classes.names)
            for line in self.query("#named").results(TextLine):
                line.set_text(self._format_digit_keys())
            help = f"{self._format_choices()}, x unreadable"
            prompt.show_question(f"picture {read + 1}: what do you read?", help, self._hint, self._note)

    def _format_digit_keys(self) -> str:
        """Say which digit stands for which class, where they have names; no key changes its meaning in a test."""
        return format_digit_keys(self.session.classes, self.reading_test.digit_keys, self.app.size.width - 2)

    def _format_choices(self) -> str:
        there = active_digits(self.reading_test.digit_keys, self.session.classes)
        keys, few = format_digit_ranges(there), len(there) == len(self.session.classes.active)
        return f"{keys} a class" if few else f"{keys} or / a class"


def _format_result(reading_test: ReadingTest) -> Text:
    """Say what came out, and what to do next."""
    total, accuracy = len(reading_test.reconstructions), reading_test.accuracy or 0.0
    unreadable = sum(seen is None for seen in reading_test.class_ids)
    return Text.assemble(
        f"reconstructions after epoch {reading_test.epoch}\n\n",
        (f"read right: {round(accuracy * total)} of {total}, {format_percent(accuracy).strip()} %", "bold"),
        f"\nunreadable: {unreadable}, which counts as wrong\n\n",
        "Esc closes the test, r begins it anew",
    )
