"""Tests of the text that `show` prints about the labels."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.command_line import run_vaetui
from tests.session_templates import SessionTemplates
from vaetui.cli.console_output import print_session
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.session import lifecycle
from vaetui.session.session_status import load_agreements, load_status

pytestmark = pytest.mark.usefixtures("home")


def print_lines(changes: dict[str, object], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Print a finished session with changed figures, and return the lines by heading."""
    print_session(load_status("demo") | {"agreements": load_agreements("demo")} | changes)
    return {line[:20].strip(): line[20:] for line in capsys.readouterr().out.splitlines()}


def run_json_of(*arguments: str) -> Any:
    return json.loads(run_vaetui(*arguments, "--json").stdout)


def test_expected_accuracy_has_no_decimals_and_is_marked(
    templates: SessionTemplates, capsys: pytest.CaptureFixture[str]
) -> None:
    templates.copy("finished", "demo")
    figures = {"expected_accuracy": [None, 0.713, 0.998], "mean_confidence": [None, 0.876, 0.987]}
    lines = print_lines(figures, capsys)
    assert lines["expected accuracy"] == "–  ~71 %  ~99 %  (uncalibrated)"
    assert not any("87.6" in line or "98.7" in line for line in lines.values())
    lines = print_lines(figures | {"test_accuracy": [None] * 3, "prediction_churn": [None, None, 0.0123]}, capsys)
    assert lines["expected accuracy"] == "–  ~71 %  ~99 %  (uncalibrated)"
    assert lines["prediction churn"] == "–  –  1.2 %"
    assert "estimated accuracy" not in lines


def test_expected_accuracy_is_left_out_where_it_was_not_measured(
    templates: SessionTemplates, capsys: pytest.CaptureFixture[str]
) -> None:
    templates.copy("finished", "demo")
    lines = print_lines({"expected_accuracy": [None] * 3}, capsys)
    assert "expected accuracy" not in lines
    assert "single images" not in lines


def test_answers_about_single_images_are_counted_by_where_they_were_given(
    templates: SessionTemplates, capsys: pytest.CaptureFixture[str]
) -> None:
    templates.copy("finished", "demo")
    session = lifecycle.resume("demo")
    session.record_image_answers(
        [AnsweredImage(1, ClassAnswer(3), 3), AnsweredImage(2, ClassAnswer(4), 3), AnsweredImage(3, Unreadable(), 3)],
        "review",
    )
    session.record_image_answers([AnsweredImage(4, ClassAnswer(5), None)], "audit")
    session.close()
    assert load_status("demo")["image_answers"] == {
        **{"images": 4, "review": 3, "pair": 0, "audit": 1},
        **{"corrected": 2, "unreadable": 1, "beyond_borders": 0},
    }
    lines = print_lines({}, capsys)
    assert lines["single images"] == "4 (3 in a review, 1 from audits, 2 corrected, 1 unreadable)"


def test_audits_are_shown_newest_first_with_their_round_and_version(
    templates: SessionTemplates, capsys: pytest.CaptureFixture[str]
) -> None:
    templates.copy("finished", "demo")
    session = lifecycle.resume("demo")
    for _ in range(2):
        list(session.audits.start("quick"))
        while (view := session.audits.view) is not None and view.part != "done":
            session.audits.record([(item.position, ClassAnswer(item.shown_class_id or 0)) for item in view.items])
    results = session.audits.results
    session.close()
    status = run_json_of("show", "demo")
    assert status["audits"] == [result.to_dict() for result in results]
    assert [audit["version"] for audit in status["audits"]] == [results[0].version] * 2
    (listed,) = run_json_of("sessions")
    assert listed["audits"] == status["audits"]
    newest = results[0]
    first, second = print_lines({}, capsys)["audit"], f"{100 * results[1].estimate:.1f} % right"
    assert first == (
        f"{100 * newest.estimate:.1f} % right (95 % interval {100 * newest.low:.1f} to {100 * newest.high:.1f}), "
        f"{newest.checked} labels checked after round 2, epoch 3, {newest.date[:10]}, version {newest.version}"
    )
    assert second in run_vaetui("show", "demo").stdout


def test_disagreement_names_the_pairs_that_differ_most(
    templates: SessionTemplates, capsys: pytest.CaptureFixture[str]
) -> None:
    templates.copy("finished", "demo")
    pairs = [{"classes": ["4", "9"], "images": 1234}, {"classes": ["3", "5"], "images": 20}]
    lines = print_lines({"disagreement": {"share": 0.052, "pairs": pairs}}, capsys)
    assert lines["disagreement"] == "classifier and graph differ on 5 % of the images: 4 and 9 (1,234), 3 and 5 (20)"
    assert "disagreement" not in print_lines({"disagreement": None}, capsys)
