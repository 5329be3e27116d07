"""Test that a partial frame writes the changed cells and no others."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from vaetui.tui.terminal.span_update import SpanUpdate

TEXTS = ("abcdefghij", "klmnopqrst")
"""Two widgets side by side."""


def render(spans: list[tuple[int, int, int]], texts: tuple[str, ...] = TEXTS) -> str:
    chops = [{10 * index: Strip([Segment(text)]) for index, text in enumerate(texts)}]
    update = ChopsUpdate(chops, spans, [[10, 20]])
    return SpanUpdate.from_update(update).render_segments(Console())


def show(sequences: str) -> str:
    screen = pyte.Screen(20, 1)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[1;1H" + "." * 20)
    stream.feed(sequences)
    return screen.display[0]


@pytest.mark.parametrize(
    ("spans", "line"),
    [
        ([(0, 2, 4)], "..cd................"),
        ([(0, 0, 20)], "abcdefghijklmnopqrst"),
        ([(0, 2, 3), (0, 7, 8)], "..c....h............"),
        ([(0, 8, 12), (0, 19, 20)], "........ijkl.......t"),
    ],
)
def test_only_the_cells_of_the_spans_are_written(spans: list[tuple[int, int, int]], line: str) -> None:
    assert show(render(spans)) == line


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(1, 20)), min_size=1, max_size=5))
def test_any_spans_show_their_cells_and_nothing_else(edges: list[tuple[int, int]]) -> None:
    spans = [(0, start, min(start + length, 20)) for start, length in edges]
    covered = {column for _, start, end in spans for column in range(start, end)}
    expected = "".join(character if column in covered else "." for column, character in enumerate("".join(TEXTS)))
    sequences = render(spans)
    assert show(sequences) == expected


def test_wide_character_at_the_edge_of_a_span_moves_nothing() -> None:
    assert show(render([(0, 4, 6)], ("ab猫defghi", TEXTS[1]))) == "....de.............."
