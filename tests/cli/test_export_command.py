"""`vaetui export`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.command_line import assert_refused, run_vaetui, spawn_vaetui
from tests.session_templates import SessionTemplates

pytestmark = pytest.mark.usefixtures("home")


def test_csv_has_one_row_per_image(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    output = tmp_path / "labels.csv"
    process = run_vaetui("export", "out", "-o", str(output))
    assert process.returncode == 0, process.stderr
    rows = list(csv.DictReader(output.open()))
    assert [int(row["index"]) for row in rows] == list(range(640))
    answered_rows = [row for row in rows if row["source"] in ("answer", "propagated")]
    assert {(row["label"], row["class"], row["cluster"]) for row in answered_rows} == {("6", "6", "1")}
    assert "640 labels written; you saw 8 images." in process.stdout
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)
    assert sum(row["cluster"] == "" for row in rows) == 64


def test_labels_below_the_minimum_confidence_are_omitted_and_counted(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("labelling", "out")
    output = tmp_path / "labels.csv"
    run_vaetui("export", "out", "-o", str(output))
    confidences = sorted(float(row["confidence"]) for row in csv.DictReader(output.open()))
    threshold = f"{confidences[320] + 1e-4:.4f}"  # above the rounding of the CSV file
    process = run_vaetui("export", "out", "-o", str(output), "--min-confidence", threshold)
    row_count = len(list(csv.DictReader(output.open())))
    assert 0 < row_count < 640
    message = f"{row_count} labels written, {640 - row_count} below {float(threshold):g} omitted; you saw 8 images."
    assert message in process.stdout


def test_standard_output_of_a_process_can_be_the_output(templates: SessionTemplates) -> None:
    templates.copy("labelling", "out")
    process = spawn_vaetui("export", "out", "-o", "/dev/stdout")
    assert process.stdout.startswith("index,path,label,class,confidence,source,cluster,weight,distance\n0,,")


def test_a_missing_directory_and_a_directory_as_file_are_refused(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    missing = tmp_path / "missing"
    assert_refused(f"Directory {missing} does not exist", "export", "out", "-o", str(missing / "labels.csv"))
    assert_refused("is a directory. Name a file", "export", "out", "-o", str(tmp_path))


def test_export_before_any_answer_is_refused(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("training", "early")
    assert_refused("answer", "export", "early", "-o", str(tmp_path / "x.csv"))
