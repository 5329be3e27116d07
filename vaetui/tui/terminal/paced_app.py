"""An app that paints no faster than its terminal takes it; it does not know what is painted."""

from __future__ import annotations

from contextlib import ExitStack

from rich.console import RenderableType
from textual._compositor import LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.screen import Screen

from vaetui.tui.terminal.driver import PatientDriver

MOMENT = 0.03
"""Seconds in which a screen comes to rest, too few for a person to notice."""


class PacedApp(App[None]):
    """Lets changes gather while the line is busy, and then paints them all at once.

    So a slow line shows the present and not the past, and one that stalls for hours neither stops the app nor
    fills the memory.
    """

    def __init__(self) -> None:
        """Begin with a terminal that takes everything."""
        self._still = ExitStack()
        self._held = self._owed = self._veiled = self._begun = False
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        """Use the driver that keeps nobody waiting; one that the environment names stays."""
        driver = super().get_driver_class()
        return PatientDriver if driver is LinuxDriver else driver

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

    def on_resize(self) -> None:
        """Paint everything once for the new size; also for the same one, after another that was gone at once."""
        if self._begun:
            self.veil()
            if isinstance(self._driver, PatientDriver):
                self._driver.renew()

    def veil(self) -> None:
        """Paint nothing for a moment, in which a screen is laid out, and then all of it at once.

        Textual paints a new screen two to four times until its layout rests, each time from edge to edge.
        """
        if not self._veiled:
            self._veiled = True
            self.set_timer(MOMENT, self._unveil)

    def _unveil(self) -> None:
        self._veiled = False
        if not self.is_running:
            return
        self.screen.refresh()
        if isinstance(self._driver, PatientDriver) and (size := self._driver.measured()) != self.screen.outer_size:
            self.post_message(Resize(size, size))

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Draw that, in place of everything that it covers; what Textual drops while nothing is painted is owed."""
        if self._veiled or self._batch_count:
            self._owed, renderable = True, None
            if self.is_running and not self._held:
                self.veil()  # for what Textual drops in a batch of its own
        elif isinstance(renderable, LayoutUpdate) and renderable.region.size == self.size:
            self._begun = True
            if isinstance(self._driver, PatientDriver):
                self._driver.supersede()
        super()._display(screen, renderable)
