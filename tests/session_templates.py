"""Sessions in several phases, built once per test run and copied by the tests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from tests.session.scripted_run import SMALL_CONFIG, run_to_end
from vaetui.engine.answers import ClassAnswer
from vaetui.session import lifecycle
from vaetui.storage import locations

TemplatePhase = Literal["training", "labelling", "finished"]


class SessionTemplates:
    """Sessions of the `digits` fixture with SMALL_CONFIG."""

    def __init__(self, directory: Path, data: Path) -> None:
        """Build the templates in a directory, on first use."""
        self._directory = directory
        self._data = data

    def copy(self, phase: TemplatePhase, name: str) -> Path:
        """Copy a template to VAETUI_HOME under a name, and return the session directory.

        "training" has no epoch yet, "labelling" waits in round 1 with one answer, "finished" has two answered rounds.
        """
        template = self._directory / phase
        if not template.exists():
            template.mkdir(parents=True)
            self._build(phase, template)
        sessions_directory = locations.sessions_directory()
        sessions_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(shutil.copytree(template, sessions_directory / name))

    def _build(self, phase: TemplatePhase, template: Path) -> None:
        lifecycle.create_at(template, str(self._data), SMALL_CONFIG)
        session = lifecycle.resume_at(template)
        if phase == "labelling":
            list(session.advance())
            session.record_answer((1,), ClassAnswer(6))
        elif phase == "finished":
            list(run_to_end(session))
        session.close()
