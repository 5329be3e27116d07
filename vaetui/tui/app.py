"""The app: shows the screen of the session's phase and follows it; it does not know what is on a screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.screen import Screen

from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.screens.start import StartScreen
from vaetui.tui.terminal.burst_guard import QUIET, Guard
from vaetui.tui.terminal.shutdown import LeavingApp
from vaetui.tui.widgets.size_notice import BREADTHS, HEIGHTS
from vaetui.tui.worker import Ended, Reported

if TYPE_CHECKING:
    # Only names of types: what is imported here in earnest delays the first frame, NumPy most of all.
    from vaetui.session.views import Phase
    from vaetui.tui.screens.reading_test import ReadingScreen
    from vaetui.tui.screens.samples import SamplesScreen
    from vaetui.tui.session_protocol import Session

THEMES = {"dark": "textual-dark", "light": "textual-light"}
"""What Textual calls them."""


class VaetuiApp(LeavingApp):
    """A session on the screen."""

    CSS_PATH = Path(__file__).with_name("vaetui.tcss")  # a subclass may live elsewhere
    TITLE = "vaetui"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = BREADTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    QUIET: ClassVar[float] = QUIET
    """Seconds that the guard asks for; a test that types faster than people sets it to 0."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "leave", id="any.leave", tooltip="Save and leave the program"),
        Binding("i", "pictures", "pictures", show=False, id="any.pictures", tooltip="Draw pictures in the next way"),
        Binding("question_mark", "help", "keys", key_display="?", id="any.help", tooltip="Show these keys"),
    ]

    def __init__(
        self, session: Session, pictures: str = "half", cell: tuple[int, int] = (10, 20), theme: str = "dark"
    ) -> None:
        """Show that session, with pictures drawn that way; `cell` is a character's size in screen pixels."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.guard = Guard[tuple[Screen[None], Key]](self.QUIET)
        """What tells a person's keys from a terminal's, on all screens."""
        self.theme = THEMES[theme]
        self._pictures, self._cell = pictures, cell
        self._shown: Phase | None = None
        self._main: Screen[Any] | None = None
        self._cover: ReadingScreen | SamplesScreen | None = None
        self._late: Ended | None = None

    def get_default_screen(self) -> Screen[Any]:
        """Paint a first frame at once."""
        return StartScreen(self.session.name)

    def on_mount(self) -> None:
        """Begin only after the first frame."""
        self.screen.call_after_refresh(self._begin)

    def proceed(self) -> None:
        """Show the screen of the session's phase and follow the session from here."""
        self._present()
        self._follow()

    def open_test(self) -> None:
        """Open the reading test over the screen of the phase; raises Trouble where there is nothing to read."""
        from vaetui.tui.screens.reading_test import ReadingScreen

        if self.screen is self._main and not self.leaving:
            self._cover = ReadingScreen(self.session, self.session.sheet())
            self.push_screen(self._cover)

    def open_samples(self) -> None:
        """Open the new pictures over the screen of the phase."""
        from vaetui.tui.screens.samples import SamplesScreen

        if self.screen is self._main and not self.leaving:
            self.veil()
            self._cover = SamplesScreen(self.session)
            self.push_screen(self._cover)

    def uncover(self) -> None:
        """Close what lies over the screen of the phase, and show that of a phase that has waited for this."""
        if self.screen is not self._cover:
            return
        self._cover = None
        self.pop_screen()
        late, self._late = self._late, None
        if late is not None and not self.leaving:
            self._present().post_message(Ended(late.stopped))

    def action_help(self) -> None:
        """Show the keys of this screen."""
        from vaetui.tui.screens.help import HelpScreen

        figures = getattr(self.screen, "FIGURES", None)
        if figures is not None:  # neither while a name is typed, nor in the help itself
            self.veil()
            self.push_screen(HelpScreen(self.session.name, self.screen.active_bindings.values(), figures))

    def action_pictures(self) -> None:
        """Draw all pictures in the next way, and say which one that is: a wrong one shows nothing at all."""
        from vaetui.tui.widgets.picture import Picture, choose, next_way, way_of

        choose(next_way(), self._cell)
        for screen in self.screen_stack:
            for picture in screen.query(Picture):
                picture.redraw()
        if isinstance(self.screen, Guarded):
            self.screen.tell(way_of(self.console.color_system == "truecolor" and not self.no_color))

    @on(Reported)
    def pass_on(self, message: Reported) -> None:
        """Hand an event to the screen of the phase, even while its keys are being explained."""
        from vaetui.engine.events import Noticed

        shown = self._cover or self._main
        if isinstance(message.event, Noticed) and isinstance(shown, Guarded):
            shown.tell(message.event.what)  # also while keys or names are shown over it, which have no line for that
        elif self._main is not None:
            self._main.post_message(Reported(message.event))

    @on(Ended)
    def settle(self, message: Ended) -> None:
        """Go where the session is now, or leave; what a person reads or looks at is never taken from their hands."""
        self.follower.settle()
        if message.failure is not None:
            self.failure = message.failure
            self.exit(return_code=1)
        elif self.leaving:
            self.exit()
        elif self._cover is not None and self.session.phase != self._shown:
            self._late = message
            over = self.session.phase == "finished"
            self._cover.awaited("the run is over: Esc" if over else "the round is ready: Esc")
        else:
            self._present().post_message(Ended(message.stopped))

    def _begin(self) -> None:
        """Show the first screen, and follow the session once it is painted."""
        from vaetui.tui.widgets.picture import choose, chosen

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
        from vaetui.tui.screens.training import TrainingScreen

        screen = TrainingScreen(session)
    elif phase == "labelling":
        from vaetui.tui.screens.labelling import LabellingScreen

        screen = LabellingScreen(session)
    else:
        from vaetui.tui.screens.summary import SummaryScreen

        screen = SummaryScreen(session)
    return screen
