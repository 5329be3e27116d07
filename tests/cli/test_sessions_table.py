"""Test the table of all sessions."""

from __future__ import annotations

import pytest

from vaetui.cli.console_output import print_sessions

RUN = {"user": "ann", "host": "node1", "process_id": 7, "ranks": 2, "device": "cpu"}


@pytest.mark.parametrize(
    ("name", "phase", "run", "state"),
    [
        ("photos-2026-11-26", "training", None, "training  "),
        ("owl", "training", RUN, "training in 2 processes"),
        ("owl", "labelling", RUN, "labelling, 2 processes waiting"),
    ],
)
def test_each_session_takes_one_line_of_80_columns_or_of_100_with_a_training_run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    phase: str,
    run: dict[str, object] | None,
    state: str,
) -> None:
    columns = 80 if run is None else 100
    monkeypatch.setenv("COLUMNS", str(columns))
    summary = {
        **{"name": name, "phase": phase, "detached": False, "failure": None},
        "training_run": run,
        **{"current_epoch": 2, "epochs": 5, "round": 1, "next_round": 2, "rounds": 4, "answers": 1234},
        **{"test_accuracy": [0.981], "created": 0.0},
    }
    print_sessions([summary])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    if run is None:
        assert "next: 2 of 4" in lines[1]
    assert state in lines[1]
    assert max(map(len, lines)) <= columns
