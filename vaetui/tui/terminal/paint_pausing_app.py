"""A Textual app that paints no faster than its terminal reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from rich.console import RenderableType
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Region
from textual.screen import Screen

from vaetui.tui.terminal.driver import NonBlockingDriver
from vaetui.tui.terminal.span_update import SpanUpdate

LAYOUT_DELAY_S = 0.03
"""Seconds in which the layout of a screen becomes stable; too few for a user to notice."""


class FramePainter(Protocol):
    """Draws over the frames of the app what is no text."""

    def paint(self, screen: Screen[object], written_regions: Sequence[Region]) -> list[str]:
        """Return the texts to send after a frame that wrote these cells."""

    def clear(self) -> list[str]:
        """Return the texts that remove everything from the terminal, and forget what was painted."""

    def update_cell_size(self) -> None:
        """Measure the size of a character again."""


class PaintPausingApp(App[None]):
    """Collects changes while the terminal is busy, and then paints them all at once.

    A slow terminal therefore shows the current state, and one that stalls for hours neither blocks the app nor fills
    the memory.
    """

    def __init__(self) -> None:
        """Start with painting enabled."""
        self._paused_updates = ExitStack()
        self._is_paint_paused = self._needs_repaint = self._is_paint_deferred = self._has_painted = False
        self._frame_painter: FramePainter | None = None
        self._is_painter_requested = False
        self._written_regions: list[Region] = []
        super().__init__()

    def get_driver_class(self) -> type[Driver]:
        """Return the non-blocking driver in place of Textual's default; keep one set by the environment."""
        driver = super().get_driver_class()
        return NonBlockingDriver if driver is LinuxDriver else driver

    @property
    def is_paint_pending(self) -> bool:
        """Whether the terminal has not got the current state yet: it is busy, or a layout is awaited."""
        return self._is_paint_paused or self._is_paint_deferred

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
            self.paint_over_frame()

    def set_frame_painter(self, painter: FramePainter | None) -> None:
        """Call `painter` after each frame from now on, in place of the present one."""
        if painter is not self._frame_painter:
            self.clear_frame_painting()
            self._frame_painter = painter

    def clear_frame_painting(self) -> None:
        """Remove what the painter has painted; it paints again after the next frame."""
        if self._frame_painter is not None:
            self._write_texts(self._frame_painter.clear())

    def request_frame_painting(self) -> None:
        """Call the painter once after the next frame, or soon if no frame is due."""
        if not self._is_painter_requested:
            self._is_painter_requested = True
            self.screen.call_after_refresh(self.paint_over_frame)

    def paint_over_frame(self) -> None:
        """Call the painter, unless a frame is held back, which will call it."""
        self._is_painter_requested = False
        if not (self._batch_count or self._is_paint_deferred) and self.is_running:
            self._paint_over(())

    def on_resize(self) -> None:
        """Paint everything once for the new size, even if it equals the size before two quick resizes."""
        if self._frame_painter is not None:
            self._frame_painter.update_cell_size()
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
        if isinstance(renderable, ChopsUpdate):
            renderable = SpanUpdate.from_update(renderable)
            self._written_regions = [Region(x1, y, x2 - x1, 1) for y, x1, x2 in renderable.spans]
        else:
            self._written_regions = [renderable.region] if isinstance(renderable, LayoutUpdate) else []
        super()._display(screen, renderable)

    def _end_update(self) -> None:
        """Paint over the frame before the terminal shows it."""
        self._paint_over(self._written_regions)
        super()._end_update()

    def _paint_over(self, written_regions: Sequence[Region]) -> None:
        self._is_painter_requested = False
        if self._frame_painter is not None:
            self._write_texts(self._frame_painter.paint(self.screen, written_regions))

    def _write_texts(self, texts: Sequence[str]) -> None:
        if self._driver is not None and not self.is_headless:
            for text in texts:
                self._driver.write(text)
