"""`vaetui simulate`, run as a person runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.session.scripts import made
from tests.test_cli import call, refused
from vaetui.session import creation

pytestmark = pytest.mark.usefixtures("home")
QUICK = ("--rounds", "1", "--clusters", "5", "--answers", "6")
TOLD = {
    *("test_accuracy", "answers", "answers_by_round", "pictures_shown", "label_accuracy", "reading_accuracy"),
    *("seconds", "peak_rss_mb", "recipe", "annotator", "seed", "versions"),
}


def test_json_is_all_that_is_printed_and_nothing_is_kept(digits: Path, home: Path) -> None:
    ran = call("simulate", "--data", str(digits), *QUICK, "--annotator", "centre", "--seed", "7", "--json")
    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stdout.splitlines()
    told = json.loads(line)
    assert set(told) >= TOLD
    assert (told["annotator"], told["seed"], told["recipe"]) == ("centre", 7, "paper")
    assert len(told["test_accuracy"]) == 2
    assert told["answers"] <= 6
    assert told["peak_rss_mb"] > 100
    assert not list((home / "sessions").glob("*"))


def test_a_kept_run_is_told_as_it_goes_and_can_be_resumed(digits: Path) -> None:
    ran = call("simulate", "--data", str(digits), *QUICK, "--keep", "kept")
    assert ran.returncode == 0, ran.stderr
    for words in ("epoch 1 of 2", "round 1", "epoch 2 of 2", "test accuracy", "vaetui resume kept"):
        assert words in ran.stdout
    told = json.loads(call("show", "kept", "--json").stdout)
    assert told["phase"] == "finished"
    session = creation.resume("kept")
    session.another_round()
    assert session.phase == "training"
    session.close()


def test_images_without_labels_are_refused_before_anything_is_made(digits: Path, tmp_path: Path, home: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(digits / "train-images-idx3-ubyte", bare)
    refused("holds no labels of the training images", "simulate", "--data", str(bare), "--keep", "bare")
    assert not (home / "sessions").exists()


def test_a_name_that_is_taken_and_an_unknown_recipe_are_refused(digits: Path) -> None:
    made("there", digits).close()
    refused("is there already", "simulate", "--data", str(digits), "--keep", "there")
    refused("no recipe", "simulate", "--recipe", "pastry")


@pytest.mark.parametrize("option", [("--error-rate", "1.5"), ("--answers", "-1"), ("--annotator", "nobody")])
def test_options_out_of_range_are_refused(option: tuple[str, str]) -> None:
    ran = call("simulate", *option)
    assert ran.returncode == 2
    assert option[0] in ran.stderr
    assert "Traceback" not in ran.stderr
