"""Test sessions that are watched while another process may train and answer them."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import weakref
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.events import BatchesTrained, Event, Losses, Reconstructed, Watched
from vaetui.errors import UserError
from vaetui.session import lifecycle, watched_session
from vaetui.session.session import Session
from vaetui.session.session_users import SessionUsers
from vaetui.session.watched_session import CHANGING_METHODS, WatchedSession
from vaetui.storage import file_names, live_progress
from vaetui.storage.lock import Holder
from vaetui.storage.training_run import TrainingRun, TrainingRunLock

pytestmark = pytest.mark.usefixtures("home")
READING_METHODS = {
    *("advance", "close", "training_curves", "last_saved_at", "round_view", "require_current_round", "answer_counts"),
    *("digit_keys", "member_images", "select_images", "least_sure_images", "summary", "reading_test", "map_images"),
    *("load_labelling", "load_history", "build_label_table", "propagate_answers", "generate_samples", "export_labels"),
}
"""The methods of a session that record nothing."""
HOLDER, RUN = Holder("ann", "far", 12), TrainingRun("bob", "near", 7, 2, "cpu")


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_session, "POLL_INTERVAL_S", 0.01)
    monkeypatch.setattr(watched_session, "REST_FACTOR", 0)


def describe_files(directory: Path) -> dict[str, tuple[str, int]]:
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in directory.iterdir()
    }


def read_events(session: WatchedSession, count: int) -> list[Event]:
    """Return the next events of a session up to the given number of `Watched`."""
    events: list[Event] = []
    with closing(session.advance()) as iterator:
        for event in iterator:
            events.append(event)
            count -= isinstance(event, Watched)
            if not count:
                break
    return events


@pytest.mark.parametrize("phase", ["training", "labelling", "finished"])
def test_watching_changes_no_file_even_in_a_directory_that_is_read_only(
    templates: SessionTemplates, phase: str
) -> None:
    directory = templates.copy(phase, "seen")  # type: ignore[arg-type]
    before = describe_files(directory)
    directory.chmod(0o500)
    try:
        with closing(WatchedSession(directory)) as session:
            events = read_events(session, 2)
            assert session.phase == phase
            if phase == "labelling":
                cluster = session.round_view().clusters[1]
                assert cluster.answer == ClassAnswer(6)
                assert len(session.member_images(cluster.path, "nearest", 3)) == 3
            if phase == "finished":
                assert session.summary().answer_count == 16
    finally:
        directory.chmod(0o700)
    assert describe_files(directory) == before
    assert events[-1] == Watched("not open in any process", False, False)
    assert any(isinstance(event, Reconstructed) for event in events) == (phase != "training")


def test_answers_of_the_process_that_has_the_session_open_appear(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(WatchedSession(directory)) as watched, closing(lifecycle.resume_at(directory)) as session:
        iterator = watched.advance()
        assert f"open in process {os.getpid()} of" in next(e for e in iterator if isinstance(e, Watched)).users
        session.record_answer((0,), Unreadable())
        assert next(event for event in iterator if isinstance(event, Watched) and event.has_changed)
        assert watched.round_view().clusters[0].answer == Unreadable()
        session.close_round()
        assert not [event for event in iterator if isinstance(event, Watched) and event.has_changed]
        assert watched.phase == "training"


def test_slow_call_goes_on_while_answers_are_recorded(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(WatchedSession(directory)) as watched, closing(lifecycle.resume_at(directory)) as session:
        events = watched.map_images()
        next(events)
        for class_id in range(3):
            session.record_answer((0,), ClassAnswer(class_id))
            assert watched.refresh()
        assert list(events)


def test_state_that_nothing_reads_any_more_is_released(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(WatchedSession(directory)) as watched, closing(lifecycle.resume_at(directory)) as session:
        state = weakref.ref(watched._target)
        session.record_answer((0,), Unreadable())
        assert watched.refresh()
        gc.collect()
        assert state() is None


def test_cluster_of_a_round_that_is_over_has_no_members(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(WatchedSession(directory)) as watched, closing(lifecycle.resume_at(directory)) as session:
        read_events(watched, 2)
        assert len(watched.member_images((0,), "nearest", 3)) == 3
        session.close_round()
        assert watched.refresh()
        assert len(watched.member_images((0,), "nearest", 3)) == 0


def test_progress_and_losses_appear_before_they_are_recorded(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(lifecycle.resume_at(directory)) as session:
        session.close_round()
        with closing(WatchedSession(directory)) as watched:
            count = len(watched.training_curves().loss_points)
            batches = BatchesTrained(2, 1, 9, Losses(1.0, 2.0, 3.0), 100.0, 0.5)
            report = live_progress.ProgressReport(directory)
            report.add(batches)
            events = read_events(watched, 2)
            assert events.count(batches) == 1
            assert len(watched.training_curves().loss_points) == count + 1
            assert watched.training_curves().loss_points[-1][1] == batches.losses
            session.set_one_key_mode(True)  # any change: the losses stay
            assert any(isinstance(event, Watched) and event.has_changed for event in read_events(watched, 3))
            assert watched.training_curves().loss_points[-1][1] == batches.losses


def test_progress_of_a_process_that_was_killed_is_not_shown(templates: SessionTemplates) -> None:
    directory = templates.copy("training", "seen")
    live_progress.ProgressReport(directory).add(BatchesTrained(1, 1, 9, Losses(1.0, 2.0, 3.0), 100.0, 0.5))
    with closing(WatchedSession(directory)) as watched:
        assert not any(isinstance(event, BatchesTrained) for event in read_events(watched, 3))


def test_every_method_of_a_session_that_could_record_something_is_refused() -> None:
    methods = {name for name in vars(Session) if callable(vars(Session)[name]) and not name.startswith("_")}
    assert methods >= CHANGING_METHODS
    assert methods - CHANGING_METHODS == READING_METHODS


@pytest.mark.parametrize("method", sorted(CHANGING_METHODS))
def test_everything_that_records_is_refused(templates: SessionTemplates, method: str) -> None:
    refusal = "only watched here. Change it with: vaetui resume seen"
    with (
        closing(WatchedSession(templates.copy("training", "seen"))) as session,
        pytest.raises(UserError, match=refusal),
    ):
        getattr(session, method)()


def test_deleted_session_ends_watching_with_a_sentence(templates: SessionTemplates) -> None:
    directory = templates.copy("training", "seen")
    with closing(WatchedSession(directory)) as session:
        iterator = session.advance()
        next(iterator)
        shutil.rmtree(directory)
        with pytest.raises(UserError, match=r"^Session seen was deleted\.$"):
            list(iterator)


def test_session_of_the_same_name_that_was_created_anew_is_not_shown(templates: SessionTemplates) -> None:
    directory = templates.copy("training", "seen")
    with closing(WatchedSession(directory)) as session:
        iterator = session.advance()
        next(iterator)
        directory.rename(directory.with_name("other"))
        templates.copy("finished", "seen")
        with pytest.raises(UserError, match="was deleted"):
            list(iterator)


def test_damaged_database_is_refused_at_once_and_after_a_while(
    templates: SessionTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = templates.copy("training", "seen")
    database = file_names.database_path(directory)
    content = database.read_bytes()
    with closing(WatchedSession(directory)) as session:
        iterator = session.advance()
        next(iterator)
        database.write_bytes(b"x" * 5000)
        next(iterator)  # another process may be writing it
        monkeypatch.setattr(watched_session, "MAX_FAILURE_S", 0)
        with pytest.raises(UserError, match="vaetui check seen --repair"):
            list(iterator)
    with pytest.raises(UserError, match="vaetui check seen --repair"):
        WatchedSession(directory)
    database.write_bytes(content)
    WatchedSession(directory).close()


def test_users_are_described_by_what_they_do() -> None:
    assert SessionUsers(None, None).describe("training") == "not open in any process"
    assert SessionUsers(HOLDER, None).describe("labelling") == "open in process 12 of ann on far"
    background = SessionUsers(replace(HOLDER, is_detached=True), None)
    assert background.describe("training") == "trained in the background by process 12 of ann on far"
    assert SessionUsers(HOLDER, RUN).describe("training") == "trained by 2 processes of bob on near"
    waiting = "waiting for answers: 2 processes of bob on near"
    assert SessionUsers(None, RUN).describe("labelling") == waiting
    assert SessionUsers(HOLDER, RUN).describe("labelling") == f"open in process 12 of ann on far; {waiting}"
    assert SessionUsers(Holder("bob", "near", 7), RUN).describe("labelling") == waiting


def test_session_with_a_training_run_can_be_resumed_unless_a_third_process_has_it_open(
    templates: SessionTemplates,
) -> None:
    assert SessionUsers(None, RUN).can_be_resumed
    assert SessionUsers(Holder("bob", "near", 7), RUN).can_be_resumed
    assert not SessionUsers(HOLDER, RUN).can_be_resumed
    directory = templates.copy("training", "seen")
    lock = TrainingRunLock(directory, 2, "cpu")
    with closing(WatchedSession(directory)) as session:
        assert read_events(session, 1)[-1] == Watched(f"trained by {session.users.training_run}", False, True)
    lock.release()
