"""Labels as CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.label_tables import AUDITED_LABELS, LABELS, write_labels
from vaetui.export import label_table
from vaetui.export.label_info import ExportCounts
from vaetui.export.label_table import LabelTable, SourceFiles


def test_csv_has_one_row_per_label_above_the_minimum_confidence(tmp_path: Path) -> None:
    output = tmp_path / "labels.csv"
    assert write_labels(LABELS, "csv", 0.5, output) == ExportCounts(3, 1)
    rows = list(csv.DictReader(output.open(encoding="utf-8")))
    assert [row["class"] for row in rows] == ["sea horse", "sea horse", "cat"]
    assert rows[1] == {
        **{"index": "2", "path": "", "label": "1", "class": "sea horse"},
        **{
            "uncalibrated_confidence": "0.75",
            "source": "classifier",
            "check": "",
            "cluster": "",
            "weight": "0.0",
            "distance": "",
        },
    }


@pytest.mark.parametrize("labels", [LABELS, AUDITED_LABELS], ids=["plain", "audited"])
def test_rows_converted_in_parts_are_the_same(labels: LabelTable, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(labels.iter_rows())
    monkeypatch.setattr(label_table, "ROWS_PER_CHUNK", 3)
    assert len(labels) > 3
    assert list(labels.iter_rows()) == rows


def test_jsonl_has_one_object_per_label(tmp_path: Path) -> None:
    output = tmp_path / "labels.jsonl"
    source_files = SourceFiles(Path("/own"), ("a.png", "b/ü.png", "c.png", "d.png"))
    write_labels(replace(LABELS, source_files=source_files), "jsonl", 0.0, output)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["path"] for row in rows] == ["/own/a.png", "/own/b/ü.png", "/own/c.png", "/own/d.png"]
    assert [row["cluster"] for row in rows] == ["2.1", "1", None, "1"]
    assert [row["source"] for row in rows] == ["answer", "propagated", "classifier", "classifier"]
    assert rows[0]["distance"] == 0.5


def test_parquet_has_the_rows_of_the_table(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    write_labels(LABELS, "parquet", 0.5, tmp_path / "labels.parquet")
    rows = pq.read_table(tmp_path / "labels.parquet").to_pylist()
    assert rows == [row for row in LABELS.iter_rows() if row["uncalibrated_confidence"] >= 0.5]


@pytest.mark.parametrize("format_name", ["csv", "jsonl", "parquet"])
def test_tables_name_a_calibrated_confidence_and_hold_the_checks(format_name: str, tmp_path: Path) -> None:
    write_labels(AUDITED_LABELS, format_name, 0.0, tmp_path / "labels")
    if format_name == "csv":
        rows = list(csv.DictReader((tmp_path / "labels").open(encoding="utf-8")))
    elif format_name == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "labels").read_text().splitlines()]
    else:
        rows = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "labels").to_pylist()
    assert tuple(rows[0]) == (
        *("index", "path", "label", "class", "confidence", "source", "check", "cluster", "weight", "distance"),
    )
    assert [float(row["confidence"]) for row in rows] == [1.0, 0.25, 0.75, 0.5]
    assert [row["check"] or None for row in rows] == [None, "wrong", "right", None]


def test_parquet_holds_the_info_in_its_metadata(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    write_labels(LABELS, "parquet", 0.5, tmp_path / "labels.parquet")
    info = json.loads(pq.read_schema(tmp_path / "labels.parquet").metadata[b"vaetui"])
    assert (info["version"], info["labels"]["total"]) == ("0123456789ab", 3)
