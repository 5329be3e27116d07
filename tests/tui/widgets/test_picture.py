"""Tests of pictures in each mode."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult

from tests.tui.digit_images import draw_digit
from tests.tui.harness import screen_text
from vaetui.tui.display_choices import PICTURE_MODES
from vaetui.tui.widgets.picture import (
    Picture,
    configure_terminal,
    get_next_picture_mode,
    get_picture_mode,
    set_picture_mode,
)


class PictureApp(App[None]):
    """An app with one picture."""

    def compose(self) -> ComposeResult:
        yield Picture((28, 14))


@pytest.fixture(autouse=True)
def _restore_picture_mode() -> Iterator[None]:
    yield
    set_picture_mode("half")
    configure_terminal(PICTURE_MODES, 16)


@pytest.mark.parametrize(("mode", "character"), [("half", "▀"), ("ascii", "@")])
async def test_image_is_shown_and_removed(mode: str, character: str) -> None:
    set_picture_mode(mode)
    app = PictureApp()
    async with app.run_test(size=(40, 16)) as pilot:
        picture = app.query_one(Picture)
        assert character not in screen_text(app)
        picture.show_image(draw_digit(8))
        await pilot.pause()
        assert character in screen_text(app)
        picture.show_image(None)
        await pilot.pause()
        assert character not in screen_text(app)


@pytest.mark.parametrize("mode", ["sixel", "kitty"])
async def test_cells_are_blank_where_the_terminal_draws(mode: str) -> None:
    set_picture_mode(mode, (9, 18))
    assert get_picture_mode() == mode
    app = PictureApp()
    async with app.run_test(size=(40, 16)) as pilot:
        picture = app.query_one(Picture)
        picture.show_image(draw_digit(8))
        await pilot.pause()
        assert screen_text(app).strip() == ""


def test_key_switches_between_the_offered_modes_only() -> None:
    configure_terminal(("half", "ascii", "kitty"), 16)
    modes = []
    for _ in range(4):
        modes.append(get_next_picture_mode())
        set_picture_mode(modes[-1])
    assert modes == ["ascii", "kitty", "half", "ascii"]
    set_picture_mode("sixel")  # not offered, but forced by an option
    assert get_next_picture_mode() == "kitty"


def test_unknown_picture_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="crayon"):
        set_picture_mode("crayon")


def test_picture_module_does_not_import_pillow() -> None:
    program = "import sys, vaetui.tui.widgets.picture; print({'PIL'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"
