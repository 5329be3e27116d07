"""State of the map screen: the part that is shown, the cursor, the chosen classes, and the texts about them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from vaetui.engine.answers import ClassAnswer, ClusterPath, NearestImageAnswer, Unreadable, format_path
from vaetui.engine.classes import ClassList
from vaetui.engine.events import ImageMap, MapCluster
from vaetui.errors import format_count
from vaetui.tui.presenters.class_colours import get_class_style
from vaetui.tui.presenters.cluster_text import truncate_name
from vaetui.tui.presenters.line_dialogue import Choice
from vaetui.tui.presenters.scatter import (
    MIXED,
    NO_CLASS,
    NO_POINTS,
    ZOOM_STEP,
    LabelPlacer,
    PlotLabel,
    Raster,
    Viewport,
    rasterise,
)
from vaetui.tui.presenters.styled_text import Piece

MOVES = {"left": (-2, 0), "right": (2, 0), "up": (0, -1), "down": (0, 1)}
"""Cells by which the cursor moves, (columns, rows): about equal distances on the screen."""
FAST_FACTOR = 8
"""How much further the keys for long moves go."""
NO_CLASS_TEXT = "no class"
"""Name of the images without a class in the legend."""
MIXED_LETTER, NO_CLASS_LETTER = "+", "·"
"""Stand for cells of several classes, and of images without a class."""
SPARE_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
"""Letters of classes whose name has no free one."""
CURSOR_STYLE = "bold reverse"
"""Rich style of the cursor."""
UNNAMED_LETTER = "?"
"""Letter of the classes for which no letter is left."""
MAX_LABEL_NAME_CELLS = 12
"""Cells of a class name on the map."""
MIN_LEGEND_CELLS = 14
"""Cells of the legend without classes; its longest note takes so many."""
MAX_ALL_PAIRS_CLASSES = 30
"""With more classes, the filter offers only the pairs with confused images."""
NO_LABELLING_HINT = "The run is finished: no cluster waits for an answer"
NO_CLUSTER_HINT = "No cluster of the round has most images in these classes"
NO_CLUSTER_TEXT = "No cluster here"
NO_CLASSES_NOTE = "No predictions yet: clusters are shown apart"

MapAction: TypeAlias = Literal["close", "filter", "jump", "show_all"]
"""What the screen does after a key."""


@dataclass(frozen=True, slots=True, eq=False)
class MapFrame:
    """What the map shows at one moment."""

    raster: Raster
    """The points of the chosen classes."""
    labels: Sequence[PlotLabel]
    """Class names and cluster numbers."""
    cursor_cell: tuple[int, int]
    """Column and row of the cursor."""
    hidden_label_count: int
    """Cluster numbers in this part of the plane for which there was no room."""


class MapPresenter:
    """Handles keys of the map and describes what they show."""

    def __init__(self, classes: ClassList, can_label: bool, draws_letters: bool = False) -> None:
        """Start without a map; `can_label` is whether a round waits for answers."""
        self.image_map: ImageMap | None = None
        """The map; None until it is computed."""
        self.viewport = Viewport()
        """The part that is shown."""
        self.cursor = (0.5, 0.5)
        """The position of the cursor, in the coordinates of the map."""
        self.draws_letters = draws_letters
        """Whether cells show the letter of their class in place of dots."""
        self.shows_clusters = True
        """Whether the cluster numbers are shown."""
        self.chosen_class_ids: tuple[int, ...] = ()
        """The classes that are shown alone; empty for all."""
        self.hint = ""
        """Why the last key did nothing, or ""."""
        self._classes, self._can_label = classes, can_label
        self._size = (1, 1)
        self._points = np.empty((0, 2), np.float32)
        self._class_ids = np.empty(0, np.int64)
        self._class_positions: dict[int, tuple[float, float]] = {}
        self._raster: Raster | None = None
        self.class_counts: dict[int, int] = {}
        """Images on the map by class, ascending; -1 are those without a class."""
        self.letters: dict[int, str] = {}
        """The letter of each class on the map."""

    def show_map(self, image_map: ImageMap, chosen_class_ids: tuple[int, ...] = (), focus: ClusterPath = ()) -> None:
        """Show a map from its start, with the chosen classes alone, and the cursor at a cluster, if given."""
        self.image_map, self.chosen_class_ids = image_map, chosen_class_ids
        ids, counts = np.unique(image_map.class_ids, return_counts=True)
        self.class_counts = dict(zip(ids.tolist(), counts.tolist(), strict=True))
        self.letters = assign_letters(self._classes, [class_id for class_id in self.class_counts if class_id >= 0])
        is_shown = np.isin(image_map.class_ids, chosen_class_ids) if chosen_class_ids else np.s_[:]
        self._points, self._class_ids = image_map.points[is_shown], image_map.class_ids[is_shown]
        self._class_positions = {
            class_id: _find_median(self._points[self._class_ids == class_id])
            for class_id in self.letters
            if class_id in self._class_ids
        }
        self._raster = None
        self.reset_view()
        positions = [cluster.position for cluster in self.shown_clusters if cluster.path[: len(focus)] == focus]
        if focus and positions:
            self._set_cursor(positions[0])  # of a split cluster, the first part

    def resize(self, columns: int, rows: int) -> None:
        """Set the size of the map in cells."""
        if (columns, rows) != self._size:
            self._size = max(columns, 1), max(rows, 1)
            self._raster = None
            self._set_cursor(self.cursor)

    def reset_view(self) -> None:
        """Show the whole map, with the cursor in its middle."""
        self._set_viewport(Viewport())
        self._set_cursor((0.5, 0.5))

    def handle_key(self, key: str) -> MapAction | None:
        """Handle a key by name; return what is left to the screen."""
        self.hint = ""
        if key in ("close", "filter"):
            if key == "close" and self.chosen_class_ids:
                return "show_all"
            return "close" if key == "close" else "filter"
        if self.image_map is None:
            return None
        name, _, extent = key.partition("_")
        match name:
            case "left" | "right" | "up" | "down":
                factor = FAST_FACTOR if extent == "far" else 1
                self._move_cursor(MOVES[name][0] * factor, MOVES[name][1] * factor)
            case "zoom":
                self._zoom(ZOOM_STEP if extent == "in" else 1 / ZOOM_STEP)
            case "reset":
                self.reset_view()
            case "next" | "previous":
                self._move_to_open_cluster(1 if name == "next" else -1)
            case "letters":
                self.draws_letters = not self.draws_letters
            case "clusters":
                self.shows_clusters = not self.shows_clusters
            case "jump":
                return self._check_jump()
        return None

    @property
    def shown_clusters(self) -> Sequence[MapCluster]:
        """The clusters of the round; with chosen classes, those of which most images are in them."""
        if self.image_map is None:
            return ()
        chosen = self.chosen_class_ids
        return [cluster for cluster in self.image_map.clusters if not chosen or cluster.class_id in chosen]

    @property
    def nearest_cluster(self) -> MapCluster | None:
        """The cluster nearest to the cursor on the screen; None if no cluster is shown."""
        clusters = self.shown_clusters
        if not clusters:
            return None
        # A cell is about twice as high as wide, so the distance counts columns once and rows twice.
        columns, rows = self._size
        offsets = np.array([cluster.position for cluster in clusters]) - self.cursor
        distances = np.hypot(offsets[:, 0] * columns, 2 * offsets[:, 1] * rows)
        return clusters[int(distances.argmin())]

    def build_frame(self) -> MapFrame:
        """Return what the map shows now."""
        columns, rows = self._size
        if self._raster is None:
            self._raster = rasterise(self._points, self._class_ids, self.viewport, columns, rows)
        cursor_column, cursor_row = self._find_cell(self.cursor)
        placer, hidden_count = LabelPlacer(columns, rows), 0
        nearest_cluster = self.nearest_cluster
        if self.shows_clusters and nearest_cluster is not None:
            text = self._format_cluster_label(nearest_cluster)
            placer.place(self._find_cell(nearest_cluster.position), text, cell_len(text), "bold reverse")
        for class_id, position in self._class_positions.items():
            text = f" {truncate_name(self._classes.names[class_id], MAX_LABEL_NAME_CELLS)} "
            style = f"bold reverse {get_class_style(class_id)}"
            placer.place(self._find_cell(position), text, cell_len(text), style)
        if self.shows_clusters:
            for cluster in sorted(self.shown_clusters, key=lambda cluster: -cluster.size):
                cell, text = self._find_cell(cluster.position), self._format_cluster_label(cluster)
                is_inside = 0 <= cell[0] < columns and 0 <= cell[1] < rows
                if cluster is not nearest_cluster and is_inside:
                    hidden_count += not placer.place(cell, text, cell_len(text), "bold")
        return MapFrame(self._raster, placer.labels, (cursor_column, cursor_row), hidden_count)

    def count_legend_cells(self, max_cells: int) -> int:
        """Return the cells that the longest line of the legend needs, at most `max_cells`."""
        entries = [
            f"· {NO_CLASS_TEXT if class_id == NO_CLASS else self._classes.names[class_id]} {count:,}"
            for class_id, count in self.class_counts.items()
        ]
        return min(max([MIN_LEGEND_CELLS, *map(cell_len, entries)]), max_cells)

    def list_legend(self, frame: MapFrame, rows: int, cells: int) -> list[list[Piece]]:
        """Return at most `rows` lines of at most `cells` cells: classes with their letter and number of images."""
        lines: list[list[Piece]] = []
        class_ids = [class_id for class_id in self.letters if class_id in (self.chosen_class_ids or self.letters)]
        notes = self._list_legend_notes(frame)
        room = max(rows - len(notes), 1)
        hidden_count = 0
        if len(class_ids) > room:
            class_ids.sort(key=lambda class_id: -self.class_counts[class_id])
            hidden_count = len(class_ids) - room + 1
            class_ids = sorted(class_ids[: room - 1])
        for class_id in class_ids:
            count = f"{self.class_counts[class_id]:,}"
            name, letter = self._classes.names[class_id], self.letters[class_id]
            name_cells = cells - cell_len(count) - 3
            name = "" if name == letter else truncate_name(name, max(name_cells, 1))
            gap = " " * max(name_cells - cell_len(name), 0)
            lines.append([(letter, f"bold {get_class_style(class_id)}"), (f" {name}{gap} {count}", "")])
        if hidden_count:
            lines.append([(truncate_name(f"and {hidden_count} more", cells), "dim")])
        lines += [[(truncate_name(note, cells), "dim")] for note in notes]
        return lines[:rows]

    def describe_view(self) -> str:
        """Return the round, the number of images and the zoom, for the header."""
        image_map = self.image_map
        if image_map is None:
            return "map"
        images = format_count(image_map.image_count, "image")
        if len(image_map.points) < image_map.image_count:
            images = f"{len(image_map.points):,} of {images}"
        zoom = f"   zoom {self.viewport.zoom:g}x" if self.viewport.zoom != 1 else ""
        return f"map of round {image_map.round_number}   {images}{zoom}"

    def describe_cursor(self) -> str:
        """Return the nearest cluster with its answer or most frequent class, for the prompt."""
        cluster = self.nearest_cluster
        if cluster is None:
            return "" if self.image_map is None else NO_CLUSTER_TEXT
        text = f"Cluster {format_path(cluster.path)}"
        match cluster.answer:
            case ClassAnswer(class_id, _):
                text += f" = {self._classes.names[class_id]}"
            case NearestImageAnswer(class_id):
                text += f" = {self._classes.names[class_id]}, nearest image alone"
            case Unreadable():
                text += " unreadable"
            case _ if cluster.class_id >= 0:
                text += f" open, mostly {self._classes.names[cluster.class_id]}"
            case _:
                text += " open"
        return f"{text}, {format_count(cluster.size, 'image')}"

    def describe_filter(self) -> str:
        """Return the names of the chosen classes; "all classes" without a choice."""
        names = [self._classes.names[class_id] for class_id in self.chosen_class_ids]
        return f"{' and '.join(names)} alone" if names else "all classes"

    def list_filter_choices(self) -> list[Choice]:
        """Return pairs of classes, most confused first, then single classes, and all classes if some are chosen."""
        image_map = self.image_map
        if image_map is None:
            return []
        names = self._classes.names
        counts = Counter({(first, second): count for first, second, count in image_map.confusions})
        class_ids = list(self.letters)
        if len(class_ids) <= MAX_ALL_PAIRS_CLASSES:
            pairs = [(first, second) for first in class_ids for second in class_ids if first < second]
            counts.update(dict.fromkeys(pairs, 0))
        choices = [Choice("all classes", ())] if self.chosen_class_ids else []
        for (first, second), count in sorted(counts.items(), key=lambda item: -item[1]):
            detail = f"{format_count(count, 'image')} of one nearer to the other" if count else ""
            choices.append(Choice(f"{names[first]} and {names[second]}", (first, second), detail))
        for class_id in class_ids:
            count_text = format_count(self.class_counts[class_id], "image")
            choices.append(Choice(names[class_id], (class_id,), count_text))
        return choices

    def _list_legend_notes(self, frame: MapFrame) -> list[str]:
        notes = []
        if (frame.raster.class_ids == MIXED).any():
            notes.append(f"{MIXED_LETTER if self.draws_letters else '⣿'} several")
        if NO_CLASS in self.class_counts and not self.chosen_class_ids:
            letter = NO_CLASS_LETTER if self.draws_letters else "⠂"
            notes.append(f"{letter} {NO_CLASS_TEXT} {self.class_counts[NO_CLASS]:,}")
        if self.chosen_class_ids:
            hidden_count = len(self.image_map.points) - len(self._points) if self.image_map else 0
            notes.append(f"hidden {hidden_count:,}")
        if self.image_map is not None and self.image_map.clusters and self.shows_clusters:
            has_nearest = any(isinstance(cluster.answer, NearestImageAnswer) for cluster in self.image_map.clusters)
            nearest = ["#1~a nearest"] if has_nearest else []
            notes += ["", "#1 cluster", "#1=a answered", *nearest, "#1– unreadable"]
        if frame.hidden_label_count:
            notes.append(f"{frame.hidden_label_count} # hidden")
        return notes

    def _format_cluster_label(self, cluster: MapCluster) -> str:
        text = f"#{format_path(cluster.path)}"
        match cluster.answer:
            case ClassAnswer(class_id, _):
                text += f"={self.letters.get(class_id, UNNAMED_LETTER)}"
            case NearestImageAnswer(class_id):
                text += f"~{self.letters.get(class_id, UNNAMED_LETTER)}"
            case Unreadable():
                text += "–"
        return f" {text} " if self.draws_letters else text  # apart from the letters around

    def _check_jump(self) -> MapAction | None:
        if not self._can_label:
            self.hint = NO_LABELLING_HINT
        elif self.nearest_cluster is None:
            self.hint = NO_CLUSTER_HINT
        else:
            return "jump"
        return None

    def _move_to_open_cluster(self, step: int) -> None:
        """Move to the next cluster without an answer, in the order of the numbers; to any if all have one."""
        clusters, nearest_cluster = list(self.shown_clusters), self.nearest_cluster
        if nearest_cluster is None:
            self.hint = NO_CLUSTER_HINT
            return
        start = clusters.index(nearest_cluster)
        order = [clusters[(start + step * offset) % len(clusters)] for offset in range(1, len(clusters) + 1)]
        is_at_cluster = self._find_cell(self.cursor) == self._find_cell(nearest_cluster.position)
        if not is_at_cluster and nearest_cluster.answer is None:
            order.insert(0, nearest_cluster)
        target = next((cluster for cluster in order if cluster.answer is None), order[0])
        self._set_cursor(target.position)

    def _move_cursor(self, columns: int, rows: int) -> None:
        """Move the cursor by cells, from the middle of one to the middle of another."""
        side, (column_count, row_count) = self.viewport.side, self._size
        column, row = self._find_cell(self.cursor)
        left, top = self.viewport.x - side / 2, self.viewport.y + side / 2
        x = left + (column + columns + 0.5) * side / column_count
        y = top - (row + rows + 0.5) * side / row_count
        self._set_cursor((x, y))

    def _zoom(self, factor: float) -> None:
        viewport = self.viewport.zoom_at(self.cursor, factor)
        if viewport == self.viewport:
            self.hint = "The map cannot be enlarged further" if factor > 1 else "The map cannot be reduced further"
        self._set_viewport(viewport)

    def _set_cursor(self, position: tuple[float, float]) -> None:
        """Move the cursor, but not away from all points, and scroll so far that it is visible."""
        low, high = self._find_limits()
        self.cursor = (
            min(max(position[0], float(low[0])), float(high[0])),
            min(max(position[1], float(low[1])), float(high[1])),
        )
        half_cell = (self.viewport.side / (2 * self._size[0]), self.viewport.side / (2 * self._size[1]))
        self._set_viewport(self.viewport.scroll_to(self.cursor, half_cell))

    def _set_viewport(self, viewport: Viewport) -> None:
        if viewport != self.viewport:
            self.viewport, self._raster = viewport, None

    def _find_limits(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the smallest and largest coordinates of the square from 0 to 1 and of all points."""
        corners = np.array([[0.0, 0.0], [1.0, 1.0]])
        points = np.concatenate([corners, self._points]) if len(self._points) else corners
        return points.min(axis=0), points.max(axis=0)

    def _find_cell(self, position: tuple[float, float]) -> tuple[int, int]:
        column, row = self.viewport.find_cells(np.array([position]), *self._size)[0].tolist()
        return column, row


