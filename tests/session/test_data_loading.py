"""The images of a session are damaged while it is closed: the dataset is rebuilt or refused, and no answer is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.drawing import load_digits, write_image_folder
from tests.idx import write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG
from vaetui.cli.data_options import DataOptions
from vaetui.data.import_options import ImportOptions
from vaetui.engine.answers import Answer, ClassAnswer, Unreadable
from vaetui.engine.events import Event, Loading, Notice, Progress
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, resources
from vaetui.session.verification import verify_session
from vaetui.storage import dataset_cache, locations
from vaetui.storage.repository import SessionRepository

IMAGE_COUNT = 70
NAME = "session"
TRAIN_IMAGES_NAME = "train-images-idx3-ubyte"
TINY_CONFIG = replace(
    SMALL_CONFIG,
    cluster=replace(SMALL_CONFIG.cluster, clusters=4),
    network=replace(SMALL_CONFIG.network, channels=(4, 8), z_dim=4),
    training=replace(SMALL_CONFIG.training, rounds=1),
)
ANSWERS: list[Answer] = [ClassAnswer(6), Unreadable()]
"""The answers that every session of this module records."""
RANGE_COUNT = 16
"""Ranges of the metadata file that are damaged one by one; together they cover a file of any length."""


@pytest.fixture
def directory(home: Path, tmp_path: Path) -> Path:
    """A directory for source images, with VAETUI_HOME beside them."""
    return tmp_path


@pytest.fixture(params=[1, 60, 200], ids=lambda length: f"path+{length}")
def directory_of_length(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a path of different lengths: the path is part of the metadata."""
    names = ["d" * min(100, request.param - start) for start in range(0, request.param, 100)]
    directory = tmp_path.joinpath(*names)
    directory.mkdir(parents=True)
    monkeypatch.setenv("VAETUI_HOME", str(directory / "home"))
    return directory


def create_answered_session(source: Path, use_labels: bool = True) -> Path:
    """Import images, create a session in its first round, record ANSWERS; return the directory of the dataset."""
    data = DataOptions(str(source), ImportOptions(labels=use_labels)).import_images(TINY_CONFIG)
    with closing(lifecycle.create(NAME, data.source, data.config, data.data_record)) as session:
        list(session.advance())
        session.record_answer((1,), ClassAnswer(6))
        session.record_answer((2,), Unreadable())
    return Path(data.source)


def read_answers() -> list[Answer]:
    with closing(SessionRepository(locations.find_session(NAME))) as repository:
        return [record.answer for record in repository.list_answers(1)]


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


