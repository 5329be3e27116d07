"""Test the table of all sessions."""

from __future__ import annotations

from typing import Any

import pytest

from vaetui.cli.console_output import print_sessions

RUN = {"user": "ann", "host": "node1", "process_id": 7, "ranks": 16, "device": "cpu"}


def summarise(name: str, phase: str, **values: object) -> dict[str, Any]:
    """Return the status of a session with large numbers, as far as the table shows it."""
    return {
        **{"name": name, "phase": phase, "detached": False, "failure": None, "training_run": None},
        **{"current_epoch": 12, "epochs": 20, "round": 1, "next_round": 3, "rounds": 4, "answers": 12345},
        **{"test_accuracy": [0.981], "created": 0.0},
        **values,
    }


SUMMARIES = {
    "training, 16 processes ": summarise("photos-2026-11-26", "training", training_run=RUN),
    "labelling, 16 processes ": summarise("mnist-2026-11-26-2", "labelling", training_run=RUN),
    "training, background ": summarise("mnist-2026-11-26", "training", detached=True),
    "training, failed ": summarise("mnist-2026-11-26-3", "training", failure="The disk is full."),
    "finished ": summarise("cats", "finished", next_round=None),
    "cannot be read": {"name": "old", "error": f"Session old was made by an older vaetui{' and' * 30}."},
}


@pytest.mark.parametrize("columns", [80, 120])
def test_each_session_takes_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_sessions(list(SUMMARIES.values()))
    lines = capsys.readouterr().out.splitlines()
    header, rows, error = lines[0], lines[1:-1], lines[-1]
    assert [row.split()[0] for row in rows] == [summary["name"] for summary in SUMMARIES.values()]
    assert max(map(len, [header, *rows])) <= columns
    for state, row in zip(SUMMARIES, rows, strict=True):
        assert state in row
    assert "  12/20  next: 3/4  12345    98.1 %" in rows[0]
    assert "next" not in rows[4]
    assert error == f"old: {SUMMARIES['cannot be read']['error']}"
    assert ("created" in header) == (columns == 120)


def test_sessions_in_few_words_show_their_day_of_creation_at_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_sessions([summarise("photos-2026-11-26", phase) for phase in ("training", "labelling", "finished")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all("1970-01-01" in line or "1969-12-31" in line for line in lines[1:])
