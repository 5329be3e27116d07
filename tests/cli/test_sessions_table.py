"""Test the table of all sessions."""

from __future__ import annotations

import pytest

from vaetui.cli.console_output import print_sessions


def test_each_session_takes_one_line_of_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    summary = {
        **{"name": "photos-2026-11-26", "phase": "training", "detached": False, "failure": None},
        **{"current_epoch": 2, "epochs": 5, "round": 1, "next_round": 2, "rounds": 4, "answers": 1234},
        **{"test_accuracy": [0.981], "created": 0.0},
    }
    print_sessions([summary])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "next: 2 of 4" in lines[1]
    assert max(map(len, lines)) <= 80
