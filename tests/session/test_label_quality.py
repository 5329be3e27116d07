"""What an export, a model and the Python interface say about labels after an audit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vaetui
from tests.command_line import run_vaetui
from tests.json_schema import iter_problems
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG
from tests.session.test_audits import find_true_classes, finish_audit, read_truth
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.engine.audit import AuditPopulation, draw_audit
from vaetui.engine.audit_plans import PLANS
from vaetui.engine.calibration import FEATURES, Evidence, fit_calibration
from vaetui.export.label_info import format_audit
from vaetui.session.audit_views import AuditResult
from vaetui.session.label_quality import cross_validate_confidences
from vaetui.session.session import Session

SCHEMA = json.loads((Path(__file__).parents[2] / "assets/docs/schemas/info.schema.json").read_text())
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def session(runs: RunTemplates) -> Session:
    """A session in its second round."""
    return runs.open("audited", PROPAGATION_CONFIG, 2)


def audit(session: Session) -> AuditResult:
    """Audit the labels of a session with a person who makes no mistakes."""
    list(session.audits.start("quick"))
    return finish_audit(session.audits, read_truth(session))


def export(directory: Path, *options: str) -> tuple[dict[int, dict[str, str]], dict[str, Any], str]:
    """Export the labels as CSV; return the rows by index, the info file, and what was printed."""
    output = directory / "labels.csv"
    process = run_vaetui("export", "audited", "-o", str(output), "--force", *options)
    assert process.returncode == 0, process.stderr
    with output.open(encoding="utf-8", newline="") as file:
        rows = {int(row["index"]): row for row in csv.DictReader(file)}
    info = json.loads((directory / "labels.csv.info.json").read_text())
    assert list(iter_problems(info, SCHEMA)) == []
    return rows, info, process.stdout


def test_an_export_holds_the_audit_of_its_labels_and_the_checks(session: Session, tmp_path: Path) -> None:
    _, info, stdout = export(tmp_path)
    assert info["audit"] is info["changed_since_audit"] is info["confidence"]["measured"] is None
    assert stdout.endswith("Not audited.\n")
    result, true_ids = audit(session), find_true_classes(session)
    session.close()
    rows, info, stdout = export(tmp_path)
    assert info["audit"] == result.to_dict()
    assert (info["version"], info["changed_since_audit"]) == (result.version, 0)
    assert stdout.endswith(f" Audit: {format_audit(result.to_dict())}.\n")
    checks = {index: row["check"] for index, row in rows.items() if row["check"]}
    assert len(checks) == result.checked
    assert sum(check == "wrong" for check in checks.values()) == result.wrong > 0
    assert all((check == "right") == (int(rows[index]["label"]) == true_ids[index]) for index, check in checks.items())


def test_labels_changed_since_the_audit_are_counted_and_checks_follow_the_present_label(
    session: Session, tmp_path: Path
) -> None:
    result, true_ids = audit(session), find_true_classes(session)
    before, _, _ = export(tmp_path)
    wrong = [index for index, row in before.items() if row["check"] == "wrong"][:2]
    unreadable = next(index for index, row in before.items() if not row["check"] and row["source"] != "answer")
    session.record_image_answers(
        [AnsweredImage(index, ClassAnswer(int(true_ids[index]))) for index in wrong]
        + [AnsweredImage(unreadable, Unreadable())],
        "review",
    )
    session.close()
    after, info, stdout = export(tmp_path)
    assert [after[index]["check"] for index in wrong] == ["right", "right"]
    assert info["version"] != info["audit"]["version"] == result.version
    assert info["changed_since_audit"] == 3
    assert stdout.endswith(
        f" An audit after round 1 measured {format_audit(info['audit'])}; 3 labels have changed since.\n"
    )
    assert info["confidence"]["measured"] is None, "other labels were audited"


def test_labels_of_a_minimum_confidence_are_measured_by_the_checks_among_them(session: Session, tmp_path: Path) -> None:
    audit(session)
    session.close()
    rows, info, _ = export(tmp_path)
    column = info["confidence"]["name"]
    whole = {name: info["audit"][name] for name in ("estimate", "low", "high", "checked")}
    assert info["confidence"]["measured"] == whole, "no label is left out"
    assert export(tmp_path, "--min-confidence", "0.0001")[1]["confidence"]["measured"] == whole
    confidences = np.sort([float(row[column]) for row in rows.values()])
    middle = confidences[len(rows) // 4 : 3 * len(rows) // 4]
    widest = int(np.diff(middle).argmax())  # in a gap, so that a slightly other calibration keeps the same labels
    threshold = float(middle[widest : widest + 2].mean())
    kept, info, _ = export(tmp_path, "--min-confidence", str(threshold))
    measured = info["confidence"]["measured"]
    kept_count = sum(row["check"] in ("right", "wrong") for row in kept.values())
    assert measured["checked"] == pytest.approx(kept_count, rel=0.2), "each by a calibration without its own check"
    assert measured["checked"] >= 20
    assert 0 <= measured["low"] <= measured["estimate"] <= measured["high"] <= 1
    kept, info, _ = export(tmp_path, "--min-confidence", "0.99999")
    assert sum(row["check"] != "" for row in kept.values()) < 20
    assert info["confidence"]["measured"] is None


def test_the_confidence_of_a_check_does_not_follow_from_the_check_itself() -> None:
    generator, count = np.random.default_rng(0), 400
    features = generator.normal(size=(count, len(FEATURES))).astype(np.float32)
    labels = generator.integers(0, 10, count)
    seen_ids = np.where(generator.random(count) < 0.9, labels, (labels + 1) % 10)
    population = AuditPopulation(
        labels, np.zeros(count, np.float32), np.zeros(count, bool), np.zeros(count, bool), labels, 10
    )
    sample = draw_audit(PLANS["full"], population, generator)
    seen_ids, evidence = seen_ids[sample.image_indices], Evidence(features[sample.image_indices])
    is_right = seen_ids == sample.class_ids
    fitted = fit_calibration(evidence, is_right, sample.weights, sample.class_ids, 10)
    assert fitted is not None
    in_sample = fitted.predict(evidence, sample.class_ids)
    validated = cross_validate_confidences(sample, seen_ids, evidence)
    gaps = [confidences[is_right].mean() - confidences[~is_right].mean() for confidences in (in_sample, validated)]
    assert gaps[0] > 0.02, "a calibration lowers the confidence of labels that were found wrong"
    assert abs(gaps[1]) < gaps[0] / 2


def test_checks_that_were_learned_still_measure_the_labels(session: Session, tmp_path: Path) -> None:
    result = audit(session)
    _, before, _ = export(tmp_path, "--min-confidence", "0.1")
    session.audits.learn()
    session.close()
    rows, after, _ = export(tmp_path, "--min-confidence", "0.1")
    assert after["changed_since_audit"] == result.wrong
    assert {row["check"] for row in rows.values()} == {"", "right"}
    assert before["confidence"]["measured"] is not None


def test_the_python_interface_and_the_model_card_hold_the_audit(session: Session, tmp_path: Path) -> None:
    result = audit(session)
    session.close()
    rows, _, _ = export(tmp_path)
    with vaetui.open("audited") as reader:
        assert reader.audits() == (result.to_dict(),)
        labels = reader.labels()
        assert labels.version == result.version
        assert labels.checks.tolist() == [row["check"] for row in rows.values()]
        assert reader.table()["check"].fillna("").tolist() == labels.checks.tolist()
    assert run_vaetui("export-model", "audited", "-o", str(tmp_path / "model")).returncode == 0
    card = json.loads((tmp_path / "model/card.json").read_text())
    assert card["audit"] == result.to_dict()
    assert (card["epoch"], card["round"]) == (2, 1)
    assert format_audit(result.to_dict()) in (tmp_path / "model/README.md").read_text()


def test_a_lost_file_of_an_audit_leaves_its_result(session: Session, tmp_path: Path) -> None:
    result, directory = audit(session), session.directory
    session.close()
    for path in directory.glob("audit-*.npz"):
        path.unlink()
    rows, info, _ = export(tmp_path)
    assert info["audit"] == result.to_dict()
    assert info["changed_since_audit"] is None
    assert {row["check"] for row in rows.values()} == {""}
