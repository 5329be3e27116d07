"""A simulated session, run once, that tests copy."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import run_vaetui
from tests.data.drawing import write_image_folder


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """A session named "simulated" and its home."""

    home: Path
    """The value of VAETUI_HOME."""
    image_count: int
    """Number of images in the dataset."""
    options: tuple[str, ...]
    """Command line options that set its recipe."""
    result: dict[str, Any]
    """The JSON output of `vaetui simulate`."""


@pytest.fixture(scope="session")
def simulated_template(tmp_path_factory: pytest.TempPathFactory) -> SimulatedSession:
    """A session on labelled images in directories with unusual names; read-only."""
    directory = tmp_path_factory.mktemp("simulated")
    image_count, options = 300, ("--recipe", "paper", "--rounds", "2", "--clusters", "6")
    write_image_folder(directory / "own", image_count, by_class=True)
    for path in list((directory / "own").iterdir()):
        path.rename(path.with_name(f'kind {path.name}, "so"'))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("VAETUI_HOME", str(directory / "home"))
        arguments = ("--data", str(directory / "own"), *options, "--keep", "simulated", "--json")
        process = run_vaetui("simulate", *arguments)
    assert process.returncode == 0, process.stderr
    return SimulatedSession(directory / "home", image_count, options, json.loads(process.stdout))


@pytest.fixture
def simulated(simulated_template: SimulatedSession, home: Path) -> SimulatedSession:
    """A copy of that session in a home of its own."""
    shutil.copytree(simulated_template.home, home)
    return SimulatedSession(home, simulated_template.image_count, simulated_template.options, simulated_template.result)
