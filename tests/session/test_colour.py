"""Pictures in colour the whole way, as a person goes it: in, labelled, and out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import INKS, digits, folder, tint
from vaetui.data.image_files import is_coloured

QUICK = ("--recipe", "paper", "--latent", "mean", "--rounds", "1", "--clusters", "4", "--warmup-epochs", "3")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("colour")
    folder(place / "own", 600, colour=True)
    options = ("--data", str(place / "own"), "--classes", "red,green,blue", *QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(place / "home"))
        ran = run_vaetui("new", "trained", "--plain", *options, typed="red\ns 2\nblue\ngreen\nx\nblue\ng\n")
        assert ran.returncode == 0, ran.stderr
        yield "trained"


def test_a_session_in_colour_learns_and_is_taken_up_again(trained: str, tmp_path: Path) -> None:
    assert json.loads(run_vaetui("show", trained, "--json").stdout)["phase"] == "finished"
    assert run_vaetui("check", trained).returncode == 0
    ran = run_vaetui("export", trained, "--format", "folders", "--copy", "-o", str(tmp_path / "sorted"))
    assert ran.returncode == 0, ran.stderr
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == 600


def test_new_pictures_are_in_colour(trained: str, tmp_path: Path) -> None:
    assert run_vaetui("samples", trained, "--count", "9", "-o", str(tmp_path / "new.png")).returncode == 0
    with Image.open(tmp_path / "new.png") as image:
        assert (image.mode, image.size) == ("RGB", (84, 84))
        drawn = np.asarray(image)
    assert is_coloured(drawn[None])


def test_what_it_predicts_depends_on_the_colour(trained: str, tmp_path: Path) -> None:
    seven = np.repeat(digits(1)[0], len(INKS), axis=0)
    np.save(tmp_path / "sevens.npy", tint(seven))
    rows = run_vaetui("predict", trained, str(tmp_path / "sevens.npy"), "--format", "jsonl").stdout.splitlines()
    assert len({json.loads(row)["confidence"] for row in rows}) == len(INKS)
    np.save(tmp_path / "grey.npy", seven)
    assert len(run_vaetui("predict", trained, str(tmp_path / "grey.npy")).stdout.splitlines()) == 1 + len(INKS)


def test_its_networks_read_three_colours_elsewhere(trained: str, tmp_path: Path) -> None:
    output = tmp_path / "model"
    assert run_vaetui("export-model", trained, "-o", str(output)).returncode == 0
    card = json.loads((output / "card.json").read_text())
    assert (card["shape"], card["pictures"][:28]) == ([28, 28, 3], "Red, green and blue pictures")
    assert load_file(output / "model.safetensors")["encoder.0.weight"].shape[1] == 3


@pytest.mark.usefixtures("home")
def test_arrays_in_colour_are_exported_as_pictures_in_colour(tmp_path: Path) -> None:
    pixels = tint(digits(300)[0])
    np.save(tmp_path / "own.npy", pixels)
    run_vaetui("new", "arrays", "--plain", "--data", str(tmp_path / "own.npy"), *QUICK, typed="1\ng\n")
    assert run_vaetui("export", "arrays", "--format", "folders", "-o", str(tmp_path / "sorted")).returncode == 0
    paths = sorted((tmp_path / "sorted").rglob("*.png"), key=lambda path: path.name)
    assert np.array_equal(np.stack([np.asarray(Image.open(path)) for path in paths]), pixels)


@pytest.mark.usefixtures("home")
def test_the_bundled_images_have_no_colour() -> None:
    assert_refused("28x28 and grey", "new", "--colour")
