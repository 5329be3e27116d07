"""Tests of the map of the images: classes, clusters, positions and the sample of a large set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.session.conftest import FINISHED, RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, create_session
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import MergeClass
from vaetui.engine.config import Config
from vaetui.engine.events import ImageMap, MapComputed
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import image_map
from vaetui.session.learned_classes import find_learned_class_ids
from vaetui.session.session import Session
from vaetui.storage import file_names

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=["cluster", "graph"])


def compute_map(session: Session, *class_ids: int) -> ImageMap:
    *_, event = session.map_images(class_ids)
    assert isinstance(event, MapComputed)
    return event.image_map


def find_members(session: Session, *path: int) -> NDArray[np.int64]:
    return session.require_current_round().find_cluster(path).members


@CONFIGS
def test_before_classes_are_learned_the_members_of_an_answered_cluster_have_its_class(
    runs: RunTemplates, config: Config
) -> None:
    session = runs.open("unlearned", config)
    image_map = compute_map(session)
    assert (image_map.class_ids == -1).all()
    assert image_map.separated_class_ids == ()
    session.record_answer((1,), ClassAnswer(6))
    session.record_answer((2,), Unreadable())
    image_map = compute_map(session)
    expected_ids = np.full(len(image_map.points), -1)
    expected_ids[find_members(session, 1)] = 6
    assert np.array_equal(image_map.class_ids, expected_ids)
    assert image_map.image_count == len(image_map.points) == len(expected_ids)


@CONFIGS
def test_clusters_stand_at_the_mean_of_their_members_with_answers_and_sizes(runs: RunTemplates, config: Config) -> None:
    session = runs.open("clusters", config)
    session.record_answer((1,), ClassAnswer(6, 0.7))
    list(session.split_cluster((0,), 2))
    session.record_answer((0, 1), Unreadable())
    image_map = compute_map(session)
    by_path = {cluster.path: cluster for cluster in image_map.clusters}
    assert list(by_path) == [(0, 0), (0, 1), (1,), (2,), (3,), (4,)]
    answers = {path: cluster.answer for path, cluster in by_path.items() if cluster.answer is not None}
    assert answers == {(0, 1): Unreadable(), (1,): ClassAnswer(6, 0.7)}
    for path, cluster in by_path.items():
        members = find_members(session, *path)
        assert cluster.size == len(members)
        assert image_map.points[members].mean(axis=0) == pytest.approx(cluster.position, abs=0.01)
        assert cluster.class_id == (6 if path == (1,) else -1)
    assert image_map.round_number == 1
    assert not any(isinstance(cluster.answer, Split) for cluster in image_map.clusters)


@pytest.mark.parametrize("round_number", [2, FINISHED])
def test_classes_are_those_of_the_export_where_the_prediction_is_a_learned_class(
    runs: RunTemplates, round_number: int
) -> None:
    session = runs.open("export", PROPAGATION_CONFIG, round_number)
    image_map = compute_map(session)
    table = drain_events(session.build_label_table())
    assert session._resources.images is not None
    exported_ids = table.class_ids[session._resources.images.train_val_split.train_indices]
    has_class = image_map.class_ids >= 0
    assert has_class.mean() > 0.2
    assert np.array_equal(image_map.class_ids[has_class], exported_ids[has_class])
    epoch_count = len(session.training_curves().finished_epochs)
    learned_ids = find_learned_class_ids(session.config, session._repository, epoch_count)
    assert {*image_map.class_ids[has_class].tolist()} <= {*learned_ids}
    assert image_map.separated_class_ids == tuple(np.unique(image_map.class_ids[has_class]))
    assert image_map.round_number == 2


def test_predictions_of_classes_that_nobody_named_are_left_out(
    runs: RunTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = runs.open("masked", PROPAGATION_CONFIG, 2)
    labelling_round = session.require_current_round()
    predicted_ids = labelling_round.snapshot.predicted_class_ids.astype(np.int64)
    first, second, *_ = np.unique(predicted_ids)
    monkeypatch.setattr(image_map, "find_learned_class_ids", lambda *_: (int(first), int(second)))
    has_no_answer = ~np.isin(
        np.arange(len(predicted_ids)),
        np.flatnonzero(session._propagator.label_from_answers(session.config, 2).weights > 0),
    )
    class_ids = compute_map(session).class_ids
    expected_ids = np.where(np.isin(predicted_ids, [first, second]), predicted_ids, -1)
    assert np.array_equal(class_ids[has_no_answer], expected_ids[has_no_answer])


def test_a_merged_class_counts_as_its_target(runs: RunTemplates) -> None:
    session = runs.open("merged", PROPAGATION_CONFIG, 2)
    before = compute_map(session).class_ids
    first, second, *_ = np.unique(before[before >= 0]).tolist()
    session.edit_classes(MergeClass(first, second))
    expected_ids = np.where(before == first, second, before)
    assert np.array_equal(compute_map(session).class_ids, expected_ids)


def test_a_correction_of_an_earlier_round_changes_the_class_of_the_images_that_were_shown(runs: RunTemplates) -> None:
    session = runs.open("corrected", PROPAGATION_CONFIG, 2)
    before = compute_map(session).class_ids
    shown_indices = session._rounds.find(1).member_indices((2,), "nearest", 8)
    assert (before[shown_indices] == 2).all()
    session.correct_answer(1, (2,), ClassAnswer(7))
    after = compute_map(session).class_ids
    assert (after[shown_indices] == 7).all()
    session.undo()
    assert np.array_equal(compute_map(session).class_ids, before)


def test_chosen_classes_are_further_apart_than_on_the_map_of_all_classes(runs: RunTemplates) -> None:
    session = runs.open("chosen", PROPAGATION_CONFIG, 2)
    whole_map = compute_map(session)
    first, second, _ = whole_map.confusions[0]
    chosen_map = compute_map(session, first, second)
    assert chosen_map.separated_class_ids == (first, second)
    assert np.array_equal(chosen_map.class_ids, whole_map.class_ids)
    assert chosen_map.confusions == whole_map.confusions

    def measure_distance(image_map: ImageMap) -> float:
        """Return the distance of the two class means in units of the spread within the classes."""
        groups = [image_map.points[image_map.class_ids == class_id] for class_id in (first, second)]
        within = sum(np.cov(group.T) for group in groups) / 2
        difference = groups[0].mean(axis=0) - groups[1].mean(axis=0)
        return float(difference @ np.linalg.solve(within, difference))

    assert measure_distance(chosen_map) > measure_distance(whole_map)


def test_a_class_without_images_leaves_a_map_of_all_images(runs: RunTemplates) -> None:
    session = runs.open("absent", SMALL_CONFIG)
    assert np.isfinite(compute_map(session, 3, 4).points).all()


def test_a_large_set_is_shown_as_a_sample_with_the_same_projection_of_clusters(
    runs: RunTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = runs.open("sample", SMALL_CONFIG)
    session.record_answer((1,), ClassAnswer(6))
    whole_map = compute_map(session)
    monkeypatch.setattr(image_map, "MAX_MAP_IMAGES", 100)
    sample_map = compute_map(session)
    assert sample_map.image_count == whole_map.image_count
    assert sample_map.points.shape == (100, 2)
    assert np.array_equal(sample_map.points, compute_map(session).points)
    assert [cluster.size for cluster in sample_map.clusters] == [cluster.size for cluster in whole_map.clusters]
    share, sample_share = (np.mean(some_map.class_ids == 6) for some_map in (whole_map, sample_map))
    assert sample_share == pytest.approx(share, abs=0.15)


def test_a_session_without_a_round_has_no_map(digits: Path) -> None:
    session = create_session("early", digits)
    with pytest.raises(UserError, match="no map before the first round"):
        list(session.map_images())


def test_lost_predictions_of_the_last_epoch_leave_those_of_the_round(runs: RunTemplates) -> None:
    session = runs.open("lost", PROPAGATION_CONFIG, FINISHED)
    name = file_names.predictions_name(len(session.training_curves().finished_epochs))
    for path in session.directory.glob(f"{Path(name).stem}*"):
        path.write_bytes(b"")
    snapshot_ids = session._rounds.load(2).snapshot.predicted_class_ids
    class_ids = compute_map(session).class_ids
    labels = session._propagator.label_from_answers(session.config, 2)
    is_predicted = (labels.weights == 0) & (class_ids >= 0)
    assert np.array_equal(class_ids[is_predicted], snapshot_ids[is_predicted])
