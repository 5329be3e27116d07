"""Canvas widgets for terminal graphics (sixel, kitty); the only module that imports textual_image."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual._context import active_app
from textual.geometry import Region


def load_canvas_class(mode: str, cell_size: tuple[int, int]) -> type[Any]:
    """Import textual_image and return a widget class that draws with the escape sequences of `mode`.

    `mode` is "sixel" or "kitty", `cell_size` the width and height of a character in screen pixels.

    At import the library queries the terminal for its features and its cell size, and late replies would be
    read as key presses. So the terminal is hidden during the import and the cell size is set afterwards; the
    capability probe has already chosen the mode.
    """
    with _hide_terminal():
        from textual_image import _terminal, widget
        from textual_image.renderable import tgp
    _terminal.get_cell_size._result = _terminal.CellSize(*cell_size)  # type: ignore[attr-defined]
    # The library bypasses Textual: it would write into the middle of a frame and block on a slow terminal.
    tgp._send_tgp_message = _send_kitty_message
    base: Any = widget.SixelImage if mode == "sixel" else widget.TGPImage

    class SelfDeletingImage(tgp.Image):
        """A kitty image that frees its memory in the terminal, which the library does not do."""

        def cleanup(self) -> None:
            """Delete the image and its data in the terminal."""
            image_id, self.terminal_image_id = self.terminal_image_id, None
            if image_id:
                _send_kitty_message(a="d", d="I", i=image_id, q=2)

    renderable_class: Any = base._Renderable if mode == "sixel" else SelfDeletingImage

    class Canvas(base, Renderable=renderable_class):  # type: ignore[misc, call-arg]
        """An image of fixed size that the terminal draws."""

        DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

        def refresh(self, *regions: Region, layout: bool = False, **options: Any) -> Any:
            """Repaint without a new layout, which the fixed size never needs."""
            return super().refresh(*regions, **options)

        def on_unmount(self) -> None:
            """Free the memory in the terminal when the widget is removed."""
            if self._renderable is not None:
                self._renderable.cleanup()

    return Canvas


def _send_kitty_message(*, payload: str | None = None, **controls: int | str | None) -> None:
    """Send a message of the kitty graphics protocol through the driver, in order with all other output."""
    driver = active_app.get()._driver
    if driver is not None:
        control_data = ",".join(f"{key}={value}" for key, value in controls.items() if value is not None)
        driver.write(f"\x1b_G{control_data}{f';{payload}' if payload else ''}\x1b\\")


@contextmanager
def _hide_terminal() -> Iterator[None]:
    stdout = sys.__stdout__
    sys.__stdout__ = io.StringIO()  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        sys.__stdout__ = stdout  # type: ignore[misc]
