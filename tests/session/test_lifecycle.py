"""What can be created can be opened; several processes create or open a session at the same moment."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_idx
from tests.session.scripted_run import SMALL_CONFIG, run_to_end
from tests.simultaneous_processes import (
    PROCESS_COUNT,
    acquire_lock,
    create_named,
    create_unnamed,
    run_simultaneously,
)
from vaetui.engine.config import Config, count_reports_per_epoch
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.lifecycle import EPOCH_RECORD_BYTES, REPORT_RECORD_BYTES
from vaetui.storage import file_names, locations
from vaetui.storage.data_record import DataRecord


def test_one_process_gets_the_lock_and_the_others_name_it(tmp_path: Path) -> None:
    winners, messages = run_simultaneously(acquire_lock, tmp_path)
    assert len(winners) == 1
    assert [message for message in messages if f"process {winners[0]}" not in message] == []


@pytest.mark.usefixtures("home")
def test_one_process_creates_a_named_session_and_the_others_are_refused(digits: Path) -> None:
    winners, messages = run_simultaneously(create_named, digits)
    assert len(winners) == 1, messages
    assert [message for message in messages if "wanted" not in message or "exists" not in message] == []
    assert [path.name for path in locations.sessions_directory().iterdir()] == ["wanted"]


@pytest.mark.usefixtures("home")
def test_each_process_gets_its_own_unnamed_session(digits: Path) -> None:
    winners, messages = run_simultaneously(create_unnamed, digits)
    assert messages == []
    assert len(winners) == len(locations.list_session_names()) == PROCESS_COUNT


def shorten_labels(data: Path, prefix: str) -> None:
    path = data / f"{prefix}-labels-idx1-ubyte"
    write_idx(path, read_idx_array(path, 1)[:-1])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: truncate(data / "train-images-idx3-ubyte"), "train-images-idx3-ubyte is truncated"),
        (lambda data: truncate(data / "t10k-images-idx3-ubyte"), "t10k-images-idx3-ubyte is truncated"),
        (lambda data: truncate(data / "train-labels-idx1-ubyte"), "train-labels-idx1-ubyte is truncated"),
        (lambda data: shorten_labels(data, "train"), "has 639 labels for 640 images"),
        (lambda data: shorten_labels(data, "t10k"), "has 199 labels for 200 images"),
        (
            lambda data: write_idx(data / "t10k-images-idx3-ubyte", np.zeros((200, 20, 20), np.uint8)),
            "has images of a different size",
        ),
    ],
)
def test_session_of_damaged_files_is_refused_and_leaves_nothing(
    digits: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(digits, data)
    damage(data)
    with pytest.raises(UserError, match=message):
        lifecycle.create("broken", str(data), SMALL_CONFIG)
    assert list(locations.sessions_directory().glob("*")) == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("config", "data_record", "message"),
    [
        (replace(SMALL_CONFIG, loss=replace(SMALL_CONFIG.loss, beta=float("nan"))), DataRecord(), "beta cannot be nan"),
        (replace(SMALL_CONFIG, recipe="my recipe"), DataRecord(), "the recipe has no valid name"),
        (replace(SMALL_CONFIG, seed=-1), DataRecord(), "seed cannot be -1"),
        (SMALL_CONFIG, DataRecord(True, ("cat", "dog")), "2 names for 10 classes"),
    ],
)
def test_session_that_could_not_be_opened_is_refused_and_leaves_nothing(
    digits: Path, config: Config, data_record: DataRecord, message: str
) -> None:
    with pytest.raises(UserError, match=rf"The session cannot be created: {message}\.$") as error:
        lifecycle.create("broken", str(digits), config, data_record)
    assert "damaged" not in str(error.value)
    assert "backup" not in str(error.value)
    assert list(locations.sessions_directory().glob("*")) == []


@pytest.mark.usefixtures("home")
def test_run_that_would_fill_the_journal_is_refused_and_leaves_nothing(digits: Path) -> None:
    config = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, warmup_epochs=10**6))
    with pytest.raises(UserError, match=r"has 1,000,002 epochs; a session of 640 images can record \d\d,\d{3}\."):
        lifecycle.create("endless", str(digits), config)
    assert list(locations.sessions_directory().glob("*")) == []


@pytest.mark.usefixtures("home")
def test_journal_grows_less_per_epoch_than_assumed(digits: Path) -> None:
    config = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, batch_size=8))
    with contextlib.closing(lifecycle.create("measured", str(digits), config)) as session:
        journal = file_names.journal_path(session.directory)
        start_bytes = journal.stat().st_size
        list(run_to_end(session))
        epoch_bytes = (journal.stat().st_size - start_bytes) / session.epoch_count
    report_count = count_reports_per_epoch(config.training, 576)
    assert 0.5 < epoch_bytes / (EPOCH_RECORD_BYTES + report_count * REPORT_RECORD_BYTES) < 1


@pytest.mark.usefixtures("home")
def test_session_of_a_directory_whose_name_is_not_utf_8_can_be_opened(digits: Path, tmp_path: Path) -> None:
    data = tmp_path / os.fsdecode(b"caf\xe9")
    shutil.copytree(digits, data)
    lifecycle.create("named", str(data), SMALL_CONFIG).close()
    with contextlib.closing(lifecycle.resume("named")) as session:
        assert session.name == "named"
        next(session.advance())
