"""Files of several images: TIFF stacks and animations."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.data.decoding import decode_image, survey_image
from tests.data.drawing import encode_png, load_digits
from tests.data.image_encoders import encode_tiff
from vaetui.data import image_pages, parallel_decoding
from vaetui.data.image_samples import UnusableImageError
from vaetui.data.parallel_decoding import FILES_PER_TASK, decode_files, survey_files
from vaetui.data.value_range import ValueRange

DIGITS = load_digits(20)[0]
SIZE = DIGITS.shape[1:]


def save_pages(path: Path, pages: NDArray[Any], **options: Any) -> None:
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=others, **options)


@pytest.mark.parametrize("name", ["stack.tif", "a.gif", "a.png", "a.webp", "a.avif"])
def test_each_page_and_frame_is_an_image(tmp_path: Path, name: str) -> None:
    options = {"lossless": True} if name == "a.webp" else {"quality": 100} if name == "a.avif" else {}
    save_pages(tmp_path / name, DIGITS, **options)
    file = decode_image(tmp_path / name, SIZE)
    assert file.pages == tuple(range(20))
    assert file.skipped_pages == ()
    assert np.abs(file.pixels.astype(int) - DIGITS).max() <= 2
    for page in (7, 0):
        (pixels,) = decode_image(f"{tmp_path / name}#{page}", SIZE).pixels
        assert np.abs(pixels.astype(int) - DIGITS[page]).max() <= 2
    with pytest.raises(UnusableImageError, match="has no page 20"):
        decode_image(f"{tmp_path / name}#20", SIZE)


def test_a_file_with_one_image_has_no_pages(tmp_path: Path) -> None:
    for name in ("one.tif", "one.gif", "one.png", "one.webp"):
        save_pages(tmp_path / name, DIGITS[:1])
        assert decode_image(tmp_path / name, SIZE).pages is None
        assert len(decode_image(f"{tmp_path / name}#0", SIZE).pixels) == 1


def test_a_file_whose_name_ends_like_a_page_is_a_file(tmp_path: Path) -> None:
    save_pages(tmp_path / "stack.tif", DIGITS[:3])
    (tmp_path / "stack.tif#1").write_bytes(encode_png(DIGITS[9]))
    assert np.array_equal(decode_image(tmp_path / "stack.tif#1", SIZE).pixels, DIGITS[9:10])
    assert np.array_equal(decode_image(tmp_path / "stack.tif#2", SIZE).pixels, DIGITS[2:3])
    with pytest.raises(UnusableImageError, match="does not exist"):
        decode_image(tmp_path / "gone.tif#1", SIZE)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_pages_of_different_orientations_and_sizes_are_upright(tmp_path: Path, compression: str | None) -> None:
    upright = np.zeros((32, 60), np.uint8)
    upright[:16, :15] = 255
    pages = [upright, np.rot90(upright), np.repeat(np.repeat(upright, 2, 0), 2, 1)]
    content = encode_tiff(*map(np.ascontiguousarray, pages), page_tags=[{}, {274: 6}], deflate=compression is not None)
    (tmp_path / "a.tif").write_bytes(content)
    file = decode_image(tmp_path / "a.tif", (32, 60))
    assert file.size == (32, 60)
    for pixels in file.pixels:
        assert np.abs(pixels.astype(int) - upright).mean() < 5


def test_pages_are_read_by_their_numbers_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    shift = np.arange(20, dtype=np.uint16)[:, None, None, None]
    pages = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 3)).astype(np.uint16) + shift
    path.write_bytes(encode_tiff(*pages))
    value_range = ValueRange(0, 300)
    for page in (5, 5, 19, 0, 0, 3, 5):
        (pixels,) = decode_image(f"{path}#{page}", (28, 28, 3), {"16-bit": value_range}).pixels
        assert np.array_equal(pixels, value_range.to_pixels(pages[page]))
    with pytest.raises(UnusableImageError, match="has no page 20"):
        decode_image(f"{path}#20", SIZE)
    path.write_bytes(encode_tiff(*pages[:10][::-1]))  # another file of the same name
    (pixels,) = decode_image(f"{path}#4", (28, 28, 3), {"16-bit": value_range}).pixels
    assert np.array_equal(pixels, value_range.to_pixels(pages[5]))


def test_a_damaged_page_of_a_stack_is_skipped(tmp_path: Path) -> None:
    pages = DIGITS[:5].astype(np.float32)
    pages[1, 3, 3] = np.nan
    content = bytearray(encode_tiff(*pages, deflate=True))
    start = content.index(b"\x78\x9c", content.index(b"\x78\x9c", content.index(b"\x78\x9c") + 2) + 2)
    (tmp_path / "a.tif").write_bytes(content)
    file = decode_image(tmp_path / "a.tif", SIZE, {"float": ValueRange(0, 255)})
    assert (file.pages, file.skipped_pages) == ((0, 2, 3, 4), ((1, "contains NaN or infinite values"),))
    content[start + 20 : start + 60] = bytes(40)
    (tmp_path / "a.tif").write_bytes(content)
    file = decode_image(tmp_path / "a.tif", SIZE, {"float": ValueRange(0, 255)})
    assert file.pages == (0, 3, 4)
    assert [page for page, _ in file.skipped_pages] == [1, 2]
    assert np.array_equal(file.pixels, DIGITS[[0, 3, 4]])


def test_frames_after_a_damaged_one_are_skipped(tmp_path: Path) -> None:
    save_pages(tmp_path / "a.png", DIGITS)
    content = bytearray((tmp_path / "a.png").read_bytes())
    position = 0
    for _ in range(4):
        position = content.index(b"fdAT", position + 1)
    content[position + 12 : position + 40] = bytes(28)
    (tmp_path / "a.png").write_bytes(content)
    file = decode_image(tmp_path / "a.png", SIZE)
    assert file.pages == (0, 1, 2, 3)
    assert [page for page, _ in file.skipped_pages] == list(range(4, 20))
    assert file.skipped_pages[-1][1] == "follows a damaged page"
    assert np.array_equal(file.pixels, DIGITS[:4])


@pytest.mark.parametrize("suffix", [".tif", ".gif", ".png"])
def test_pages_lost_by_a_cut_are_reported(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save_pages(path, DIGITS)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    file = decode_image(path, SIZE)
    assert file.pages is not None
    assert 3 < len(file.pages) < 15
    assert file.skipped_pages[0][0] == file.pages[-1] + 1
    assert np.array_equal(file.pixels, DIGITS[: len(file.pages)])


def test_a_damaged_second_frame_leaves_the_first(tmp_path: Path) -> None:
    save_pages(tmp_path / "a.gif", DIGITS[:2])
    content = (tmp_path / "a.gif").read_bytes()
    start = content.index(b"\x21\xf9", content.index(b"\x2c"))  # the extension before the second frame
    for cut in range(start + 1, len(content) - 1):
        (tmp_path / "a.gif").write_bytes(content[:cut])
        assert np.array_equal(decode_image(tmp_path / "a.gif", SIZE).pixels[0], DIGITS[0])


def test_a_file_without_a_usable_page_is_skipped_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(encode_tiff(*np.full((3, 9, 9), np.nan, np.float32)))
    with pytest.raises(UnusableImageError, match=r"^contains NaN or infinite values$"):
        decode_image(tmp_path / "a.tif", SIZE)


def test_reduced_copies_and_masks_are_skipped_pages(tmp_path: Path) -> None:
    tags = [{}, {254: 1}, {254: 4}, {254: 2}, {255: 2}]
    (tmp_path / "a.tif").write_bytes(encode_tiff(*DIGITS[:5], page_tags=tags))
    file = decode_image(tmp_path / "a.tif", SIZE)
    assert file.pages == (0, 3)
    assert file.skipped_pages == (
        (1, "is a reduced copy of another page"),
        (2, "is a mask of another page"),
        (4, "is a reduced copy of another page"),
    )
    # Some programs mark every page.
    (tmp_path / "a.tif").write_bytes(encode_tiff(*DIGITS[:3], tags={254: 1}))
    assert decode_image(tmp_path / "a.tif", SIZE).pages == (0, 1, 2)


@pytest.mark.parametrize("tags", [{50_706: 1}, {254: 1, 330: 8}])
def test_camera_raw_data_under_another_name_is_skipped(tmp_path: Path, tags: dict[int, int]) -> None:
    (tmp_path / "a.tif").write_bytes(encode_tiff(DIGITS[0], tags=tags))
    with pytest.raises(UnusableImageError, match="is a camera raw file; convert it"):
        decode_image(tmp_path / "a.tif", SIZE)


def test_further_images_of_a_phone_picture_are_previews(tmp_path: Path) -> None:
    images = [Image.fromarray(page).convert("RGB").resize((64, 64)) for page in DIGITS[:3]]
    images[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=images[1:])
    file = decode_image(tmp_path / "a.jpg", SIZE)
    assert (file.pages, file.size, len(file.pixels)) == (None, (64, 64), 1)


def test_pages_beyond_the_limits_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pages(tmp_path / "a.tif", DIGITS)
    monkeypatch.setattr(image_pages, "MAX_PAGES", 12)
    file = decode_image(tmp_path / "a.tif", SIZE)
    assert file.pages == tuple(range(12))
    assert file.skipped_pages == ((12, "and later pages are not read: at most 12 pages are supported"),)
    monkeypatch.setattr(image_pages, "MAX_FILE_PIXELS", 28 * 28 * 5)
    monkeypatch.setattr(image_pages, "MAX_PIXELS_PER_BYTE", 0)
    file = decode_image(tmp_path / "a.tif", SIZE)
    assert file.pages == tuple(range(5))
    assert file.skipped_pages == ((5, "and later pages are not read: the pages have more than 3,920 pixels"),)


def test_a_survey_covers_all_pages(tmp_path: Path) -> None:
    pages = (DIGITS[:5].astype(np.uint16) // 16 + 100) * np.array([1, 1, 9, 1, 1], np.uint16)[:, None, None]
    (tmp_path / "a.tif").write_bytes(encode_tiff(*pages))
    survey = survey_image(tmp_path / "a.tif")
    assert (survey.kind, survey.size) == ("16-bit", (28, 28))
    assert (survey.values.min(), survey.values.max()) == (pages.min(), pages.max())
    # Without a given range, all pages of the file share one.
    pixels = decode_image(tmp_path / "a.tif", SIZE).pixels
    assert pixels[0].max() < 40
    assert pixels[2].max() == 255


def test_files_with_pages_are_decoded_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_decoding, "MIN_FILES_PER_PROCESS", 20)
    paths, expected = [], []
    for index in range(2 * FILES_PER_TASK):
        path = tmp_path / f"{index:03}.{'tif' if index % 3 == 0 else 'png'}"
        if index % 10 == 5:
            path.write_bytes(b"damaged")
        elif index % 3 == 0:
            save_pages(path, DIGITS[index % 7 : index % 7 + 3])
            expected += list(DIGITS[index % 7 : index % 7 + 3])
        else:
            path.write_bytes(encode_png(DIGITS[index % 20]))
            expected.append(DIGITS[index % 20])
        paths.append(os.fspath(path))
    batches = list(decode_files(paths, SIZE))
    results = [result for _, batch_results in batches for result in batch_results]
    assert np.array_equal(np.concatenate([pixels for pixels, _ in batches]), expected)
    assert [result.image_count for result in results] == [
        0 if index % 10 == 5 else 3 if index % 3 == 0 else 1 for index in range(len(paths))
    ]
    assert [result.skip_reason is None for result in results] == [index % 10 != 5 for index in range(len(paths))]
    surveys = [survey for batch in survey_files(paths) for survey in batch]
    assert [survey is None for survey in surveys] == [index % 10 == 5 for index in range(len(paths))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(broken=st.sets(st.integers(0, 11)), seed=st.integers(0, 1_000))
def test_any_subset_of_broken_files_leaves_the_others_aligned(tmp_path: Path, broken: set[int], seed: int) -> None:
    rng = random.Random(seed)
    paths, expected = [], []
    for index in range(12):
        path = tmp_path / f"{index}.{('png', 'tif', 'gif')[index % 3]}"
        pages = DIGITS[index : index + 1 + index % 2]
        save_pages(path, pages)
        if index in broken:
            path.write_bytes(rng.choice([b"", b"text", path.read_bytes()[:60]]))
        paths.append(os.fspath(path))
        expected.append([] if index in broken else [page.tolist() for page in pages])
    ((pixels, results),) = decode_files(paths, SIZE)
    ends = np.cumsum([result.image_count for result in results])
    assert [part.tolist() for part in np.split(pixels, ends)[:-1]] == expected


def test_large_stacks_are_decoded_in_small_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pages(tmp_path / "stack.tif", DIGITS)
    monkeypatch.setattr(parallel_decoding, "MAX_BYTES_PER_TASK", 3 * (tmp_path / "stack.tif").stat().st_size - 1)
    batches = list(decode_files([str(tmp_path / "stack.tif")] * 7, SIZE))
    assert [len(results) for _, results in batches] == [3, 3, 1]
    assert [len(pixels) for pixels, _ in batches] == [60, 60, 20]


def test_further_images_of_a_phone_picture_are_listed_and_not_taken(tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[second, second])
    decoded = decode_image(tmp_path / "phone.jpg", (30, 40, 3))
    assert decoded.pages is None
    assert len(decoded.pixels) == 1
    assert decoded.pixels[0, 0, 0, 0] > 200
    assert [page for page, _ in decoded.skipped_pages] == [1, 2]
