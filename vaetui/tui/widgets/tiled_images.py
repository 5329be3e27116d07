"""A widget that draws many images and the text around them by itself: fewer widgets make every key faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.styled_text import Piece, count_cells
from vaetui.tui.widgets.picture import get_picture_mode
from vaetui.tui.widgets.terminal_graphics import PaintedWidget, is_painted
from vaetui.tui.widgets.text_images import (
    QuantisedImage,
    find_changed_spans,
    fit_image,
    render_ascii,
    render_half_blocks,
)

LOADING_TEXT = "loading the images …"
ASCII_STYLE = Style.parse("white on black")
Cells: TypeAlias = tuple[int, int]


class Place(NamedTuple):
    """Where an image is drawn."""

    x: int
    """First column in the widget."""
    y: int
    """First row in the widget."""
    cells: Cells
    """Columns and rows."""


@dataclass(slots=True)
class _Tile:
    """An image at its place."""

    place: Place
    pixels: Pixels | None = None
    image: QuantisedImage | None = None
    lines: list[Strip] = field(default_factory=list)


class TiledImages(PaintedWidget):
    """Images at places that can change, and lines of text around them; a place without an image shows nothing.

    Only cells that differ are painted again. In the modes in which the terminal draws, the cells are blank.
    """

    COMPONENT_CLASSES = {"tiles--focus", "tiles--open", "tiles--dim", "tiles--strong"}  # noqa: RUF012 (as in Textual)
    DEFAULT_CSS = """
    TiledImages > .tiles--focus { color: $primary; text-style: bold; }
    TiledImages > .tiles--open { color: $foreground; text-style: bold reverse; }
    TiledImages > .tiles--dim { color: $foreground 60%; }
    TiledImages > .tiles--strong { color: $foreground; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        """Create a widget without images."""
        super().__init__(id=id, classes=classes)
        self._tiles: list[_Tile] = []
        self._texts: dict[int, dict[int, tuple[Piece, ...]]] = {}  # by row and column
        self._base_style = Style()  # that of the last frame, as it is expensive to compute

    def list_images(self) -> Sequence[tuple[Region, Pixels | None]]:
        """Return the cells and the image at each place."""
        return [(Region(tile.place.x, tile.place.y, *tile.place.cells), tile.pixels) for tile in self._tiles]

    @property
    def places(self) -> Sequence[Place]:
        """The places of the images."""
        return [tile.place for tile in self._tiles]

    @property
    def shown_images(self) -> list[Pixels | None]:
        """The image at each place."""
        return [tile.pixels for tile in self._tiles]

    @property
    def text(self) -> str:
        """The text around the images, one line for each row that has any."""
        rows = []
        for _, row in sorted(self._texts.items()):
            line = ""
            for x, pieces in sorted(row.items()):
                line = f"{line:<{x}}" + "".join(text for text, _ in pieces)
            rows.append(line)
        return "\n".join(rows)

    def place_images(self, places: Sequence[Place]) -> None:
        """Set the places of the images; if they differ from the present ones, remove all images and texts."""
        if list(places) != self.places:
            self._tiles = [_Tile(place) for place in places]
            self._texts.clear()
            self.refresh()

    def draw_image(self, index: int, pixels: Pixels | None) -> None:
        """Show an image, [H, W] or [H, W, 3], at a place, or nothing for None; repaint only the cells that differ."""
        tile = self._tiles[index]
        if pixels is tile.pixels:
            return
        had_image, tile.pixels = tile.pixels is not None, pixels
        if not is_painted():
            self._draw_tile(tile)
        elif had_image and pixels is None:
            self.refresh(Region(tile.place.x, tile.place.y, *tile.place.cells))
        else:
            self.request_painting()

    def draw_images(self, images: Sequence[Pixels | None]) -> None:
        """Show the images at the first places and nothing at the others."""
        for index in range(len(self._tiles)):
            self.draw_image(index, images[index] if index < len(images) else None)

    def write_text(self, x: int, y: int, pieces: Iterable[Piece], width: int | None = None) -> None:
        """Write text at a column and a row in place of the text there, filled with blanks up to `width` cells."""
        content = tuple(piece for piece in pieces if piece[0])
        row = self._texts.setdefault(y, {})
        previous = row.get(x, ())
        if width is not None:
            missing = width - count_cells(content)
            content += ((" " * missing, ""),) if missing > 0 else ()
        if content == previous:
            return
        if content:
            row[x] = content
        else:
            del row[x]
        self.refresh(Region(x, y, max(count_cells(content), count_cells(previous)), 1))

    def write_frame(self, place: Place, is_shown: bool = True, has_lower_side: bool = True) -> None:
        """Draw a heavy frame around a place, or remove it; without its lower side, only the corners are there."""
        x, y, (columns, rows) = place
        sides = [(x - 1, y - 1, f"┏{'━' * columns}┓")]
        sides += [(column, y + line, "┃") for line in range(rows) for column in (x - 1, x + columns)]
        if has_lower_side:
            sides.append((x - 1, y + rows, f"┗{'━' * columns}┛"))
        else:
            sides += [(x - 1, y + rows, "┗"), (x + columns, y + rows, "┛")]
        for column, line, text in sides:
            self.write_text(column, line, [(text, "focus")] if is_shown else ())

    def redraw(self) -> None:
        """Draw all images again after a change of the mode."""
        for tile in self._tiles:
            tile.image, tile.lines = None if is_painted() else _fit_tile(tile), []
        self.attach_painter()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows of cells in a region."""
        self._base_style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        base = self._base_style
        parts = [(x, self._render_pieces(pieces)) for x, pieces in self._texts.get(y, {}).items()]
        for tile in self._tiles:
            if tile.image is not None and 0 <= y - tile.place.y < tile.place.cells[1]:
                parts.append((tile.place.x, self._render_tile(tile)[y - tile.place.y]))
        width, strips, column = self.size.width, [], 0
        for x, strip in sorted(parts, key=lambda part: part[0]):
            if x > column:
                strips.append(Strip.blank(x - column, base))
            strips.append(strip)
            column = x + strip.cell_length
        if column < width:
            strips.append(Strip.blank(width - column, base))
        return Strip.join(strips).crop(0, width)

    def _draw_tile(self, tile: _Tile) -> None:
        (columns, rows), previous = tile.place.cells, tile.image
        image = _fit_tile(tile)
        if image is not None and previous is not None and image.shape == previous.shape:
            spans = find_changed_spans(previous, image)
        else:
            spans = [(row, 0, columns) for row in range(rows)]
        if spans:
            tile.image, tile.lines = image, []
            x, y, _ = tile.place
            self.refresh(*(Region(x + column, y + row, count, 1) for row, column, count in spans))

    def _render_tile(self, tile: _Tile) -> list[Strip]:
        if not tile.lines and tile.image is not None:
            if get_picture_mode() == "ascii":
                tile.lines = [line.apply_style(ASCII_STYLE) for line in render_ascii(tile.image)]
            else:
                tile.lines = render_half_blocks(tile.image)
        return tile.lines

    def _render_pieces(self, pieces: Sequence[Piece]) -> Strip:
        segments = [Segment(text, self._get_piece_style(style)) for text, style in pieces]
        return Strip(segments, count_cells(pieces))

    def _get_piece_style(self, name: str) -> Style:
        """Return the style of a piece: that of a component, or a Rich style such as a colour."""
        component = f"tiles--{name}"
        if component in self.COMPONENT_CLASSES:
            return self.get_component_rich_style(component)
        return self._base_style + Style.parse(name) if name else self._base_style


def list_grid_places(grid: GridLayout, x: int = 1, y: int = 1) -> list[Place]:
    """Return the places of a grid, row by row, of which the first image is at a column and a row of the widget."""
    return [
        Place(x + column * grid.column_cells, y + row * grid.row_cells, grid.image_cells)
        for row in range(grid.rows)
        for column in range(grid.columns)
    ]


def _fit_tile(tile: _Tile) -> QuantisedImage | None:
    """Return the image as it is drawn with text; None for no image, and in the mode without pictures."""
    if tile.pixels is None or get_picture_mode() == "none":
        return None
    columns, rows = tile.place.cells
    return fit_image(tile.pixels, columns, 2 * rows)
