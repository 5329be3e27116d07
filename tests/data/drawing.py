"""Small images of digits and letters, as arrays and as files."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.idx import MNIST_DIRECTORY
from vaetui.engine.images import read_idx_array

INK_COLOURS = np.array([[255, 40, 40], [60, 230, 60], [90, 90, 255]])
"""Red, green and blue ink as RGB values."""


def load_digits(count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the first test images of MNIST [count, 28, 28] and their labels [count]."""
    images, labels = _load_test_set()
    return images[:count].copy(), labels[:count].copy()


@functools.cache
def _load_test_set() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)
    return images, read_idx_array(MNIST_DIRECTORY / "t10k-labels-idx1-ubyte.gz", 1)


def colour_digits(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey images [N, H, W] in red, green and blue ink by turns, [N, H, W, 3]."""
    inks = INK_COLOURS[np.arange(len(pixels)) % len(INK_COLOURS)]
    return (pixels[..., None].astype(int) * inks[:, None, None] // 255).astype(np.uint8)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def write_image_folder(
    root: Path, count: int, *, by_class: bool = False, suffix: str = ".png", in_colour: bool = False
) -> NDArray[np.uint8]:
    """Write digits into directories of their class, or part-0 to part-2; return them in the order of their paths."""
    images, labels = load_digits(count)
    images = colour_digits(images) if in_colour else images
    directories = [f"{label}" if by_class else f"part-{index % 3}" for index, label in enumerate(labels)]
    for index, (pixels, directory) in enumerate(zip(images, directories, strict=True)):
        path = root / directory / f"{index:05}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    order = sorted(range(count), key=lambda index: (directories[index], index))
    return images[order]


def draw_shapes(count: int, size: int = 28, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return squares, rings, falling and rising lines in turn [count, size, size], and their names [count]; seeded."""
    generator = np.random.default_rng(seed)
    images = []
    for index in range(count):
        left, right, top, bottom = (int(generator.integers(-2, 3)) for _ in range(4))
        box = [4 + left, 4 + top, size - 5 + right, size - 5 + bottom]
        image = Image.new("L", (size, size))
        pen = ImageDraw.Draw(image)
        if index % 4 == 0:
            pen.rectangle(box, fill=255)
        elif index % 4 == 1:
            pen.ellipse(box, outline=255, width=3)
        else:
            pen.line(box if index % 4 == 2 else [box[2], box[1], box[0], box[3]], fill=255, width=4)
        images.append(np.asarray(image))
    return np.stack(images), np.array(["sq", "ci", "bs", "sl"])[np.arange(count) % 4]


def draw_letters(letters: str, count: int) -> NDArray[np.uint8]:
    """Return `count` shifted, rotated, noisy images of each letter, [len(letters) * count, 28, 28]; seeded."""
    rng, font = np.random.default_rng(0), ImageFont.load_default(20)
    images = []
    for letter in np.repeat([*letters], count):
        image = Image.new("L", (28, 28))
        shift_x, shift_y = rng.uniform(-2, 2, 2)
        ImageDraw.Draw(image).text((14 + shift_x, 14 + shift_y), str(letter), fill=255, font=font, anchor="mm")
        rotated = np.asarray(image.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR), np.float64)
        images.append(np.clip(rotated + rng.normal(0, 12, rotated.shape), 0, 255).astype(np.uint8))
    return np.stack(images)


def write_letter_folder(root: Path, letters: str, count: int) -> None:
    """Write `count` images of each letter into a directory of its name."""
    for index, pixels in enumerate(draw_letters(letters, count)):
        path = root / letters[index // count] / f"{index:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels))
