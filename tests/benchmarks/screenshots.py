"""Make the screenshots of the documentation.

python -m tests.benchmarks.screenshots TRAINING LABELLING FINISHED READING AUDITED
python -m tests.benchmarks.screenshots PHOTOGRAPHS

The arguments name sessions in these states. TRAINING is trained for a moment, READING needs finished epochs, and
AUDITED a finished audit, as `vaetui simulate --audit full --keep AUDITED` leaves one. PHOTOGRAPHS is a session with
features in its first round, of the images that `tests.benchmarks.photograph_crops` makes. The program runs in a real
pseudo-terminal, and its screen is drawn cell by cell with the font DejaVu Sans Mono.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from pyte.screens import Char, Screen

from tests.terminal import ScriptedTerminal

ASSETS = Path(__file__).parents[2] / "assets"
CELL_WIDTH, CELL_HEIGHT = 9, 18
FOREGROUND, BACKGROUND = (224, 224, 224), (18, 18, 18)
BRAILLE_DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
"""Column and row of each dot of a braille character, by its bit."""
SIZES = [(80, 24), (120, 40), (200, 60)]
"""Columns and rows of the screens that are drawn at several sizes."""
Colour = tuple[int, int, int]


def parse_colour(name: str, default: Colour) -> Colour:
    """Return the colour of a hexadecimal name."""
    try:
        return tuple(bytes.fromhex(name))  # type: ignore[return-value]
    except ValueError:
        return default


def draw_cell(draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, x: int, y: int, cell: Char) -> None:
    """Draw one character cell with its top left corner at x, y."""
    foreground, background = parse_colour(cell.fg, FOREGROUND), parse_colour(cell.bg, BACKGROUND)
    if cell.reverse:
        foreground, background = background, foreground
    draw.rectangle((x, y, x + CELL_WIDTH - 1, y + CELL_HEIGHT - 1), fill=background)
    if cell.data == "▀":
        draw.rectangle((x, y, x + CELL_WIDTH - 1, y + CELL_HEIGHT // 2 - 1), fill=foreground)
    elif "\u2800" <= cell.data <= "\u28ff":
        for bit, (column, row) in enumerate(BRAILLE_DOTS):
            if (ord(cell.data) - 0x2800) >> bit & 1:
                left, top = x + 1 + 4 * column, y + 2 + 4 * row
                draw.rectangle((left, top, left + 2, top + 2), fill=foreground)
    elif cell.data.strip():
        draw.text((x, y), cell.data, font=font, fill=foreground)


def save_screen(screen: Screen, file_name: str) -> None:
    """Draw a screen into a PNG file in assets/."""
    font = ImageFont.truetype("DejaVuSansMono.ttf", 15)
    image = Image.new("RGB", (screen.columns * CELL_WIDTH, screen.lines * CELL_HEIGHT), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for row in range(screen.lines):
        for column in range(screen.columns):
            draw_cell(draw, font, column * CELL_WIDTH, row * CELL_HEIGHT, screen.buffer[row][column])
    path = ASSETS / file_name
    path.parent.mkdir(exist_ok=True)
    image.quantize(256).save(path, optimize=True)


def capture(
    arguments: Sequence[str], file_name: str, size: tuple[int, int], text: str, steps: Sequence[tuple[bytes, str]] = ()
) -> None:
    """Run a command, wait until it has loaded, press keys and wait for their texts, and save the screen."""
    terminal = ScriptedTerminal(["-m", "vaetui", *arguments], size)
    terminal.wait_for_text(text)
    terminal.wait_until_quiet(8)  # the images load in the meantime
    terminal.wait_until(lambda: "loading" not in terminal.text())
    for keys, text_after_keys in steps:
        terminal.send(keys)
        terminal.wait_for_text(text_after_keys)
        terminal.wait_until_quiet(1)
    save_screen(terminal.screen, file_name)
    terminal.close(0)


def capture_training(session: str, file_name: str, size: tuple[int, int]) -> None:
    """Save the screen of a session that trains, after its first checkpoint."""
    terminal = ScriptedTerminal(["-m", "vaetui", "resume", session], size)
    terminal.wait_for_text("img/s")
    terminal.wait_for_text("saved")
    save_screen(terminal.screen, file_name)
    terminal.send(b"q")
    terminal.close()


def capture_views(session: str) -> None:
    """Save the screens that open over a labelling round, the list of sessions and the settings, at three sizes."""
    views: dict[str, tuple[Sequence[str], str, Sequence[tuple[bytes, str]]]] = {
        "palette": (["resume", session], "mean distance", [(b":", "Command or cluster"), (b"cla", "List all classes")]),
        "history": (["resume", session], "mean distance", [(b"H", "correct")]),
        "members": (["resume", session], "mean distance", [(b"z", "full size")]),
        "zoom": (["resume", session], "mean distance", [(b"z", "full size"), (b"\r", "ember 1 of")]),
        "map": (["resume", session], "mean distance", [(b"M", "label it")]),
        "sessions": ([], session, []),
        "config": (["config"], "display.theme", []),
    }
    for name, (arguments, text, steps) in views.items():
        for columns, rows in SIZES:
            capture(arguments, f"screens/{name}-{columns}x{rows}.png", (columns, rows), text, steps)


def capture_reviews(session: str) -> None:
    """Save the screens of the review of a finished session, at three sizes."""
    opening = (b"w", "Image 1 of")
    views: dict[str, Sequence[tuple[bytes, str]]] = {
        "review": [opening, (b"..", "2 corrected")],
        "mixed": [opening, (b"m", "all classes: ")],
        "pairs": [opening, (b"p", "in doubt"), (b" ", "1 corrected")],
        "border": [opening, (b"b", "Do all of these fit")],
    }
    for name, steps in views.items():
        for columns, rows in SIZES:
            capture(
                ["resume", session], f"screens/{name}-{columns}x{rows}.png", (columns, rows), "one more round", steps
            )


def capture_audits(session: str) -> None:
    """Save an image and a page of an audit of a finished session, at three sizes; the audits end without a result."""
    for columns, rows in SIZES:
        terminal = ScriptedTerminal(["-m", "vaetui", "audit", session, "--plan", "full"], (columns, rows))
        terminal.wait_for_text("Image 1: which class?")
        terminal.wait_until_quiet(1)
        save_screen(terminal.screen, f"screens/audit-image-{columns}x{rows}.png")
        for image in range(2, 32):
            terminal.send(b"3")
            terminal.wait_for_text(f"Image {image}: " if image < 31 else "Are these all")
            terminal.wait_until_quiet(0.2)
        terminal.send(b"l")  # to the right
        terminal.wait_until_quiet(0.5)
        terminal.send(b"4")
        terminal.wait_for_text("■ 4")
        terminal.wait_until_quiet(1)
        save_screen(terminal.screen, f"screens/audit-page-{columns}x{rows}.png")
        terminal.send(b"X")
        terminal.wait_for_text("y/n")
        terminal.send(b"y")
        terminal.close()


def capture_photographs(session: str) -> None:
    """Save the first round of a session with features, at three sizes."""
    for columns, rows in SIZES:
        name = f"screens/photographs-{columns}x{rows}.png"
        capture(["resume", session], name, (columns, rows), "mean distance")


def main(training: str, labelling: str, finished: str, reading: str, audited: str) -> None:
    capture(["resume", finished], "summary.png", (100, 30), "one more round")
    capture(["resume", labelling], "labelling.png", (120, 40), "mean distance")
    capture(["resume", labelling], "labelling-80x24.png", (80, 24), "mean distance")
    reading_steps = [(b"t", "All pictures"), (b"r", "what do you read")]
    capture(["resume", reading], "reading.png", (80, 24), "one more round", reading_steps)
    capture(["resume", finished], "samples.png", (80, 24), "one more round", [(b"d", "any class"), (b"3", "class 3")])
    capture_training(training, "training.png", (80, 24))
    capture_views(labelling)
    capture_reviews(finished)
    capture_audits(finished)
    for columns, rows in SIZES:
        size = (columns, rows)
        capture(["audit", audited], f"screens/audit-result-{columns}x{rows}.png", size, "labels are right")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        capture_photographs(sys.argv[1])
    else:
        main(*sys.argv[1:])
