"""Tests of pictures in each mode, and of the import of the graphics library."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult

from tests.terminal import ScriptedTerminal
from tests.tui.digit_images import draw_digit
from tests.tui.harness import screen_text
from vaetui.tui.widgets.picture import Picture, describe_picture_mode, get_picture_mode, set_picture_mode


class PictureApp(App[None]):
    """An app with one picture."""

    def compose(self) -> ComposeResult:
        yield Picture((28, 14))


@pytest.fixture(autouse=True)
def _restore_picture_mode() -> Iterator[None]:
    yield
    set_picture_mode("half")


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
async def test_canvas_keeps_the_size_of_its_picture(mode: str) -> None:
    set_picture_mode(mode, (9, 18))
    assert get_picture_mode() == mode
    app = PictureApp()
    async with app.run_test(size=(40, 16)) as pilot:
        picture = app.query_one(Picture)
        picture.show_image(draw_digit(8))
        await pilot.pause()
        (canvas,) = picture.children
        assert canvas.size == picture.size == (28, 14)
        picture.show_image(None)
        picture.show_image(draw_digit(3))
        await pilot.pause()


def test_kitty_mode_without_true_colour_is_described_as_invisible() -> None:
    set_picture_mode("kitty")
    assert "invisible" not in describe_picture_mode(has_true_colour=True)
    assert "invisible" in describe_picture_mode(has_true_colour=False)


def test_unknown_picture_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="crayon"):
        set_picture_mode("crayon")


@pytest.mark.parametrize("mode", ["half", "sixel", "kitty"])
def test_import_of_the_graphics_library_sends_no_queries_to_the_terminal(mode: str) -> None:
    program = (
        "import sys; from vaetui.tui.widgets.picture import set_picture_mode; "
        f"set_picture_mode({mode!r}); print('done', sys.stdout.isatty())"
    )
    terminal = ScriptedTerminal(["-c", program])
    terminal.wait_for_text("done True")
    assert terminal.queries == []
    assert terminal.close() == 0


def test_picture_module_does_not_import_the_graphics_library() -> None:
    program = "import sys, vaetui.tui.widgets.picture; print({'textual_image', 'PIL'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"
