"""Labels of a session that another process may have open: equal to those under its lock, and always of one state."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import (
    PROPAGATION_CONFIG,
    SMALL_CONFIG,
    create_session,
    run_to_end,
    session_digest,
    stop_within_epoch,
)
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.config import Config
from vaetui.engine.events import Event, LabelsExported
from vaetui.errors import UserError
from vaetui.export.label_table import LabelTable
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, trainer
from vaetui.session.final_labels import NoLabelsError
from vaetui.session.label_export import ExportOptions, describe_moment, export_labels
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.snapshot_labels import label_images
from vaetui.storage import file_names, locations

pytestmark = pytest.mark.usefixtures("home")

COLUMNS = ("indices", "class_ids", "confidences", "source_ids", "cluster_ids", "weights", "distances")


def read_labels(name: str) -> LabelTable:
    with closing(SessionSnapshot(locations.find_session(name))) as snapshot:
        return drain_events(label_images(snapshot))


def assert_equal_tables(table: LabelTable, expected: LabelTable) -> None:
    for column in COLUMNS:
        assert np.array_equal(getattr(table, column), getattr(expected, column), equal_nan=column == "distances"), (
            column
        )
    assert (table.class_names, table.cluster_paths) == (expected.class_names, expected.cluster_paths)


@pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=["cluster", "graph"])
def test_labels_without_the_lock_equal_those_under_the_lock(runs: RunTemplates, config: Config) -> None:
    session = runs.open("shared", config, 2)
    session.record_answer((0,), ClassAnswer(7))
    while_labelling = drain_events(session.build_label_table())
    assert_equal_tables(read_labels("shared"), while_labelling)
    session.close_round()
    stop_within_epoch(session)
    session.close()
    session = lifecycle.resume("shared")
    within_epoch = drain_events(session.build_label_table())
    assert_equal_tables(read_labels("shared"), within_epoch)
    assert not np.array_equal(within_epoch.confidences, while_labelling.confidences), "the newest networks are used"
    list(session.advance())
    finished = drain_events(session.build_label_table())
    assert_equal_tables(read_labels("shared"), finished)
    session.close()
    assert_equal_tables(read_labels("shared"), finished)


def test_a_snapshot_keeps_its_state_while_the_session_goes_on(runs: RunTemplates) -> None:
    session = runs.open("moving", SMALL_CONFIG, 2)
    session.record_answer((0,), ClassAnswer(7))
    expected = drain_events(session.build_label_table())
    with closing(SessionSnapshot(session.directory)) as snapshot:
        position = snapshot.checkpoint_position
        assert position is not None
        session.record_answer((0,), ClassAnswer(2))
        session.close_round()
        list(session.advance())
        session.close()
        (session.directory / file_names.checkpoint_name(*position)).unlink()  # as a longer training does
        assert_equal_tables(drain_events(label_images(snapshot)), expected)


def test_labels_can_be_read_at_any_moment_of_a_run_and_change_no_bit_of_it(runs: RunTemplates, digits: Path) -> None:
    expected_digest, _ = runs.result()
    session = create_session("busy", digits)
    is_finished, tables, failures = threading.Event(), list[LabelTable](), list[BaseException]()

    def read_all_the_time() -> None:
        while not is_finished.is_set():
            try:
                tables.append(read_labels("busy"))
            except NoLabelsError:
                pass
            except BaseException as error:
                failures.append(error)

    thread = threading.Thread(target=read_all_the_time)
    thread.start()
    try:
        steps = list(run_to_end(session))
    finally:
        is_finished.set()
        thread.join()
    session.close()
    assert not failures
    assert steps[-1] == "Finished"
    assert len(tables) > 2
    assert all(len(table) == 640 for table in tables)
    assert session_digest("busy") == expected_digest


def test_the_moment_is_described_only_where_the_session_is_not_at_rest(runs: RunTemplates) -> None:
    session = runs.open("open", SMALL_CONFIG, 2)
    with closing(SessionSnapshot(session.directory)) as snapshot:
        text = describe_moment(snapshot) or ""
    assert text.startswith("open is open in process ")
    assert text.endswith("The labels come from 8 answers and the networks of epoch 2, as of now.")
    session.close_round()
    stop_within_epoch(session)
    with closing(SessionSnapshot(session.directory)) as snapshot:
        text = describe_moment(snapshot) or ""
        _, step = snapshot.checkpoint_position or (0, 0)
        networks = f"the networks in epoch 3, after {step} of {snapshot.steps_per_epoch} batches"
    assert 0 < step < snapshot.steps_per_epoch
    assert text.endswith(f"The labels come from 8 answers and {networks}, as of now; epoch 3 is being trained.")
    session.close()
    with closing(SessionSnapshot(session.directory)) as snapshot:
        assert describe_moment(snapshot) == f"The labels come from 8 answers and {networks}."
    session = lifecycle.resume("open")
    list(session.advance())
    session.close()
    with closing(SessionSnapshot(session.directory)) as snapshot:
        assert describe_moment(snapshot) is None


def test_lost_training_is_refused(runs: RunTemplates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    session = runs.open("lost", SMALL_CONFIG, 2)
    session.close()
    with closing(SessionSnapshot(session.directory)) as snapshot:
        assert not snapshot.has_lost_training
        epoch, step = snapshot.checkpoint_position or (0, 0)
    (session.directory / file_names.checkpoint_name(epoch, step)).write_bytes(b"damaged")
    with closing(SessionSnapshot(session.directory)) as snapshot:
        assert snapshot.has_lost_training
        with pytest.raises(UserError, match="checkpoints of lost are damaged"):
            drain_events(label_images(snapshot))


def test_an_open_session_exports_the_labels_that_its_screens_show(runs: RunTemplates, tmp_path: Path) -> None:
    session = runs.open("screen", SMALL_CONFIG, 2)
    session.record_answer((0,), ClassAnswer(7))
    *_, last_event = session.export_labels(tmp_path / "labels.csv")
    assert isinstance(last_event, LabelsExported)
    assert last_event.message.startswith(f"{tmp_path / 'labels.csv'}: 640 labels written; you saw ")
    events: list[Event] = list(session.export_labels(tmp_path / "folders", "folders", 1.0))
    assert "below 1 in _unsure" in str(events[-1])
    with pytest.raises(UserError, match="exists"):
        list(session.export_labels(tmp_path / "labels.csv"))
    table = drain_events(session.build_label_table())
    session.close()

    def return_table() -> Generator[Event, None, LabelTable]:
        yield from ()
        return table

    with closing(SessionSnapshot(session.directory)) as snapshot:
        list(export_labels(snapshot, return_table(), tmp_path / "again.csv", ExportOptions("csv")))
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "labels.csv").read_bytes()
