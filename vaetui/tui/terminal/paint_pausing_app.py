"""A Textual app that paints no faster than its terminal reads."""

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
"""Seconds in which the layout of a screen becomes stable; too few for a user to notice."""


class PaintPausingApp(App[None]):
    """Collects changes while the terminal is busy, and then paints them all at once.

    A slow terminal therefore shows the current state, and one that stalls for hours neither blocks the app nor fills
    the memory.
    """

    def __init__(self) -> None:
        """Start with painting enabled."""
        self._paused_updates = ExitStack()
        self._is_paint_paused = self._needs_repaint = self._is_paint_deferred = self._has_painted = False
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        """Return the non-blocking driver in place of Textual's default; keep one set by the environment."""
        driver = super().get_driver_class()
        return NonBlockingDriver if driver is LinuxDriver else driver

    def pause_painting(self) -> None:
        """Paint nothing until the terminal has read what was sent."""
        if not self._is_paint_paused:
            self._is_paint_paused, self._needs_repaint = True, False
            self._paused_updates.enter_context(self.batch_update())

    def resume_painting(self) -> None:
        """Paint what changed in the meantime, or everything if Textual skipped an update."""
        if self._is_paint_paused and self.is_running:
            self._is_paint_paused = False
            self._paused_updates.close()
            if self._needs_repaint:
                self.screen.refresh()
            self.screen.check_idle()

    def on_resize(self) -> None:
        """Paint everything once for the new size, even if it equals the size before two quick resizes."""
        if self._has_painted:
            self.defer_paint()
            if isinstance(self._driver, NonBlockingDriver):
                self._driver.force_next_frame()

    def defer_paint(self) -> None:
        """Paint nothing for LAYOUT_DELAY_S, then everything at once.

        Textual paints a new screen completely two to four times until its layout is stable.
        """
        if not self._is_paint_deferred:
            self._is_paint_deferred = True
            self.set_timer(LAYOUT_DELAY_S, self._paint_deferred)

    def _paint_deferred(self) -> None:
        self._is_paint_deferred = False
        if not self.is_running:
            return
        self.screen.refresh()
        size = self._driver.measure_size() if isinstance(self._driver, NonBlockingDriver) else self.screen.outer_size
        if size != self.screen.outer_size:
            self.post_message(Resize(size, size))

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Display a frame, replacing the pending ones if it covers the whole screen.

        While painting is paused or deferred, Textual skips updates: repaint everything later.
        """
        if self._is_paint_deferred or self._batch_count:
            self._needs_repaint, renderable = True, None
            if self.is_running and not self._is_paint_paused:
                self.defer_paint()  # Textual skips updates in its own batches, too
        elif isinstance(renderable, LayoutUpdate) and renderable.region.size == self.size:
            self._has_painted = True
            if isinstance(self._driver, NonBlockingDriver):
                self._driver.drop_pending_frames()
        super()._display(screen, renderable)
