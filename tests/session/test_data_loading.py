"""The images of a session are damaged while it is closed: the dataset is rebuilt or refused, and no answer is lost."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.drawing import load_digits, write_image_folder
from tests.idx import write_idx, write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG
from vaetui.cli.data_options import DataOptions
from vaetui.data.import_options import ImportOptions
from vaetui.engine.answers import Answer, ClassAnswer, Unreadable
from vaetui.engine.events import Event, Loading, Notice
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, resources
from vaetui.session.data_loading import load_or_rebuild_images
from vaetui.session.verification import verify_session
from vaetui.storage import dataset_cache, locations
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.dataset_cache import METADATA_NAME, SKIPPED_FILES_NAME, SOURCE_FILES_NAME
from vaetui.storage.repository import SessionRepository

IMAGE_COUNT, TEST_COUNT = 70, 20
NAME = "session"
TRAIN_IMAGES_NAME, TRAIN_LABELS_NAME = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES_NAME, TEST_LABELS_NAME = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
SLOW = [pytest.mark.slow, pytest.mark.timeout(1_800)]
TINY_CONFIG = replace(
    SMALL_CONFIG,
    cluster=replace(SMALL_CONFIG.cluster, clusters=4),
    network=replace(SMALL_CONFIG.network, channels=(4, 8), z_dim=4),
    training=replace(SMALL_CONFIG.training, rounds=1),
)
ANSWERS: list[Answer] = [ClassAnswer(6), Unreadable()]
"""The answers that every session of this module records."""


@dataclass(frozen=True, slots=True)
class LoadedArrays:
    """What a session has after it loaded its data."""

    images: bytes
    """The pixels of all images."""
    labels: bytes | None
    """The true labels; None if they are not used."""
    test: tuple[bytes, bytes | None] | None
    """Pixels and labels of the test images; None if they are not used."""
    notice: str | None
    """The notice."""


@pytest.fixture
def directory(home: Path, tmp_path: Path) -> Path:
    """A directory for source images, with VAETUI_HOME beside them."""
    return tmp_path


def create_answered_session(source: Path, use_labels: bool = True) -> Path:
    """Import images, create a session in its first round, record ANSWERS; return the directory of the dataset."""
    data = DataOptions(str(source), ImportOptions(labels=use_labels)).import_images(TINY_CONFIG)
    with closing(lifecycle.create(NAME, data.source, data.config, data.data_record)) as session:
        list(session.advance())
        session.record_answer((1,), ClassAnswer(6))
        session.record_answer((2,), Unreadable())
    return Path(data.source)


def write_npz(path: Path, seed: int = 0) -> None:
    """Write training and test images with labels."""
    images, labels = load_digits(2 * (IMAGE_COUNT + TEST_COUNT))
    images, labels = images[seed::2], labels[seed::2]
    np.savez(
        path,
        x_train=images[:IMAGE_COUNT],
        y_train=labels[:IMAGE_COUNT],
        x_test=images[IMAGE_COUNT:],
        y_test=labels[IMAGE_COUNT:],
    )


def write_source(directory: Path, kind: str, seed: int = 0) -> Path:
    """Write a source that a dataset is imported from."""
    if kind == "array":
        write_npz(directory / f"source-{seed}.npz", seed)
        return directory / f"source-{seed}.npz"
    root = directory / f"source-{seed}"
    write_image_folder(root, IMAGE_COUNT, by_class=True)
    (root / f"0/broken-{seed}.png").write_bytes(b"no image")
    return root


def read_answers() -> list[Answer]:
    with closing(SessionRepository(locations.find_session(NAME))) as repository:
        return [record.answer for record in repository.list_answers(1)]


def load_data() -> LoadedArrays:
    """Load the data of the session as it is done when the session is opened."""
    directory = locations.find_session(NAME)
    with closing(SessionRepository(directory, is_writable=True)) as repository:
        store = ArtifactStore(directory, repository, [])
        images, true_labels, notice = drain_events(load_or_rebuild_images(store, repository))
        labels, test_labels = true_labels.train_validation_labels, true_labels.test_labels
        return LoadedArrays(
            images.train.all_pixels.tobytes(),
            None if labels is None else labels.class_ids.tobytes(),
            None
            if images.test is None
            else (images.test[:].tobytes(), None if test_labels is None else test_labels.class_ids.tobytes()),
            notice,
        )


def load_images() -> list[Event]:
    """Open the session up to the point where its images are loaded; return the events before it."""
    events: list[Event] = []
    with closing(lifecycle.resume(NAME)) as session, closing(session.advance()) as advance_events:
        for event in advance_events:
            if event == Loading("PyTorch"):
                return events
            events.append(event)
    raise AssertionError("the images were not loaded")


def finish_run() -> list[str]:
    """Run the session to its end; return the notices of the first step."""
    with closing(lifecycle.resume(NAME)) as session:
        notices = [event.message for event in session.advance() if isinstance(event, Notice)]
        assert session.phase == "labelling"
        session.close_round()
        list(session.advance())
        assert session.phase == "finished"
        return notices


def list_regions(name: str, content: bytes) -> list[int]:
    """Return a position in each region of a file of a dataset: header fields, values of JSON, lines, array ends."""
    last = len(content) - 1
    if "ubyte" in name:
        header_bytes = 4 + 4 * content[3]
        return [*range(header_bytes), header_bytes, (header_bytes + last) // 2, last]
    if name == METADATA_NAME:
        text = content.decode()
        return sorted({0, last, *(match.start() for match in re.finditer(r'(?<=: )["\[{\w]|(?<=": ").', text))})
    return sorted({0, len(content) // 2, last, *(index for index, byte in enumerate(content) if byte in b"\n[")})


def iter_damages(name: str, content: bytes, other: bytes, stride: int) -> Iterator[bytes | None]:
    """Yield a file damaged in every `stride`-th region: one bit flipped, and cut there; then replaced; None: deleted.

    `other` is the same file of another dataset.
    """
    positions = list_regions(name, content) if content else []
    for number, position in enumerate(positions):
        if number % stride == 0 or position == positions[-1]:
            yield content[:position] + bytes([content[position] ^ (1 << number % 8)]) + content[position + 1 :]
            yield content[:position]
    yield content + b"more"
    if other != content:
        yield other
    yield None


def write_damaged(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def read_contents(directory: Path) -> dict[Path, bytes]:
    """Return the content of each file that is trusted; the list of skipped files is for people only."""
    return {path: path.read_bytes() for path in directory.iterdir() if path.name != SKIPPED_FILES_NAME}


def restore_files(contents: dict[Path, bytes]) -> None:
    for path, content in contents.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def assert_one_sentence(error: UserError, *parts: object) -> None:
    assert str(error).isprintable()
    for part in parts:
        assert str(part) in str(error)


def assert_nothing_different(loaded: LoadedArrays, intact: LoadedArrays, case: object) -> None:
    """Check that everything that is used is as it was, and that a notice names what is not used."""
    assert loaded.images == intact.images, case
    assert loaded.labels in (intact.labels, None), case
    assert loaded.test in (intact.test, None), case
    assert loaded.notice, case
    assert loaded.notice.isprintable(), case
    assert loaded.notice.count(". ") <= 1, case


STRIDES = [14, pytest.param(1, marks=SLOW)]


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("kind", ["folder", "array"])
@pytest.mark.parametrize("has_source", [True, False])
def test_damage_to_any_region_of_a_dataset_is_repaired_or_refused(
    directory: Path, kind: str, has_source: bool, stride: int
) -> None:
    source, other_source = (write_source(directory, kind, seed) for seed in (0, 1))
    other_dataset = Path(DataOptions(str(other_source), ImportOptions(labels=True)).import_images(TINY_CONFIG).source)
    dataset = create_answered_session(source)
    contents = read_contents(dataset)
    assert len(contents) == (6 if kind == "array" else 4)
    intact = load_data()
    assert intact.notice is None
    if not has_source:
        source.rename(directory / "moved")
    refused_count = case_count = 0
    for path, content in sorted(contents.items()):
        for damaged in iter_damages(path.name, content, (other_dataset / path.name).read_bytes(), stride):
            case_count += 1
            case = path.name, damaged
            write_damaged(path, damaged)
            try:
                loaded = load_data()
            except UserError as error:
                refused_count += 1
                assert not has_source, case
                assert path.name == TRAIN_IMAGES_NAME, case
                assert_one_sentence(error, dataset, f"their source {source} is missing or has changed")
            else:
                assert_nothing_different(loaded, intact, case)
                if has_source or path.name == METADATA_NAME:
                    assert read_contents(dataset) == contents, case
                    assert load_data() == intact, case
                else:
                    assert path.name in str(loaded.notice), case
            restore_files(contents)
    assert (refused_count > 0) == (not has_source)
    assert load_data() == intact
    assert read_answers() == ANSWERS
    if not has_source:
        (directory / "moved").rename(source)
    assert finish_run() == []


@pytest.mark.parametrize("has_source", [True, False])
def test_swapped_files_of_a_dataset_are_repaired_or_refused(directory: Path, has_source: bool) -> None:
    source = write_source(directory, "array")
    dataset = create_answered_session(source)
    contents, intact = read_contents(dataset), load_data()
    if not has_source:
        source.rename(directory / "moved")
    for first, second in itertools.combinations(sorted(contents), 2):
        first.write_bytes(contents[second])
        second.write_bytes(contents[first])
        try:
            loaded = load_data()
        except UserError as error:
            assert not has_source
            assert TRAIN_IMAGES_NAME in (first.name, second.name)
            assert_one_sentence(error, dataset)
        else:
            assert_nothing_different(loaded, intact, (first.name, second.name))
            assert not has_source or read_contents(dataset) == contents
        restore_files(contents)
    assert read_answers() == ANSWERS


def test_other_value_of_any_field_of_the_description_is_repaired_without_the_source(directory: Path) -> None:
    source = write_source(directory, "folder")
    dataset = create_answered_session(source)
    contents, intact = read_contents(dataset), load_data()
    shutil.rmtree(source)
    fields = json.loads(contents[dataset / METADATA_NAME])
    for name, value in itertools.product(fields, ("other", None, {"other": "other"}, ...)):
        changed = {**fields, name: value}
        if value is ...:
            del changed[name]
        elif value == fields[name]:
            continue
        (dataset / METADATA_NAME).write_text(json.dumps(changed))
        notice = f"{dataset / METADATA_NAME} was damaged; it was restored from the session."
        assert load_data() == replace(intact, notice=notice), (name, value)
        assert read_contents(dataset) == contents


def test_damaged_dataset_is_noticed_before_the_first_loading(directory: Path) -> None:
    """A session may be created from a dataset that was imported earlier and damaged since."""
    source = write_source(directory, "array")
    data = DataOptions(str(source), ImportOptions(labels=True)).import_images(TINY_CONFIG)
    dataset = Path(data.source)
    contents = read_contents(dataset)
    for name in (TRAIN_IMAGES_NAME, TRAIN_LABELS_NAME, TEST_IMAGES_NAME, TEST_LABELS_NAME, SOURCE_FILES_NAME):
        content = contents[dataset / name]
        (dataset / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        lifecycle.create(NAME, data.source, data.config, data.data_record).close()
        loaded = load_data()
        assert loaded.notice == f"The images in {dataset} were lost or damaged; they were rebuilt from {source}."
        assert read_contents(dataset) == contents
        locations.remove_session(NAME)
    source.rename(directory / "moved")
    content = contents[dataset / TRAIN_LABELS_NAME]
    (dataset / TRAIN_LABELS_NAME).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    lifecycle.create(NAME, data.source, data.config, data.data_record).close()
    with pytest.raises(UserError) as refusal:
        load_data()
    assert_one_sentence(refusal.value, dataset, f"their source {source} is missing or has changed")


def test_labels_that_changed_at_the_source_are_not_used_after_a_rebuild(directory: Path) -> None:
    source = directory / "source.npz"
    write_npz(source)
    dataset = create_answered_session(source)
    intact, status = load_data(), source.stat()
    with np.load(source) as arrays:
        changed: dict[str, Any] = {**arrays, "y_train": arrays["y_train"][::-1]}
    np.savez(source, **changed)  # other labels with the same size and time
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    shutil.rmtree(dataset)
    loaded = load_data()
    assert (loaded.images, loaded.labels, loaded.test) == (intact.images, None, intact.test)
    assert TRAIN_LABELS_NAME in str(loaded.notice)


@pytest.mark.parametrize("stride", STRIDES)
def test_damage_to_any_region_of_idx_files_of_the_user_is_refused_or_not_used(directory: Path, stride: int) -> None:
    data = write_small_mnist(directory / "data", IMAGE_COUNT, TEST_COUNT)
    other = write_small_mnist(directory / "other", IMAGE_COUNT + 9, TEST_COUNT + 9)
    create_answered_session(data)
    contents, intact = read_contents(data), load_data()
    assert intact.labels is not None
    assert intact.test is not None
    for path, content in sorted(contents.items()):
        for damaged in iter_damages(path.name, content, (other / path.name).read_bytes(), stride):
            write_damaged(path, damaged)
            try:
                loaded = load_data()
            except UserError as error:
                assert path.name == TRAIN_IMAGES_NAME
                assert_one_sentence(error, data)
            else:
                assert path.name != TRAIN_IMAGES_NAME
                assert_nothing_different(loaded, intact, (path.name, damaged))
                change = "changed since the session was created"
                assert loaded.notice == f"{path.name} in {data} {change} and is not used; restore the original."
                assert loaded.labels is None or path.name != TRAIN_LABELS_NAME
                assert loaded.test is None or path.name == TRAIN_LABELS_NAME
                (finding,) = drain_events(verify_session(NAME, repair=False))
                assert str(finding) == f"{path} {change}: restore it from a backup"
                assert finding.is_lost
            restore_files(contents)
    assert load_data() == intact
    assert read_answers() == ANSWERS
    assert finish_run() == []


def test_session_with_changed_labels_runs_to_its_end_without_them(directory: Path) -> None:
    data = write_small_mnist(directory / "data", IMAGE_COUNT, TEST_COUNT)
    create_answered_session(data)
    write_idx(data / TEST_LABELS_NAME, np.zeros(TEST_COUNT, np.uint8))
    (notice,) = finish_run()
    assert notice.startswith(f"{TEST_LABELS_NAME} in {data} changed since the session was created and is not used")
    with closing(SessionRepository(locations.find_session(NAME))) as repository:
        accuracies = [epoch.test_accuracy for epoch in repository.list_epochs()]
    assert accuracies[0] is not None
    assert accuracies[-1] is None


def test_labels_that_are_added_later_are_used_and_then_verified(directory: Path) -> None:
    data = write_small_mnist(directory / "data", IMAGE_COUNT, TEST_COUNT)
    content = (data / TRAIN_LABELS_NAME).read_bytes()
    (data / TRAIN_LABELS_NAME).unlink()
    lifecycle.create(NAME, str(data), TINY_CONFIG).close()
    assert load_data().labels is None
    (data / TRAIN_LABELS_NAME).write_bytes(content)
    loaded = load_data()
    assert (loaded.labels is not None, loaded.notice) == (True, None)
    (data / TRAIN_LABELS_NAME).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert TRAIN_LABELS_NAME in str(load_data().notice)


def test_compressing_the_files_of_the_user_is_no_change(directory: Path) -> None:
    import gzip

    data = write_small_mnist(directory / "data", IMAGE_COUNT, TEST_COUNT)
    create_answered_session(data)
    intact = load_data()
    for path in list(data.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert load_data() == intact


@pytest.mark.parametrize("kind", ["folder", "array"])
def test_missing_dataset_is_rebuilt(directory: Path, kind: str) -> None:
    source = directory / ("source.npy" if kind == "array" else "source")
    if kind == "array":
        np.save(source, load_digits(IMAGE_COUNT)[0])
    else:
        write_image_folder(source, IMAGE_COUNT)
    dataset = create_answered_session(source, use_labels=False)
    shutil.rmtree(dataset_cache.datasets_directory())
    (finding,) = drain_events(verify_session(NAME, repair=False))
    assert (finding.file_name, finding.is_lost) == (str(dataset), True)
    assert finding.remedy == f"rebuilt by vaetui resume if {source} is unchanged"
    assert finish_run() == [f"The images in {dataset} were lost or damaged; they were rebuilt from {source}."]
    assert read_answers() == ANSWERS


def test_missing_dataset_is_not_rebuilt_from_changed_files(directory: Path) -> None:
    source = directory / "source"
    write_image_folder(source, IMAGE_COUNT)
    dataset = create_answered_session(source, use_labels=False)
    shutil.copytree(dataset, directory / "backup")
    shutil.rmtree(dataset)
    (source / "part-0/new.png").write_bytes((source / "part-0/00000.png").read_bytes())
    with pytest.raises(UserError, match=r"are lost or damaged, and their source .*/source is missing or has changed"):
        load_images()
    shutil.copytree(directory / "backup", dataset)
    assert "(files: 1 added)" in finish_run()[0]


def test_intact_images_are_not_replaced_by_different_ones(directory: Path) -> None:
    source, pixels = directory / "source.npy", load_digits(IMAGE_COUNT)[0]
    np.save(source, pixels)
    dataset = create_answered_session(source, use_labels=False)
    status = source.stat()
    np.save(source, 255 - pixels)  # different images with the same size and time, as from another decoder version
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    images_path = dataset / TRAIN_IMAGES_NAME
    content = images_path.read_bytes()
    (dataset / dataset_cache.METADATA_NAME).write_text("damaged")
    load_images()
    assert images_path.read_bytes() == content
    images_path.write_bytes(content[:-1])
    with pytest.raises(UserError, match="is missing or has changed"):
        load_images()
    assert images_path.read_bytes() == content[:-1]
    images_path.write_bytes(content)
    assert finish_run() == []


def test_missing_directory_of_the_user_is_named(directory: Path) -> None:
    data = write_small_mnist(directory / "data", IMAGE_COUNT, 20)
    create_answered_session(data)
    data.rename(directory / "moved")
    with pytest.raises(UserError, match=rf"The images in {data} are lost or damaged\. Restore them from a backup"):
        load_images()
    (directory / "moved").rename(data)
    assert finish_run() == []


def test_slow_check_of_source_files_is_reported_later_and_once(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image_folder(directory / "source", IMAGE_COUNT)
    create_answered_session(directory / "source", use_labels=False)
    (directory / "source/part-0/00000.png").unlink()
    monkeypatch.setattr(resources, "SOURCE_CHECK_TIMEOUT_S", 0.0)
    notices: list[str] = []
    with closing(lifecycle.resume(NAME)) as session:
        while not notices:
            notices += [event.message for event in session.advance() if isinstance(event, Notice)]
        assert not any(isinstance(event, Notice) for event in session.advance())
    assert "(files: 1 removed)" in notices[0]
