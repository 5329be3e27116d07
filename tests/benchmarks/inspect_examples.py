"""Write `assets/docs/inspecting.md`, the output of `vaetui inspect` on twelve kinds of images.

Run it as: python -m tests.benchmarks.inspect_examples
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from tests.command_line import run_vaetui
from tests.data.drawing import draw_shapes
from tests.idx import write_idx

PAGE = Path(__file__).parents[2] / "assets/docs/inspecting.md"
INTRODUCTION = """\
# Inspecting images before an import

`vaetui inspect PATH` prints what `vaetui new --data PATH` would take and what it would leave out, without a session.
It takes the same import options, and the exit status is 2 where `new` would refuse. The images are decoded as for a
session, and `new` with the same options starts with them if it runs within the next hour.

`--json` prints one object for scripts: `images` (their number), `size` (height and width), `fit` (how they were
resized), `colour`, `range` (the original values of black and white), `source`, `classes` and `unlabelled` (only with
`--labels`), `duplicates`, and `skipped`, a list of objects with `path` and `reason`.

This page is made by `python -m tests.benchmarks.inspect_examples`; a test compares it with the output of the program.
"""
PICTURES, NAMES = draw_shapes(60)


def save_pictures(directory: Path, names: list[str] | None = None) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(PICTURES if names is None else PICTURES[: len(names)]):
        Image.fromarray(picture).save(directory / (f"{index:03}.png" if names is None else names[index]))


def write_phone_folder() -> None:
    save_pictures(Path("phone"), [f"IMG_{index:04}.jpg" for index in range(40)])
    for index in range(5):
        Path(f"phone/IMG_{9000 + index}.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    frames = [Image.fromarray(picture) for picture in PICTURES[40:43]]
    frames[0].save("phone/wave.gif", save_all=True, append_images=frames[1:])
    Path("phone/@eaDir").mkdir()
    Path("phone/.thumbnails").mkdir()
    Path("phone/list.xlsx").touch()
    Path("phone/IMG_0040.jpg").write_bytes(Path("phone/IMG_0000.jpg").read_bytes()[:300])


def write_class_folders() -> None:
    for index, picture in enumerate(PICTURES):
        path = Path("animals") / ("cat" if index % 3 else "dog") / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    Path("elsewhere").mkdir()
    Path("animals/dog").rename("elsewhere/dog")
    Path("animals/dog").symlink_to("../elsewhere/dog")
    Path("animals/cat/all").symlink_to("../../animals")


def write_camera_frames() -> None:
    Path("frames").mkdir()
    for index, picture in enumerate(PICTURES):
        brightness = 300 if index == 7 else 4_095
        Image.fromarray((picture / 255 * brightness).astype(np.uint16)).save(f"frames/{index:03}.png")


def write_stack() -> None:
    pages = [Image.fromarray(picture / np.float32(255)) for picture in PICTURES]
    pages[0].save("stack.tif", save_all=True, append_images=pages[1:])


def write_strips() -> None:
    Path("strips").mkdir()
    for index, picture in enumerate(PICTURES):
        size = (100, 100) if index % 10 == 0 else (200, 50)
        Image.fromarray(picture).resize(size).save(f"strips/{index:03}.png")


def write_table() -> None:
    save_pictures(Path("im"))
    lines = ["id,Image Name,species"]
    for index in range(60):
        label = NAMES[index] if index < 40 else ""
        lines.append(f"{index},im\\{index:03}.png,{label}")
    lines += ["60,im\\000.png,sq", "61,im\\lost.png,sq"]
    Path("table.csv").write_text("\n".join(lines))


def write_list() -> None:
    save_pictures(Path("im"))
    Path("list.csv").write_text("".join(f"im/{index:03}.png\n" for index in range(60)))


def write_named_arrays() -> None:
    labels = np.arange(60) % 4
    np.savez(
        "digits.npz", X_test=PICTURES[:20], X_train=PICTURES[20:], Y_test=labels[:20], Y_train=labels[20:], version=3
    )


def write_raster() -> None:
    values = PICTURES / np.float32(10) + 270
    values[:, :2] = -9_999
    values[5, 9, 9] = np.nan
    np.save("temperatures.npy", values)


def write_matlab_order() -> None:
    np.savez("matlab.npz", images=np.moveaxis(PICTURES, 0, -1))


def write_idx_directory() -> None:
    Path("mnist").mkdir()
    write_idx(Path("mnist/train-images-idx3-ubyte"), PICTURES)
    write_idx(Path("mnist/train-labels-idx1-ubyte"), (np.arange(60) % 4).astype(np.uint8))


def write_copies() -> None:
    np.save("tiles.npy", np.concatenate([PICTURES, np.zeros((30, 28, 28), np.uint8)]))


EXAMPLES: list[tuple[str, str, Callable[[], None]]] = [
    ("Pictures of a phone", "phone", write_phone_folder),
    ("Directories of classes, one of them a link", "animals --labels", write_class_folders),
    ("12-bit frames of a camera, one of them dark", "frames", write_camera_frames),
    ("Pages of a microscope in one file", "stack.tif", write_stack),
    ("Wide strips", "strips", write_strips),
    ("A table with paths of Windows, labelled in part", "table.csv --labels", write_table),
    ("A list of paths without a header", "list.csv", write_list),
    ("Named arrays", "digits.npz --labels", write_named_arrays),
    ("Temperatures with missing values", "temperatures.npy", write_raster),
    ("Another order of axes, which is refused", "matlab.npz", write_matlab_order),
    ("A directory of IDX files", "mnist --labels", write_idx_directory),
    ("Copies of one image", "tiles.npy", write_copies),
]
"""Heading, arguments of `inspect`, and the function that writes the images, for each example."""


def render_page() -> str:
    """Return the page with the output of every example."""
    sections = [INTRODUCTION]
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.chdir(directory),
        mock.patch.dict(os.environ, VAETUI_HOME=f"{directory}/home"),
    ):
        for heading, arguments, write in EXAMPLES:
            write()
            process = run_vaetui("inspect", *arguments.split())
            output = f"{process.stdout}{process.stderr}".replace(f"{directory}/", "")
            output = re.sub(r"home/datasets/\w+/", "~/.local/share/vaetui/datasets/…/", output)
            status = f"exit status {process.returncode}\n" if process.returncode else ""
            sections.append(f"## {heading}\n\n```console\n$ vaetui inspect {arguments}\n{output}{status}```\n")
    return "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(render_page())
