"""Pictures of digits as files, for those who take them in; it does not know what becomes of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tests.idx import MNIST
from vaetui.engine.images import read_idx


def digits(count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images = read_idx(MNIST / "t10k-images-idx3-ubyte.gz", 3)[:count]
    return images, read_idx(MNIST / "t10k-labels-idx1-ubyte.gz", 1)[:count]


INKS = np.array([[255, 40, 40], [60, 230, 60], [90, 90, 255]])
"""Red, green and blue ink, told in red, green and blue."""


def tint(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw digits [N, H, W] with one ink after the other, [N, H, W, 3]."""
    inks = INKS[np.arange(len(pixels)) % len(INKS)]
    return (pixels[..., None].astype(int) * inks[:, None, None] // 255).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def folder(
    root: Path, count: int, *, by_class: bool = False, ending: str = ".png", colour: bool = False
) -> NDArray[np.uint8]:
    """Write so many digits below a directory, and give them in the order of their names."""
    images, labels = digits(count)
    images = tint(images) if colour else images
    for at, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        path = root / (f"{label}" if by_class else f"part-{at % 3}") / f"{at:05}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    order = sorted(range(count), key=lambda at: (f"{labels[at]}" if by_class else f"part-{at % 3}", at))
    return images[order]


def letters(names: str, each: int) -> NDArray[np.uint8]:
    """Draw each of these letters so many times, shifted, turned and noisy: [letters x each, 28, 28], seeded."""
    draw, font = np.random.default_rng(0), ImageFont.load_default(20)
    drawn = []
    for name in np.repeat([*names], each):
        page = Image.new("L", (28, 28))
        across, down = draw.uniform(-2, 2, 2)
        ImageDraw.Draw(page).text((14 + across, 14 + down), str(name), fill=255, font=font, anchor="mm")
        turned = np.asarray(page.rotate(draw.uniform(-15, 15), Image.Resampling.BILINEAR), np.float64)
        drawn.append(np.clip(turned + draw.normal(0, 12, turned.shape), 0, 255).astype(np.uint8))
    return np.stack(drawn)


def alphabet(root: Path, names: str, each: int) -> None:
    """Write each of these letters so many times as a picture, in a directory of its name."""
    for at, pixels in enumerate(letters(names, each)):
        path = root / names[at // each] / f"{at:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(pixels))
