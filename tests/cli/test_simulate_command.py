"""`vaetui simulate`."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pexpect
import pytest

from tests.command_line import TIMEOUT_S, VAETUI, assert_refused, run_vaetui
from tests.idx import write_idx, write_small_mnist
from tests.session.scripted_run import PROPAGATION_CONFIG
from tests.session_templates import SessionTemplates
from tests.vectors import FEATURES_CONFIG, write_vectors
from vaetui.engine import recipes
from vaetui.engine.events import EpochEnded
from vaetui.session import lifecycle
from vaetui.simulation import reader_cache

pytestmark = pytest.mark.usefixtures("home")
FAST_OPTIONS = ("--recipe", "paper", "--rounds", "1", "--clusters", "5", "--answers", "6")
RESULT_KEYS = {
    *("test_accuracy", "reading_accuracy", "reading_accuracy_by_eval", "label_accuracy", "exported", "audit"),
    *(
        "answers",
        "answers_by_round",
        "answers_by_kind",
        "review_answers",
        "review_kind",
        "mixed",
        "pictures_shown",
        "seconds",
        "peak_rss_mb",
        "versions",
    ),
    *("recipe", "annotator", "error_rate", "reader_accuracy", "seed", "config", "advice"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with 200 training and 50 test digits."""
    return write_small_mnist(tmp_path_factory.mktemp("data"), train=200, test=50)


def test_json_output_is_one_object_and_the_session_is_deleted(data: Path, home: Path) -> None:
    options = ("--annotator", "centre", "--seed", "7", "--json")
    process = run_vaetui("simulate", "--data", str(data), *FAST_OPTIONS, *options)
    assert process.returncode == 0, process.stderr
    (line,) = process.stdout.splitlines()
    result = json.loads(line)
    assert set(result) == RESULT_KEYS
    assert (result["annotator"], result["seed"], result["recipe"]) == ("centre", 7, "paper")
    assert len(result["test_accuracy"]) == 2
    assert 0 < result["answers"] <= 6
    assert result["peak_rss_mb"] > 100
    assert set(result["label_accuracy"]) == {"overall", "by_weight", "rounds"}
    assert set(result["label_accuracy"]["by_weight"][0]) == {"min_weight", "coverage", "accuracy"}
    assert set(result["label_accuracy"]["rounds"][0]) == {"round", "label_coverage", "overall", "by_weight"}
    assert not list((home / "sessions").glob("*"))


def test_no_reader_is_trained_where_no_image_is_decoded(
    data: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recipes.RECIPES, "features", FEATURES_CONFIG)
    path = write_vectors(tmp_path / "vectors.npy", data).path
    arguments = ("simulate", "--data", str(data), "--features", path, "--answers", "4")
    process = run_vaetui(*arguments, "--json")
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert (set(result), result["recipe"], result["reader_accuracy"]) == (RESULT_KEYS, "features", None)
    assert result["answers"] == 8
    assert result["reading_accuracy"] == [None] * 3
    assert not list(home.rglob("*reader*"))
    assert "no reader needed" in run_vaetui(*arguments).stdout


def test_recipe_and_options_choose_what_answers_are_spent_on(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recipes.RECIPES, "propagation", PROPAGATION_CONFIG)
    cluster = replace(PROPAGATION_CONFIG.cluster, uncertainty_factor=0.0)
    monkeypatch.setitem(recipes.RECIPES, "photos", replace(PROPAGATION_CONFIG, recipe="photos", cluster=cluster))
    results = [
        json.loads(run_vaetui("simulate", "--data", str(data), "--answers", "6", *options, "--json").stdout)
        for options in ((), ("--recipe", "photos"), ("--review", "4", "--review-kind", "images"))
    ]
    chosen = [(item["review_answers"], item["review_kind"]) for item in results]
    assert chosen == [(0, "varied"), (3, "varied"), (4, "images")]
    kinds = [result["answers_by_kind"] for result in results]
    assert [kind["pages"] + kind["corrections"] for kind in kinds] == [0, 3, 0]
    assert kinds[2]["images"] == 4
    for result, kind in zip(results, kinds, strict=True):
        assert result["answers"] == sum(kind.values()) == sum(result["answers_by_round"])


def test_clusters_are_split_or_their_nearest_image_is_named_as_the_user_says(data: Path) -> None:
    results = [
        json.loads(run_vaetui("simulate", "--data", str(data), *FAST_OPTIONS, *mixed, "--json").stdout)
        for mixed in ((), ("--mixed", "nearest"))
    ]
    assert [result["mixed"] for result in results] == ["split", "nearest"]
    assert [result["answers_by_kind"]["nearest"] > 0 for result in results] == [False, True]
    for result in results:
        assert result["answers"] == sum(result["answers_by_kind"].values())
    options = ("--mixed", "nearest", "--annotator", "centre")
    process = run_vaetui("simulate", "--data", str(data), *FAST_OPTIONS, *options)
    assert process.returncode == 2
    assert "--mixed nearest needs --annotator members" in process.stderr


