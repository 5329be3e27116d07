"""A reader network that is trained on enough images to read most digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.idx import write_small_mnist
from vaetui.runtime.session_runner import drain_events
from vaetui.simulation.reader_cache import TrainedReader, load_or_train_reader


@pytest.fixture(scope="session")
def reader_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with 4,000 training and 500 test digits."""
    return write_small_mnist(tmp_path_factory.mktemp("reader"), train=4000, test=500)


@pytest.fixture(scope="session")
def trained_reader(reader_data: Path) -> TrainedReader:
    """The reader of these digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(reader_data / "home"))
        return drain_events(load_or_train_reader(str(reader_data), class_count=10))
