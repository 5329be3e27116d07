"""The session picker in a real tmux window: create a session from a folder, leave it, and resume it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.data.drawing import write_image_folder
from tests.system.tmux import SKIP_REASON, Tmux, is_installed

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_installed(), reason=SKIP_REASON)]
VAETUI = [sys.executable, "-m", "vaetui"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_session_is_created_and_resumed_from_the_picker(tmp_path: Path, home: Path, size: tuple[int, int]) -> None:
    write_image_folder(tmp_path / "shapes", 60)
    window = Tmux(VAETUI, *size, home)
    try:
        window.wait_for("There are no sessions yet")
        window.press("n", *str(tmp_path / "shapes"), "Enter")
        window.wait_for("Features: _")
        window.press("Enter")
        window.wait_for(r"vaetui  shapes-\d+-\d+-\d+ .*epoch 1 of")
        window.press("q")
        window.wait_for("exit status 0")
    finally:
        window.close()
    window = Tmux(VAETUI, *size, home)
    try:
        window.wait_for(r"› shapes-\S+ +training, epoch 1 of 6")
        window.press("Enter")
        window.wait_for(r"vaetui  shapes-\d+-\d+-\d+ .*epoch 1 of")
        window.press("q")
        window.wait_for("Everything is saved. Resume with: vaetui resume shapes-")
        window.wait_for("exit status 0")
    finally:
        window.close()
