"""Pictures are drawn in each way, and the terminal is not asked for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult

from tests.terminal import ScriptedTerminal
from tests.tui.digit_images import draw_digit
from tests.tui.harness import screen_text
from vaetui.tui.widgets.picture import Picture, get_drawing_mode, set_drawing_mode


class Frame(App[None]):
    """One picture."""

    def compose(self) -> ComposeResult:
        yield Picture((28, 14))


@pytest.fixture(autouse=True)
def _half_again() -> Iterator[None]:
    yield
    set_drawing_mode("half")


@pytest.mark.parametrize(("mode", "sign"), [("half", "▀"), ("ascii", "@")])
async def test_a_picture_is_shown_and_taken_away(mode: str, sign: str) -> None:
    set_drawing_mode(mode)
    app = Frame()
    async with app.run_test(size=(40, 16)) as pilot:
        picture = app.query_one(Picture)
        assert sign not in screen_text(app)
        picture.show(draw_digit(8))
        await pilot.pause()
        assert sign in screen_text(app)
        picture.show(None)
        await pilot.pause()
        assert sign not in screen_text(app)


@pytest.mark.parametrize("mode", ["sixel", "kitty"])
async def test_a_picture_of_the_terminal_itself_keeps_its_place(mode: str) -> None:
    set_drawing_mode(mode, (9, 18))
    assert get_drawing_mode() == mode
    app = Frame()
    async with app.run_test(size=(40, 16)) as pilot:
        picture = app.query_one(Picture)
        picture.show(draw_digit(8))
        await pilot.pause()
        (canvas,) = picture.children
        assert canvas.size == picture.size == (28, 14)
        picture.show(None)
        picture.show(draw_digit(3))
        await pilot.pause()


def test_there_is_no_other_way() -> None:
    with pytest.raises(ValueError, match="crayon"):
        set_drawing_mode("crayon")


@pytest.mark.parametrize("mode", ["half", "sixel", "kitty"])
def test_the_terminal_is_not_asked_when_the_library_is_imported(mode: str) -> None:
    program = f"import sys; from vaetui.tui.widgets.picture import choose; choose({mode!r}); print('done', sys.stdout.isatty())"
    terminal = ScriptedTerminal(["-c", program])
    terminal.wait_until(lambda: "done True" in terminal.text())
    assert terminal.queries == []
    assert terminal.close() == 0


def test_without_need_the_library_is_not_imported() -> None:
    program = "import sys, vaetui.tui.widgets.picture; print({'textual_image', 'PIL'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
