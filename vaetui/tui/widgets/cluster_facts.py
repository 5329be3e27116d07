"""The size of the focused cluster and what the classifier calls its members; it draws no conclusion."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.engine.classes import Classes
from vaetui.session.views import Tile
from vaetui.tui.presenters.cluster_text import size_of, votes_of
from vaetui.tui.widgets.text_line import Line

LONGEST = 12
"""Cells of a name that are shown beside a bar."""
FEWER = ((3,), (2,), (3, LONGEST), (2, LONGEST), (1, LONGEST), (1, 3))
"""Classes and cells of a name that one line tells: as many as it can."""
BAR = 16
"""Cells of a bar that stands for all members, at most."""


class Particulars(Line):
    """One line under the pictures, or a panel beside them where there is room."""

    DEFAULT_CSS = """
    Particulars { height: 1; padding: 0 1; }
    Particulars.panel { width: 1fr; height: 100%; padding: 1 1 0 2; }
    """

    def __init__(self, panel: int = 0) -> None:
        """Be a panel with lines of so many cells; with 0 be one line."""
        super().__init__(classes="panel" if panel else None)
        self._panel = panel

    def show(self, tile: Tile, classes: Classes) -> None:
        """Tell the facts of that tile."""
        if not self._panel:
            lines = [f"{size_of(tile)}   {votes_of(tile, classes, *fewer)}" for fewer in FEWER]
            self.say(Text(next((line for line in lines if cell_len(line) <= self.app.size.width - 2), lines[-1])))
            return
        words = Text.assemble((size_of(tile).replace(", ", "\n"), "bold"), "\n\n")
        words.append("the classifier says\n" if tile.votes else votes_of(tile, classes))
        votes = tile.votes[:8]
        wide = min(max((cell_len(classes.names[label]) for label, _ in votes), default=0), LONGEST, self._panel // 2)
        bar = min(self._panel - wide - len("  100 %"), BAR)
        for label, share in votes:
            name = set_cell_size(classes.names[label], wide)
            words.append(f"{name} {'━' * max(round(share * bar), 1):<{bar}} {share * 100:3.0f} %\n")
        self.say(words)
