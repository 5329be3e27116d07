"""Fixtures of several test packages: a small data set, a session home, and session templates."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Several test processes share the cores, and most networks in the tests are tiny: one thread each is fastest. PyTorch
# reads this when it is imported; the programs that the tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Test workers set these, and a program in a terminal of its own would believe them instead of that terminal.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

from tests.idx import write_small_mnist
from tests.session_templates import SessionTemplates


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with the first 640 training and 200 test images of MNIST."""
    return write_small_mnist(tmp_path_factory.mktemp("digits"), train=640, test=200)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """VAETUI_HOME of this test."""
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def templates(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> SessionTemplates:
    """Sessions of the digits in several phases, to copy."""
    return SessionTemplates(tmp_path_factory.mktemp("templates"), digits)
