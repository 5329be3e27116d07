"""Versions of the labelling, what speaks for its labels, and confidences before and after an audit."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, answer_round
from vaetui.engine.answers import AnsweredImage, ClassAnswer
from vaetui.engine.classes import RenameClass
from vaetui.engine.config import Config
from vaetui.engine.events import Event, LabellingLoaded, Progress
from vaetui.export.label_table import ANSWER, CLASSIFIER
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.final_labels import NoLabelsError
from vaetui.session.labelling import Labelling
from vaetui.session.session import Session
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.snapshot_labels import load_labelling

pytestmark = pytest.mark.usefixtures("home")

CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=["cluster", "graph"])


def load(session: Session) -> Labelling:
    events: list[Event] = list(session.load_labelling())
    labelling = session.labellings.current
    assert labelling is not None
    assert events[-1] == LabellingLoaded(labelling.version)
    return labelling


def finish_full_audit(session: Session) -> None:
    """Check every image of a full audit against the true labels."""
    assert session.true_labels is not None
    true_labels = session.true_labels.train_validation_labels
    assert true_labels is not None
    list(session.audits.start("full"))
    while (view := session.audits.view) is not None and view.part != "done":
        items = [item for item in view.items if item.check is None]
        class_ids = true_labels.class_ids
        session.audits.record([(item.position, ClassAnswer(int(class_ids[item.image_index]))) for item in items])


def test_there_is_no_labelling_before_the_first_answer(runs: RunTemplates) -> None:
    with closing(runs.open("new")) as session:
        with pytest.raises(NoLabelsError, match="No labels yet"):
            list(session.load_labelling())
        assert session.labellings.current is None


@CONFIGS
def test_the_version_follows_labels_and_class_names(runs: RunTemplates, config: Config) -> None:
    with closing(runs.open("versions", config, 2)) as session:
        first = load(session)
        assert len(first.version) == 12
        session.record_answer((0,), ClassAnswer(7))
        assert session.labellings.current is None, "an answer was recorded since"
        assert load(session).version != first.version
        session.undo()
        assert load(session).version == first.version
        session.edit_classes(RenameClass(3, "three"))
        assert load(session).version not in ("", first.version)


@CONFIGS
def test_a_snapshot_computes_the_same_labelling(runs: RunTemplates, config: Config) -> None:
    with closing(runs.open("shared", config, 2)) as session:
        session.record_answer((0,), ClassAnswer(7))
        expected = load(session)
        with closing(SessionSnapshot(session.directory)) as snapshot:
            labelling = drain_events(load_labelling(snapshot))
    assert labelling.version == expected.version
    for name in ("doubts", "second_class_ids", "embeddings"):
        assert np.array_equal(getattr(labelling, name), getattr(expected, name)), name
    assert np.array_equal(labelling.evidence.features, expected.evidence.features)


def test_new_answers_need_no_new_encoding_of_the_training_images(runs: RunTemplates) -> None:
    with closing(runs.open("quick", PROPAGATION_CONFIG, 2)) as session:
        load(session)
        session.record_answer((0,), ClassAnswer(7))
        events = list(session.load_labelling())
        activities = {event.activity for event in events if isinstance(event, Progress)}
        assert "encoding the training images" not in activities
        assert list(session.labellings.load()) == [], "nothing has changed since"


@CONFIGS
def test_an_export_writes_the_labels_that_are_loaded_unless_something_changed_since(
    runs: RunTemplates, config: Config, tmp_path: Path
) -> None:
    with closing(runs.open("exported", config, 2)) as session:
        list(session.export_labels(tmp_path / "before.csv"))
        load(session)
        events = list(session.export_labels(tmp_path / "loaded.csv"))
        assert not [event for event in events if isinstance(event, Progress) and "encoding" in event.activity]
        assert (tmp_path / "loaded.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
        session.record_answer((0,), ClassAnswer(7))
        events = list(session.export_labels(tmp_path / "changed.csv"))
        assert [event for event in events if isinstance(event, Progress) and "encoding" in event.activity]
        assert (tmp_path / "changed.csv").read_bytes() != (tmp_path / "before.csv").read_bytes()


@CONFIGS
def test_only_answers_about_an_image_itself_are_certain(runs: RunTemplates, config: Config) -> None:
    with closing(runs.open("sources", config, 2)) as session:
        session.record_answer((0,), ClassAnswer(7, 0.8))
        table = load(session).label_table
        image_index = int(np.flatnonzero(table.source_ids == CLASSIFIER)[0])
        session.record_image_answers([AnsweredImage(image_index, ClassAnswer(5))], "review")
        labelling = load(session)
    table = labelling.label_table
    assert (table.class_ids[image_index], table.source_ids[image_index]) == (5, ANSWER)
    assert (table.confidences[image_index], labelling.doubts[image_index]) == (1, 0)
    is_shown = table.source_ids == ANSWER
    assert is_shown.sum() > 1
    assert np.array_equal(table.confidences[is_shown], table.weights[is_shown]), "answers about clusters keep theirs"
    is_inferred = (table.source_ids != ANSWER) & (table.class_ids >= 0)
    assert np.array_equal(table.confidences[is_inferred], labelling.evidence.uncalibrated_confidences[is_inferred])
    assert ((table.confidences[is_inferred] > 0) & (table.confidences[is_inferred] < 1)).all()
    assert np.array_equal(labelling.doubts, 1 - table.confidences)
    assert table.calibration is None


def test_the_second_class_differs_from_the_label_where_the_networks_tell_classes_apart(runs: RunTemplates) -> None:
    with closing(runs.open("second", PROPAGATION_CONFIG, 2)) as session:
        labelling = load(session)
    assert (labelling.second_class_ids != labelling.label_table.class_ids).all()


@CONFIGS
def test_labels_by_answers_alone_keep_their_weights_as_confidences(runs: RunTemplates, config: Config) -> None:
    with closing(runs.open("first", config)) as session:
        session.record_answer((1,), ClassAnswer(6))
        labelling = load(session)
    table = labelling.label_table
    has_label = table.class_ids >= 0
    assert np.array_equal(table.confidences[has_label], table.weights[has_label])
    assert np.allclose(labelling.evidence.uncalibrated_confidences, table.confidences, atol=0.002)
    assert (labelling.doubts[~has_label] == 1).all()


def test_an_audit_calibrates_the_labels_of_its_networks_and_of_no_later_ones(runs: RunTemplates) -> None:
    with closing(runs.open("audited", PROPAGATION_CONFIG, 2)) as session:
        before = load(session)
        finish_full_audit(session)
        labelling = session.labellings.current
        assert labelling is not None, "an audit changes no label"
        assert labelling.label_table.calibration == labelling.version == before.version
        assert np.array_equal(labelling.doubts, before.doubts), "strata must not depend on audits"
        is_inferred = labelling.label_table.source_ids == CLASSIFIER
        result = session.audits.results[0]
        mean = float(labelling.label_table.confidences[is_inferred].mean())
        assert result.low - 0.05 <= mean <= result.high + 0.05
        with closing(SessionSnapshot(session.directory)) as snapshot:
            exported = drain_events(load_labelling(snapshot)).label_table
        assert np.array_equal(exported.confidences, labelling.label_table.confidences)
        assert exported.calibration == labelling.version
        session.audits.undo()
        reopened = session.labellings.current
        assert reopened is not None
        assert reopened.label_table.calibration is None, "the audit is open again"
        session.audits.redo()
        list(answer_round(session))
        session.close_round()
        list(session.advance())
        later = load(session).label_table
        assert later.calibration is None
        uncalibrated = session.labellings.current
        assert uncalibrated is not None
        is_inferred = later.source_ids == CLASSIFIER
        assert not np.array_equal(
            later.confidences[is_inferred], uncalibrated.evidence.uncalibrated_confidences[is_inferred]
        ), "the checks still count as observations"


def test_labels_after_answers_learned_from_an_audit_stay_calibrated(runs: RunTemplates) -> None:
    with closing(runs.open("learned", PROPAGATION_CONFIG, FINISHED)) as session:
        finish_full_audit(session)
        version = load(session).version
        assert session.audits.learn() > 0
        assert session.labellings.current is None
        table = load(session).label_table
        assert table.calibration == version


def test_epochs_with_labels_expect_an_accuracy(runs: RunTemplates) -> None:
    with closing(lifecycle.resume_at(runs.copy("epochs", PROPAGATION_CONFIG, FINISHED))) as session:
        expected = [event.expected_accuracy for event in session._repository.list_epochs()]
    assert expected[0] is None, "without labels"
    assert all(share is not None and 0 < share < 1 for share in expected[1:])
