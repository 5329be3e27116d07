"""Cases of an import from intact and damaged files: seed and number determine the files, and each case has one verdict.

Every picture carries a number, from which a case finds out whether images, labels and paths of the dataset still belong
together.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import os
import random
import shutil
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.idx import encode_idx
from tests.robustness.cases import CASE_TIMEOUT_S, CaseTimeout, Verdict
from tests.robustness.pictures import EncodedFile, draw_picture, draw_scale, encode_file, read_number
from vaetui.data.image_stream import stream_image_batches
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset, import_dataset
from vaetui.engine.idx import IdxFiles, find_idx_files
from vaetui.engine.images import read_idx_array, read_images_and_digest
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.storage import dataset_cache

CLASS_NAMES = ("cat", "Dog", "é 3")
MIN_FILES, MAX_FILES, MAX_DAMAGED_FILES = 18, 26, 6
NAME_PATTERNS = ("{}", "img {}", "#{}", "ü{}", "{}.backup", "a'b\"{}", "{}%20")
"""Patterns of file names."""


class MisalignedError(AssertionError):
    """An image has the label or the path of another one, or is missing."""


@dataclass(slots=True)
class Source:
    """The input of an import, and what has to come out."""

    path: Path
    """What is imported."""
    options: ImportOptions
    """How."""
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The numbers of the pages of each intact file, by name."""
    labels: dict[int, str] = field(default_factory=dict)
    """The label of each number; empty if labels are not compared."""
    damaged_names: set[str] = field(default_factory=set)
    """The names of damaged files: any result is right that leaves the others alone."""
    array_numbers: list[int] = field(default_factory=list)
    """The numbers of the images of an array."""
    test_numbers: list[int] = field(default_factory=list)
    """The numbers of its test images."""
    omitted_indices: tuple[int, ...] = ()
    """The images of an array that cannot be used."""
    must_be_imported: bool = True
    """Whether a refusal, or the loss of an intact file, is wrong."""
    description: str = ""
    """The damage."""


