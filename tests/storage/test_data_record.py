"""Tests of the stored data options."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vaetui.engine.classes import MAX_CLASS_NAME_CHARS, MAX_CLASSES
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.storage import data_record
from vaetui.storage.data_record import MAX_OMITTED_IMAGES, DataRecord
from vaetui.storage.dataset_cache import DatasetOrigin
from vaetui.storage.feature_record import FeatureRecord, ModelRecord
from vaetui.storage.import_report import ImportReport
from vaetui.storage.repository import SessionRepository

PATH_CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)
"""Characters of paths; bytes that are not UTF-8 become the surrogates U+DC80 to U+DCFF."""
FEATURES = FeatureRecord("/vectors.npy", 12, 384, "0" * 64, ModelRecord("dinov2-small", "ab12", (224, 224)))
REPORT = ImportReport("images", 3, (28, 28), False, {"8-bit": (0.0, 255.0)}, 1, {"cat": 1, "dog": 2}, fit="resized")


def test_record_survives_json() -> None:
    origin = DatasetOrigin("/images", {"size": [28, 28]}, ("cat", "dog"), "/", REPORT)
    for record in (
        DataRecord(),
        DataRecord(False, ("cat", "dog"), origin, {"range": "0-1", "not taken": "1 entry\n1: .a is hidden"}),
        DataRecord(features=FEATURES),
        DataRecord(features=replace(FEATURES, model=None)),
    ):
        assert data_record.from_json(data_record.to_json(record)) == record


@given(
    st.booleans(),
    st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1), min_size=2, unique=True),
    st.text(PATH_CHARACTERS),
)
def test_any_record_that_can_be_made_can_be_read_back(uses_labels: bool, names: list[str], path: str) -> None:
    report = replace(REPORT, source=path, class_counts=dict.fromkeys(names, 3))
    origin = DatasetOrigin(path, {"classes": names, "column": path}, tuple(names), path, report)
    try:
        record = DataRecord(uses_labels, tuple(names), origin)
    except UserError:
        assume(False)
    assert data_record.from_json(data_record.to_json(record)) == record


@pytest.mark.parametrize(
    "names", [("cat",), ("cat", ""), ("cat", " dog"), ("cat", "dog\n"), ("cat", "cat"), ("a", "\udce9")]
)
def test_record_with_class_names_that_no_session_can_have_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match="class"):
        DataRecord(True, names)
    with pytest.raises(ValueError, match="class"):
        data_record.from_json(json.dumps({"uses_true_labels": True, "class_names": names}))


def test_import_that_left_out_too_many_images_is_refused(tmp_path: Path) -> None:
    indices = tuple(range(10**9, 10**9 + MAX_OMITTED_IMAGES))
    origin = DatasetOrigin("/images.npy", {}, None, None, replace(REPORT, omitted_indices=indices))
    SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28), DataRecord(True, (), origin)).close()
    with contextlib.closing(SessionRepository(tmp_path)) as repository:
        assert repository.data_record.origin == origin
    with pytest.raises(UserError, match=r"100,001 images of /images\.npy cannot be used; at most 100,000 can be left"):
        DataRecord(True, (), replace(origin, report=replace(REPORT, omitted_indices=(0, *indices))))


def test_longest_class_names_are_stored(tmp_path: Path) -> None:
    names = tuple(f"{index:03}".ljust(MAX_CLASS_NAME_CHARS, "\U0001f431") for index in range(MAX_CLASSES))
    report = replace(REPORT, class_counts=dict.fromkeys(names, 10**9))
    record = DataRecord(True, names, DatasetOrigin("/" * 4096, {"classes": list(names)}, names, "/" * 4096, report))
    config = replace(Config(), network=replace(Config().network, classes=len(names)))
    SessionRepository.create(tmp_path, config, "mnist", (640, 28, 28), record).close()
    with contextlib.closing(SessionRepository(tmp_path)) as repository:
        assert repository.data_record == record
        assert repository.load_class_list().names == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"uses_true_labels": 1, "class_names": []}',
        '{"uses_true_labels": true, "class_names": ["\\u001b[2J"]}',
        '{"uses_true_labels": true, "class_names": [3]}',
        '{"uses_true_labels": true, "class_names": [], "import_lines": {"images": "\\u001b[2J"}}',
        '{"uses_true_labels": true, "class_names": [], "import_lines": {"images": 3}}',
        '{"uses_true_labels": true, "class_names": [], "import_lines": []}',
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


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "vectors.npy"},
        {"path": "/vec\0tors.npy"},
        {"count": 0},
        {"count": "12"},
        {"width": 1 << 40},
        {"sha256": "0" * 63},
        {"sha256": "g" * 64},
        {"model": {"name": "a"}},
        {"model": {"name": "a", "version": "b\nc", "size": [1, 1]}},
        {"model": {"name": "a", "version": "b", "size": [1, 0]}},
        {"owner": "me"},
    ],
)
def test_forged_record_of_vectors_is_refused(changes: dict[str, object]) -> None:
    values = json.loads(data_record.to_json(DataRecord(features=FEATURES)))
    values["features"] |= changes
    with pytest.raises(ValueError, match="record of"):
        data_record.from_json(json.dumps(values))
