"""The reading test: a person reads reconstructions, one after another; it does not know what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from vaetui.errors import Trouble
from vaetui.session.digit_keys import usable
from vaetui.session.views import Sheet
from vaetui.tui.presenters.cluster_text import digits, keyed
from vaetui.tui.presenters.number_format import percent
from vaetui.tui.reading_keys import FIGURES, KEYS, WEIGHTY
from vaetui.tui.screens.class_picker import among_known
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.reading_view import Lectern
from vaetui.tui.widgets.size_notice import Room
from vaetui.tui.widgets.text_line import Line
from vaetui.tui.worker import Following


class ReadingScreen(Guarded):
    """One picture large, a line that asks, and after the last picture the result."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS
    WEIGHTY = WEIGHTY
    FIGURES = FIGURES
    DEFAULT_CSS = """
    ReadingScreen { layout: vertical; overflow: hidden; }
    ReadingScreen #result { width: 100%; height: 1fr; content-align: center middle; text-align: center; }
    ReadingScreen #result, ReadingScreen.-read Lectern, ReadingScreen.-read #named { display: none; }
    ReadingScreen.-read #result { display: block; }
    ReadingScreen #named { height: 1; padding: 0 1; color: $foreground 60%; text-align: center; }
    """

    def __init__(self, session: Session, sheet: Sheet) -> None:
        """Go on with that test of that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.sheet = sheet
        """The test as it stands."""
        self._awaits = self._hint = self._note = ""

    @property
    def done(self) -> bool:
        """Tell whether every picture is read."""
        return len(self.sheet.read) >= len(self.sheet.pictures)

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(self.session.name)
        yield Lectern()
        if self._named():
            yield Line(id="named")
        yield Line(id="result")
        yield Prompt()
        yield Keys()
        yield Room()

    def on_mount(self) -> None:
        """Ask for the first picture that is not yet read."""
        self._show()

    async def on_resize(self, event: Resize) -> None:
        """Lay the pictures out anew where another size wants it."""
        await self.query_one(Lectern).suit(self.app.size)
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the classes that there are."""
        key = str(parameters[0]) if action == "press" and parameters else ""
        return not key.isdigit() or int(key) in usable(self.sheet.favourites, self.session.classes)

    def awaited(self, words: str) -> None:
        """Tell what awaits the person behind the test, in a few words."""
        self._awaits = words
        self._show()

    def press(self, key: str) -> None:
        """Read, take back, begin anew or close."""
        self._hint = self._note = ""
        place = len(self.sheet.read)
        match key:
            case "close":
                cast(Following, self.app).uncover()
                return
            case "back" if place == 0:
                self._hint = "this is the first picture"
            case "back":
                self._keep(place - 1, (), f"{place} is to be read again")
            case "again" if self.done:
                self._keep(0, (), "the test begins anew")
            case "again":
                self._hint = "r begins anew after the last picture"
            case _ if self.done:
                self._hint = "every picture is read: r begins anew, Esc closes"
            case "choose":
                cast(Following, self.app).veil()
                self.app.push_screen(among_known(self.session, self._take))
            case "unreadable":
                self._keep(place, (None,), f"saved: {place + 1} is unreadable")
            case _:
                self._take(cast(int, self.sheet.favourites[int(key)]))
                return
        self._show()

    def unbound(self, key: str) -> None:
        """Say which keys read."""
        there = f"there is no class {key}: {self._choice()}" if key.isdigit() else "that key does nothing here"
        self._hint = f"{there}, ? shows all keys"
        self._show()

    def tell(self, words: str) -> None:
        """Say that behind the question."""
        self._hint, self._note = "", words
        self._show()

    def _take(self, kind: int) -> None:
        place = len(self.sheet.read)
        self._keep(place, (kind,), f"saved: {place + 1} is read as {self.session.classes.names[kind]}")
        self._show()

    def _keep(self, place: int, seen: Sequence[int | None], note: str) -> None:
        try:
            self.sheet = self.session.read(self.sheet.epoch, place, seen)
            self._note = note
        except Trouble as trouble:
            self._hint = str(trouble)

    def _show(self) -> None:
        sheet, prompt = self.sheet, self.query_one(Prompt)
        read, total = len(sheet.read), len(sheet.pictures)
        what = f"{self._awaits}   epoch" if self._awaits else "reading test, epoch"
        self.query_one(Header).say(f"{what} {sheet.epoch}   {read:>{len(str(total))}} / {total}")
        self.set_class(self.done, "-read")
        if self.done:
            self.query_one("#result", Line).say(_result(sheet), wrap=True)
            help = "Esc closes, r begins anew, u takes the last back"
            prompt.put("every picture is read:", help, self._hint, self._note)
        else:
            self.query_one(Lectern).show(sheet, self.session.classes.names)
            for line in self.query("#named").results(Line):
                line.say(self._named())
            help = f"{self._choice()}, x unreadable"
            prompt.put(f"picture {read + 1}: what do you read?", help, self._hint, self._note)

    def _named(self) -> str:
        """Say which digit stands for which class, where they have names; no key changes its meaning in a test."""
        return keyed(self.session.classes, self.sheet.favourites, self.app.size.width - 2)

    def _choice(self) -> str:
        there = usable(self.sheet.favourites, self.session.classes)
        keys, few = digits(there), len(there) == len(self.session.classes.offered)
        return f"{keys} a class" if few else f"{keys} or / a class"


def _result(sheet: Sheet) -> Text:
    """Say what came out, and what to do next."""
    total, accuracy = len(sheet.pictures), sheet.accuracy or 0.0
    unreadable = sum(seen is None for seen in sheet.read)
    return Text.assemble(
        f"reconstructions after epoch {sheet.epoch}\n\n",
        (f"read right: {round(accuracy * total)} of {total}, {percent(accuracy).strip()} %", "bold"),
        f"\nunreadable: {unreadable}, which counts as wrong\n\n",
        "Esc closes the test, r begins it anew",
    )
