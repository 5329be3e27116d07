"""From `new` to the summary in a real terminal, left in the middle and taken up again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.system.tmux import Tmux
from tests.watching import load_status

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, which .ci/run installs"),
    pytest.mark.usefixtures("home"),
]

VAETUI = str(Path(sys.executable).with_name("vaetui"))


@pytest.mark.parametrize(("size", "recipe"), [((80, 24), "paper"), ((120, 40), "neighbours")])
def test_a_person_labels_splits_undoes_quits_and_resumes_to_the_end(
    size: tuple[int, int], recipe: str, digits: Path, home: Path
) -> None:
    begun = [VAETUI, "new", "demo", "--data", str(digits), "--recipe", recipe, "--clusters", "5", "--rounds", "2"]
    screen = Tmux(begun, *size, home)
    try:
        screen.until(r"vaetui  demo .*epoch 1 of 3")
        screen.until(r"round 1 of 2\s+answered\s+0 / 5")
        screen.press("7", "Enter")
        screen.until(r"answered\s+1 / 5 .*answers\s+1")
        assert load_status("demo")["answers"] == 1
        screen.press("s", "3", "Enter")
        screen.until(r"answered\s+1 / 7 .*answers\s+2")
        screen.press("4", "8")  # the first part, at 0.8
        screen.until(r"answered\s+2 / 7 .*answers\s+3")
        screen.press("u")
        screen.until(r"answered\s+1 / 7 .*answers\s+2")
        screen.press("U")
        screen.until(r"answered\s+2 / 7 .*answers\s+3")
        screen.press("q")
        screen.until(r"Resume with: vaetui resume demo\n(.*\n)*left with 0")
        before = load_status("demo")
        assert (before["phase"], before["answered_clusters"], before["clusters"], before["answers"]) == ("labelling", 2, 7, 3)
    finally:
        screen.close()

    screen = Tmux([VAETUI, "resume", "demo"], *size, home)
    try:
        screen.until(r"answered\s+2 / 7 .*answers\s+3")
        screen.press("x")  # the next part is unreadable
        screen.until(r"answered\s+3 / 7")
        screen.press("g")
        screen.until(r"4 .*open")  # it asks first
        screen.press("g")
        screen.until(r"round 2 of 2\s+answered\s+0 / 5")
        screen.resize(100, 30)
        screen.until(r"^ vaetui  demo {20,}round 2 of 2")  # the new width is laid out
        screen.press("a")
        screen.until(r"a digit alone answers")
        for at in range(5):
            screen.press(str(at))
            screen.until(rf"answered\s+{at + 1} / 5")
        screen.press("g")
        screen.until(r"vaetui export demo -o demo\.csv")
        screen.press("q")
        screen.until(r"left with 0")
    finally:
        screen.close()
    after = load_status("demo")
    assert (after["phase"], after["epoch"], after["answers"]) == ("finished", 3, 9)
