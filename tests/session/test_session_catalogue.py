"""Test the list of all sessions: states, problems, deletion and export without opening a session."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates
from vaetui.engine.events import LabelsExported
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.session_catalogue import SessionCatalogue
from vaetui.storage import control_files, file_names, locations, lock
from vaetui.storage.output_files import OutputExistsError

pytestmark = pytest.mark.usefixtures("home")


def test_sessions_are_listed_with_their_states_the_one_used_last_first(templates: SessionTemplates) -> None:
    for time, phase in enumerate(("training", "labelling", "finished"), start=1):
        os.utime(file_names.database_path(templates.copy(phase, phase)), (time, time))  # type: ignore[arg-type]
    catalogue = SessionCatalogue()
    entries = catalogue.list_entries()
    assert [(entry.name, entry.last_used_at, entry.phase) for entry in entries] == [
        ("finished", 3, None),
        ("labelling", 2, None),
        ("training", 1, None),
    ]
    finished, labelling, training = map(catalogue.load_entry, entries)
    assert (training.phase, training.epoch, training.epoch_count, training.answer_count) == ("training", 1, 3, 0)
    assert (labelling.phase, labelling.next_round, labelling.round_count) == ("labelling", 1, 2)
    assert (labelling.answer_count, labelling.cluster_counts) == (1, (1, 5))
    assert (finished.phase, finished.next_round, finished.cluster_counts) == ("finished", None, None)
    assert finished.answer_count > 0
    assert [entry.problem + entry.holder + entry.failure for entry in (finished, labelling, training)] == [""] * 3
    for entry in entries:
        catalogue.require_resumable(entry.name)


def test_states_are_read_without_pytorch(templates: SessionTemplates) -> None:
    for phase in ("training", "labelling", "finished"):
        templates.copy(phase, phase)
    program = """
import sys
from vaetui.session.session_catalogue import SessionCatalogue
catalogue = SessionCatalogue()
print(*sorted(catalogue.load_entry(entry).phase for entry in catalogue.list_entries()), "torch" in sys.modules)
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout == "finished labelling training False\n"


def test_damaged_and_older_sessions_are_listed_with_what_to_do(templates: SessionTemplates) -> None:
    file_names.database_path(templates.copy("labelling", "damaged")).write_bytes(b"no database" * 1000)
    older = locations.sessions_directory() / "older"
    older.mkdir()
    (older / file_names.OLDER_FORMAT_NAMES[0]).touch()
    catalogue = SessionCatalogue()
    entries = {entry.name: catalogue.load_entry(entry) for entry in catalogue.list_entries()}
    assert "vaetui check damaged --repair" in entries["damaged"].problem
    assert "vaetui delete older" in entries["older"].problem
    assert entries["damaged"].phase is entries["older"].phase is None
    with pytest.raises(UserError, match="made by an older vaetui"):
        catalogue.require_resumable("older")
    assert catalogue.count_answers_to_delete("older") is None


def test_an_open_session_can_be_read_but_neither_resumed_nor_deleted(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "busy")
    catalogue = SessionCatalogue()
    with closing(lifecycle.resume("busy")):
        entry = catalogue.load_entry(catalogue.list_entries()[0])
        assert (entry.answer_count, entry.is_detached) == (1, False)
        assert entry.holder.startswith(f"process {os.getpid()} of ")
        for method in (catalogue.require_resumable, catalogue.count_answers_to_delete, catalogue.delete):
            with pytest.raises(UserError, match=r"Session busy is open in process \d+ of .+ Close it there first\."):
                method("busy")
        lock.mark_detached(directory)
        assert catalogue.load_entry(entry).is_detached
        catalogue.require_resumable("busy")  # the training can be taken over
    control_files.record_failure(directory, "The disk is full.")
    entry = catalogue.load_entry(entry)
    assert (entry.holder, entry.failure) == ("", "The disk is full.")


def test_deletion_names_the_answers_and_removes_the_session(templates: SessionTemplates) -> None:
    templates.copy("labelling", "doomed")
    templates.copy("labelling", "kept")
    catalogue = SessionCatalogue()
    assert catalogue.count_answers_to_delete("doomed") == 1
    assert len(catalogue.list_entries()) == 2
    catalogue.delete("doomed")
    assert [entry.name for entry in catalogue.list_entries()] == ["kept"]


def test_labels_are_exported_while_the_session_is_open_and_never_overwrite_a_file(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("labelling", "busy")
    labels, output = SessionCatalogue().open_labels("busy"), tmp_path / "labels.csv"
    assert labels.name == "busy"
    with closing(lifecycle.resume("busy")):
        last_event = list(labels.export_labels(output))[-1]
    assert isinstance(last_event, LabelsExported)
    assert output.read_text().count("\n") > 1
    with pytest.raises(OutputExistsError):
        list(labels.export_labels(output))
    list(labels.export_labels(output, force=True))


def test_a_session_without_answers_has_no_labels_to_export(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("training", "fresh")
    with pytest.raises(UserError, match="No labels yet"):
        list(SessionCatalogue().open_labels("fresh").export_labels(tmp_path / "labels.csv"))


def test_a_path_of_images_that_does_not_exist_is_found_before_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe_data_problem = SessionCatalogue().describe_data_problem
    assert describe_data_problem(str(tmp_path)) == ""
    assert describe_data_problem(str(tmp_path / "absent")) == "There is no such file or directory"
    assert describe_data_problem("a\0b")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "images").mkdir()
    assert describe_data_problem("~/images") == ""
