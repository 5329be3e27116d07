"""`--plain` through a pipe, with no terminal anywhere, and what a signal does to it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command_line import VAETUI, run_vaetui
from tests.session.scripted_run import create_session, start_labelling
from tests.watching import load_status

pytestmark = pytest.mark.usefixtures("home")
QUICK = ("--recipe", "paper", "--rounds", "1", "--clusters", "3")


def test_a_pipe_of_answers_labels_a_whole_session(digits: Path) -> None:
    typed = "3\ns 2\n4 8\n5\nx\nu\n7\ng\n"
    ran = run_vaetui("new", "piped", "--plain", "--data", str(digits), *QUICK, typed=typed)
    assert ran.returncode == 0, ran.stderr
    for words in (
        "epoch 1 of 2 ended",
        "round 1 of 1: 3 clusters",
        "Saved: cluster 1 split into 2 parts",
        "The run is over.",
    ):
        assert words in ran.stdout
    assert "\x1b" not in ran.stdout
    assert "vaetui resume piped" in ran.stdout
    shown = json.loads(run_vaetui("show", "piped", "--json").stdout)
    assert (shown["phase"], shown["answers"]) == ("finished", 5)


def test_the_end_of_the_input_leaves_with_every_answer_kept(digits: Path) -> None:
    assert run_vaetui("new", "cut", "--plain", "--data", str(digits), *QUICK, typed="3\n").returncode == 0
    assert json.loads(run_vaetui("show", "cut", "--json").stdout)["answers"] == 1
    ran = run_vaetui("resume", "cut", "--plain", typed="4\n5\ng\n")
    assert "The run is over." in ran.stdout
    assert json.loads(run_vaetui("show", "cut", "--json").stdout)["answers"] == 3


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
    assert json.loads(run_vaetui("show", "sent", "--json").stdout)["name"] == "sent"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line as a person types it, with the status of every part of a pipe at the end of its errors."""
    command = f'{line}; echo "${{PIPESTATUS[*]}}" >&2'.replace("vaetui ", shlex.join(VAETUI) + " ")
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True, timeout=120, env={**os.environ, **environment}
    )


def test_a_line_of_shell_labels_a_run_and_leaves_a_log_without_control_characters(digits: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    ran = shell(
        f"printf '3\\ns 2\\n4 8\\nx\\n7\\ng\\n' | vaetui new shelled --plain --data {digits} {' '.join(QUICK)} > {log}"
    )
    assert (ran.stdout, ran.stderr) == (b"", b"0 0\n")
    told = log.read_text()
    assert told.replace("\n", "").isprintable()
    for words in ("loading PyTorch", "epoch 1 of 2 ended", "round 1 of 1: 3 clusters", "epoch 2 of 2 ended"):
        assert any(line.startswith(words) for line in told.splitlines()), words
    shown = load_status("shelled")
    assert (shown["phase"], shown["answers"]) == ("finished", 5)


def test_a_reader_that_goes_away_ends_it_quietly_with_everything_saved(digits: Path) -> None:
    ran = shell(f"yes 7 | vaetui new headed --plain --data {digits} {' '.join(QUICK)} | head -2")
    assert ran.stdout.splitlines() == [b"loading the images", b"loading PyTorch"]
    assert ran.stderr.split() == [b"141", b"141", b"0"]
    assert load_status("headed")["answers"] == 0


def test_a_closed_input_ends_the_dialogue_and_a_closed_output_does_not_hold_it_up(digits: Path) -> None:
    start_labelling("closed", digits)
    for line, answers in (("vaetui resume closed --plain <&-", 1), ("echo 7 | vaetui resume closed --plain >&-", 2)):
        assert shell(line).stderr.split()[-1] == b"0"
        assert load_status("closed")["answers"] == answers


def test_strange_bytes_and_a_poor_encoding_end_no_dialogue(digits: Path) -> None:
    start_labelling("strange", digits)
    ran = shell("printf '\\xff\\n\\0\\n5\\n' | vaetui resume strange --plain", PYTHONIOENCODING="ascii")
    assert ran.stderr == b"0 0\n"
    assert ran.stdout.count(b"means nothing here") == 2
    assert load_status("strange")["answers"] == 2


def test_what_a_person_did_not_type_to_its_end_is_not_taken(digits: Path) -> None:
    start_labelling("short", digits)
    ran = shell("printf '5 8\\n7' | vaetui resume short --plain")
    assert b"'7' was not taken: a line that is meant ends with Enter" in ran.stdout
    assert load_status("short")["answers"] == 2


def test_a_signal_while_pytorch_is_loaded_is_not_kept_waiting(digits: Path) -> None:
    create_session("loaded", digits).close()
    running = subprocess.Popen(
        [*VAETUI, "resume", "loaded", "--plain"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    while running.stdout.readline() != "loading PyTorch\n":
        pass
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=2) == 128 + signal.SIGTERM
