"""Imports of intact and damaged files: no traceback, and images, labels and paths stay together.

The benchmark runs thousands of the same cases.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.robustness.import_cases import CLASS_NAMES, KINDS, ImportCases
from tests.robustness.pictures import ENCODERS, EncodedFile, Scale, draw_picture, encode_file, read_number
from vaetui.data import array_files
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.data.parallel_decoding import FILES_PER_TASK
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array, read_images_and_digest
from vaetui.runtime.session_runner import drain_events
from vaetui.storage import dataset_cache

SEED = 1
BROKEN_CONTENTS = (
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"no image",
    bytes(500),
    b"\xff\xd8\xff\xe1\xff\xff",
    b"II*\0\xff\xff\xff\xff",
)
"""Contents that cannot be decoded, in part with the first bytes of an image."""


@pytest.mark.parametrize("count", [150, pytest.param(1_000, marks=[pytest.mark.slow, pytest.mark.timeout(1_800)])])
def test_import_of_damaged_files_keeps_images_labels_and_paths_together(tmp_path: Path, count: int) -> None:
    cases = ImportCases(tmp_path, SEED)
    verdicts = [cases.run(number) for number in range(count)]
    assert [verdict for verdict in verdicts if not verdict.passed] == []
    kinds = Counter((verdict.kind, verdict.verdict) for verdict in verdicts)
    assert {kind for kind, _ in kinds} == {*KINDS}
    assert all(kinds[kind, "refused"] == 0 for kind in ("folder", "table", "arrays"))
    assert kinds["damaged arrays", "refused"] > 0


def test_number_of_a_picture_survives_every_encoding() -> None:
    numbers = itertools.count(1)
    seen = {encode_file(random.Random(seed), Scale(65_535, 1.0), lambda: next(numbers)).suffix for seed in range(60)}
    assert len(seen) > len(ENCODERS) // 2
    for number, side in itertools.product((1, 5_000, 16_383), (16, 23, 64)):
        picture = draw_picture(number, side, 20)
        assert read_number(picture) == number
        assert read_number(np.repeat(picture[..., None] // 20, 3, axis=2)) == number
        assert read_number(picture[::-1]) != number


def encode_files() -> list[EncodedFile]:
    """Return 20 files of several formats and sizes, some with several pages."""
    draw, numbers = random.Random(4), itertools.count(1)
    return [encode_file(draw, Scale(4_095, 1.0), lambda: next(numbers)) for _ in range(20)]


FILES = encode_files()


def write_files(root: Path, broken: dict[int, bytes], with_broken: bool) -> None:
    for index, file in enumerate(FILES):
        path = root / CLASS_NAMES[index % 3] / f"{index:02}{file.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if index not in broken:
            path.write_bytes(file.content)
        elif with_broken:
            path.write_bytes(broken[index])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    broken=st.dictionaries(st.integers(0, len(FILES) - 1), st.sampled_from(BROKEN_CONTENTS), max_size=8),
    with_labels=st.booleans(),
)
def test_any_subset_of_broken_files_leaves_the_others_unchanged_and_aligned(
    home: Path, broken: dict[int, bytes], with_labels: bool
) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as directory:
        imports = []
        for name, with_broken in (("with", True), ("without", False)):
            root = Path(directory) / name / "images"
            write_files(root, broken, with_broken)
            dataset = drain_events(import_dataset(root, ImportOptions(labels=with_labels)))
            files = find_idx_files(dataset.directory)
            paths = [
                path for file in dataset_cache.load_source_files(dataset.directory) for path in file.list_image_paths()
            ]
            images, digest = read_images_and_digest(files.train_images)
            labels = read_idx_array(files.train_labels, 1).tolist() if files.train_labels else None
            imports.append((paths, digest, labels, dataset.class_names, replace(dataset.report, source="")))
            skipped_names = {Path(path).name for path, _ in dataset.skipped}
            broken_names = {f"{index:02}{FILES[index].suffix}" for index in broken}
            assert skipped_names == (broken_names if with_broken else set())
        assert imports[0] == imports[1]
        expected = [number for path in imports[0][0] for number in [find_number(path)]]
        assert [read_number(pixels) for pixels in images.all_pixels] == expected


@pytest.mark.parametrize("content", [b"", BROKEN_CONTENTS[1]])
def test_batch_of_broken_files_only_is_skipped(home: Path, tmp_path: Path, content: bytes) -> None:
    root = tmp_path / "images"
    write_files(root / "z", {}, with_broken=False)
    for index in range(FILES_PER_TASK + 10):
        (root / f"{index:03}.png").write_bytes(content)
    dataset = drain_events(import_dataset(root, ImportOptions()))
    assert len(dataset.skipped) == FILES_PER_TASK + 10
    assert dataset.report.image_count == sum(len(file.numbers) for file in FILES)


def test_part_of_an_array_that_contains_only_nan_is_skipped(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.stack([draw_picture(number, 16, 16) for number in range(1, 41)]).astype(np.float32)
    images[10:30] = np.nan
    np.save(tmp_path / "images.npy", images)
    monkeypatch.setattr(array_files, "CHUNK_BYTES", images[:5].nbytes)
    dataset = drain_events(import_dataset(tmp_path / "images.npy", ImportOptions()))
    assert dataset.report.omitted_indices == tuple(range(10, 30))
    pixels = read_images_and_digest(find_idx_files(dataset.directory).train_images)[0].all_pixels
    assert [read_number(image) for image in pixels] == [*range(1, 11), *range(31, 41)]


def test_decoders_print_nothing_about_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    Image.fromarray(draw_picture(5, 16, 16)).convert("RGB").save(path)
    content = bytearray(path.read_bytes())
    samples_per_pixel = content.index((277).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    content[samples_per_pixel + 8] = 7  # Pillow logs an error
    path.write_bytes(content)
    program = "import sys; from vaetui.data.image_files import *; decode_image(sys.argv[1], (16, 16))\n"
    process = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert "More samples per pixel" not in process.stderr
    assert process.stderr.splitlines()[-1].startswith("vaetui.data.image_samples.UnusableImageError: ")


def find_number(path: str) -> int:
    """Return the number of the picture at a path, which may name a page."""
    name, _, page = Path(path).name.partition("#")
    return FILES[int(name[:2])].numbers[int(page or 0)]