def assign_letters(classes: ClassList, class_ids: Sequence[int]) -> dict[int, str]:
    """Return one letter for each class: its name if that is one letter, else the first free one of its name."""
    letters = {class_id: name for class_id in class_ids if cell_len(name := classes.names[class_id]) == 1 == len(name)}
    for class_id in class_ids:
        if class_id not in letters:
            candidates = [letter for letter in classes.names[class_id] if letter.isalnum() and cell_len(letter) == 1]
            taken = {*letters.values()}
            letters[class_id] = next(
                (letter for letter in [*candidates, *SPARE_LETTERS] if letter not in taken), UNNAMED_LETTER
            )
    return {class_id: letters[class_id] for class_id in class_ids}


def build_lines(frame: MapFrame, letters: dict[int, str] | None) -> list[list[Piece]]:
    """Return the rows of a map as texts with their styles; with `letters`, cells show those in place of dots."""
    raster, (cursor_column, cursor_row) = frame.raster, frame.cursor_cell
    codes = np.where(raster.class_ids == NO_POINTS, ord(" "), 0x2800 + raster.dot_codes)
    if letters is not None:
        codes = np.full(codes.shape, ord(" "))
        all_letters = {MIXED: MIXED_LETTER, NO_CLASS: NO_CLASS_LETTER, **letters}
        for class_id in np.unique(raster.class_ids).tolist():
            codes[raster.class_ids == class_id] = ord(all_letters.get(class_id, " "))
    rows, columns = codes.shape
    texts = [row.astype("<u4").tobytes().decode("utf-32-le") for row in codes]
    labels_by_row: dict[int, list[PlotLabel]] = {}
    for label in sorted(frame.labels, key=lambda label: label.column):
        labels_by_row.setdefault(label.row, []).append(label)
    lines = []
    for row in range(rows):
        class_ids = raster.class_ids[row]
        breaks = [0, *(np.flatnonzero(np.diff(class_ids)) + 1).tolist(), columns]
        pieces = [
            (start, texts[row][start:end], _get_style(int(class_ids[start])))
            for start, end in itertools.pairwise(breaks)
        ]
        labels = labels_by_row.get(row, [])
        if row == cursor_row and not any(_touches(label, cursor_column) for label in labels):
            for offset, text in ((-1, "["), (0, None), (1, "]")):
                if 0 <= cursor_column + offset < columns:
                    pieces = _overlay(pieces, cursor_column + offset, text, CURSOR_STYLE)
        for label in labels:
            pieces = _overlay(pieces, label.column, label.text, label.style)
        lines.append([(text, style) for _, text, style in pieces])
    return lines


