"""Colour images through every command: import, training, labelling, export, samples and predictions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.command_line import assert_refused, run_vaetui
from tests.data.drawing import INK_COLOURS, colour_digits, load_digits, write_image_folder
from vaetui.data.image_files import is_coloured

COUNT = 200
OPTIONS = (
    *("--recipe", "paper", "--latent", "mean"),
    *("--rounds", "1", "--clusters", "4", "--warmup-epochs", "3"),
)


@pytest.fixture(scope="module")
def finished_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A finished session of coloured digits; VAETUI_HOME contains it during this module."""
    directory = tmp_path_factory.mktemp("colour")
    write_image_folder(directory / "images", COUNT, in_colour=True)
    options = ("--data", str(directory / "images"), "--classes", "red,green,blue", *OPTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(directory / "home"))
        result = run_vaetui("new", "colour", "--plain", *options, typed="red\ns 2\nblue\ngreen\nx\nblue\ng\n")
        assert result.returncode == 0, result.stderr
        yield "colour"


def test_colour_session_finishes_and_exports_every_image(finished_session: str, tmp_path: Path) -> None:
    assert json.loads(run_vaetui("show", finished_session, "--json").stdout)["phase"] == "finished"
    assert run_vaetui("check", finished_session).returncode == 0
    target = tmp_path / "sorted"
    result = run_vaetui("export", finished_session, "--format", "folders", "--copy", "-o", str(target))
    assert result.returncode == 0, result.stderr
    assert len(list(target.rglob("*.png"))) == COUNT


def test_generated_samples_are_coloured(finished_session: str, tmp_path: Path) -> None:
    assert run_vaetui("samples", finished_session, "--count", "9", "-o", str(tmp_path / "new.png")).returncode == 0
    with Image.open(tmp_path / "new.png") as image:
        assert (image.mode, image.size) == ("RGB", (84, 84))
        pixels = np.asarray(image)
    assert is_coloured(pixels[None])


def test_predictions_depend_on_the_colour(finished_session: str, tmp_path: Path) -> None:
    sevens = np.repeat(load_digits(1)[0], len(INK_COLOURS), axis=0)
    np.save(tmp_path / "sevens.npy", colour_digits(sevens))
    result = run_vaetui("predict", finished_session, str(tmp_path / "sevens.npy"), "--format", "jsonl")
    assert len({json.loads(row)["uncalibrated_probability"] for row in result.stdout.splitlines()}) == len(INK_COLOURS)
    np.save(tmp_path / "grey.npy", sevens)
    result = run_vaetui("predict", finished_session, str(tmp_path / "grey.npy"))
    assert len(result.stdout.splitlines()) == 1 + len(INK_COLOURS)


def test_exported_model_has_three_input_channels(finished_session: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert run_vaetui("export-model", finished_session, "-o", str(model)).returncode == 0
    card = json.loads((model / "card.json").read_text())
    assert (card["shape"], card["input"][:3]) == ([28, 28, 3], "RGB")
    assert load_file(model / "model.safetensors")["encoder.0.weight"].shape[1] == 3


@pytest.mark.usefixtures("home")
def test_colour_array_is_exported_as_the_same_images(tmp_path: Path) -> None:
    pixels = colour_digits(load_digits(COUNT)[0])
    np.save(tmp_path / "images.npy", pixels)
    run_vaetui("new", "arrays", "--plain", "--data", str(tmp_path / "images.npy"), *OPTIONS, typed="1\ng\n")
    assert run_vaetui("export", "arrays", "--format", "folders", "-o", str(tmp_path / "sorted")).returncode == 0
    paths = sorted((tmp_path / "sorted").rglob("*.png"), key=lambda path: path.name)
    assert np.array_equal(np.stack([np.asarray(Image.open(path)) for path in paths]), pixels)


@pytest.mark.usefixtures("home")
def test_colour_option_with_the_bundled_images_is_refused() -> None:
    assert_refused("28x28 and grey", "new", "--colour")
