"""The file beside exported labels that says what they are worth."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vaetui
from tests.export.label_tables import AUDITED_LABELS, INFO, LABELS, write_labelled_files, write_labels
from tests.json_schema import iter_problems
from vaetui.errors import UserError
from vaetui.export.format_names import DIRECTORY_FORMATS, EXPORT_FORMATS
from vaetui.export.label_info import ExportCounts, build_info, encode_info, find_info_path
from vaetui.export.label_table import BEYOND_BORDER_ID, NO_CLASS_ID, NO_SOURCE_ID, UNREADABLE_ID
from vaetui.storage import output_files
from vaetui.storage.output_files import write_described_file

SCHEMA = json.loads((Path(__file__).parents[2] / "assets/docs/schemas/info.schema.json").read_text())
AUDIT = {"version": "0123456789ab", "plan": "quick", "estimate": 0.97, "low": 0.95, "high": 0.98, "checked": 126}


def read_info(path: Path) -> dict[str, Any]:
    """Return the content of an info file, which must be as the schema says."""
    info: dict[str, Any] = json.loads(path.read_text())
    assert list(iter_problems(info, SCHEMA)) == []
    return info


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_every_format_has_an_info_file(format_name: str, tmp_path: Path) -> None:
    labels = write_labelled_files(tmp_path / "own")
    output = tmp_path / "labels"
    write_labels(labels, format_name, 0.5, output)
    is_directory = format_name in DIRECTORY_FORMATS
    info = read_info(output / "labels.info.json" if is_directory else tmp_path / "labels.info.json")
    assert (info["session"], info["version"], info["vaetui"]) == ("pets", "0123456789ab", vaetui.__version__)
    assert (info["epoch"], info["round"], info["answers"], info["format"]) == (3, 2, 16, format_name)
    assert info["classes"] == ["cat", "sea horse"]
    assert info["labels"] == {"total": 3, "answer": 1, "propagated": 0, "classifier": 2}
    assert info["omitted"]["below_min_confidence"] == 1
    confidence = {"name": "uncalibrated_confidence", "calibrated": False, "audit_version": None}
    assert info["confidence"] == {**confidence, "mean": 0.75, "minimum": 0.5, "measured": None}
    assert info["audit"] is info["changed_since_audit"] is None
    assert abs(datetime.fromisoformat(info["created"]) - datetime.now(UTC)) < timedelta(minutes=5)
    sha256 = None if is_directory else hashlib.sha256(output.read_bytes()).hexdigest()
    assert info["file"] == (None if is_directory else {"name": "labels", "sha256": sha256})


def test_images_without_a_label_are_counted_by_the_reason(tmp_path: Path) -> None:
    labels = replace(
        LABELS,
        class_ids=np.array([NO_CLASS_ID, NO_CLASS_ID, NO_CLASS_ID, 0]),
        source_ids=np.array([UNREADABLE_ID, BEYOND_BORDER_ID, NO_SOURCE_ID, 2], np.uint8),
    )
    counts = write_labels(labels, "csv", 0.0, tmp_path / "labels.csv")
    assert (counts.written, counts.unreadable, counts.beyond_border, counts.unlabelled) == (1, 1, 1, 1)
    omitted = read_info(tmp_path / "labels.csv.info.json")["omitted"]
    assert (omitted["unreadable"], omitted["beyond_border"], omitted["no_label_yet"]) == (1, 1, 1)


def test_info_holds_the_audit_and_what_has_changed_since() -> None:
    info = replace(INFO, audit=AUDIT, changed_count=12)
    document = build_info(info, AUDITED_LABELS, ExportCounts(4), "csv", 0.0)
    assert (document["audit"], document["changed_since_audit"]) == (AUDIT, 12)
    assert document["confidence"]["name"] == "confidence"
    assert document["confidence"]["audit_version"] == "0123456789ab"
    assert json.loads(encode_info(document)) == {**document, "file": None}


def test_missing_and_replaced_files_are_not_counted_as_labels(tmp_path: Path) -> None:
    labels = write_labelled_files(tmp_path / "own")
    assert labels.source_files is not None
    (tmp_path / "own" / labels.source_files.relative_paths[0]).unlink()
    labels = replace(labels, source_files=replace(labels.source_files, replaced_indices=frozenset({2})))
    write_labels(labels, "huggingface", 0.0, tmp_path / "out")
    info = read_info(tmp_path / "out/labels.info.json")
    assert info["labels"] == {"total": 2, "answer": 0, "propagated": 1, "classifier": 1}
    assert (info["omitted"]["missing_file"], info["omitted"]["replaced_file"]) == (1, 1)


def test_the_info_file_of_the_longest_name_has_a_shorter_one(tmp_path: Path) -> None:
    output = tmp_path / ("x" * 251 + ".csv")
    write_labels(LABELS, "csv", 0.0, output)
    assert find_info_path(output).parent == tmp_path
    assert read_info(find_info_path(output))["file"]["name"] == output.name
    assert find_info_path(tmp_path / ("y" + "x" * 250 + ".csv")) != find_info_path(output)
    assert find_info_path(Path("a/labels.csv")) == Path("a/labels.csv.info.json")


@pytest.mark.parametrize("step", ["open", "rename", "describe"])
def test_an_output_that_cannot_be_written_keeps_both_old_files(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, info_path = tmp_path / "labels.csv", tmp_path / "labels.csv.info.json"
    list(write_described_file(output, b"old", info_path, str.encode))

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "open":
            patch.setattr(output_files.atomic_files, "open_for_writing", fail)
        describe = fail if step == "describe" else str.encode
        if step == "rename":
            patch.setattr(Path, "replace", fail)
        with pytest.raises(UserError, match="is full"):
            list(write_described_file(output, [b"n", b"ew"], info_path, describe))
    assert output.read_bytes() == b"old"
    names = {path.name for path in tmp_path.iterdir()}
    # When the rename fails, the old description is gone, because it may no longer belong to the file.
    assert names == ({"labels.csv"} if step == "rename" else {"labels.csv", "labels.csv.info.json"})
    list(write_described_file(output, [b"n", b"ew"], info_path, str.encode))
    assert info_path.read_text() == hashlib.sha256(b"new").hexdigest()


def test_a_long_file_is_written_in_steps_and_nothing_is_left_when_they_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_files, "CHUNKS_PER_REPORT", 3)
    output, info_path = tmp_path / "labels.csv", tmp_path / "labels.csv.info.json"
    lines = [b"%d\n" % number for number in range(8)]
    steps = write_described_file(output, lines, info_path, str.encode)
    assert next(steps) == 3
    steps.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())
    assert list(write_described_file(output, lines, info_path, str.encode)) == [3, 6, 8]
    assert output.read_bytes() == b"".join(lines)
    assert info_path.read_text() == hashlib.sha256(b"".join(lines)).hexdigest()


def test_a_pipe_or_device_has_no_info_file(tmp_path: Path) -> None:
    list(write_described_file(Path("/dev/null"), b"new", tmp_path / "null.info.json", str.encode))
    assert list(tmp_path.iterdir()) == []


CRASH_PROGRAM = """
import os, sys
from pathlib import Path
from vaetui.storage import atomic_files
from vaetui.storage.output_files import write_described_file

remaining = int(sys.argv[1])

def crash_before(function):
    def run(*args, **options):
        global remaining
        remaining -= 1
        if remaining < 0:
            os._exit(9)
        return function(*args, **options)
    return run

for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "fsync"), (atomic_files, "open_for_writing")):
    setattr(owner, name, crash_before(getattr(owner, name)))
list(write_described_file(Path("labels.csv"), [b"new"], Path("labels.csv.info.json"), str.encode))
"""


@pytest.mark.parametrize("step_count", range(10))
def test_after_a_crash_at_any_moment_a_file_has_its_own_info_file_or_none(step_count: int, tmp_path: Path) -> None:
    output, info_path = tmp_path / "labels.csv", tmp_path / "labels.csv.info.json"
    list(write_described_file(output, b"old", info_path, str.encode))
    process = subprocess.run([sys.executable, "-c", CRASH_PROGRAM, str(step_count)], cwd=tmp_path, check=False)
    is_complete = process.returncode == 0
    assert is_complete is (step_count == 9)
    content = output.read_bytes()
    assert content in (b"old", b"new")
    if info_path.exists():
        assert info_path.read_text() == hashlib.sha256(content).hexdigest()
    else:
        assert not is_complete
