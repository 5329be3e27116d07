"""An app that paints no faster than its terminal takes it; it does not know what is painted."""

from __future__ import annotations

from contextlib import ExitStack

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver


class PacedApp(App[None]):
    """Lets changes gather while the line is busy, and then paints them all at once.

    So a slow line shows the present and not the past, and one that stalls for hours neither stops the app nor
    fills the memory.
    """

    def __init__(self) -> None:
        """Begin with a terminal that takes everything."""
        self._still = ExitStack()
        self._held = self._owed = False
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        """Use the driver that keeps nobody waiting; one that the environment names stays."""
        driver = super().get_driver_class()
        if driver is LinuxDriver:
            from vaetui.tui.driver import PatientDriver

            return PatientDriver
        return driver

    def hold(self) -> None:
        """Paint nothing until the terminal has taken what was sent."""
        if not self._held:
            self._held, self._owed = True, False
            self._still.enter_context(self.batch_update())

    def go_on(self) -> None:
        """Paint what has changed in the meantime, or everything where Textual has forgotten what."""
        if self._held and self.is_running:
            self._held = False
            self._still.close()
            if self._owed:
                self.screen.refresh()
            self.screen.check_idle()

    def post_display_hook(self) -> None:
        """Remember that something was drawn which nobody will see: Textual drops it while nothing is painted."""
        self._owed = self._owed or self._held
