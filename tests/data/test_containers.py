"""The same pictures give the same pixels, whatever file format, bit depth and container they come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.drawing import draw_shapes
from tests.idx import write_idx
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images_and_digest
from vaetui.runtime.session_runner import drain_events

pytestmark = pytest.mark.usefixtures("home")
PICTURES = draw_shapes(24)[0] // 2 + np.linspace(0, 127, 28).astype(np.uint8)  # also grey levels, from 0 to 254
PICTURES[PICTURES.max() == PICTURES] = 255
Writer = Callable[[Path, NDArray[np.uint8]], Path]


def write_files(suffix: str, convert: Callable[[NDArray[np.uint8]], Image.Image], **options: Any) -> Writer:
    def write(root: Path, pictures: NDArray[np.uint8]) -> Path:
        directory = root / "images"
        directory.mkdir()
        for index, picture in enumerate(pictures):
            convert(picture).save(directory / f"{index:03}{suffix}", **options)
        return directory

    return write


def write_array(convert: Callable[[NDArray[np.uint8]], NDArray[Any]]) -> Writer:
    def write(root: Path, pictures: NDArray[np.uint8]) -> Path:
        np.save(root / "images.npy", convert(pictures))
        return root / "images.npy"

    return write


def write_compressed(root: Path, pictures: NDArray[np.uint8]) -> Path:
    np.savez_compressed(root / "images.npz", images=pictures)
    return root / "images.npz"


def write_idx_directory(root: Path, pictures: NDArray[np.uint8]) -> Path:
    write_idx(root / "train-images-idx3-ubyte", pictures)
    return root


def write_dim_idx_directory(root: Path, pictures: NDArray[np.uint8]) -> Path:
    write_idx(root / "train-images-idx3-ubyte", (pictures // 5).astype(np.uint8))
    return root


def write_pages(root: Path, pictures: NDArray[np.uint8]) -> Path:
    first, *others = (Image.fromarray(picture) for picture in pictures)
    first.save(root / "stack.tif", save_all=True, append_images=others)
    return root / "stack.tif"


def write_csv(root: Path, pictures: NDArray[np.uint8]) -> Path:
    directory = write_files(".png", Image.fromarray)(root, pictures)
    (root / "list.csv").write_text("".join(f"{path}\n" for path in sorted(directory.iterdir())))
    return root / "list.csv"


def to_transparency(picture: NDArray[np.uint8]) -> Image.Image:
    """Return a picture whose grey levels are the transparency of black ink on nothing, as in icons."""
    return Image.merge("LA", (Image.new("L", picture.shape[::-1], 0), Image.fromarray(255 - picture)))


WRITERS: dict[str, Writer] = {
    "png": write_files(".png", Image.fromarray),
    "png rgb": write_files(".png", lambda picture: Image.fromarray(picture).convert("RGB")),
    "png palette": write_files(".png", lambda picture: Image.fromarray(picture).convert("P")),
    "png alpha": write_files(".png", to_transparency),
    "png 16 bit": write_files(".png", lambda picture: Image.fromarray(picture.astype(np.uint16) * 257)),
    "png 12 bit": write_files(
        ".png", lambda picture: Image.fromarray((picture / 255 * 4095).round().astype(np.uint16))
    ),
    "png 10 bit": write_files(
        ".png", lambda picture: Image.fromarray((picture / 255 * 1023).round().astype(np.uint16))
    ),
    "tiff float": write_files(".tif", lambda picture: Image.fromarray((picture / 255).astype(np.float32))),
    "tiff float above 1": write_files(".tif", lambda picture: Image.fromarray((picture / 250).astype(np.float32))),
    "tiff temperatures": write_files(".tiff", lambda picture: Image.fromarray((picture / 9 + 290).astype(np.float32))),
    "tiff 32 bit": write_files(".tif", lambda picture: Image.fromarray(picture.astype(np.int32) * 1000)),
    "tiff lzw": write_files(".tif", Image.fromarray, compression="tiff_lzw"),
    "bmp": write_files(".bmp", Image.fromarray),
    "gif": write_files(".gif", Image.fromarray),
    "pgm": write_files(".pgm", Image.fromarray),
    "tga": write_files(".tga", Image.fromarray),
    "jpeg 2000": write_files(".jp2", Image.fromarray),
    "webp": write_files(".webp", lambda picture: Image.fromarray(picture).convert("RGB"), lossless=True),
    "pages": write_pages,
    "list": write_csv,
    "npy": write_array(lambda pictures: pictures),
    "npy bytes from -128": write_array(lambda pictures: (pictures.astype(np.int16) - 128).astype(np.int8)),
    "npy big-endian": write_array(lambda pictures: pictures.astype(">u2") * 16),
    "npy int64": write_array(lambda pictures: pictures.astype(np.int64)),
    "npy float": write_array(lambda pictures: (pictures / 255).astype(np.float32)),
    "npy half": write_array(lambda pictures: (pictures / 255).astype(np.float16)),
    "npy -1 to 1": write_array(lambda pictures: pictures / 127.5 - 1),
    "npy rgb": write_array(lambda pictures: np.stack([pictures] * 3, axis=-1)),
    "npy channels first": write_array(lambda pictures: pictures[:, None]),
    "npy fortran": write_array(np.asfortranarray),
    "npy alpha": write_array(lambda pictures: np.stack([pictures * 0] * 3 + [255 - pictures], axis=-1)),
    "npz": write_compressed,
    "idx": write_idx_directory,
}


def import_pixels(path: Path, **options: Any) -> NDArray[np.uint8]:
    dataset = drain_events(import_dataset(path, ImportOptions(**options)))
    return read_images_and_digest(find_idx_files(dataset.directory).train_images)[0][:]


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_pictures_give_the_same_pixels(name: str, tmp_path: Path) -> None:
    pixels = import_pixels(WRITERS[name](tmp_path, PICTURES)).astype(int)
    assert pixels.shape == PICTURES.shape
    assert np.abs(pixels - PICTURES).max() <= 1


@pytest.mark.parametrize("name", ["png", "tiff lzw", "npy", "npy int64", "npz", "idx", "pages"])
@pytest.mark.parametrize("levels", [(0, 1), (0, 1, 3), (0, 1, 2, 5), (*range(17),)])
def test_few_grey_levels_become_black_to_white(name: str, levels: tuple[int, ...], tmp_path: Path) -> None:
    indices = PICTURES.astype(int) * len(levels) // 256
    pixels = import_pixels(WRITERS[name](tmp_path, np.array(levels, np.uint8)[indices])).astype(int)
    expected = np.array(levels)[indices] * 255 / levels[-1]
    assert np.abs(pixels - expected).max() <= 1


@pytest.mark.parametrize("name", ["png", "png 12 bit", "tiff float", "npy", "npy float", "npz", "idx"])
def test_one_dark_picture_among_bright_ones_stays_dark(name: str, tmp_path: Path) -> None:
    pictures = PICTURES.copy()
    pictures[7] //= 8
    pixels = import_pixels(WRITERS[name](tmp_path, pictures)).astype(int)
    assert np.abs(pixels - pictures).max() <= 1


@pytest.mark.parametrize("name", ["png", "png 12 bit", "tiff float", "npy big-endian", "npz", "idx", "pages"])
def test_chosen_range_overrides_the_values(name: str, tmp_path: Path) -> None:
    white = {"png 12 bit": 4095, "tiff float": 1, "npy big-endian": 4080}.get(name, 255)
    pixels = import_pixels(WRITERS[name](tmp_path, PICTURES), value_range=(white / 5, white / 2))
    expected = ((PICTURES / 255 - 0.2) / 0.3 * 255).clip(0, 255)
    assert np.abs(pixels - expected).max() <= 2
