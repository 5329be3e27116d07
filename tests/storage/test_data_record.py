"""Tests of the stored data options."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.storage import data_record
from vaetui.storage.data_record import DataRecord
from vaetui.storage.dataset_cache import DatasetOrigin
from vaetui.storage.import_report import ImportReport
from vaetui.storage.repository import SessionRepository

REPORT = ImportReport("images", 3, (28, 28), False, {"8-bit": (0.0, 255.0)}, 1, {"cat": 1, "dog": 2}, fit="resized")


def test_record_survives_json() -> None:
    origin = DatasetOrigin("/images", {"size": [28, 28]}, ("cat", "dog"), "/", REPORT)
    for record in (DataRecord(), DataRecord(False, ("cat", "dog"), origin)):
        assert data_record.from_json(data_record.to_json(record)) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"uses_true_labels": 1, "class_names": []}',
        '{"uses_true_labels": true, "class_names": ["\\u001b[2J"]}',
        '{"uses_true_labels": true, "class_names": [3]}',
        '{"uses_true_labels": true, "class_names": [], "origin": {}}',
    ],
)
def test_invalid_record_is_refused(tmp_path: Path, text: str) -> None:
    repository = SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28), DataRecord(False, ("cat", "dog")))
    assert repository.data_record == DataRecord(False, ("cat", "dog"))
    repository._write_meta(data_record=text)
    with pytest.raises(UserError, match="invalid data_record"):
        repository.data_record  # noqa: B018 (a property)
    repository.close()