def _touches(label: PlotLabel, column: int) -> bool:
    """Return whether a label covers a cell of the cursor, which is then left out: it is at the label."""
    return label.column <= column + 1 and column - 1 < label.column + cell_len(label.text)


def _get_style(class_id: int) -> str:
    if class_id >= 0:
        return get_class_style(class_id)
    return "dim" if class_id in (MIXED, NO_CLASS) else ""


def _overlay(
    pieces: list[tuple[int, str, str]], column: int, text: str | None, style: str
) -> list[tuple[int, str, str]]:
    """Return pieces (column, text, style) in which a text replaces what is below it; None restyles one character."""
    result: list[tuple[int, str, str]] = []
    end = column + (1 if text is None else cell_len(text))
    for start, piece_text, piece_style in pieces:
        piece_end = start + cell_len(piece_text)
        if piece_end <= column or start >= end:
            result.append((start, piece_text, piece_style))
            continue
        if text is None and cell_len(piece_text) != len(piece_text):
            result.append((start, piece_text, f"{piece_style} {style}"))  # wide characters are not cut apart
            continue
        if start < column:
            result.append((start, piece_text[: column - start], piece_style))
        if start <= column:
            below = piece_text[column - start : column - start + 1]
            result.append((column, text, style) if text is not None else (column, below, f"{piece_style} {style}"))
        if piece_end > end:
            result.append((end, piece_text[end - start :], piece_style))
    return result


def _find_median(points: NDArray[np.float32]) -> tuple[float, float]:
    x, y = np.median(points, axis=0).tolist()
    return x, y
