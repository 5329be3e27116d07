"""Shell completion of session names, in a process as the shell starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates


@pytest.mark.usefixtures("home")
def test_session_names_are_completed(templates: SessionTemplates) -> None:
    for name in ("alpha", "alps", "beta"):
        templates.copy("training", name)
    completions = subprocess.run(
        [Path(sys.executable).with_name("vaetui")],
        env={**os.environ, "_VAETUI_COMPLETE": "bash_complete", "COMP_WORDS": "vaetui show al", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert sorted(completions.split()) == ["plain,alpha", "plain,alps"]