class ImportCases:
    """The cases of one seed, each in a directory of its own."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._directory = directory
        self._seed = seed

    def run(self, number: int, verbose: bool = False) -> Verdict:
        """Import the source of one case, and compare the dataset with it."""
        draw = random.Random(f"{self._seed}.{number}")
        kind = draw.choices([*KINDS], [weight for _, weight in KINDS.values()])[0]
        directory = self._directory / f"{os.getpid()}-{number}"
        directory.mkdir(parents=True)
        verdict, detail, source = "works", "", None
        try:
            with _use_home(directory / "home"), _limit_time():
                source = KINDS[kind][0](directory, draw)
                try:
                    dataset = drain_events(import_dataset(source.path, source.options))
                    check_dataset(dataset, source)
                    check_stream(dataset, source)
                except UserError as error:
                    verdict, detail = "refused", str(error)
                    if "\n" in detail or not detail.isprintable():
                        verdict = "unprintable"
                    elif source.must_be_imported:
                        verdict = "refused in vain"
        except (Exception, CaseTimeout) as error:
            if verbose:
                traceback.print_exc()
            names: dict[type, str] = {CaseTimeout: "hung", MisalignedError: "misaligned"}
            verdict, detail = names.get(type(error), f"raised {type(error).__name__}"), f"{error!s:.300}"
        finally:
            if not verbose:
                shutil.rmtree(directory, ignore_errors=True)
        return Verdict(number, "", kind, source.description if source else "", verdict, detail, kind)


def check_dataset(dataset: ImportedDataset, source: Source) -> None:
    """Raise MisalignedError unless every intact picture is in the dataset, with its own path and label."""
    files = find_idx_files(dataset.directory)
    images = read_images_and_digest(files.train_images)[0].all_pixels
    numbers = [read_number(pixels) for pixels in images]
    if source.array_numbers:
        _check_array(dataset, source, numbers, files)
        return
    label_names = _read_label_names(files.train_labels, dataset.class_names, len(images))
    if not source.numbers:  # damaged arrays and tables, of which nothing is expected
        return
    paths = [path for file in dataset_cache.load_source_files(dataset.directory) for path in file.list_image_paths()]
    if len(paths) != len(images):
        raise MisalignedError(f"{len(paths)} paths for {len(images)} images")
    positions = {os.path.basename(path): index for index, path in enumerate(paths)}
    if len(positions) != len(paths):
        raise MisalignedError("a path occurs twice")
    is_damaged_file_imported = any(name.split("#")[0] in source.damaged_names for name in positions)
    for name, page_numbers in source.numbers.items():
        for page, number in enumerate(page_numbers):
            index = positions.get(f"{name}#{page}", positions.get(name) if len(page_numbers) == 1 else None)
            if index is None:
                if not source.must_be_imported:
                    continue
                reasons = [reason for path, reason in dataset.skipped if name in path]
                raise MisalignedError(f"page {page} of {name} is missing: {reasons}")
            if numbers[index] is None and (is_damaged_file_imported or not source.must_be_imported):
                continue  # values in a damaged file that can be decoded may widen the range of all files
            if numbers[index] != number:
                raise MisalignedError(f"{name} page {page}: picture {numbers[index]} instead of {number}")
            if source.labels and label_names and label_names[index] != source.labels[number]:
                raise MisalignedError(f"{name}: label {label_names[index]} instead of {source.labels[number]}")
    skipped_paths = " ".join(path for path, _ in dataset.skipped)
    for name in source.damaged_names:
        if name not in skipped_paths and not any(name in path for path in paths):
            raise MisalignedError(f"{name} is neither imported nor listed as skipped")


def check_stream(dataset: ImportedDataset, source: Source) -> None:
    """Raise MisalignedError unless the images that `predict` reads from the source are those of the dataset."""
    if dataset.origin is None:
        return
    images = read_images_and_digest(find_idx_files(dataset.directory).train_images)[0].all_pixels
    batches = list(stream_image_batches([str(source.path)], images.shape[1:], value_ranges=dataset.report.value_ranges))
    names = [name for batch in batches for name in batch.names]
    streamed = np.concatenate([batch.inputs for batch in batches])
    if len(names) != len(streamed):
        raise MisalignedError(f"{len(names)} names for {len(streamed)} images of the stream")
    if dataset.origin.root_path is None:
        omitted = dataset.report.omitted_indices
        kept_indices = (index for index in range(len(images) + len(omitted)) if index not in omitted)
        paths = [f"{source.path}#{index}" for index in kept_indices]
    else:
        files = dataset_cache.load_source_files(dataset.directory)
        root = dataset.origin.root_path
        paths = [os.path.join(root, path) for file in files for path in file.list_image_paths()]
    if names != paths:
        raise MisalignedError(f"the stream has {set(names) ^ set(paths)} or another order")
    if not np.array_equal(streamed, images):
        index = int(np.flatnonzero((streamed != images).reshape(len(images), -1).any(axis=1))[0])
        raise MisalignedError(f"{names[index]} has other pixels in the stream")


def _check_array(dataset: ImportedDataset, source: Source, numbers: list[int | None], files: IdxFiles) -> None:
    omitted = dataset.report.omitted_indices
    if source.must_be_imported and omitted != source.omitted_indices:
        raise MisalignedError(f"images {omitted} are omitted instead of {source.omitted_indices}")
    expected = [number for index, number in enumerate(source.array_numbers) if index not in omitted]
    if numbers != expected:
        raise MisalignedError(f"pictures {numbers} instead of {expected}")
    label_names = _read_label_names(files.train_labels, dataset.class_names, len(numbers))
    if source.labels and label_names and label_names != [source.labels[number] for number in expected]:
        raise MisalignedError(f"labels {label_names} of {expected}")
    if source.test_numbers and files.test_images is not None:
        test_images = read_images_and_digest(files.test_images)[0].all_pixels
        test_numbers = [read_number(pixels) for pixels in test_images]
        if test_numbers != source.test_numbers:
            raise MisalignedError(f"test pictures {test_numbers} instead of {source.test_numbers}")
        test_labels = _read_label_names(files.test_labels, dataset.class_names, len(test_numbers))
        if source.labels and test_labels and test_labels != [source.labels[number] for number in source.test_numbers]:
            raise MisalignedError(f"test labels {test_labels} of {source.test_numbers}")


def _read_label_names(path: Path | None, class_names: tuple[str, ...] | None, count: int) -> list[str]:
    if path is None:
        return []
    class_ids = read_idx_array(path, 1)
    if len(class_ids) != count:
        raise MisalignedError(f"{len(class_ids)} labels for {count} images")
    if class_names is None:
        return []
    return [class_names[class_id] if class_id < len(class_names) else "" for class_id in class_ids]


# Damage.


def damage_content(draw: random.Random, content: bytes, other: bytes = b"") -> tuple[bytes, str]:
    """Return a file damaged at random, more often in its headers, and the kind of the damage."""
    kind = draw.choice(
        ("cut", "cut", "flipped", "flipped", "header", "header", "zeroed", "inserted", "deleted", "other")
    )
    size = len(content)
    position = draw.randrange(max(size, 1))
    match kind:
        case "cut":
            return content[: draw.choice((0, 1, position, size - 1))], kind
        case "flipped":
            damaged = bytearray(content)
            for _ in range(draw.choice((1, 1, 8, 60)) if size else 0):
                damaged[draw.randrange(size)] ^= 1 << draw.randrange(8)
            return bytes(damaged), kind
        case "header":  # lengths, counts, offsets and tags
            start = draw.randrange(min(size, draw.choice((32, 300, size + 1)) or 1) or 1)
            value = draw.choice((b"\xff" * 4, bytes(4), b"\0\0\0\x01", b"\x01\0\0\0", b"\x7f\xff\xff\xff", b"\xff"))
            return content[:start] + value + content[start + len(value) :], kind
        case "zeroed":
            end = min(position + draw.choice((16, 512)), size)
            return content[:position] + bytes(end - position) + content[end:], kind
        case "inserted":
            return content[:position] + draw.randbytes(draw.choice((1, 4, 300))) + content[position:], kind
        case "deleted":
            return content[:position] + content[position + draw.choice((1, 4, 50)) :], kind
    return draw.choice((other, draw.randbytes(draw.choice((1, 500))), b"GIF89a", b"\x89PNG\r\n\x1a\n", b"II*\0")), kind


# Sources.


def build_folder(directory: Path, draw: random.Random) -> Source:
    """Write a directory of images, some of them damaged, and of entries that are no images."""
    root = directory / "images"
    source = Source(root, ImportOptions(labels=draw.random() < 0.5, colour=draw.choice((None, None, True, False))))
    for name, file, label in _draw_files(draw, source):
        path = root / (label if source.options.labels else draw.choice(("", "a", "a/b"))) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    for stray in range(draw.choice((0, 0, 3))):
        _add_stray_entry(root / CLASS_NAMES[0] / f"stray-{stray}.png", draw)
    return source


def build_table(directory: Path, draw: random.Random) -> Source:
    """Write a CSV file that lists images in any order, with blank lines, missing files and rows of odd length."""
    root = directory / "images"
    root.mkdir()
    table = directory / draw.choice(("list.csv", "list.tsv"))
    source = Source(table, ImportOptions(labels=draw.random() < 0.6))
    rows = []
    for name, file, label in _draw_files(draw, source):
        (root / name).write_bytes(file.content)
        page = draw.randrange(len(file.numbers)) if len(file.numbers) > 1 and draw.random() < 0.3 else None
        if page is not None and name in source.numbers:
            kept_name = f"{name}#{page}"
            source.numbers[kept_name] = (source.numbers.pop(name)[page],)
            rows.append([f"images/{kept_name}", label])
        else:
            rows.append([str(root / name) if draw.random() < 0.2 else f"images/{name}", label])
    draw.shuffle(rows)
    rows += [[f"images/missing-{number}.png", CLASS_NAMES[0]] for number in range(draw.choice((0, 0, 2)))]
    order = draw.choice(((0, 1), (1, 0)))
    buffer = io.StringIO()
    delimiter = "\t" if table.suffix == ".tsv" else draw.choice(",;\t")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=draw.choice(("\n", "\r\n")))
    header = [draw.choice(("path", "filename", "Image Name", "file_path")), draw.choice(("label", "Class", "category"))]
    writer.writerow([header[column] for column in order])
    for row in rows:
        if draw.random() < 0.1:
            buffer.write(draw.choice(("\n", "  \n")))
        writer.writerow([row[column] for column in order])
    table.write_bytes(draw.choice((b"", b"", b"\xef\xbb\xbf")) + buffer.getvalue().encode())
    return source


def build_damaged_table(directory: Path, draw: random.Random) -> Source:
    """Damage the list itself: rows may be lost, but no path may get another picture."""
    source = build_table(directory, draw)
    content, kind = damage_content(draw, source.path.read_bytes(), b"path,label\n" * 20)
    source.path.write_bytes(content)
    source.description = f"list {kind}"
    source.must_be_imported = False
    source.labels = {}
    source.damaged_names = set()
    return source


def build_arrays(directory: Path, draw: random.Random) -> Source:
    """Write an npz file with images and labels, test images, and arrays of other kinds."""
    first, count, test_count = draw.randrange(1, 5_000), draw.randint(12, 40), draw.choice((0, 11))
    array_numbers = [*range(first, first + count)]
    test_numbers = [*range(first + count, first + count + test_count)]
    size, scale = (draw.choice((16, 24, 32)), draw.choice((16, 24, 32))), draw_scale(draw)
    dtype = draw.choice(("u1", "u1", "<u2", ">u2", "<f4", "<f8", "|b1", "<i4", "<i2"))
    channels = draw.choice((None, None, "last", "first", "one"))
    white = {"f": scale.white_float, "b": 1, "i": 255}.get(np.dtype(dtype).kind, 255)
    white = scale.white_16_bit if dtype in ("<u2", ">u2") else white

    def build_images(numbers: list[int]) -> NDArray[Any]:
        images = (np.stack([draw_picture(number, *size) for number in numbers]) / 255 * white).round(9).astype(dtype)
        if channels == "last":
            return np.repeat(images[..., None], 3, axis=3)
        if channels == "first":
            return np.repeat(images[:, None], 3, axis=1)
        return images[..., None] if channels == "one" else images

    names = draw.choice(
        (
            ("x_train", "y_train", "x_test", "y_test"),
            ("X_train", "Y_train", "X_test", "Y_test"),
            ("train_images", "train_labels", "test_images", "test_labels"),
            ("images", "labels", "test_images", "test_labels"),
        )
    )
    source = Source(directory / "arrays.npz", ImportOptions(labels=draw.random() < 0.7))
    source.array_numbers, source.test_numbers = array_numbers, test_numbers
    source.labels = {number: str(number % 3) for number in array_numbers + test_numbers}
    arrays: dict[str, NDArray[Any]] = {names[0]: build_images(array_numbers)}
    if np.dtype(dtype).kind == "f" and draw.random() < 0.5:
        source.omitted_indices = tuple(sorted(draw.sample(range(count), draw.choice((1, 2)))))
        for index in source.omitted_indices:
            arrays[names[0]][(index, *(0,) * (arrays[names[0]].ndim - 1))] = draw.choice((np.nan, np.inf))
    label_type = draw.choice(("<i8", "|u1", "<U3", "<f4"))
    arrays[names[1]] = np.array([number % 3 for number in array_numbers]).astype(label_type)
    if test_numbers:
        arrays[names[2]] = build_images(test_numbers)
        arrays[names[3]] = np.array([number % 3 for number in test_numbers]).astype(label_type)
    if draw.random() < 0.4:
        arrays["version"], arrays["notes"] = np.array(3), np.array(["a", "b"])
    entries = list(arrays.items())
    draw.shuffle(entries)
    (np.savez if draw.random() < 0.5 else np.savez_compressed)(source.path, **dict(entries))
    return source


def build_damaged_arrays(directory: Path, draw: random.Random) -> Source:
    """Damage an npz file: its checksums must prevent that a picture gets the label of another one."""
    source = build_arrays(directory, draw)
    content, kind = damage_content(draw, source.path.read_bytes(), b"PK\x05\x06" + bytes(18))
    source.path.write_bytes(content)
    source.description, source.must_be_imported = f"npz {kind}", False
    return source


def build_damaged_array(directory: Path, draw: random.Random) -> Source:
    """Damage an npy file, which has no checksum: there is nothing to compare."""
    source = build_arrays(directory, draw)
    with np.load(source.path) as arrays:
        name = draw.choice(arrays.files)
        np.save(directory / "array.npy", arrays[name])
    content, kind = damage_content(draw, (directory / "array.npy").read_bytes(), b"\x93NUMPY\x01\0\xff\xff")
    (directory / "array.npy").write_bytes(content)
    return Source(directory / "array.npy", ImportOptions(), must_be_imported=False, description=f"npy of {name} {kind}")


def build_idx_directory(directory: Path, draw: random.Random) -> Source:
    """Write IDX files, one of them damaged, plain and compressed."""
    root = directory / "idx"
    root.mkdir()
    count, first = draw.randint(12, 40), draw.randrange(1, 5_000)
    pictures = np.stack([draw_picture(number, 16, 16) for number in range(first, first + count)])
    labels = (np.arange(first, first + count) % 3).astype(np.uint8)
    contents = {
        "train-images-idx3-ubyte": encode_idx(pictures),
        "train-labels-idx1-ubyte": encode_idx(labels),
        "t10k-images-idx3-ubyte": encode_idx(pictures[:11]),
        "t10k-labels-idx1-ubyte": encode_idx(labels[:11]),
    }
    damaged_name, description = draw.choice([*contents, ""]), "intact"
    for name, content in contents.items():
        is_compressed = draw.random() < 0.3
        stored = gzip.compress(content, 1) if is_compressed else content
        if name == damaged_name:
            stored, kind = damage_content(draw, stored, contents["train-labels-idx1-ubyte"])
            description = f"{name} {kind}"
        (root / f"{name}{'.gz' * is_compressed}").write_bytes(stored)
    source = Source(root, ImportOptions(labels=draw.random() < 0.5, size=draw.choice((None, (20, 20)))))
    source.description, source.must_be_imported = description, not damaged_name
    if not damaged_name:
        source.array_numbers = [*range(first, first + count)]
        source.test_numbers = source.array_numbers[:11]
    return source


KINDS: dict[str, tuple[Callable[[Path, random.Random], Source], int]] = {
    "folder": (build_folder, 8),
    "table": (build_table, 4),
    "damaged table": (build_damaged_table, 2),
    "arrays": (build_arrays, 3),
    "damaged arrays": (build_damaged_arrays, 3),
    "damaged array": (build_damaged_array, 1),
    "idx directory": (build_idx_directory, 2),
}
"""Every kind of source with its weight."""


def _draw_files(draw: random.Random, source: Source) -> Iterator[tuple[str, EncodedFile, str]]:
    """Yield names, files and labels; note in the source which are intact."""
    scale, numbers = draw_scale(draw), itertools.count(draw.randrange(1, 5_000))
    pattern, damaged_count = draw.choice(NAME_PATTERNS), draw.randint(0, MAX_DAMAGED_FILES)
    count = draw.randint(MIN_FILES, MAX_FILES)
    damaged_indices = {*draw.sample(range(count), damaged_count)}
    previous = b""
    for index in range(count):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = encode_file(draw, scale, lambda: next(numbers))
        name = f"{pattern.format(f'{index:03}')}{file.suffix}"
        label = CLASS_NAMES[index % len(CLASS_NAMES)]
        if index in damaged_indices:
            content, kind = damage_content(draw, file.content, previous)
            source.damaged_names.add(name)
            source.description += f"{name} {kind}; "
            file = EncodedFile(file.suffix, content, file.numbers)
        else:
            source.numbers[name] = file.numbers
            source.labels |= dict.fromkeys(file.numbers, label)
        previous = file.content
        yield name, file, label


def _add_stray_entry(path: Path, draw: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match draw.choice(("directory", "pipe", "broken link", "loop", "text", "hidden", "empty")):
        case "directory":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "broken link":
            path.symlink_to("nowhere.png")
        case "loop":
            path.with_suffix("").symlink_to(path.parent, target_is_directory=True)
        case "text":
            path.with_suffix(".txt").write_text("notes")
        case "hidden":
            (path.parent / f".{path.name}").write_bytes(b"hidden")
        case _:
            path.write_bytes(b"")


@contextmanager
def _use_home(home: Path) -> Iterator[None]:
    before = os.environ.get("VAETUI_HOME")
    os.environ["VAETUI_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["VAETUI_HOME"]
        else:
            os.environ["VAETUI_HOME"] = before


@contextmanager
def _limit_time() -> Iterator[None]:
    def raise_timeout(*_: object) -> None:
        raise CaseTimeout

    previous = signal.signal(signal.SIGALRM, raise_timeout)
    signal.setitimer(signal.ITIMER_REAL, 3 * CASE_TIMEOUT_S, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
