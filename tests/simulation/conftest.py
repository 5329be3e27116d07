"""A reader that was trained on enough to read most digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.idx import small_mnist
from vaetui.cli.simulate_command import drain
from vaetui.simulation.reader_cache import TrainedReader, load_or_train_reader


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with six thousand digits to practise on, and 500 to be measured with."""
    return small_mnist(tmp_path_factory.mktemp("practice"), train=6000, test=500)


@pytest.fixture(scope="session")
def shelved(practice: Path) -> TrainedReader:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(practice / "home"))
        return drain(load_or_train_reader(str(practice), class_count=10))
