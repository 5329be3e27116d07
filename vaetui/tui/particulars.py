"""The size of the focused cluster and what the classifier calls its members; it draws no conclusion."""

from __future__ import annotations

from rich.text import Text

from vaetui.engine.classes import Classes
from vaetui.session.board import Tile
from vaetui.tui.line import Line
from vaetui.tui.words import size_of, votes_of

LONGEST = 12
"""Letters of a name that are shown beside a bar."""
BAR = 16
"""Cells of a bar that stands for all members."""


class Particulars(Line):
    """One line under the pictures, or a panel beside them where there is room."""

    DEFAULT_CSS = """
    Particulars { height: 1; padding: 0 1; }
    Particulars.panel { width: 1fr; height: 100%; padding: 1 1 0 2; }
    """

    def show(self, tile: Tile, classes: Classes) -> None:
        """Tell the facts of that tile."""
        if not self.has_class("panel"):
            lines = [f"{size_of(tile)}   {votes_of(tile, classes, most)}" for most in (3, 2, 1)]
            self.say(Text(next((line for line in lines if len(line) <= self.app.size.width - 2), lines[-1])))
            return
        words = Text.assemble((size_of(tile).replace(", ", "\n"), "bold"), "\n\n")
        words.append("the classifier says\n" if tile.votes else votes_of(tile, classes))
        names = [classes.names[label][:LONGEST] for label, _ in tile.votes[:8]]
        wide = max(map(len, names), default=0)
        for name, (_, share) in zip(names, tile.votes, strict=False):
            words.append(f"{name:<{wide}} {'━' * max(round(share * BAR), 1):<{BAR}} {share * 100:3.0f} %\n")
        self.say(words)
