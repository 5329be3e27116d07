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

from vaetui.tui.terminal.driver import NonBlockingDriver

LAYOUT_DELAY_S = 0.03
"""Seconds in which a screen comes to rest, too few for a person to notice."""


class PacedApp(App[None]):
    """Lets changes gather while the line is busy, and then paints them all at once.

    So a slow line shows the present and not the past, and one that stalls for hours neither stops the app nor
    fills the memory.
    """

    def __init__(self) -> None:
        """Begin with a terminal that takes everything."""
        self._paused_updates = ExitStack()
        self._is_paint_paused = self._needs_repaint = self._is_paint_deferred = self._has_painted = False
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        """Use the driver that keeps nobody waiting; one that the environment names stays."""
        driver = super().get_driver_class()
        return NonBlockingDriver if driver is LinuxDriver else driver

    def pause_painting(self) -> None:
        """Paint nothing until the terminal has taken what was sent."""
        if not self._is_paint_paused:
            self._is_paint_paused, self._needs_repaint = True, False
            self._paused_updates.enter_context(self.batch_update())

    def resume_painting(self) -> None:
        """Paint what has changed in the meantime, or everything where Textual has forgotten what."""
        if self._is_paint_paused and self.is_running:
            self._is_paint_paused = False
            self._paused_updates.close()
            if self._needs_repaint:
                self.screen.refresh()
            self.screen.check_idle()

    def on_resize(self) -> None:
        """Paint everything once for the new size; also for the same one, after another that was gone at once."""
        if self._has_painted:
            self.defer_paint()
            if isinstance(self._driver, NonBlockingDriver):
                self._driver.force_next_frame()

    def defer_paint(self) -> None:
        """Paint nothing for a moment, in which a screen is laid out, and then all of it at once.

        Textual paints a new screen two to four times until its layout rests, each time from edge to edge.
        """
        if not self._is_paint_deferred:
            self._is_paint_deferred = True
            self.set_timer(LAYOUT_DELAY_S, self._paint_deferred)

    def _paint_deferred(self) -> None:
        self._is_paint_deferred = False
        if not self.is_running:
            return
        self.screen.refresh()
        if (
            isinstance(self._driver, NonBlockingDriver)
            and (size := self._driver.measure_size()) != self.screen.outer_size
        ):
            self.post_message(Resize(size, size))

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Draw that, in place of everything that it covers; what Textual drops while nothing is painted is owed."""
        if self._is_paint_deferred or self._batch_count:
            self._needs_repaint, renderable = True, None
            if self.is_running and not self._is_paint_paused:
                self.defer_paint()  # for what Textual drops in a batch of its own
        elif isinstance(renderable, LayoutUpdate) and renderable.region.size == self.size:
            self._has_painted = True
            if isinstance(self._driver, NonBlockingDriver):
                self._driver.drop_pending_frames()
        super()._display(screen, renderable)
