"""Compare the screens painted by text before and after its compression."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.style import Style

from tests.tui.digit_images import draw_digit
from vaetui.tui.terminal.ansi_compression import compress_ansi
from vaetui.tui.widgets.text_images import fit_image, render_half_blocks

COLOURS = [None, "default", "red", "bright_blue", "color(240)", "#123456", "#808080", "#000000", "#ffffff"]
STYLES = st.builds(
    Style, color=st.sampled_from(COLOURS), bgcolor=st.sampled_from(COLOURS),
    bold=st.booleans(), underline=st.booleans(), reverse=st.booleans(),
)  # fmt: skip
TEXTS = st.sampled_from([" ", "   ", "a", "▀", "b c", "\n", "\x1b[2;3H", "\x1b[5;1H"])


def paint(text: str) -> list[list[tuple[object, ...]]]:
    """Return the visible cells after the text; blanks have no text colour unless underlined or reversed."""
    screen = pyte.Screen(12, 6)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(text)
    cells = [[screen.buffer[row][column] for column in range(12)] for row in range(6)]
    return [
        [(cell.data, "" if cell.data == " " and not (cell.underscore or cell.reverse) else cell.fg,
          cell.bg, cell.bold and cell.data != " ", cell.underscore, cell.reverse) for cell in row]
        for row in cells
    ]  # fmt: skip


@given(st.lists(st.tuples(TEXTS, STYLES), max_size=20))
def test_compressed_text_paints_the_same_screen(spans: list[tuple[str, Style]]) -> None:
    console = Console(color_system="truecolor", force_terminal=True, legacy_windows=False)
    text = "".join(
        word if word.startswith("\x1b") else style.render(word, color_system=console._color_system)  # type: ignore[arg-type]
        for word, style in spans
    )
    assert paint(compress_ansi(text) + "z") == paint(text + "z")
    assert len(compress_ansi(text)) <= len(text) + len("\x1b[0m")


@pytest.mark.parametrize("label", range(10))
def test_compressed_picture_is_much_shorter_and_paints_the_same_screen(label: int) -> None:
    console = Console(color_system="truecolor", force_terminal=True, legacy_windows=False)
    strips = render_half_blocks(fit_image(draw_digit(label, seed=label), 12, 12))
    text = "".join(f"\x1b[{row + 1};1H{strip.render(console)}" for row, strip in enumerate(strips))
    assert paint(compress_ansi(text)) == paint(text)
    assert len(compress_ansi(text)) < 0.6 * len(text)


@pytest.mark.parametrize("graphics", ["\x1bPq#0\x1b\\", "\x1b_Ga=d\x1b\\", "\U0010eeee", "\x1b]22;default\x07"])
def test_text_with_terminal_graphics_is_unchanged(graphics: str) -> None:
    text = f"\x1b[1ma\x1b[0m{graphics}\x1b[38;2;128;128;128mb\x1b[0m"
    assert compress_ansi(text) == text


def test_text_after_a_reset_keeps_the_default_style() -> None:
    assert compress_ansi("\x1b[1;31ma\x1b[0mb") == "\x1b[1;31ma\x1b[0mb"
