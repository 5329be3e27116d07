"""Small pictures with a word below each; it does not know which of them are shown, and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import THUMB
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import Line


class Glance(Vertical):
    """One picture and its word."""

    DEFAULT_CSS = """
    Glance { height: auto; }
    Glance Line { width: 100%; height: 1; }
    """

    def compose(self) -> ComposeResult:
        """Mount the two."""
        yield Picture(THUMB)
        yield Line()

    def show(self, picture: Pixels | None, word: str) -> None:
        """Show that picture, [H, W], or nothing."""
        self.query_one(Line).say(Text(f"{word:^{THUMB[0]}}"))
        # One a turn of the loop: a key that comes meanwhile is answered between two pictures.
        self.call_later(self.query_one(Picture).show, picture)


class Glances(Vertical):
    """A title and a few pictures, mounted once."""

    DEFAULT_CSS = """
    Glances { width: auto; height: auto; padding: 0 1; }
    Glances > Line { height: 1; text-style: bold; }
    Glances Container { layout: grid; grid-gutter: 0 1; width: auto; height: auto; }
    """

    def __init__(self, title: str, columns: int, rows: int, *, id: str) -> None:
        """Take this many pictures across and down."""
        super().__init__(id=id)
        self.count = columns * rows
        """How many pictures there is room for."""
        self._title, self._columns = title, columns
        self.styles.width = columns * (THUMB[0] + 1) + 1

    def compose(self) -> ComposeResult:
        """Mount the pictures."""
        yield Line()
        with Container() as grid:
            grid.styles.grid_size_columns = self._columns
            grid.styles.grid_columns = str(THUMB[0])
            grid.styles.grid_rows = str(THUMB[1] + 1)
            for _ in range(self.count):
                yield Glance()

    def on_mount(self) -> None:
        """Write the title, which stays."""
        self.query_one(Line).say(self._title)

    def show(self, pictures: Sequence[Pixels | None], words: Sequence[str]) -> None:
        """Show these pictures with their words, as many as there is room for."""
        for glance, picture, word in zip(self.query(Glance), pictures, words, strict=True):
            glance.show(picture, word)
