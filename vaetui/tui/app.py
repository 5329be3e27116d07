"""The app: shows the screen of the session's phase and follows it; it does not know what is on a screen."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from vaetui.tui.follow import Ended, Follower, Reported
from vaetui.tui.header import Header
from vaetui.tui.room import HIGH, LEAST, WIDE

if TYPE_CHECKING:
    # Only names of types: what is imported here in earnest delays the first frame, NumPy most of all.
    from vaetui.session.board import Phase
    from vaetui.tui.door import Session
    from vaetui.tui.reading_screen import ReadingScreen

BREADTHS = [(0, "-narrow"), (LEAST[0], "-normal"), (WIDE, "-wide")]
"""Classes that a screen has by its columns, each from that number on."""
HEIGHTS = [(0, "-low"), (LEAST[1], "-short"), (HIGH, "-tall")]
"""Classes that a screen has by its rows, likewise."""


class VaetuiApp(App[None]):
    """A session on the screen."""

    CSS_PATH = Path(__file__).with_name("vaetui.tcss")  # a subclass may live elsewhere
    TITLE = "vaetui"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = BREADTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "leave", id="any.leave", tooltip="Save and leave the program"),
        Binding("question_mark", "help", "keys", key_display="?", id="any.help", tooltip="Show these keys"),
    ]

    def __init__(self, session: Session, pictures: str = "half", cell: tuple[int, int] = (10, 20)) -> None:
        """Show that session, with pictures drawn that way; `cell` is a character's size in screen pixels."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self._pictures, self._cell = pictures, cell
        self.follower = Follower()
        """The one worker."""
        self.failure: BaseException | None = None
        """What ended the app, if it was not the person."""
        self.signal = 0
        """The signal that ended the app; 0 for none."""
        self.leaving = False
        """Whether the app is on its way out and only waits for the worker to save."""
        self._lost = False
        self._shown: Phase | None = None
        self._main: Screen[Any] | None = None
        self._test: ReadingScreen | None = None
        self._late: Ended | None = None

    def compose(self) -> ComposeResult:
        """Paint a first frame that takes next to nothing to import and to lay out."""
        header = Header(self.session.name)
        header.say("starting …")
        yield header

    def on_mount(self) -> None:
        """Begin only after the first frame, and take a lost line for a farewell."""
        loop = asyncio.get_running_loop()
        for name, leave in (("SIGTERM", self.action_leave), ("SIGHUP", self.hang_up)):
            # Not every platform has them, and a loop in a side thread takes none.
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                number = getattr(signal, name)
                loop.add_signal_handler(number, self._heed, number, leave)
        self.screen.call_after_refresh(self._begin)

    def on_unmount(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(getattr(signal, name))

    def _heed(self, number: int, leave: Callable[[], None]) -> None:
        self.signal = number
        leave()

    def proceed(self) -> None:
        """Show the screen of the session's phase and follow the session from here."""
        self._present()
        self._follow()

    def open_test(self) -> None:
        """Open the reading test over the screen of the phase; raises Trouble where there is nothing to read."""
        from vaetui.tui.reading_screen import ReadingScreen

        if self.screen is self._main and not self.leaving:
            self._test = ReadingScreen(self.session, self.session.sheet())
            self.push_screen(self._test)

    def close_test(self) -> None:
        """Close the reading test, and show the screen of a phase that has waited for that."""
        if self.screen is not self._test:
            return
        self._test = None
        self.pop_screen()
        late, self._late = self._late, None
        if late is not None and not self.leaving:
            self._present().post_message(Ended(late.stopped))

    def action_leave(self) -> None:
        """Leave as soon as the worker has saved."""
        if self.leaving:
            return
        self.leaving = True
        if not self.follower.busy:
            self.exit()
            return
        for screen in self.screen_stack:
            for header in screen.query(Header):
                header.hold("saving …")
        self.follower.stop()

    def hang_up(self) -> None:
        """Leave without a terminal, which is gone.

        The thread that writes to it is dead, and without it the app would wait for ever to say farewell, with
        the session's lock in its hand: so it writes no more.
        """
        self._lost = True
        if self._driver is not None:
            self._driver.write = _nowhere  # type: ignore[method-assign]
        self.action_leave()

    def panic(self, *renderables: RenderableType) -> None:
        """Show what went wrong; a terminal that cannot be read any more is only a lost line."""
        if self._lost or not (self.is_headless or _has_terminal()):
            self.hang_up()
        else:
            super().panic(*renderables)

    async def action_quit(self) -> None:
        """Leave in the same way by the key that every Textual app has."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Leave in the same way by the key that ends other programs."""
        self.action_leave()

    def action_help(self) -> None:
        """Show the keys of this screen."""
        from vaetui.tui.help_screen import HelpScreen

        if self.screen in (self._main, self._test):
            figures = getattr(self.screen, "FIGURES", ())
            self.push_screen(HelpScreen(self.session.name, self.screen.active_bindings.values(), figures))

    @on(Reported)
    def pass_on(self, message: Reported) -> None:
        """Hand an event to the screen of the phase, even while its keys are being explained."""
        if self._main is not None:
            self._main.post_message(Reported(message.event))

    @on(Ended)
    def settle(self, message: Ended) -> None:
        """Go where the session is now, or leave; a reading test is never taken from a person's hands."""
        self.follower.settle()
        if message.failure is not None:
            self.failure = message.failure
            self.exit(return_code=1)
        elif self.leaving:
            self.exit()
        elif self._test is not None and self.session.phase != self._shown:
            self._late = message
            over = self.session.phase == "finished"
            self._test.awaited("the run is over: Esc" if over else "the round is ready: Esc")
        else:
            self._present().post_message(Ended(message.stopped))

    def _fatal_error(self) -> None:
        """Leave without a traceback in a person's face: the command writes it to the session's log."""
        self.failure = self._exception
        self._close_messages_no_wait()

    def _begin(self) -> None:
        """Show the first screen, and follow the session once it is painted."""
        from vaetui.tui.picture import choose, chosen

        if self.leaving:
            return
        if self._pictures != chosen():
            choose(self._pictures, self._cell)
        self._present().call_after_refresh(self._follow)

    def _follow(self) -> None:
        if not (self.leaving or self.follower.busy):
            self.follower.follow(self.session.advance(), to=self)

    def _present(self) -> Screen[Any]:
        """Show the screen of the session's phase, unless it is shown already, and give it."""
        phase = self.session.phase
        if self._main is not None and phase == self._shown:
            return self._main
        while len(self.screen_stack) > 2:
            self.pop_screen()  # the help
        screen, first = _screen_of(phase, self.session), self._main is None
        self._shown, self._main = phase, screen
        if first:
            self.push_screen(screen)
        else:
            self.switch_screen(screen)
        return screen


def _screen_of(phase: Phase, session: Session) -> Screen[Any]:
    # Imported here, so that the first screen waits for one of them and not for three.
    screen: Screen[Any]
    if phase == "training":
        from vaetui.tui.training_screen import TrainingScreen

        screen = TrainingScreen(session)
    elif phase == "labelling":
        from vaetui.tui.labelling_screen import LabellingScreen

        screen = LabellingScreen(session)
    else:
        from vaetui.tui.summary_screen import SummaryScreen

        screen = SummaryScreen(session)
    return screen


def _nowhere(data: str) -> None:
    """Write that to nowhere."""


def _has_terminal() -> bool:
    return sys.__stdin__ is not None and sys.__stdin__.isatty()
