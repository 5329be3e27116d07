"""Audits of a session: each key is on disk, restarts and later answers change nothing, and the result is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, answer_round, create_session
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import AddClass, MergeClass
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.audit_views import AuditCheck, AuditResult, AuditView
from vaetui.session.audits import Audits
from vaetui.session.session import Session
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.stored_audits import (
    load_audit_images,
    load_audit_steps,
    load_results,
    prepare_estimate,
    verify_audit,
)
from vaetui.storage.file_names import audit_name
from vaetui.storage.stored_arrays import save_arrays

pytestmark = pytest.mark.usefixtures("home")

Checker = Callable[[int, int | None], AuditCheck]
"""Function from an image index and the label shown with it to a check."""


def require_view(audits: Audits) -> AuditView:
    view = audits.view
    assert view is not None
    return view


def require_result(audits: Audits) -> AuditResult:
    result = require_view(audits).result
    assert result is not None
    return result


def find_true_classes(session: Session) -> NDArray[np.int64]:
    """Return the true class of each image of the data set."""
    assert session.true_labels is not None
    labels = session.true_labels.train_validation_labels
    assert labels is not None
    return labels.class_ids.astype(np.int64)


def read_truth(session: Session) -> Checker:
    true_class_ids = find_true_classes(session)
    return lambda image_index, _: ClassAnswer(int(true_class_ids[image_index]))


def press_key(audits: Audits, check: Checker) -> None:
    """Check the next blind image, or the page at once."""
    items = [item for item in require_view(audits).items if item.check is None]
    audits.record([(item.position, check(item.image_index, item.shown_class_id)) for item in items])


def finish_audit(audits: Audits, check: Checker) -> AuditResult:
    while require_view(audits).part != "done":
        press_key(audits, check)
    return require_result(audits)


def measure_share(session: Session) -> float:
    """Return the share of right labels."""
    labelling = session.labellings.current
    assert labelling is not None
    class_ids = labelling.label_table.class_ids
    return float((class_ids == find_true_classes(session))[class_ids >= 0].mean())


def load_rest_of_session(session: Session) -> tuple[tuple[int, ...], AuditView | None]:
    return session.answer_counts(), session.audits.view


def test_a_checked_labelling_has_an_interval_that_contains_its_accuracy(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("full"))
        view = require_view(session.audits)
        assert (view.part, view.position, view.total, view.keys) == ("blind", 1, 30, 0)
        result = finish_audit(session.audits, read_truth(session))
        assert result.low <= measure_share(session) <= result.high
        assert result.low < result.estimate < result.high
        assert (result.version, result.plan, result.epoch, result.round) == (view.version, "full", 2, 1)
        assert result.keys == 30 + view.page_count
        images = load_audit_images(session._store, session._repository.audit_log.list_audits()[0])
        is_planted = images.strata == 255
        is_wrong = images.class_ids != find_true_classes(session)[images.image_indices]  # a planted label may be right
        assert result.catch_planted == is_planted.sum() > 0
        assert result.catch_found == (is_planted & is_wrong).sum() > 0
        assert sum(stratum.checked for stratum in result.strata) == result.checked
        assert sum(item.wrong for item in result.classes) == result.wrong == sum(row[2] for row in result.confusion)
        assert session.audits.results == (result,)


def test_no_image_is_shown_twice_and_labels_are_those_of_the_labelling(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("full"))
        shown: list[int] = []
        current = session.labellings.current
        assert current is not None
        while (view := require_view(session.audits)).part != "done":
            shown += [item.image_index for item in view.items]
            press_key(session.audits, lambda _, label: ClassAnswer(0 if label is None else label))
        assert len(set(shown)) == len(shown)
        result = require_result(session.audits)
        assert result.labels == (current.label_table.class_ids >= 0).sum()
        assert result.catch_found == 0
        record = session._repository.audit_log.list_audits()[0]
        images = load_audit_images(session._store, record)
        np.testing.assert_array_equal(images.label_class_ids, current.label_table.class_ids)
        is_real = images.strata != 255
        labels = current.label_table.class_ids[images.image_indices]
        assert (labels == images.class_ids)[is_real].all()
        assert (labels != images.class_ids)[~is_real].all()


def test_an_interrupted_audit_goes_on_after_a_restart_and_more_answers(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        for _ in range(31):
            press_key(session.audits, read_truth(session))
        page = require_view(session.audits)
        session.audits.record([(page.items[3].position, Unreadable())])
        before = require_view(session.audits)
        audits = session.audits
        audits.undo()
        undone = require_view(audits)
        audits.redo()
        assert (undone.items[3].check, require_view(audits)) == (None, before)
        list(answer_round(session))
        session.close_round()
        list(session.advance())
    with closing(lifecycle.resume("one")) as session:
        assert session.audits.view == replace(before)
        list(session.advance())
        list(session.audits.start("full"))  # the open audit has another plan
        assert session.audits.view == before
        result = finish_audit(session.audits, read_truth(session))
        list(session.load_labelling())
        current = session.labellings.current
        assert current is not None
        assert result.version == before.version != current.version
        assert (result.round, result.epoch, result.unreadable, result.plan) == (1, 2, 1, "quick")


def test_undo_reopens_a_finished_audit_over_a_restart(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        result = finish_audit(session.audits, read_truth(session))
    with closing(lifecycle.resume("one")) as session:
        list(session.advance())
        view = require_view(session.audits)
        assert (view.part, view.result, view.can_undo) == ("done", result, True)
        assert session.audits.undo()
        view = require_view(session.audits)
        assert (view.part, view.result, view.can_redo, session.audits.results) == ("page", None, True, ())
    with closing(lifecycle.resume("one")) as session:
        assert session.audits.redo()
        assert require_result(session.audits).keys == result.keys
        assert not session.audits.redo()


def test_an_abandoned_audit_is_reported_and_not_drawn_again(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        first = require_view(session.audits).items[0].image_index
        press_key(session.audits, read_truth(session))
        session.audits.abandon()
        assert session.audits.view is None
        with pytest.raises(UserError, match="No audit is open"):
            session.audits.abandon()
        list(session.audits.start("quick"))
        assert require_view(session.audits).items[0].image_index != first
        result = finish_audit(session.audits, read_truth(session))
        assert result.abandoned == 1
        assert len(session.audits.results) == 1


def test_a_correction_does_not_hide_an_abandoned_audit(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        view = require_view(session.audits)
        session.audits.abandon()
        session.record_image_answers([AnsweredImage(view.items[0].image_index, Unreadable())], "review")
        list(session.audits.start("quick"))
        assert require_view(session.audits).version != view.version
        assert finish_audit(session.audits, read_truth(session)).abandoned == 1


def test_equal_sessions_draw_equal_audits_whatever_else_was_looked_at(runs: RunTemplates) -> None:
    views = []
    for name in ("one", "two"):
        with closing(runs.open(name, PROPAGATION_CONFIG, 2)) as session:
            if name == "two":
                list(session.load_labelling())
                session.least_sure_images(0, 5)
            list(session.audits.start("quick"))
            views.append(session.audits.view)
    assert views[0] == views[1]


def test_learned_checks_are_answers_about_images_and_one_step_of_undo(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        with pytest.raises(UserError, match="not finished"):
            session.audits.learn()
        result = finish_audit(session.audits, read_truth(session))
        count = session.audits.learn()
        assert count == result.checked + result.unreadable
        assert len(session._repository.list_image_answers()) == count
        true_class_ids = find_true_classes(session)
        for record in session._repository.list_image_answers():
            assert record.image.answer == ClassAnswer(int(true_class_ids[record.image.image_index]))
            assert record.origin == "audit"
        list(session.load_labelling())
        assert session.labellings.current is not None
        assert require_result(session.audits) == result
        list(session.audits.start("quick"))
        seen = {record.image.image_index for record in session._repository.list_image_answers()}
        audited = session._repository.audit_log.list_audits()[-1]
        images = load_audit_images(session._store, audited)
        assert not seen & set(images.image_indices[images.strata != 255].tolist())
        assert images.answered_sizes.sum() > 0
        session.undo()
        assert session._repository.list_image_answers() == []


def test_learned_checks_replace_no_answer_that_was_given_since(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        result = finish_audit(session.audits, read_truth(session))
        audited = session._repository.audit_log.list_audits()[-1]
        images = load_audit_images(session._store, audited)
        corrected = int(images.image_indices[images.strata != 255][0])
        other_class_id = (int(find_true_classes(session)[corrected]) + 1) % 10
        session.record_image_answers([AnsweredImage(corrected, ClassAnswer(other_class_id))], "review")
        assert session.audits.learn() == result.checked + result.unreadable - 1
        answers = {record.image.image_index: record.image.answer for record in session._repository.list_image_answers()}
        assert answers[corrected] == ClassAnswer(other_class_id)
        with pytest.raises(UserError, match="answers of their own already"):
            session.audits.learn()


def test_classes_merged_during_an_audit_count_as_one(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        for _ in range(30):
            press_key(session.audits, read_truth(session))
        labels = [item.shown_class_id for item in require_view(session.audits).items]
        first = labels[0]
        assert first is not None
        target = next(class_id for class_id in session.classes.active_ids if class_id != first)
        session.edit_classes(MergeClass(first, target))
        assert first not in {item.shown_class_id for item in require_view(session.audits).items}
        true_class_ids, canonical = find_true_classes(session), session.classes.canonical
        result = finish_audit(session.audits, lambda index, _: ClassAnswer(canonical[true_class_ids[index]]))
        assert first not in {item.class_id for item in result.classes}
        assert all(first not in row[:2] for row in result.confusion)


def test_checks_out_of_turn_and_of_unknown_classes_are_refused(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        with pytest.raises(UserError, match="No audit is open"):
            session.audits.record([(0, ClassAnswer(0))])
        with pytest.raises(UserError, match="There is no audit daily"):
            list(session.audits.start("daily"))
        list(session.audits.start("quick"))
        for checks in ([(1, ClassAnswer(0))], [(0, ClassAnswer(99))], []):
            with pytest.raises(UserError):
                session.audits.record(checks)
        assert require_view(session.audits).keys == 0
        session.audits.record([(0, Cleared())])
        assert require_view(session.audits).position == 1


def test_a_session_without_answers_has_nothing_to_audit(digits: Path) -> None:
    with closing(create_session("new", digits, PROPAGATION_CONFIG)) as session:
        list(session.advance())
        with pytest.raises(UserError, match="No labels yet"):
            list(session.audits.start("quick"))


def test_a_session_whose_images_all_have_answers_of_their_own_has_nothing_to_audit(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        answers = [AnsweredImage(index, ClassAnswer(index % 3)) for index in range(session.image_count)]
        session.record_image_answers(answers, "review")
        with pytest.raises(UserError, match="There is nothing to audit"):
            list(session.audits.start("quick"))


def test_readers_without_the_lock_get_results_checks_and_labels(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        result = finish_audit(session.audits, read_truth(session))
        with closing(SessionSnapshot(session.directory)) as snapshot:
            assert load_results(snapshot.repository) == (result,)
            (record,) = snapshot.repository.audit_log.list_audits()
            images = load_audit_images(snapshot.store, record)
            steps = load_audit_steps(snapshot.repository, record, images)
            sample, seen_class_ids = prepare_estimate(images, steps, snapshot.classes)
        assert sample.is_planted.sum() == result.catch_planted
        assert ((seen_class_ids != sample.class_ids) & ~sample.is_planted).sum() == result.wrong
        assert sample.weights.sum() == pytest.approx(result.labels, rel=0.1)


def test_a_result_survives_json_and_a_forged_one_is_refused(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        result = finish_audit(session.audits, read_truth(session))
    values = json.loads(json.dumps(result.to_dict()))
    assert AuditResult.from_dict(values) == result
    confusion = {"label": 1, "seen": float("inf"), "count": 2}
    for change in ({"low": 3.0}, {"estimate": 7}, {"checked": -1}, {"keys": 10**400}, {"confusion": [confusion]}):
        with pytest.raises((TypeError, ValueError)):
            AuditResult.from_dict({**values, **change})
    for forged in ({**values, "keys": "7"}, {**values, "classes": [{}]}, {}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            AuditResult.from_dict(forged)


def test_a_class_without_labels_that_a_person_saw_has_its_name_in_the_result(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        session.edit_classes(AddClass(10, "heron"))
        list(session.audits.start("quick"))
        result = finish_audit(session.audits, lambda *_: ClassAnswer(10))
    assert {row["seen_name"] for row in result.to_dict()["confusion"]} == {"heron"}
    assert (result.classes[-1].name, result.classes[-1].checked) == ("heron", 0)


@pytest.mark.parametrize(
    ("forgery", "value"),
    [
        ("strata", 77),
        ("pages", 77),
        ("answered_class_ids", 3),
        ("weights", -1),
        ("weights", 1e308),
        ("weights", 5e-324),
        ("label_class_ids", 77),
        ("cell_sizes", 2**62),
        ("cell_sizes", 0),
        ("answered_sizes", 2**62),
        ("image_indices", None),
    ],
)
def test_a_forged_file_is_refused_in_one_sentence(forgery: str, value: float | None, runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        (record,) = session._repository.audit_log.list_audits()
        images = load_audit_images(session._store, record)
        forged = getattr(images, forgery).copy()
        forged[0] = forged[1] if value is None else value
        forged_images = replace(images, **{forgery: forged})
        session._repository.record_files(save_arrays(session._store, audit_name(record.id), forged_images))
    with closing(lifecycle.resume("one")) as session, pytest.raises(UserError, match="does not fit the session"):
        _ = session.audits.view


def test_checks_of_a_class_that_does_not_exist_are_refused_in_one_sentence(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        session._repository.audit_log.record_checks(1, [(0, ClassAnswer(200))])
    with closing(lifecycle.resume("one")) as session, pytest.raises(UserError, match="names a class that does not"):
        _ = session.audits.view


def test_a_forged_calibration_is_found_by_the_check_of_an_audit(runs: RunTemplates) -> None:
    with closing(runs.open("one", PROPAGATION_CONFIG, 2)) as session:
        list(session.audits.start("quick"))
        finish_audit(session.audits, read_truth(session))
        (record,) = session._repository.audit_log.list_audits()
        verify_audit(session._store, session._repository, record)
        with pytest.raises(UserError, match="calibration of audit 1 is damaged"):
            verify_audit(session._store, session._repository, replace(record, calibration_text="[1]"))
