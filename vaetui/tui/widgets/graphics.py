"""Canvases on which the terminal itself draws, and the one importer of textual_image; they know no picture."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual._context import active_app
from textual.geometry import Region


def load_canvas_class(mode: str, cell_size: tuple[int, int]) -> type[Any]:
    """Import the widget that draws by the escape sequences of that mode, sixel or kitty.

    At import the library asks the terminal what it can and how large a character is; answers that come late
    are read as key presses, so it finds no terminal, and is told the size. What to draw with was settled by
    the probe.
    """
    with _hide_terminal():
        from textual_image import _terminal, widget
        from textual_image.renderable import tgp
    _terminal.get_cell_size._result = _terminal.CellSize(*cell_size)  # type: ignore[attr-defined]
    # The library writes past Textual, into the middle of a frame, and waits where the terminal does not read.
    tgp._send_tgp_message = _send_kitty_message
    base: Any = widget.SixelImage if mode == "sixel" else widget.TGPImage

    class SelfDeletingImage(tgp.Image):
        """A picture whose memory in the terminal is given back, which the library leaves behind."""

        def cleanup(self) -> None:
            """Delete the picture and its data."""
            number, self.terminal_image_id = self.terminal_image_id, None
            if number:
                _send_kitty_message(a="d", d="I", i=number, q=2)

    drawer: Any = base._Renderable if mode == "sixel" else SelfDeletingImage

    class Canvas(base, Renderable=drawer):  # type: ignore[misc, call-arg]
        """A picture that the terminal draws, in a place that never changes its size."""

        DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

        def refresh(self, *regions: Region, layout: bool = False, **options: Any) -> Any:
            """Paint again without a new layout of the screen."""
            return super().refresh(*regions, **options)

        def on_unmount(self) -> None:
            """Give the memory back when another way of drawing, another size or another screen takes the place."""
            if self._renderable is not None:
                self._renderable.cleanup()

    return Canvas


def _send_kitty_message(*, payload: str | None = None, **controls: int | str | None) -> None:
    """Send a message of the kitty graphics protocol, in its turn among all that is painted."""
    driver = active_app.get()._driver
    if driver is not None:
        said = ",".join(f"{key}={value}" for key, value in controls.items() if value is not None)
        driver.write(f"\x1b_G{said}{f';{payload}' if payload else ''}\x1b\\")


@contextmanager
def _hide_terminal() -> Iterator[None]:
    before = sys.__stdout__
    sys.__stdout__ = io.StringIO()  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        sys.__stdout__ = before  # type: ignore[misc]
