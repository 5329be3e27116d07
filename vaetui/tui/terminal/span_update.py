"""A partial frame that writes exactly the cells that changed."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate


class SpanUpdate(ChopsUpdate):
    """An update that crops each strip at both ends of a span.

    Textual's own update crops only at the right: it writes everything from the left edge of the widget to the last
    changed cell, and that once for each span.
    """

    @classmethod
    def from_update(cls, update: ChopsUpdate) -> SpanUpdate:
        """Return an update with the content of another one."""
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """Return the text that writes the update to the terminal."""
        texts: list[str] = []
        for y, start, end in self.spans:
            for strip_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, start), min(strip_end, end)
                if strip is not None and first < last:
                    texts.append(Control.move_to(first, y).segment.text)
                    texts.append(strip.crop(first - x, last - x).render(console))
        return "".join(texts)
