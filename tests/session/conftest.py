"""Sessions of several configurations and rounds, built once per test run and copied by the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.session.scripted_run import (
    SMALL_CONFIG,
    answer_round,
    create_session,
    list_answers,
    run_to_end,
    session_digest,
)
from vaetui.engine.config import Config
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session
from vaetui.storage import locations

FINISHED = 0
"""Stands for the end of the run where a round number is expected."""
RunResult = tuple[str, list[tuple[int, tuple[int, ...], str]]]
"""Digest and answers of a finished run."""


class RunTemplates:
    """Sessions of the `digits` fixture that wait in a round or are finished, with scripted answers before."""

    def __init__(self, directory: Path, data: Path) -> None:
        """Build the templates in a directory, on first use."""
        self._directory = directory
        self._data = data
        self._homes: dict[tuple[Config, int], Path] = {}
        self._results: dict[Config, RunResult] = {}

    def copy(self, name: str, config: Config = SMALL_CONFIG, round_number: int = 1) -> Path:
        """Copy a session that waits unanswered in a round to VAETUI_HOME; return its directory."""
        home = self._template_home(config, round_number)
        sessions_directory = locations.sessions_directory()
        sessions_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(shutil.copytree(home / "sessions/template", sessions_directory / name))

    def open(self, name: str, config: Config = SMALL_CONFIG, round_number: int = 1) -> Session:
        """Copy and open such a session, and load its images and networks."""
        self.copy(name, config, round_number)
        session = lifecycle.resume(name)
        list(session.advance())
        return session

    def result(self, config: Config = SMALL_CONFIG) -> RunResult:
        """Return digest and answers of the scripted run that is never interrupted."""
        if config not in self._results:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("VAETUI_HOME", str(self._template_home(config, FINISHED)))
                self._results[config] = session_digest("template"), list_answers("template")
        return self._results[config]

    def _template_home(self, config: Config, round_number: int) -> Path:
        key = config, round_number
        if key not in self._homes:
            home = self._directory / str(len(self._homes))
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("VAETUI_HOME", str(home))
                patch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
                self._build(config, round_number)
            self._homes[key] = home
        return self._homes[key]

    def _build(self, config: Config, round_number: int) -> None:
        session = create_session("template", self._data, config)
        if round_number == FINISHED:
            list(run_to_end(session))
        else:
            list(session.advance())
            while session.round_number < round_number:
                list(answer_round(session))
                session.close_round()
                list(session.advance())
        session.close()


@pytest.fixture(scope="session")
def runs(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> RunTemplates:
    """Sessions of the digits in several rounds, to copy."""
    return RunTemplates(tmp_path_factory.mktemp("runs"), digits)
