"""`--plain` through a pipe, with no terminal anywhere, and what a signal does to it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.test_cli import VAETUI, call

pytestmark = pytest.mark.usefixtures("home")
QUICK = ("--rounds", "1", "--clusters", "3")


def test_a_pipe_of_answers_labels_a_whole_session(digits: Path) -> None:
    typed = "3\ns 2\n4 8\n5\nx\nu\n7\ng\n"
    ran = call("new", "piped", "--plain", "--data", str(digits), *QUICK, typed=typed)
    assert ran.returncode == 0, ran.stderr
    for words in (
        "epoch 1 of 2 ended",
        "round 1 of 1: 3 centres",
        "saved: centre 1 is split into 2",
        "The run is over.",
    ):
        assert words in ran.stdout
    assert "\x1b" not in ran.stdout
    assert "vaetui resume piped" in ran.stdout
    shown = json.loads(call("show", "piped", "--json").stdout)
    assert (shown["phase"], shown["answers"]) == ("finished", 5)


def test_the_end_of_the_input_leaves_with_every_answer_kept(digits: Path) -> None:
    assert call("new", "cut", "--plain", "--data", str(digits), *QUICK, typed="3\n").returncode == 0
    assert json.loads(call("show", "cut", "--json").stdout)["answers"] == 1
    ran = call("resume", "cut", "--plain", typed="4\n5\ng\n")
    assert "The run is over." in ran.stdout
    assert json.loads(call("show", "cut", "--json").stdout)["answers"] == 3


@pytest.mark.parametrize("seen", ["loading the networks", "class? (? helps)"], ids=["training", "asking"])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_saves_and_leaves_with_its_own_status(digits: Path, seen: str, sent: signal.Signals) -> None:
    command = [*VAETUI, "new", "sent", "--plain", "--data", str(digits), *QUICK]
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    while seen not in (line := running.stdout.readline()):
        assert line, running.communicate()
    running.send_signal(sent)
    told, complained = running.communicate(timeout=60)
    assert running.returncode == 128 + sent, complained
    assert "Everything is saved" in told
    assert complained == ""
    assert json.loads(call("show", "sent", "--json").stdout)["name"] == "sent"