def damage_ranges(content: bytes, range_count: int) -> Iterator[bytes | None]:
    """Yield the content with one bit flipped and cut off in each range; None stands for a deleted file."""
    range_bytes = max(1, -(-len(content) // range_count))
    for number, start in enumerate(range(0, len(content), range_bytes)):
        position = min(start + number % range_bytes, len(content) - 1)
        flipped = bytearray(content)
        flipped[position] ^= 1 << number % 8
        yield bytes(flipped)
        yield content[:position]
    yield None


def damage_fields(content: bytes) -> Iterator[bytes]:
    """Yield the JSON object with each field removed, and with each value replaced by another."""
    fields = json.loads(content)
    for name in fields:
        yield json.dumps({key: value for key, value in fields.items() if key != name}).encode()
        for value in ("other", None, {"other": "other"}):
            if value != fields[name]:
                yield json.dumps({**fields, name: value}).encode()


def write_damaged(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def restore_files(contents: dict[Path, bytes]) -> None:
    for path, content in contents.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def assert_one_sentence(error: UserError, *parts: object) -> None:
    assert str(error).isprintable()
    for part in parts:
        assert str(part) in str(error)


def test_damaged_dataset_metadata_is_rebuilt_and_loses_no_answer(directory_of_length: Path) -> None:
    source = directory_of_length / "source"
    write_image_folder(source, IMAGE_COUNT, by_class=True)
    dataset = create_answered_session(source)
    contents = {path: path.read_bytes() for path in dataset.iterdir()}
    metadata = dataset / dataset_cache.METADATA_NAME
    intact = contents[metadata]
    damaged_contents = [*damage_ranges(intact, RANGE_COUNT), *damage_fields(intact)]
    assert len(damaged_contents) > 2 * RANGE_COUNT
    for damaged in damaged_contents:
        write_damaged(metadata, damaged)
        assert any(isinstance(event, Progress) for event in load_images()), f"not rebuilt: {damaged!r}"
        assert {path: path.read_bytes() for path in dataset.iterdir()} == contents, f"not restored: {damaged!r}"
    assert read_answers() == ANSWERS
    assert finish_run() == []


def test_damaged_dataset_metadata_without_source_keeps_the_session_usable(directory_of_length: Path) -> None:
    source = directory_of_length / "source"
    write_image_folder(source, IMAGE_COUNT, by_class=True)
    dataset = create_answered_session(source)
    source.rename(directory_of_length / "moved")
    metadata = dataset / dataset_cache.METADATA_NAME
    intact = metadata.read_bytes()
    for damaged in [*damage_ranges(intact, RANGE_COUNT // 2), *damage_fields(intact)]:
        write_damaged(metadata, damaged)
        load_images()
        with pytest.raises(UserError) as refusal:
            (dataset / TRAIN_IMAGES_NAME).rename(dataset / "moved-images")
            load_images()
        (dataset / "moved-images").rename(dataset / TRAIN_IMAGES_NAME)
        assert_one_sentence(refusal.value, dataset, f"their source {source} is missing or has changed")
    assert read_answers() == ANSWERS
    (directory_of_length / "moved").rename(source)
    finish_run()


@pytest.mark.parametrize("has_source", [True, False])
def test_damaged_dataset_is_rebuilt_or_refused_and_loses_no_answer(directory: Path, has_source: bool) -> None:
    source = directory / "source"
    write_image_folder(source, IMAGE_COUNT, by_class=True)
    dataset = create_answered_session(source)
    contents = {path: path.read_bytes() for path in dataset.iterdir()}
    if not has_source:
        source.rename(directory / "moved")
    rebuilt_count = refused_count = case_count = 0
    for path, content in sorted(contents.items()):
        for damaged in damage_ranges(content, 5):
            case_count += 1
            write_damaged(path, damaged)
            try:
                rebuilt_count += any(isinstance(event, Progress) for event in load_images())
            except UserError as error:
                refused_count += 1
                assert not has_source, path
                assert_one_sentence(error, f"their source {source} is missing or has changed")
            if has_source and path.name != dataset_cache.SKIPPED_FILES_NAME:
                assert path.read_bytes() == content
            restore_files(contents)
    assert rebuilt_count > case_count // 2
    assert (refused_count == 0) if has_source else (case_count // 8 < refused_count < case_count)
    assert read_answers() == ANSWERS
    if not has_source:
        (directory / "moved").rename(source)
    assert finish_run() == []


def test_damaged_idx_files_of_the_user_are_refused_and_lose_no_answer(directory: Path) -> None:
    data = write_small_mnist(directory / "data", IMAGE_COUNT, 20)
    create_answered_session(data)
    contents = {path: path.read_bytes() for path in data.iterdir()}
    refused_count = case_count = 0
    for path, content in sorted(contents.items()):
        header_damages = (content[:4] + bytes([value]) + content[5:] for value in (1, 255))
        for damaged in (*damage_ranges(content, 5), *header_damages):
            case_count += 1
            write_damaged(path, damaged)
            try:
                load_images()
            except UserError as error:
                refused_count += 1
                assert_one_sentence(error, data)
            restore_files(contents)
    assert case_count // 4 < refused_count < case_count
    assert read_answers() == ANSWERS
    assert finish_run() == []


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
