"""`vaetui simulate`, run as a person runs it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pexpect
import pytest

from tests.command_line import VAETUI, assert_refused, run_vaetui
from tests.idx import small_mnist, write_idx
from tests.session.scripted_run import create_session
from vaetui.engine.events import EpochEnded
from vaetui.session import lifecycle

pytestmark = pytest.mark.usefixtures("home")
QUICK = ("--recipe", "paper", "--rounds", "1", "--clusters", "5", "--answers", "6")
TOLD = {
    *("test_accuracy", "answers", "answers_by_round", "pictures_shown", "label_accuracy", "exported"),
    "reading_accuracy",
    *("seconds", "peak_rss_mb", "recipe", "annotator", "seed", "versions"),
}


def test_json_is_all_that_is_printed_and_nothing_is_kept(digits: Path, home: Path) -> None:
    few = ("--rounds", "1", "--clusters", "5", "--answers", "6")
    ran = run_vaetui("simulate", "--data", str(digits), *few, "--annotator", "centre", "--seed", "7", "--json")
    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stdout.splitlines()
    told = json.loads(line)
    assert set(told) >= TOLD
    assert (told["annotator"], told["seed"], told["recipe"]) == ("centre", 7, "neighbours")
    assert len(told["test_accuracy"]) == 2
    assert 0 < told["answers"] <= 6
    assert told["peak_rss_mb"] > 100
    assert not list((home / "sessions").glob("*"))


def test_a_kept_run_is_told_as_it_goes_and_can_be_resumed(digits: Path) -> None:
    ran = run_vaetui("simulate", "--data", str(digits), *QUICK, "--keep", "kept")
    assert ran.returncode == 0, ran.stderr
    for words in ("epoch 1 of 2", "round 1", "epoch 2 of 2", "test accuracy", "vaetui resume kept"):
        assert words in ran.stdout
    told = json.loads(run_vaetui("show", "kept", "--json").stdout)
    assert told["phase"] == "finished"
    session = lifecycle.resume("kept")
    session.add_round()
    assert session.phase == "training"
    session.close()


def test_images_without_labels_are_refused_before_anything_is_made(digits: Path, tmp_path: Path, home: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(digits / "train-images-idx3-ubyte", bare)
    assert_refused("holds no labels of the training images", "simulate", "--data", str(bare), "--keep", "bare")
    assert not (home / "sessions").exists()


def test_damaged_labels_and_test_images_of_another_size_are_refused_and_no_session_is_left(
    tmp_path: Path, home: Path
) -> None:
    data = small_mnist(tmp_path / "data", train=200, test=50)
    labels = data / "train-labels-idx1-ubyte"
    whole = labels.read_bytes()
    labels.write_bytes(whole[:-20])
    assert_refused("is truncated", "simulate", "--data", str(data), "--keep", "bad")
    labels.write_bytes(whole)
    write_idx(data / "t10k-images-idx3-ubyte", np.zeros((50, 32, 32), np.uint8))
    assert_refused("of another size", "simulate", "--data", str(data), "--keep", "bad")
    assert not (home / "sessions").exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_an_interrupted_run_leaves_a_session_that_goes_on(
    digits: Path, home: Path, sent: signal.Signals, status: int
) -> None:
    command = [*VAETUI[1:], "simulate", "--data", str(digits), *QUICK, "--keep", "cut", "--rounds", "1000"]
    child = pexpect.spawn(VAETUI[0], command, timeout=120)
    child.expect("round 1 ")
    child.kill(sent)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status
    assert b"Traceback" not in (child.before or b"")
    session = lifecycle.resume("cut")
    if session.phase == "labelling":  # it was cut between the last answer and training
        session.finish_round()
    assert any(isinstance(event, EpochEnded) for event in session.advance())
    session.close()


def test_a_bug_in_a_run_that_is_not_kept_is_told_in_a_log_that_stays(home: Path, tmp_path: Path) -> None:
    program = (
        "from vaetui.simulation import shelf; shelf.fetch = lambda *_: iter(()).throw; "
        "import sys; from vaetui.cli.main import main; sys.argv = ['vaetui', 'simulate', '--json']; main()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "A bug ended the program" in ran.stderr
    assert "Traceback" in (home / "log.txt").read_text()


def test_a_name_that_is_taken_and_an_unknown_recipe_are_refused(digits: Path) -> None:
    create_session("there", digits).close()
    assert_refused("is there already", "simulate", "--data", str(digits), "--keep", "there")
    assert_refused("no recipe", "simulate", "--recipe", "pastry")


@pytest.mark.parametrize("option", [("--error-rate", "1.5"), ("--answers", "-1"), ("--annotator", "nobody")])
def test_options_out_of_range_are_refused(option: tuple[str, str]) -> None:
    ran = run_vaetui("simulate", *option)
    assert ran.returncode == 2
    assert option[0] in ran.stderr
    assert "Traceback" not in ran.stderr
