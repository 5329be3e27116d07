"""Vectors of images: aligned with the import, whatever the source, and the same after an interruption."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.drawing import colour_digits, encode_png, load_digits, write_image_folder
from tests.data.test_containers import PICTURES, WRITERS
from tests.features import tiny_network
from tests.features.tiny_network import SIDE_PX, build_pixel_model, embed_pixels, measure_distances, start_embedding
from tests.idx import write_small_mnist
from tests.robustness import import_cases
from tests.small_disk import mount_small_disk
from vaetui.data.import_options import ImportOptions
from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.features import embedding, partial_vectors
from vaetui.features.embedded_file import load_embedded_file
from vaetui.features.embedding import embed_array, embed_paths, import_and_embed
from vaetui.features.feature_sidecar import read_sidecar
from vaetui.features.partial_vectors import PartialVectors, list_partial_paths
from vaetui.runtime.session_runner import drain_events

pytestmark = pytest.mark.usefixtures("home")
MAX_DISTANCE = 9.0
"""Mean difference in grey levels of two ways to resize an image; two digits differ by 40."""


def write_mixed_folder(root: Path) -> list[str]:
    """Write images of all kinds and sizes, with files that cannot be read between them; return the names of rows."""
    digits = load_digits(24)[0]
    root.mkdir()
    names = []
    for index, digit in enumerate(digits):
        image = Image.fromarray(digit).resize((20 + 3 * index, 60 - index), Image.Resampling.BICUBIC)
        name = f"{index:02}" + (".jpg", ".png", ".webp", ".tif")[index % 4]
        image = image.convert("RGB") if index % 3 else image
        image.save(root / name)
        names.append(name)
        if index in (3, 4, 11):
            (root / f"{index:02}-damaged.jpg").write_bytes((root / "00.jpg").read_bytes()[:200])
    (root / "05-empty.png").write_bytes(b"")
    frames = [Image.fromarray(digit) for digit in digits[:3]]
    frames[0].save(root / "07-pages.tif", save_all=True, append_images=frames[1:])
    names += [f"07-pages.tif#{page}" for page in range(3)]
    return sorted(names)


@pytest.mark.parametrize("name", WRITERS)
def test_vectors_belong_to_the_imported_images_in_every_container(name: str, tmp_path: Path) -> None:
    dataset, file = embed_pixels(WRITERS[name](tmp_path, PICTURES), tmp_path / "v.npy")
    assert measure_distances(dataset, file).max() < MAX_DISTANCE
    assert (file.sidecar.image_count, file.sidecar.test_count, file.sidecar.width) == (len(PICTURES), 0, 3 * SIDE_PX**2)


def test_files_that_cannot_be_read_leave_no_gap_between_the_vectors(tmp_path: Path) -> None:
    names = write_mixed_folder(tmp_path / "own")
    dataset, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    assert len(dataset.skipped) == 4
    assert measure_distances(dataset, file).max() < MAX_DISTANCE
    sidecar, paths = read_sidecar(file.path) or (None, None)
    assert sidecar is not None
    assert sidecar == file.sidecar
    assert (sidecar.image_count, sidecar.model.name) == (27, "pixels")
    assert paths == tuple(names)


def test_vectors_of_a_cached_dataset_are_the_same(tmp_path: Path) -> None:
    write_mixed_folder(tmp_path / "own")
    _, first = embed_pixels(tmp_path / "own", tmp_path / "first.npy")
    _, second = embed_pixels(tmp_path / "own", tmp_path / "second.npy")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert load_embedded_file(second.path) == second


def test_arrays_skip_images_with_nan_and_test_images_follow(tmp_path: Path) -> None:
    digits = load_digits(40)[0].astype(np.float32) / 255
    digits[[0, 5, 17, 33], 3, 3] = np.nan
    np.savez(tmp_path / "a.npz", x_train=digits[:30], x_test=digits[30:])
    dataset, file = embed_pixels(tmp_path / "a.npz", tmp_path / "v.npy")
    assert (file.sidecar.image_count, file.sidecar.test_count) == (27, 9)
    assert measure_distances(dataset, file).max() < MAX_DISTANCE


def test_a_directory_of_idx_files_that_is_used_in_place_has_vectors_of_its_test_images(tmp_path: Path) -> None:
    path = write_small_mnist(tmp_path / "digits", train=30, test=12)
    model = build_pixel_model()
    dataset, file = drain_events(import_and_embed(path, ImportOptions(), model, tmp_path / "v.npy"))
    assert dataset.directory == path
    assert (file.sidecar.image_count, file.sidecar.test_count) == (30, 12)
    images = tiny_network.read_images_as_grey(dataset)
    vectors = tiny_network.read_vectors_as_grey(file)
    reduced = [np.asarray(Image.fromarray(image).resize((SIDE_PX, SIDE_PX))) for image in images]
    assert np.abs(vectors - np.stack(reduced)).mean(axis=(1, 2)).max() < MAX_DISTANCE


def test_photographs_are_turned_and_reduced_for_both_sizes(tmp_path: Path) -> None:
    directory = tmp_path / "own"
    directory.mkdir()
    for index, digit in enumerate(colour_digits(load_digits(12)[0])):
        exif = Image.Exif()
        exif[0x0112] = index % 8 + 1
        image = Image.fromarray(digit).resize((640, 480), Image.Resampling.BICUBIC)
        image.save(directory / f"{index:02}.jpg", exif=exif, quality=90)
    dataset, file = embed_pixels(directory, tmp_path / "v.npy")
    assert measure_distances(dataset, file).max() < MAX_DISTANCE


def test_vectors_keep_colours_of_images_that_are_imported_in_grey(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 12, in_colour=True)
    dataset, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy", colour=False)
    assert not dataset.report.in_colour
    assert measure_distances(dataset, file).max() < MAX_DISTANCE
    channels = np.load(file.path).reshape(-1, 3, SIDE_PX**2).mean(axis=2)
    assert (np.ptp(channels, axis=1) > 0.02).all()


def test_a_kind_of_values_that_the_survey_lacks_starts_the_vectors_again(tmp_path: Path) -> None:
    digits = load_digits(600)[0]
    (tmp_path / "own").mkdir()
    for index, digit in enumerate(digits):
        (tmp_path / f"own/{index:03}.png").write_bytes(encode_png(digit))
    Image.fromarray(digits[598].astype(np.uint16) * 257).save(tmp_path / "own/598.png")
    dataset, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    assert set(dataset.report.value_ranges) == {"8-bit", "16-bit"}
    assert measure_distances(dataset, file).max() < MAX_DISTANCE


@pytest.mark.parametrize("seed", range(3))
def test_damaged_sources_of_every_kind_give_aligned_vectors_or_a_refusal(seed: int, tmp_path: Path) -> None:
    outcomes = []
    for number in range(12):
        draw = random.Random(f"vectors.{seed}.{number}")
        directory = tmp_path / str(number)
        directory.mkdir()
        kinds = {kind: build for kind, (build, _) in import_cases.KINDS.items()}
        source = kinds[[*kinds][number % len(kinds)]](directory, draw)
        options = source.options.__class__(
            **{**{name: getattr(source.options, name) for name in source.options.__slots__}, "size": (SIDE_PX, SIDE_PX)}
        )
        events = import_and_embed(source.path, options, build_pixel_model(), directory / "v.npy")
        try:
            dataset, file = drain_events(events)
        except UserError:
            outcomes.append("refused")
            assert not (directory / "v.npy").exists()
            continue
        outcomes.append("embedded")
        assert file.sidecar.image_count == dataset.report.image_count
        assert np.median(measure_distances(dataset, file)) < MAX_DISTANCE
        assert measure_distances(dataset, file).max() < 40
    assert outcomes.count("embedded") >= 4


# Interruptions


def interrupt(path: Path, output: Path, event_count: int) -> None:
    """Start to compute vectors, and stop after some events."""
    events = start_embedding(path, output)
    for _ in range(event_count):
        next(events)
    events.close()


@pytest.mark.parametrize("is_cached", [False, True])
def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(
    is_cached: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaetui.data.parallel_decoding.FILES_PER_TASK", 7)
    monkeypatch.setattr(partial_vectors, "SAVE_INTERVAL_S", 0.0)
    write_image_folder(tmp_path / "own", 90)
    if is_cached:
        embed_pixels(tmp_path / "own", tmp_path / "other.npy")
    output, embedded = tmp_path / "v.npy", []
    for event_count in (6, 4, 3) if is_cached else (20, 23, 24):  # the survey has 13
        interrupt(tmp_path / "own", output, event_count)
        assert list_partial_paths(output)[0].exists()
        assert not output.exists()
    model = build_pixel_model()
    embed = model.embed
    monkeypatch.setattr(model, "embed", lambda pixels: embedded.append(len(pixels)) or embed(pixels))
    _, file = drain_events(start_embedding(tmp_path / "own", output, model))
    assert 0 < sum(embedded) <= 60
    assert not any(path.exists() for path in list_partial_paths(output))
    if not is_cached:
        embed_pixels(tmp_path / "own", tmp_path / "other.npy")
    assert file.path.read_bytes() == (tmp_path / "other.npy").read_bytes()


def test_files_are_not_decoded_again_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaetui.data.parallel_decoding.FILES_PER_TASK", 7)
    monkeypatch.setattr(partial_vectors, "SAVE_INTERVAL_S", 0.0)
    write_image_folder(tmp_path / "own", 90)
    events = start_embedding(tmp_path / "own", tmp_path / "v.npy")
    steps = (step for step in events if isinstance(step, Progress) and step.activity.startswith("computing"))
    next(step for step in steps if step.completed >= 32)
    events.close()
    decoded: list[str] = []
    decode = embedding.decode_transformed_files
    monkeypatch.setattr(
        embedding, "decode_transformed_files", lambda paths, *rest: decoded.extend(paths) or decode(paths, *rest)
    )
    dataset, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    assert 0 < len(decoded) < 90 - 32 + 7, "those of a task begun are decoded again"
    assert measure_distances(dataset, file).max() < MAX_DISTANCE


def test_arrays_go_on_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaetui.data.array_files.CHUNK_BYTES", 28 * 28 * 9)
    np.savez(tmp_path / "a.npz", x_train=load_digits(90)[0], x_test=load_digits(100)[0][90:])
    embed_pixels(tmp_path / "a.npz", tmp_path / "other.npy")
    interrupt(tmp_path / "a.npz", tmp_path / "v.npy", 8)
    dataset, file = embed_pixels(tmp_path / "a.npz", tmp_path / "v.npy")
    assert file.path.read_bytes() == (tmp_path / "other.npy").read_bytes()
    assert measure_distances(dataset, file).max() < MAX_DISTANCE


def test_progress_of_arrays_moves_with_each_batch(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", load_digits(90)[0])
    steps = import_and_embed(tmp_path / "a.npy", ImportOptions(), build_pixel_model(), tmp_path / "v.npy")
    done = [step.completed for step in steps if isinstance(step, Progress) and step.activity.startswith("computing")]
    counts = sorted(set(done))
    assert (counts[0], counts[-1]) == (0, 90)
    assert max(np.diff(counts)) <= build_pixel_model().batch_images < 45


@pytest.mark.parametrize("change", ["file", "batch", "order"])
def test_an_interrupted_run_with_other_images_or_another_model_starts_again(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaetui.data.parallel_decoding.FILES_PER_TASK", 7)
    monkeypatch.setattr(partial_vectors, "SAVE_INTERVAL_S", 0.0)
    write_image_folder(tmp_path / "own", 60)
    interrupt(tmp_path / "own", tmp_path / "v.npy", 9)
    model = build_pixel_model(5 if change == "batch" else 8)
    first = next((tmp_path / "own/part-0").iterdir())
    if change == "file":
        first.write_bytes(encode_png(255 - load_digits(1)[0][0]))
    elif change == "order":
        first.rename(tmp_path / "own/part-2/99999.png")
    dataset, file = drain_events(start_embedding(tmp_path / "own", tmp_path / "v.npy", model))
    assert measure_distances(dataset, file).max() < MAX_DISTANCE


def test_a_killed_run_goes_on_and_gives_the_same_bytes(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 90)
    embed_pixels(tmp_path / "own", tmp_path / "other.npy")
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.features.tiny_network import start_embedding; from vaetui.data import parallel_decoding\n"
        "from vaetui.features import partial_vectors\n"
        "parallel_decoding.FILES_PER_TASK, partial_vectors.SAVE_INTERVAL_S = 7, 0.0\n"
        "events = start_embedding(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "[next(events) for _ in range(12)]; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "own"), str(tmp_path / "v.npy")]
    environment = {**os.environ, "VAETUI_HOME": str(tmp_path / "other-home")}
    assert subprocess.run(command, check=False, env=environment).returncode == -signal.SIGKILL
    _, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    assert file.path.read_bytes() == (tmp_path / "other.npy").read_bytes()


def test_a_damaged_state_of_an_interrupted_run_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaetui.data.parallel_decoding.FILES_PER_TASK", 7)
    monkeypatch.setattr(partial_vectors, "SAVE_INTERVAL_S", 0.0)
    write_image_folder(tmp_path / "own", 60)
    for damage in (b"", b"{}", b"[1, 2]", b'{"identity": 3}'):
        interrupt(tmp_path / "own", tmp_path / "v.npy", 9)
        list_partial_paths(tmp_path / "v.npy")[1].write_bytes(damage)
        dataset, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy")
        assert measure_distances(dataset, file).max() < MAX_DISTANCE


def test_a_second_process_is_refused_while_the_first_computes(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 60)
    events = start_embedding(tmp_path / "own", tmp_path / "v.npy")
    while not list_partial_paths(tmp_path / "v.npy")[0].exists():
        next(events)
    with pytest.raises(UserError, match="Another process is computing"):
        embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    events.close()


def test_a_run_that_starts_while_another_one_ends_leaves_its_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, output = np.ones((3, 4), np.float16), tmp_path / "v.npy"
    first = PartialVectors(output, "identity", 8)
    first.add_vectors(vectors)
    first.save()
    first.complete()
    lock = fcntl.flock

    def publish_before_lock(*arguments: Any) -> None:
        monkeypatch.undo()
        first.publish()
        lock(*arguments)

    monkeypatch.setattr(fcntl, "flock", publish_before_lock)
    second = PartialVectors(output, "identity", 8)
    assert np.array_equal(np.load(output), vectors)
    assert second.row_count == 0
    second.add_vectors(vectors[:2])
    second.complete()
    second.publish()
    assert np.array_equal(np.load(output), vectors[:2])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("v.npy")] == ["v.npy"]


def test_unsuitable_images_leave_no_unfinished_vectors(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for index in range(20):
        (tmp_path / f"own/{index}.png").write_bytes(encode_png(load_digits(1)[0][0]))
    with pytest.raises(UserError, match="identical"):
        embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("v.npy")]


# Streams of new images


def test_new_images_have_the_vectors_of_the_import(tmp_path: Path) -> None:
    names = write_mixed_folder(tmp_path / "own")
    dataset, file = embed_pixels(tmp_path / "own", tmp_path / "v.npy")
    batches = list(
        embed_paths(build_pixel_model(), [str(tmp_path / "own")], 64, dataset.report.value_ranges, ImportOptions())
    )
    assert [name for batch in batches for name in batch.names] == [str(tmp_path / "own" / name) for name in names]
    assert np.array_equal(np.concatenate([batch.inputs for batch in batches]), np.load(file.path))
    assert len([skip for batch in batches for skip in batch.skipped]) == 4


def test_arrays_of_new_images_have_the_vectors_of_the_import(tmp_path: Path) -> None:
    digits = load_digits(20)[0]
    np.save(tmp_path / "a.npy", digits)
    dataset, file = embed_pixels(tmp_path / "a.npy", tmp_path / "v.npy")
    ranges, model = dataset.report.value_ranges, build_pixel_model()
    assert np.array_equal(embed_array(model, digits, ranges, ImportOptions(), (28, 28)), np.load(file.path))
    (batch, *_) = embed_paths(model, [str(tmp_path / "a.npy")], 64, ranges, ImportOptions(), (28, 28))
    assert np.array_equal(batch.inputs, np.load(file.path))
    assert len(embed_array(model, digits[:0], ranges, ImportOptions(), (28, 28))) == 0


def test_the_number_of_threads_of_training_is_the_same_after_vectors_were_computed(tmp_path: Path) -> None:
    import torch

    previous = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        write_image_folder(tmp_path / "own", 20)
        embed_pixels(tmp_path / "own", tmp_path / "v.npy")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(previous)


@pytest.mark.parametrize("size_kib", [4, 16, 64])
def test_a_full_disk_is_explained_and_stays_as_it_was(size_kib: int, tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 60)
    with mount_small_disk(tmp_path, size_kib) as disk:
        with pytest.raises(UserError, match="is full"):
            embed_pixels(tmp_path / "own", disk / "v.npy")
        assert [*disk.iterdir()] == []
