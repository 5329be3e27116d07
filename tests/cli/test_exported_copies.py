"""Simulated sessions of images of which many are equal, and their exported labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.command_line import run_vaetui

pytestmark = pytest.mark.usefixtures("home")
SIDE_PX = 28
CLASS_NAMES = np.array(["square", "circle", "falling", "rising"])


def draw_shapes(count: int) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return images of shapes of varying size, [count, 28, 28], and their class names."""
    generator, images = np.random.default_rng(0), []
    for index in range(count):
        left, right, top, bottom = (int(generator.integers(-2, 3)) for _ in range(4))
        box = (4 + left, 4 + top, SIDE_PX - 5 + right, SIDE_PX - 5 + bottom)
        image = Image.new("L", (SIDE_PX, SIDE_PX))
        draw = ImageDraw.Draw(image)
        match index % 4:
            case 0:
                draw.rectangle(box, fill=255)
            case 1:
                draw.ellipse(box, outline=255, width=3)
            case 2:
                draw.line(box, fill=255, width=4)
            case _:
                draw.line((box[2], box[1], box[0], box[3]), fill=255, width=4)
        images.append(np.asarray(image))
    return np.stack(images), CLASS_NAMES[np.arange(count) % 4]


def simulate_and_export(path: Path, images: NDArray[np.uint8], names: NDArray[np.str_], *options: str) -> list[str]:
    """Save the images in random order, run one round, and return the exported class of each image, in their order."""
    order = np.random.default_rng(3).permutation(len(images))
    np.savez(path, images=images[order], labels=names[order])
    process = run_vaetui(
        *("simulate", "--data", str(path), "--labels", "--rounds", "1", "--keep", "copies", "--json", *options)
    )
    assert process.returncode == 0, process.stderr
    process = run_vaetui("export", "copies", "-o", str(path.with_suffix(".csv")))
    assert process.returncode == 0, process.stderr
    class_names = [""] * len(images)
    with path.with_suffix(".csv").open(newline="") as file:
        for row in csv.DictReader(file):
            class_names[order[int(row["index"])]] = row["class"]
    return class_names


@pytest.mark.parametrize(
    ("shape_count", "blank_count", "options"),
    [
        (120, 80, ("--recipe", "paper", "--answers", "16", "--clusters", "16")),
        pytest.param(300, 60, (), marks=pytest.mark.slow),
        pytest.param(200, 200, (), marks=pytest.mark.slow),
    ],
)
def test_all_copies_of_a_blank_image_are_exported_as_blank(
    shape_count: int, blank_count: int, options: tuple[str, ...], tmp_path: Path
) -> None:
    shapes, names = draw_shapes(shape_count)
    images = np.concatenate([shapes, np.zeros((blank_count, SIDE_PX, SIDE_PX), np.uint8)])
    names = np.concatenate([names, np.full(blank_count, "blank")])
    class_names = simulate_and_export(tmp_path / "images.npz", images, names, *options)
    assert set(class_names[shape_count:]) == {"blank"}
    if not options:
        assert np.mean(np.array(class_names) == names) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("max_noise", [2])
def test_nearly_equal_blank_images_are_exported_as_blank(max_noise: int, tmp_path: Path) -> None:
    shapes, names = draw_shapes(300)
    blanks = np.random.default_rng(9).integers(0, max_noise + 1, (60, SIDE_PX, SIDE_PX)).astype(np.uint8)
    images, names = np.concatenate([shapes, blanks]), np.concatenate([names, np.full(60, "blank")])
    class_names = simulate_and_export(tmp_path / "images.npz", images, names)
    assert np.mean(np.array(class_names) == names) > 0.95
    assert set(class_names[300:]) == {"blank"}