@pytest.mark.parametrize("decoder", [(), ("--decoder",)], ids=["images", "decoder"])
def test_nearest_images_are_named_by_default_with_features(
    decoder: tuple[str, ...], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recipes.RECIPES, recipes.FEATURES_RECIPE, FEATURES_CONFIG)
    features = write_vectors(tmp_path / "vectors.npy", data).path
    options = ("--data", str(data), "--features", features, "--rounds", "1", "--answers", "5", *decoder, "--json")
    process = run_vaetui("simulate", *options)
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert (result["recipe"], result["mixed"]) == ("features", "nearest")
    assert result["answers_by_kind"]["nearest"] > 0
    assert result["answers"] == sum(result["answers_by_kind"].values()) == 5


def test_a_kept_run_prints_its_progress_and_can_be_resumed(data: Path) -> None:
    process = run_vaetui("simulate", "--data", str(data), *FAST_OPTIONS, "--keep", "kept")
    assert process.returncode == 0, process.stderr
    for text in (
        "epoch 1 of 2",
        "round 1",
        "coverage",
        "label accuracy",
        "epoch 2 of 2",
        "test accuracy",
        "Session kept. Open it with: vaetui resume kept",
    ):
        assert text in process.stdout
    assert json.loads(run_vaetui("show", "kept", "--json").stdout)["phase"] == "finished"
    session = lifecycle.resume("kept")
    session.add_round()
    assert session.phase == "training"
    session.close()


def test_images_without_labels_are_refused_before_a_session_is_created(data: Path, tmp_path: Path, home: Path) -> None:
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    shutil.copy(data / "train-images-idx3-ubyte", unlabelled)
    assert_refused("has no training labels", "simulate", "--data", str(unlabelled), "--keep", "new")
    assert not (home / "sessions").exists()


def test_damaged_labels_and_test_images_of_another_size_are_refused_before_a_session_is_created(
    data: Path, tmp_path: Path, home: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(data, damaged)
    labels_file = damaged / "train-labels-idx1-ubyte"
    labels_content = labels_file.read_bytes()
    labels_file.write_bytes(labels_content[:-20])
    assert_refused("is truncated", "simulate", "--data", str(damaged), "--keep", "bad")
    labels_file.write_bytes(labels_content)
    write_idx(damaged / "t10k-images-idx3-ubyte", np.zeros((50, 32, 32), np.uint8))
    assert_refused("size", "simulate", "--data", str(damaged), "--keep", "bad")
    assert not (home / "sessions").exists()


@pytest.mark.parametrize(
    ("signal_number", "status"),
    [
        (signal.SIGINT, 1),
        pytest.param(signal.SIGTERM, 128 + signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_leaves_a_session_that_continues(
    data: Path, signal_number: signal.Signals, status: int
) -> None:
    command = [*VAETUI[1:], "simulate", "--data", str(data), *FAST_OPTIONS, "--keep", "cut", "--rounds", "1000"]
    child = pexpect.spawn(VAETUI[0], command, timeout=TIMEOUT_S)
    child.expect("round 1 ")
    child.kill(signal_number)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status
    assert b"Traceback" not in (child.before or b"")
    session = lifecycle.resume("cut")
    if session.phase == "labelling":  # interrupted between the last answer and the training
        session.close_round()
    assert any(isinstance(event, EpochEnded) for event in session.advance())
    session.close()


def test_a_crash_without_a_kept_session_is_logged_in_the_home_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reader_cache, "load_or_train_reader", crash)
    process = run_vaetui("simulate", "--json")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == f"vaetui: Unexpected error: ZeroDivisionError. Traceback: {home / 'log.txt'}\n"
    assert "Traceback" in (home / "log.txt").read_text()


def test_an_existing_name_and_an_unknown_recipe_are_refused(data: Path, templates: SessionTemplates) -> None:
    templates.copy("training", "existing")
    assert_refused("already exists", "simulate", "--data", str(data), "--keep", "existing")
    assert_refused("There is no recipe", "simulate", "--recipe", "pastry")


@pytest.mark.parametrize("option", [("--error-rate", "1.5"), ("--answers", "-1"), ("--annotator", "nobody")])
def test_options_out_of_range_are_refused(option: tuple[str, str]) -> None:
    process = run_vaetui("simulate", *option)
    assert process.returncode == 2
    assert option[0] in process.stderr
    assert "Traceback" not in process.stderr
