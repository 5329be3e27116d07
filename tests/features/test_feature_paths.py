"""Paths of images are found however a file of vectors writes them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from vaetui.errors import UserError
from vaetui.features.feature_paths import NO_ROW, SEVERAL_ROWS, match_paths, require_rows

IMAGES = ["a/one.jpg", "a/two words.jpg", "b/one.jpg", "b/stapel.tif#0", "b/stapel.tif#1", "größe.png"]
ROOT = Path("/data/photos")
ROWS = np.random.default_rng(0).permutation(len(IMAGES))
WRITINGS = {
    "relative to the directory of the images": lambda path: path,
    "with a dot": lambda path: f"./{path}",
    "with redundant parts": lambda path: f"a/..//{path}",
    "absolute": lambda path: f"/data/photos/{path}",
    "relative to the directory above": lambda path: f"photos/{path}",
    "of another computer": lambda path: f"/home/me/sets/photos/{path}",
    "of Windows": lambda path: "C:\\Users\\me\\" + path.replace("/", "\\"),
    "relative in Windows": lambda path: path.replace("/", "\\"),
    "a URL": lambda path: f"file:///data/photos/{path.replace(' ', '%20')}",
    "a URL of another computer": lambda path: f"file:///mnt/x/{path.replace(' ', '%20')}",
    "a URL with a computer": lambda path: f"file://localhost/mnt/x/{path.replace(' ', '%20')}",
    "with spaces around": lambda path: f" {path} ",
    "in decomposed letters": lambda path: unicodedata.normalize("NFD", path),
    "of Label Studio": lambda path: f"/data/local-files/?d=photos/{path.replace(' ', '%20')}",
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_each_image_gets_the_row_of_its_path(writing: str) -> None:
    row_paths = [WRITINGS[writing](IMAGES[image]) for image in ROWS]
    assert match_paths(row_paths, IMAGES, ROOT).tolist() == np.argsort(ROWS).tolist()


@pytest.mark.parametrize("writing", WRITINGS)
def test_rows_of_other_images_are_ignored(writing: str) -> None:
    others = ["c/one.jpg", "one.jpg", "a/b/one.jpg", "b/stapel.tif#2"]
    row_paths = [WRITINGS[writing](path) for path in (*others, *IMAGES)]
    assert match_paths(row_paths, IMAGES, ROOT).tolist() == [*range(4, 10)]


def test_paths_may_start_at_the_only_subdirectory_of_the_images(tmp_path: Path) -> None:
    assert match_paths(["2.png", "1.png"], ["train/1.png", "train/2.png"], tmp_path).tolist() == [1, 0]


def test_the_only_page_of_a_file_and_the_file_are_the_same() -> None:
    assert match_paths(["b.tif", "a.jpg#0"], ["a.jpg", "b.tif#0"], ROOT).tolist() == [1, 0]


def test_missing_and_repeated_paths_have_no_row() -> None:
    row_paths = ["a/one.jpg", "./a/one.jpg", "b/one.jpg"]
    assert match_paths(row_paths, ["a/one.jpg", "b/one.jpg", "c/one.jpg"], ROOT).tolist() == [
        SEVERAL_ROWS,
        2,
        NO_ROW,
    ]


def test_two_directories_with_the_same_names_leave_the_choice_open() -> None:
    row_paths = [f"/{root}/{path}" for root in ("x", "y") for path in IMAGES]
    assert set(match_paths(row_paths, IMAGES, ROOT)) == {SEVERAL_ROWS}


def test_paths_of_another_computer_do_not_match_by_file_name_alone() -> None:
    row_paths = ["/elsewhere/a/one.jpg", "/elsewhere/c/two words.jpg", "/elsewhere/b/one.jpg"]
    assert match_paths(row_paths, ["a/one.jpg", "a/two words.jpg", "b/one.jpg"], ROOT).tolist() == [0, NO_ROW, 2]


@pytest.mark.parametrize(
    ("row_paths", "message"),
    [
        (["x/1.jpg"], 'v.npz names no image of photos: it contains "x/1.jpg", the first image is "a/one.jpg".'),
        (IMAGES[:4], "v.npz has no vector for 2 of 6 images of photos, such as b/stapel.tif#1."),
        ([*IMAGES, *IMAGES[1:3]], "v.npz has several vectors for 2 of 6 images of photos, such as a/two words.jpg."),
    ],
)
def test_images_without_a_single_vector_are_refused(row_paths: list[str], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message.replace('(', '.')}"):
        require_rows(row_paths, IMAGES, ROOT, "v.npz", "photos", Path("/other"))
