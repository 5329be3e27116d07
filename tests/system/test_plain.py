"""Run the plain dialogue through shell pipes, without a terminal, and send signals to it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.command_line import VAETUI
from tests.session_templates import SessionTemplates
from tests.watching import load_status

pytestmark = pytest.mark.usefixtures("home")
TINY_OPTIONS = ("--recipe", "paper", "--rounds", "1", "--clusters", "3")
BLOCKING_MODULE = "import time\ntime.sleep(600)\n"
"""A module whose import takes longer than any test."""
TIMEOUT_S = 240


def run_shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell line; the last line of its standard error lists the exit status of each part of the pipe."""
    command = f'{line}; echo "${{PIPESTATUS[*]}}" >&2'.replace("vaetui ", shlex.join(VAETUI) + " ")
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True, timeout=TIMEOUT_S, env={**os.environ, **environment}
    )


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*VAETUI, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    while text not in (line := process.stdout.readline()):
        assert line, process.communicate()


@pytest.mark.slow
def test_piped_answers_label_a_session_to_the_end_and_the_log_is_printable(digits: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = f"--plain --data {digits} {' '.join(TINY_OPTIONS)}"
    process = run_shell(f"printf '3\\n' | vaetui new demo {options} > {log}")
    assert (process.stdout, process.stderr) == (b"", b"0 0\n")
    assert load_status("demo")["answers"] == 1, "the end of the input keeps the answer"
    process = run_shell(f"printf 's 2\\n4 8\\n5\\nx\\nu\\n7\\ng\\n' | vaetui resume demo --plain >> {log}")
    assert (process.stdout, process.stderr) == (b"", b"0 0\n")
    text = log.read_text()
    assert text.replace("\n", "").isprintable()
    for line in (
        "loading PyTorch",
        "epoch 1 of 2 ended",
        "Round 1 of 1: 0 of 3 clusters answered, 0 answers in all",
        "epoch 2 of 2 ended",
    ):
        assert f"\n{line}" in text, line
    assert "\nSaved: cluster 1 split into 2 parts\n" in text
    assert "\nThe session is finished.\n" in text
    assert "vaetui resume demo" in text
    status = load_status("demo")
    assert (status["phase"], status["answers"]) == ("finished", 5)


@pytest.mark.parametrize(
    ("line", "signal_number"),
    [
        ("loading the networks", signal.SIGTERM),
        pytest.param("loading the networks", signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param("class?", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("class?", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_signal_saves_and_exits_with_its_status(digits: Path, line: str, signal_number: signal.Signals) -> None:
    process = start("new", "demo", "--plain", "--data", str(digits), *TINY_OPTIONS)
    wait_for_line(process, line)
    process.send_signal(signal_number)
    stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 128 + signal_number, stderr
    assert "Everything is saved" in stdout
    assert stderr == ""
    assert load_status("demo")["name"] == "demo"


def test_signal_while_pytorch_is_loading_does_not_wait_for_it(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("training", "demo")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/torch.py").write_text(BLOCKING_MODULE)
    process = start("resume", "demo", "--plain", PYTHONPATH=f"{tmp_path / 'modules'}")
    wait_for_line(process, "loading PyTorch")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.slow
def test_closed_pipe_ends_the_program_quietly(digits: Path) -> None:
    process = run_shell(f"yes 7 | vaetui new demo --plain --data {digits} {' '.join(TINY_OPTIONS)} | head -6")
    assert process.stdout.splitlines()[-3:] == [b"loading the images", b"loading PyTorch", b"loading the networks"]
    assert process.stderr.split() == [b"141", b"141", b"0"]
    assert load_status("demo")["answers"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "answers"), [("vaetui resume demo --plain <&-", 1), ("echo 7 | vaetui resume demo --plain >&-", 2)]
)
def test_closed_input_or_output_ends_the_program(templates: SessionTemplates, line: str, answers: int) -> None:
    templates.copy("labelling", "demo")
    assert run_shell(line).stderr.split()[-1] == b"0"
    assert load_status("demo")["answers"] == answers


def test_undecodable_bytes_are_rejected_and_an_unfinished_last_line_is_ignored(templates: SessionTemplates) -> None:
    templates.copy("labelling", "demo")
    line = "printf '\\xff\\n\\0\\n5 8\\n7' | vaetui resume demo --plain"
    process = run_shell(line, PYTHONIOENCODING="ascii")
    assert process.stderr == b"0 0\n"
    assert process.stdout.count(b"Unknown command") == 2
    assert b"Ignored '7': the input ended before Enter." in process.stdout
    assert load_status("demo")["answers"] == 2
