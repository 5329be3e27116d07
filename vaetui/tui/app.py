"""The app: shows the screen of the session's phase and follows it; it does not know what is on a screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.screen import Screen

from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.screens.start import StartScreen
from vaetui.tui.terminal.burst_guard import QUIET_S, BurstGuard
from vaetui.tui.terminal.shutdown import GracefulShutdownApp
from vaetui.tui.widgets.size_notice import COLUMN_BREAKPOINTS, ROW_BREAKPOINTS
from vaetui.tui.worker import EventReported, WorkerEnded

if TYPE_CHECKING:
    # Only names of types: what is imported here in earnest delays the first frame, NumPy most of all.
    from vaetui.session.views import Phase
    from vaetui.tui.screens.reading_test import ReadingTestScreen
    from vaetui.tui.screens.samples import SamplesScreen
    from vaetui.tui.session_protocol import Session

THEME_NAMES = {"dark": "textual-dark", "light": "textual-light"}
"""What Textual calls them."""


class VaetuiApp(GracefulShutdownApp):
    """A session on the screen."""

    CSS_PATH = Path(__file__).with_name("vaetui.tcss")  # a subclass may live elsewhere
    TITLE = "vaetui"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = COLUMN_BREAKPOINTS
    VERTICAL_BREAKPOINTS = ROW_BREAKPOINTS
    MIN_KEY_GAP_S: ClassVar[float] = QUIET_S
    """Seconds that the guard asks for; a test that types faster than people sets it to 0."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "leave", id="any.leave", tooltip="Save and leave the program"),
        Binding("i", "pictures", "pictures", show=False, id="any.pictures", tooltip="Draw pictures in the next way"),
        Binding("question_mark", "help", "keys", key_display="?", id="any.help", tooltip="Show these keys"),
    ]

    def __init__(
        self, session: Session, picture_mode: str = "half", cell_size: tuple[int, int] = (10, 20), theme: str = "dark"
    ) -> None:
        """Show that session, with pictures drawn that way; `cell` is a character's size in screen pixels."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self.guard = BurstGuard[tuple[Screen[None], Key]](self.MIN_KEY_GAP_S)
        """What tells a person's keys from a terminal's, on all screens."""
        self.theme = THEME_NAMES[theme]
        self._picture_mode, self._cell_size = picture_mode, cell_size
        self._shown_phase: Phase | None = None
        self._phase_screen: Screen[Any] | None = None
        self._overlay: ReadingTestScreen | SamplesScreen | None = None
        self._deferred_end: WorkerEnded | None = None

    def get_default_screen(self) -> Screen[Any]:
        """Paint a first frame at once."""
        return StartScreen(self.session.name)

    def on_mount(self) -> None:
        """Begin only after the first frame."""
        self.screen.call_after_refresh(self._show_first_screen)

    def continue_session(self) -> None:
        """Show the screen of the session's phase and follow the session from here."""
        self._show_phase_screen()
        self._start_worker()

    def open_reading_test(self) -> None:
        """Open the reading test over the screen of the phase; raises Trouble where there is nothing to read."""
        from vaetui.tui.screens.reading_test import ReadingTestScreen

        if self.screen is self._phase_screen and not self.is_leaving:
            self._overlay = ReadingTestScreen(self.session, self.session.reading_test())
            self.push_screen(self._overlay)

    def open_samples(self) -> None:
        """Open the new pictures over the screen of the phase."""
        from vaetui.tui.screens.samples import SamplesScreen

        if self.screen is self._phase_screen and not self.is_leaving:
            self.defer_paint()
            self._overlay = SamplesScreen(self.session)
            self.push_screen(self._overlay)

    def close_overlay(self) -> None:
        """Close what lies over the screen of the phase, and show that of a phase that has waited for this."""
        if self.screen is not self._overlay:
            return
        self._overlay = None
        self.pop_screen()
        late, self._deferred_end = self._deferred_end, None
        if late is not None and not self.is_leaving:
            self._show_phase_screen().post_message(WorkerEnded(late.was_stopped))

    def action_help(self) -> None:
        """Show the keys of this screen."""
        from vaetui.tui.screens.help import HelpScreen

        figures = getattr(self.screen, "GLOSSARY", None)
        if figures is not None:  # neither while a name is typed, nor in the help itself
            self.defer_paint()
            self.push_screen(HelpScreen(self.session.name, self.screen.active_bindings.values(), figures))

    def action_pictures(self) -> None:
        """Draw all pictures in the next way, and say which one that is: a wrong one shows nothing at all."""
        from vaetui.tui.widgets.picture import Picture, describe_drawing_mode, next_drawing_mode, set_drawing_mode

        set_drawing_mode(next_drawing_mode(), self._cell_size)
        for screen in self.screen_stack:
            for picture in screen.query(Picture):
                picture.redraw()
        if isinstance(self.screen, GuardedScreen):
            self.screen.show_notice(
                describe_drawing_mode(self.console.color_system == "truecolor" and not self.no_color)
            )

    @on(EventReported)
    def forward_event(self, message: EventReported) -> None:
        """Hand an event to the screen of the phase, even while its keys are being explained."""
        from vaetui.engine.events import Notice

        shown = self._overlay or self._phase_screen
        if isinstance(message.event, Notice) and isinstance(shown, GuardedScreen):
            shown.show_notice(
                message.event.message
            )  # also while keys or names are shown over it, which have no line for that
        elif self._phase_screen is not None:
            self._phase_screen.post_message(EventReported(message.event))

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Go where the session is now, or leave; what a person reads or looks at is never taken from their hands."""
        self.event_worker.mark_idle()
        if message.failure is not None:
            self.failure = message.failure
            self.exit(return_code=1)
        elif self.is_leaving:
            self.exit()
        elif self._overlay is not None and self.session.phase != self._shown_phase:
            self._deferred_end = message
            over = self.session.phase == "finished"
            self._overlay.show_pending_phase("the run is over: Esc" if over else "the round is ready: Esc")
        else:
            self._show_phase_screen().post_message(WorkerEnded(message.was_stopped))

    def _show_first_screen(self) -> None:
        """Show the first screen, and follow the session once it is painted."""
        from vaetui.tui.widgets.picture import get_drawing_mode, set_drawing_mode

        if self.is_leaving:
            return
        if self._picture_mode != get_drawing_mode():
            set_drawing_mode(self._picture_mode, self._cell_size)
        self._show_phase_screen().call_after_refresh(self._start_worker)

    def _start_worker(self) -> None:
        if not (self.is_leaving or self.event_worker.is_busy):
            self.event_worker.start(self.session.advance(), target=self)

    def _show_phase_screen(self) -> Screen[Any]:
        """Show the screen of the session's phase, unless it is shown already, and give it."""
        phase = self.session.phase
        if self._phase_screen is not None and phase == self._shown_phase:
            return self._phase_screen
        while len(self.screen_stack) > 2:
            self.pop_screen()  # the help
        screen, first = _create_phase_screen(phase, self.session), self._phase_screen is None
        self._shown_phase, self._phase_screen = phase, screen
        if first:
            self.push_screen(screen)
        else:
            self.switch_screen(screen)
        return screen


def _create_phase_screen(phase: Phase, session: Session) -> Screen[Any]:
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
