"""The Textual app: shows the screen of the session's phase and runs the session in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.screen import Screen

from vaetui.errors import UserError
from vaetui.tui.display_choices import DEFAULT_COLOUR_COUNT, SHOWN_MODES
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.keyed_app import DEFAULT_SETTINGS, KeyedApp
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.screens.start import StartScreen
from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.settings import AppSettings
from vaetui.tui.textual_bindings import list_commands

if TYPE_CHECKING:
    # Imported for types only: NumPy and the other screens would delay the first frame.
    from vaetui.engine.answers import ClusterPath
    from vaetui.session.views import Phase, SessionAccess
    from vaetui.tui.screens.overlay_screen import OverlayScreen
    from vaetui.tui.session_protocol import Session

PENDING_PHASES: dict[Phase, str] = {
    "training": "round answered",  # by another process, while the session is watched
    "labelling": "round ready",
    "finished": "run finished",
}
"""What an overlay shows while the screen of another phase waits until it is closed."""


class VaetuiApp(KeyedApp):
    """A session in the terminal."""

    def __init__(
        self,
        session: Session,
        picture_mode: str = "half",
        cell_size: tuple[int, int] = (10, 20),
        theme: str = "dark",
        settings: AppSettings = DEFAULT_SETTINGS,
        save_one_key_mode: Callable[[bool], None] = lambda is_on: None,
        offered_modes: Sequence[str] = SHOWN_MODES,
        colour_count: int = DEFAULT_COLOUR_COUNT,
        start_notice: str = "",
        audit_plan: str | None = None,
        get_access: Callable[[], SessionAccess] = lambda: "full",
    ) -> None:
        """Show a session; `cell_size` is the size of a character in pixels of the terminal.

        `theme` is one of `keyed_app.THEME_NAMES`; `save_one_key_mode` writes the config file, and may raise UserError.
        `offered_modes` are the picture modes between which a key switches, and `colour_count` is the number of
        colours of a sixel picture; `start_notice` is shown once. With an `audit_plan`, the app shows nothing but an
        audit of this plan, or of the one that the user chooses if it is empty. `get_access` returns what may be done
        with the session now.
        """
        super().__init__(theme, settings)
        self.session = session
        """The session that is shown."""
        self._save_one_key_mode = save_one_key_mode
        self._picture_mode, self._cell_size = picture_mode, cell_size
        self._offered_modes, self._colour_count, self._start_notice = offered_modes, colour_count, start_notice
        self._audit_plan = audit_plan
        self._get_access = get_access
        self._review_draft = ReviewDraft()
        self._shown_phase: Phase | None = None
        self._phase_screen: Screen[Any] | None = None
        self._overlay: OverlayScreen | None = None
        self._on_close: Callable[[], None] | None = None
        self._deferred_end: WorkerEnded | None = None

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen of the first frame."""
        return StartScreen(self.session.name)

    def on_mount(self) -> None:
        """Show the screen of the phase after the first frame."""
        self.screen.call_after_refresh(self._show_first_screen)

    @property
    def access(self) -> SessionAccess:
        """What may be done with the session now."""
        return self._get_access()

    @property
    def heading(self) -> str:
        """The session name."""
        return self.session.name

    @property
    def import_lines(self) -> Mapping[str, str]:
        """What was imported into the session."""
        return self.session.import_lines

    def remember_one_key_mode(self, is_on: bool) -> None:
        """Keep the choice in the session and in the config file; a file that cannot be written causes a notice."""
        self.session.set_one_key_mode(is_on)
        self.settings = replace(self.settings, one_key_mode=is_on)
        try:
            self._save_one_key_mode(is_on)
        except UserError as error:
            if isinstance(self.screen, VaetuiScreen):
                self.screen.show_notice(f"For this session only: config.toml cannot be changed. {error}")

    def continue_session(self) -> None:
        """Show the screen of the session's phase and start the worker."""
        self._show_phase_screen()
        self._start_worker()

    def open_reading_test(self) -> None:
        """Open the reading test over the screen of the phase; raises UserError if there is nothing to read."""
        from vaetui.tui.screens.reading_test import ReadingTestScreen

        self._open_overlay(lambda: ReadingTestScreen(self.session, self.session.reading_test()))

    def open_samples(self) -> None:
        """Open the samples over the screen of the phase."""
        from vaetui.tui.screens.samples import SamplesScreen

        self._open_overlay(lambda: SamplesScreen(self.session))

    def open_map(self, on_jump: Callable[[ClusterPath], None] | None = None, focus_path: ClusterPath = ()) -> None:
        """Open the map over the screen of the phase; `on_jump` receives the cluster that the user goes to."""
        from vaetui.tui.screens.map import MapScreen

        self._open_overlay(lambda: MapScreen(self.session, on_jump, focus_path, draws_letters=self.no_color))

    def open_history(self, on_close: Callable[[ClusterPath | None], None] | None = None) -> None:
        """Open the history; `on_close` receives the cluster that the user goes to, or None."""
        from vaetui.tui.screens.history import HistoryScreen

        self._open_overlay(lambda: HistoryScreen(self.session, on_close))

    def open_audit(self, plan: str = "", is_new: bool = False, on_close: Callable[[], None] | None = None) -> None:
        """Open the audit over the screen of the phase, or in place of the overlay that is open.

        Without a plan, an audit that is open goes on; the result of the present labels is shown unless `is_new`; else
        the user is asked for the plan. `on_close` is called when the screen of the phase is shown again. Raises
        UserError while there are no labels to audit.
        """
        from vaetui.tui.presenters.audit_text import AUDIT_TOO_EARLY_MESSAGE
        from vaetui.tui.screens.audit import AuditScreen

        view = self.session.audits.view
        if view is None and self.session.phase == "labelling" and self.session.round_number < 2:
            raise UserError(AUDIT_TOO_EARLY_MESSAGE)
        self._on_close = on_close or self._on_close
        is_done = view is not None and view.part == "done"
        if is_done and not plan and not is_new and self._find_whether_audit_is_current() is not False:
            self.show_audit_result()
        else:
            self._replace_overlay(lambda: AuditScreen(self.session, plan))

    def show_audit_result(self) -> None:
        """Show the result of the audit that was finished last, in place of the overlay that is open."""
        from vaetui.tui.screens.audit_result import AuditResultScreen

        result = self.session.audits.results[0]
        self._replace_overlay(lambda: AuditResultScreen(self.session, result, self._find_whether_audit_is_current()))

    def _find_whether_audit_is_current(self) -> bool | None:
        """Return whether the newest result holds for the present labels; None if these are not loaded.

        Networks that were trained since have changed them for sure.
        """
        result, labelling = self.session.audits.results[0], self.session.labellings.current
        if labelling is not None:
            return labelling.version == result.version
        return None if len(self.session.training_curves().finished_epochs) == result.epoch else False

    def open_review(self, on_close: Callable[[], None] | None = None) -> None:
        """Open the review of single images; `on_close` is called after it has closed.

        Raises UserError while there are no labels to review.
        """
        from vaetui.tui.presenters.review_text import REVIEW_TOO_EARLY_MESSAGE
        from vaetui.tui.screens.review import ReviewScreen

        if self.session.phase == "labelling" and self.session.round_number < 2:
            raise UserError(REVIEW_TOO_EARLY_MESSAGE)
        self._replace_overlay(lambda: ReviewScreen(self.session, self._review_draft, on_close))

    def open_export(self) -> None:
        """Ask where to export the labels to."""
        from vaetui.tui.widgets.label_exporter import LabelExporter

        if self._label_exporter is None:
            self._label_exporter = LabelExporter(self.session)
            self.screen_stack[0].mount(self._label_exporter)  # the first screen stays when the phase changes
        self._label_exporter.ask()

    @property
    def notice_screen(self) -> Screen[Any] | None:
        """The screen that shows notices: the overlay if one is open, else that of the phase.

        The help has no line for a notice, so it goes to the screen below it.
        """
        return self._overlay or self._phase_screen

    def close_overlay(self) -> None:
        """Close the overlay, and show the screen of the current phase."""
        if self.screen is not self._overlay:
            return
        self._overlay = None
        self.pop_screen()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()
        if self._audit_plan is not None:
            self.action_leave()
        self.show_deferred_phase()

    def show_deferred_phase(self) -> None:
        """Show the screen of a phase that began while an overlay or a line was open."""
        if self._overlay is not None or self._is_line_open:
            return
        deferred_end, self._deferred_end = self._deferred_end, None
        if deferred_end is not None and not self.is_leaving:
            self._show_next_phase(deferred_end)

    def action_leave(self) -> None:
        """Exit; corrections of a review that are not recorded delay it until the user asks again."""
        is_asked_by_user = not self.signal_number and self.failure is None
        if is_asked_by_user and not self.is_leaving and self._review_draft.delays_leaving():
            self.show_notice(self._review_draft.describe_loss(self.format_key("any.leave")))
            return
        super().action_leave()

    def action_pictures(self) -> None:
        """Switch to the next picture mode that the terminal has, and show its name."""
        from vaetui.tui.widgets.picture import Picture, describe_picture_mode, get_next_picture_mode, set_picture_mode
        from vaetui.tui.widgets.tiled_images import TiledImages

        set_picture_mode(get_next_picture_mode(), self._cell_size)
        for screen in self.screen_stack:
            for widget in (*screen.query(Picture), *screen.query(TiledImages)):
                widget.redraw()
        if isinstance(self.screen, VaetuiScreen):
            self.screen.show_notice(describe_picture_mode())

    @on(EventReported)
    def forward_event(self, message: EventReported) -> None:
        """Pass an event to the screen of the phase, or show it if it is a notice."""
        from vaetui.engine.events import Notice

        if isinstance(message.event, Notice):
            self.show_notice(message.event.message)
        elif self._phase_screen is not None:
            self._phase_screen.post_message(EventReported(message.event))

    @on(WorkerEnded)
    def handle_worker_ended(self, message: WorkerEnded) -> None:
        """Show the screen of the new phase, or exit; an open overlay stays until the user closes it."""
        self.event_worker.mark_idle()
        if message.failure is not None:
            self.failure = message.failure
            self.exit(return_code=1)
        elif self.is_leaving:
            self.exit()
        elif self._overlay is not None and self.session.phase != self._shown_phase:
            self._deferred_end = message
            commands = list_commands(self._overlay.active_bindings.values())
            keys = [key for command in commands if command.closes_screen for key in command.keys]
            state = PENDING_PHASES[self.session.phase]
            self._overlay.show_pending_phase(f"{state} ({keys[0]})" if keys else state)
        elif self._is_line_open and self.session.phase != self._shown_phase:
            self._deferred_end = message  # keys typed into the line must not act on another screen
        else:
            self._show_next_phase(message)

    def _show_next_phase(self, message: WorkerEnded) -> None:
        """Show the screen of the phase; what is watched is read on."""
        self._show_phase_screen().post_message(WorkerEnded(message.was_stopped))
        if self.access == "watched":
            self._start_worker()

    def _open_overlay(self, create_screen: Callable[[], OverlayScreen]) -> None:
        """Open a screen over that of the phase, unless another one is open or the app exits."""
        if self.screen is self._phase_screen and not self.is_leaving:
            overlay = create_screen()
            self.defer_paint()
            self._overlay = overlay
            self.push_screen(overlay)

    def _replace_overlay(self, create_screen: Callable[[], OverlayScreen]) -> None:
        """Open a screen over that of the phase in place of the overlay that is open, if any."""
        if self._overlay is not None and self.screen is self._overlay:
            self._overlay = None
            self.pop_screen()
        self._open_overlay(create_screen)

    @property
    def _is_line_open(self) -> bool:
        return any(isinstance(screen, VaetuiScreen) and screen.is_line_open for screen in self.screen_stack)

    def _show_first_screen(self) -> None:
        from vaetui.tui.widgets.picture import configure_terminal, set_picture_mode

        if self.is_leaving:
            return
        configure_terminal(self._offered_modes, self._colour_count, self.console.color_system == "256")
        set_picture_mode(self._picture_mode, self._cell_size)
        screen = self._show_phase_screen()
        if self._audit_plan is not None:
            self.open_audit(self._audit_plan)
        if self._start_notice and isinstance(screen, VaetuiScreen):
            screen.call_after_refresh(screen.show_notice, self._start_notice)
        screen.call_after_refresh(self._start_worker)

    def _start_worker(self) -> None:
        if not (self.is_leaving or self.event_worker.is_busy):
            self.event_worker.start(self.session.advance(), target=self)

    def _show_phase_screen(self) -> Screen[Any]:
        """Return the screen of the session's phase, after showing it if another one was shown."""
        phase = self.session.phase
        if self._phase_screen is not None and phase == self._shown_phase:
            return self._phase_screen
        self.pending_input.clear()  # typed for the screen that closes
        while len(self.screen_stack) > 2:
            self.pop_screen()  # the help, for example
        is_first, follows_training = self._phase_screen is None, self._shown_phase == "training"
        screen = _create_phase_screen(phase, self.session, follows_training, self.access)
        self._shown_phase, self._phase_screen = phase, screen
        if is_first:
            self.push_screen(screen)
        else:
            self.switch_screen(screen)
        return screen


def _create_phase_screen(phase: Phase, session: Session, follows_training: bool, access: SessionAccess) -> Screen[Any]:
    # Imported here, so that the first screen waits for one import and not for three.
    if phase == "training":
        from vaetui.tui.screens.training import TrainingScreen

        return TrainingScreen(session)
    if phase == "labelling" and access == "watched":
        from vaetui.tui.screens.watched_round import WatchedRoundScreen

        return WatchedRoundScreen(session)
    if phase == "labelling":
        from vaetui.tui.screens.labelling import LabellingScreen

        return LabellingScreen(session, follows_training=follows_training)
    from vaetui.tui.screens.summary import SummaryScreen

    return SummaryScreen(session)
