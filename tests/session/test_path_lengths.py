"""The tests of damage, and the command line, below directories with paths of several lengths.

Paths are part of what is stored and covered by checksums, and sockets have paths of at most about 100 bytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import VAETUI
from tests.data.drawing import write_image_folder

ROOT = Path(__file__).parents[2]
PATH_LENGTHS = (0, 100, 240)
"""Fewest bytes of the path; 0 stands for the shortest path that there is."""
DAMAGE_TESTS = (
    *("tests/storage/test_dataset_cache.py", "tests/storage/test_database_damage.py", "tests/storage/test_recovery.py"),
    *("tests/storage/test_artifact_store.py", "tests/session/test_data_loading.py"),
    *("tests/session/test_file_damage.py", "tests/session/test_damage.py"),
)


DAMAGE_PATH_LENGTHS = PATH_LENGTHS[-1:]
"""The tests of damage take minutes; their usual run has paths of about 100 bytes."""


@pytest.fixture(params=PATH_LENGTHS)
def long_directory(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty directory whose path has at least that length."""
    with tempfile.TemporaryDirectory(prefix="v") as name:
        directory = Path(name)
        while len(str(directory)) < request.param:
            directory /= "d" * min(80, max(request.param - len(str(directory)) - 1, 1))
        directory.mkdir(exist_ok=True, parents=True)
        yield directory


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_commands_work_below_a_path_of_any_length(long_directory: Path) -> None:
    """Enough images for the decoding processes, which communicate with this one."""
    write_image_folder(long_directory / "images", 600)
    environment = {**os.environ, "VAETUI_HOME": str(long_directory / "home"), "TMPDIR": str(long_directory)}
    arguments = ["new", "a", "--data", str(long_directory / "images"), "--plain", "--rounds", "1"]
    process = subprocess.run(
        [*VAETUI, *arguments], capture_output=True, text=True, check=False, input="q\n", timeout=240, env=environment
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    process = subprocess.run([*VAETUI, "check", "a"], capture_output=True, text=True, check=False, env=environment)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("long_directory", DAMAGE_PATH_LENGTHS, indirect=True)
def test_damage_is_found_below_a_path_of_any_length(long_directory: Path) -> None:
    arguments = ["-n", "0", "-q", "-x", "-p", "no:cacheprovider", f"--basetemp={long_directory / 't'}", *DAMAGE_TESTS]
    process = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(long_directory)},
    )
    assert process.returncode == 0, process.stdout[-5_000:]
