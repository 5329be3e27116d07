"""What several rooms of tests need: a small real data set and a place for sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.idx import small_mnist


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with the first 640 training and 200 test images of MNIST."""
    return small_mnist(tmp_path_factory.mktemp("digits"), train=640, test=200)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for sessions of this test alone."""
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
