"""Run a whole session in a real terminal, from `new` to the summary, with a restart in between."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.system import tmux
from tests.system.tmux import Tmux
from tests.watching import load_status

pytestmark = [
    pytest.mark.skipif(not tmux.is_installed(), reason=tmux.SKIP_REASON),
    pytest.mark.usefixtures("home"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

VAETUI = str(Path(sys.executable).with_name("vaetui"))


@pytest.mark.parametrize(("size", "recipe"), [((80, 24), "paper"), ((120, 40), "propagation")])
def test_user_labels_splits_undoes_quits_and_resumes_to_the_end(
    size: tuple[int, int], recipe: str, digits: Path, home: Path
) -> None:
    options = ["--data", str(digits), "--recipe", recipe, "--clusters", "5", "--rounds", "2", "--warmup-epochs", "1"]
    screen = Tmux([VAETUI, "new", "demo", *options], *size, home)
    try:
        screen.wait_for(r"vaetui  demo .*epoch 1 of 3|answered")
        screen.wait_for(r"round 1 of 2\s+answered\s+0 / 5")
        screen.press("7", "Enter")
        screen.wait_for(r"answered\s+1 / 5 .*answers\s+1")
        assert load_status("demo")["answers"] == 1
        screen.press("s")
        screen.wait_for(r"Split into \d+ parts\?")
        screen.press("3")
        screen.wait_for(r"Split into 3 parts\?")
        screen.press("Enter")
        screen.wait_for(r"answered\s+1 / 7 .*answers\s+2")
        screen.press("4", "8")  # the first part, confidence 0.8
        screen.wait_for(r"answered\s+2 / 7 .*answers\s+3")
        screen.press("u")
        screen.wait_for(r"answered\s+1 / 7 .*answers\s+2")
        screen.press("U")
        screen.wait_for(r"answered\s+2 / 7 .*answers\s+3")
        screen.press("q")
        screen.wait_for(r"Resume with: vaetui resume demo\n(.*\n)*exit status 0")
        status = load_status("demo")
        assert (status["phase"], status["answered_clusters"], status["clusters"]) == ("labelling", 2, 7)
        assert status["answers"] == 3
    finally:
        screen.close()

    screen = Tmux([VAETUI, "resume", "demo"], *size, home)
    try:
        screen.wait_for(r"answered\s+2 / 7 .*answers\s+3")
        screen.press("x")  # the next part is unreadable
        screen.wait_for(r"answered\s+3 / 7")
        screen.press("g")
        screen.wait_for(r"4 clusters have no answer")
        screen.press("g")
        screen.wait_for(r"round 2 of 2\s+answered\s+0 / 5")
        screen.resize(100, 30)
        screen.wait_for(r"^ vaetui  demo {20,}round 2 of 2")  # the layout uses the new width
        screen.press("a")
        screen.wait_for(r"One-key mode on")
        for index in range(5):
            screen.press(str(index))
            screen.wait_for(rf"answered\s+{index + 1} / 5")
        screen.press("g")
        screen.wait_for(r"vaetui export demo -o demo\.csv")
        screen.press("q")
        screen.wait_for(r"exit status 0")
    finally:
        screen.close()
    status = load_status("demo")
    assert (status["phase"], status["epoch"], status["answers"]) == ("finished", 3, 9)
