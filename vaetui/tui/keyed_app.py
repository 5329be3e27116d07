"""Base class of the apps: the user's keys and theme, the help, the command palette and the pages of the footer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import BindingType
from textual.filter import LineFilter, Monochrome
from textual.screen import Screen

from vaetui.tui.keymap import APP_KEYS
from vaetui.tui.presenters.size_breakpoints import COLUMN_BREAKPOINTS, ROW_BREAKPOINTS
from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.session_access import describe_leaving
from vaetui.tui.settings import AppSettings
from vaetui.tui.terminal.driver import NonBlockingDriver
from vaetui.tui.terminal.grey_filter import GreyFilter
from vaetui.tui.terminal.shutdown_app import GracefulShutdownApp
from vaetui.tui.textual_bindings import NO_KEY_PREFIX, build_bindings, list_commands
from vaetui.tui.widgets.footer import Footer

if TYPE_CHECKING:
    # Imported for types only: NumPy would delay the first frame.
    from vaetui.session.views import SessionAccess
    from vaetui.tui.widgets.label_exporter import LabelExporter

THEME_NAMES = {
    **{"dark": "textual-dark", "light": "textual-light"},
    **{"terminal-dark": "ansi-dark", "terminal-light": "ansi-light"},
}
"""Textual's theme for each background of the terminal, in colours of the app or in the terminal's own 16."""
DEFAULT_SETTINGS = AppSettings()
ALL_KEYS_NOTICE = "The bottom line shows all keys"
"""Shown where the footer has a single page."""
NO_JOB_CONTROL_NOTICE = "Cannot suspend: no shell could continue it."
"""Shown where Ctrl-Z cannot work, for example in a window that runs nothing but this program."""


class KeyedApp(GracefulShutdownApp):
    """An app whose screens are `VaetuiScreen`s."""

    CSS_PATH = Path(__file__).with_name("vaetui.tcss")  # absolute, so that subclasses elsewhere find it
    TITLE = "vaetui"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = COLUMN_BREAKPOINTS
    VERTICAL_BREAKPOINTS = ROW_BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = build_bindings(APP_KEYS)

    def __init__(self, theme: str = "dark", settings: AppSettings = DEFAULT_SETTINGS) -> None:
        """Use one of `THEME_NAMES`, and the keys of `settings`."""
        super().__init__()
        self._grey_filter = GreyFilter()
        self.settings = settings
        """What the user has set."""
        self._label_exporter: LabelExporter | None = None
        self.set_keymap(
            {binding_id: ",".join(keys) or NO_KEY_PREFIX + binding_id for binding_id, keys in settings.keys.items()}
        )
        # Under NO_COLOR Textual turns its own colours into greys, but leaves those of the terminal as they are.
        self.theme = THEME_NAMES[theme.removeprefix("terminal-") if self.no_color else theme]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of all lines."""
        filters = super().get_line_filters()
        return [self._grey_filter if type(line_filter) is Monochrome else line_filter for line_filter in filters]

    @property
    def heading(self) -> str:
        """The text at the left of the header of the help."""
        return ""

    @property
    def import_lines(self) -> Mapping[str, str]:
        """What was imported, as lines of text by heading, for the help."""
        return {}

    @property
    def access(self) -> SessionAccess:
        """What may be done with the session now; the base class has none to protect."""
        return "full"

    def format_key(self, binding_id: str) -> str:
        """Return the name of the key that is bound to a command, such as "g" for "label.go"."""
        return self.settings.format_key(binding_id)

    @property
    def notice_screen(self) -> Screen[Any] | None:
        """The screen that shows notices: the current one."""
        return self.screen

    def show_notice(self, text: str) -> None:
        """Show a notice, unless the app exits: the widgets may be gone, while a thread may still report."""
        if not self._exit and isinstance(screen := self.notice_screen, VaetuiScreen):
            screen.show_notice(text)

    def show_deferred_phase(self) -> None:
        """Show the screen of a phase that began while a line was open; the base class has no phases."""

    def action_leave(self) -> None:
        """Exit as soon as the worker has saved; an export that runs delays it until the user asks again."""
        is_asked_by_user = not self.signal_number and self.failure is None
        if is_asked_by_user and self._label_exporter is not None and self._label_exporter.delay_leaving():
            return
        super().action_leave()

    def action_suspend_process(self) -> None:
        """Suspend the process until the shell continues it."""
        super().action_suspend_process()
        driver = self._driver
        if isinstance(driver, NonBlockingDriver) and not driver.was_suspended:
            cast(VaetuiScreen, self.screen).show_notice(
                f"{NO_JOB_CONTROL_NOTICE} {self.format_key('any.leave')}: leave"
            )

    def action_help(self) -> None:
        """List the keys of the current screen."""
        from vaetui.tui.screens.help import HelpScreen

        screen = self.screen
        # The help itself has no glossary.
        if isinstance(screen, VaetuiScreen) and screen.glossary is not None:
            self.defer_paint()
            commands = describe_leaving(list_commands(screen.active_bindings.values()), self.access)
            self.push_screen(HelpScreen(self.heading, commands, screen.glossary, self.import_lines))

    def action_command(self) -> None:
        """Ask for a command of the current screen."""
        from vaetui.tui.presenters.command_palette import CommandPalette

        screen = self.screen
        if isinstance(screen, VaetuiScreen) and screen.glossary is not None and not screen.is_line_open:

            def run_choice(value: object) -> None:
                if isinstance(value, str):
                    screen.call_later(screen.run_command, value)
                else:
                    screen.go_to_target(value)

            commands = describe_leaving(list_commands(screen.active_bindings.values()), self.access)
            screen.open_line(CommandPalette(commands, screen.list_targets(), run_choice))

    def action_more_keys(self) -> None:
        """Show the next page of keys in the footer."""
        screen = self.screen
        if isinstance(screen, VaetuiScreen) and not screen.query_one(Footer).turn_page():
            screen.show_notice(ALL_KEYS_NOTICE)
