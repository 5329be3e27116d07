"""Makes the README's screenshots: python -m tests.benchmarks.pictures TRAINING LABELLING FINISHED READ.

The names are those of sessions in these states; the first is trained on for a while, the last has a reading test. The
program runs in a real pseudo-terminal, and what stands on it is drawn cell by cell, with the font DejaVu Sans Mono.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from pyte.screens import Char, Screen

from tests.terminal import ScriptedTerminal

ASSETS = Path(__file__).parents[2] / "assets"
WIDE, TALL = 9, 18
INK, PAPER = (224, 224, 224), (18, 18, 18)
BRAILLE = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
"""Column and row of each dot of a braille character, by its bit."""
Colour = tuple[int, int, int]


def colour(name: str, otherwise: Colour) -> Colour:
    try:
        return tuple(bytes.fromhex(name))  # type: ignore[return-value]
    except ValueError:
        return otherwise


def draw_cell(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, x: int, y: int, cell: Char) -> None:
    ink, paper = colour(cell.fg, INK), colour(cell.bg, PAPER)
    if cell.reverse:
        ink, paper = paper, ink
    draw.rectangle((x, y, x + WIDE - 1, y + TALL - 1), fill=paper)
    if cell.data == "▀":
        draw.rectangle((x, y, x + WIDE - 1, y + TALL // 2 - 1), fill=ink)
    elif "\u2800" <= cell.data <= "\u28ff":
        for bit, (column, row) in enumerate(BRAILLE):
            if (ord(cell.data) - 0x2800) >> bit & 1:
                left, top = x + 1 + 4 * column, y + 2 + 4 * row
                draw.rectangle((left, top, left + 2, top + 2), fill=ink)
    elif cell.data.strip():
        draw.text((x, y), cell.data, font=font, fill=ink)


def draw(screen: Screen, path: Path) -> None:
    font = ImageFont.truetype("DejaVuSansMono.ttf", 15)
    image = Image.new("RGB", (screen.columns * WIDE, screen.lines * TALL), PAPER)
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            draw_cell(ImageDraw.Draw(image), font, column * WIDE, row * TALL, cell)
    image.quantize(64).save(path, optimize=True)


def picture(session: str, file: str, size: tuple[int, int], seen: str, gone: str = "") -> None:
    """Show a session until something is to be seen and something else is gone, and keep the screen."""
    terminal = ScriptedTerminal(["-m", "vaetui", "resume", session], size)
    terminal.wait_for_text(seen, timeout_s=120)
    if gone:
        terminal.wait_until_quiet(1)
        terminal.wait_until(lambda: gone not in terminal.text(), timeout_s=120)
        terminal.wait_until_quiet(1)
    else:
        terminal.wait_for_text("saved")
    draw(terminal.screen, ASSETS / file)
    terminal.send(b"q")
    terminal.close(timeout_s=30)


def reading(session: str, file: str, size: tuple[int, int]) -> None:
    """Show the reading test of a finished session, and keep the screen."""
    terminal = ScriptedTerminal(["-m", "vaetui", "resume", session], size)
    terminal.wait_for_text("Leave with q", timeout_s=120)
    terminal.wait_until_quiet(8)  # until then the images are being loaded
    terminal.send(b"t")
    terminal.wait_for_text("what do you read", timeout_s=30)
    terminal.wait_until_quiet(1)
    draw(terminal.screen, ASSETS / file)
    terminal.send(b"q")
    terminal.close(timeout_s=30)


def main(training: str, labelling: str, finished: str, read: str) -> None:
    reading(read, "reading.png", (80, 24))
    picture(finished, "summary.png", (100, 30), "Leave with q", "loading")
    picture(labelling, "labelling.png", (120, 40), "class?", "loading")
    picture(labelling, "labelling-80x24.png", (80, 24), "class?", "loading")
    picture(training, "training.png", (80, 24), "img/s")


if __name__ == "__main__":
    main(*sys.argv[1:])
