"""Pages of image files are exported as files of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.drawing import encode_png
from tests.export.label_tables import LABELS, write_labels
from vaetui.export.label_info import ExportCounts
from vaetui.export.label_table import LabelTable, SourceFiles
from vaetui.export.source_pages import PageReader, UnreadablePageError, find_suffix, split_page_path

PAGES = [np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1)) + page for page in range(3)]
"""Ramps of 40x60 pixels."""


def write_stack(path: Path, pages: list[Image.Image], **options: object) -> None:
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)


def label_pages(root: Path, *paths: str) -> LabelTable:
    """Return LABELS for four pages."""
    return replace(LABELS, source_files=SourceFiles(root, paths))


def test_pages_are_written_in_full_size_for_every_format(tmp_path: Path) -> None:
    write_stack(tmp_path / "stack.tif", [Image.fromarray(page) for page in PAGES])
    (tmp_path / "a.png").write_bytes(encode_png(PAGES[0]))
    labels = label_pages(tmp_path, "stack.tif#2", "stack.tif#0", "a.png", "stack.tif#7")
    for format_name, directory in (("label-studio", "images"), ("fiftyone", "data"), ("huggingface", "train")):
        output = tmp_path / format_name
        assert write_labels(labels, format_name, 0.0, output) == ExportCounts(3, 0, 0, missing=1)
        paths = sorted((output / directory).glob("*.png"))
        assert [path.name for path in paths] == ["a.png", "stack.tif#0.png", "stack.tif#2.png"]
        for path, page in zip(paths, (0, 0, 2), strict=True):
            assert np.array_equal(np.asarray(Image.open(path)), PAGES[page])
    assert write_labels(labels, "folders", 0.5, tmp_path / "folders") == ExportCounts(2, 1, 0, missing=1)
    assert (tmp_path / "folders/sea horse/stack.tif#2.png").is_file()
    assert (tmp_path / "folders/_unsure/stack.tif#0.png").is_file()
    write_labels(labels, "jsonl", 0.0, tmp_path / "labels.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert rows[0]["path"] == str(tmp_path / "stack.tif#2")


@pytest.mark.parametrize(
    ("dtype", "scale", "suffix"), [("u2", 250, ".png"), ("i4", 70_000, ".tif"), ("f4", 0.37, ".tif")]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_deep_pages_keep_their_values_and_become_upright(
    tmp_path: Path, dtype: str, scale: float, suffix: str, orientation: int
) -> None:
    pages = [(page.astype("f8") * scale).astype(dtype) for page in PAGES]
    stored = [np.rot90(page) if orientation == 6 else page for page in pages]
    write_stack(tmp_path / "stack.tif", [Image.fromarray(page) for page in stored], tiffinfo={0x112: orientation})
    reader = PageReader()
    for page in (1, 2, 0):
        path = reader.write(tmp_path / "stack.tif", page, tmp_path / f"{page}.png")
        assert path == tmp_path / f"{page}{suffix}"
        assert np.array_equal(np.asarray(Image.open(path)), pages[page])


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_frames_of_animations_are_written(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.full((20, 30), 100 * page, np.uint8)) for page in range(3)]
    format_name = "PNG" if suffix == ".apng" else suffix[1:]
    write_stack(tmp_path / f"film{suffix}", frames, format=format_name, lossless=True)
    reader = PageReader()
    for page in (2, 0, 1):
        path = reader.write(tmp_path / f"film{suffix}", page, tmp_path / f"{page}.png")
        assert Image.open(path).size == (30, 20)
        assert abs(int(np.asarray(Image.open(path).convert("L"))[5, 5]) - 100 * page) <= 2


def test_damaged_and_missing_pages_are_unreadable(tmp_path: Path) -> None:
    write_stack(tmp_path / "stack.tif", [Image.fromarray(page) for page in PAGES])
    (tmp_path / "text.tif").write_text("no image")
    reader = PageReader()
    for name, page in (("stack.tif", 3), ("text.tif", 0), ("missing.tif", 0)):
        with pytest.raises(UnreadablePageError):
            reader.write(tmp_path / name, page, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
    reader.write(tmp_path / "stack.tif", 1, tmp_path / "x.png")


def test_no_file_that_a_link_points_to_is_overwritten(tmp_path: Path) -> None:
    write_stack(tmp_path / "stack.tif", [Image.fromarray(page.astype("f4")) for page in PAGES])
    (tmp_path / "mine.tif").write_text("mine")
    (tmp_path / "0.tif").symlink_to("mine.tif")
    path = PageReader().write(tmp_path / "stack.tif", 0, tmp_path / "0.png")
    assert path.name == "0_.tif"
    assert (tmp_path / "mine.tif").read_text() == "mine"


def test_a_path_names_a_page_unless_it_is_a_file(tmp_path: Path) -> None:
    assert split_page_path(tmp_path / "stack.tif#12") == (tmp_path / "stack.tif", 12)
    assert split_page_path(tmp_path / "new\nline.tif#0") == (tmp_path / "new\nline.tif", 0)
    for name in ("a.png", "a#b.png", "a#1.png", "#1"):
        assert split_page_path(tmp_path / name) == (tmp_path / name, None)
    (tmp_path / "photo#1").touch()
    assert split_page_path(tmp_path / "photo#1") == (tmp_path / "photo#1", None)


def test_files_without_a_usual_suffix_get_that_of_their_content(tmp_path: Path) -> None:
    Image.fromarray(PAGES[0]).save(tmp_path / "photo", "JPEG")
    Image.fromarray(PAGES[0]).save(tmp_path / "image.dat", "PNG")
    assert [find_suffix(name, tmp_path) for name in ("photo", "image.dat", "x.JPG")] == [".jpg", ".png", ".JPG"]
    labels = label_pages(tmp_path, "photo", "image.dat", "missing", "photo")
    write_labels(labels.select_rows(labels.indices < 3), "huggingface", 0.0, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out/train").iterdir()}
    assert names == {"photo.jpg", "image.dat.png", "metadata.jsonl"}


def test_huggingface_gets_images_in_formats_that_datasets_loads(tmp_path: Path) -> None:
    Image.fromarray(PAGES[1]).save(tmp_path / "image.avif", quality=100)
    labels = label_pages(tmp_path, "image.avif", "", "", "")
    write_labels(labels.select_rows(labels.indices == 0), "huggingface", 0.0, tmp_path / "out")
    image = Image.open(tmp_path / "out/train/image.png")
    assert np.abs(np.asarray(image.convert("L")).astype(int) - PAGES[1]).max() < 8
    write_labels(labels.select_rows(labels.indices == 0), "fiftyone", 0.0, tmp_path / "other")
    assert (tmp_path / "other/data/image.avif").is_symlink()
