"""Exact copies among the images of a session: one label each, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.drawing import load_digits
from tests.idx import write_idx
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, create_session
from vaetui.engine import rng
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.clusters import order_members
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.export.label_table import ANSWER, NO_CLASS_ID, PROPAGATED, LabelTable
from vaetui.runtime.session_runner import drain_events
from vaetui.session import data_split, dataset_location, lifecycle
from vaetui.session.session import Session
from vaetui.session.views import SHOWN_MEMBERS, MemberOrder
from vaetui.storage import file_names, locations, stored_arrays

pytestmark = pytest.mark.usefixtures("home")
CONFIGS = pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)
BLANKS, DIGITS, PAIRS = 120, 240, 40
"""Copies of a blank image, digits, and second copies of digits."""


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    digits, _ = load_digits(DIGITS)
    images = np.concatenate([digits, digits[:PAIRS], np.zeros((BLANKS, 28, 28), np.uint8)])
    return np.random.default_rng(0).permutation(images)


@pytest.fixture(scope="module")
def copy_runs(images: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> RunTemplates:
    """Sessions of these images, to copy."""
    directory = tmp_path_factory.mktemp("copies")
    write_idx(directory / "train-images-idx3-ubyte", images)
    return RunTemplates(tmp_path_factory.mktemp("runs"), directory)


def list_training_images(session: Session) -> NDArray[np.uint8]:
    assert session._resources.images is not None
    return session._resources.images.train[:]


def group_copies(images: NDArray[np.uint8]) -> Iterator[NDArray[np.int64]]:
    """Yield the indices of all images with equal pixels."""
    _, group_ids = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)
    return (np.flatnonzero(group_ids == group_id) for group_id in range(group_ids.max() + 1))


def count_distinct(images: NDArray[np.uint8]) -> int:
    return len(np.unique(images.reshape(len(images), -1), axis=0))


def assert_copies_have_equal_rows(table: LabelTable, images: NDArray[np.uint8]) -> None:
    columns = (
        *(table.class_ids, table.confidences, table.source_ids, table.cluster_ids, table.weights),
        np.nan_to_num(table.distances, nan=-1),
    )
    for group in group_copies(images):
        assert [len(set(column[group].tolist())) for column in columns] == [1] * 6, group


def answer_by_darkness(session: Session) -> None:
    """Answer each cluster whose nearest member is blank with class 0, and the others with class 1 and 2 in turn."""
    for cluster in session.round_view().clusters:
        is_blank = not session.member_images(cluster.path, "nearest", 1).any()
        session.record_answer(cluster.path, ClassAnswer(0 if is_blank else 1 + cluster.path[0] % 2))


@CONFIGS
def test_copies_have_one_label_in_training_and_validation(
    config: Config, copy_runs: RunTemplates, images: NDArray[np.uint8]
) -> None:
    session = copy_runs.open("copies", config)
    while session.phase == "labelling":
        answer_by_darkness(session)
        assert_copies_have_equal_rows(drain_events(session.build_label_table()), images)
        session.close_round()
        list(session.advance())
    table = drain_events(session.build_label_table())
    assert_copies_have_equal_rows(table, images)
    is_blank = ~images.any(axis=(1, 2))
    assert is_blank.sum() == BLANKS
    assert set(table.class_ids[is_blank].tolist()) == {0}
    assert set(table.source_ids[is_blank].tolist()) == {ANSWER}
    session.close()


@CONFIGS
def test_copies_share_a_cluster_and_follow_distinct_members(config: Config, copy_runs: RunTemplates) -> None:
    session = copy_runs.open("shown", config)
    images, clusters = list_training_images(session), session.require_current_round().tree
    cluster_ids, distances = np.empty(len(images), int), np.empty(len(images), np.float32)
    for cluster, view in zip(clusters, session.round_view().clusters, strict=True):
        assert view.size == len(cluster.members)
        cluster_ids[cluster.members], distances[cluster.members] = cluster.path[0], cluster.distances
        for order in get_args(MemberOrder):
            members = session.member_images(cluster.path, order, len(images))
            assert len(members) == view.size
            assert count_distinct(members[: count_distinct(members)]) == count_distinct(members), order
    for group in group_copies(images):
        assert len(set(cluster_ids[group].tolist())) == len(set(distances[group].tolist())) == 1
    answer_by_darkness(session)
    labelled_set = session.require_current_round().collect_labelled_set()
    shown_counts = [min(count_distinct(images[cluster.members]), SHOWN_MEMBERS) for cluster in clusters]
    assert len(labelled_set.indices) == count_distinct(images[labelled_set.indices]) == sum(shown_counts)
    session.close()


@CONFIGS
def test_split_keeps_copies_together_and_needs_as_many_distinct_images_as_parts(
    config: Config, copy_runs: RunTemplates
) -> None:
    session = copy_runs.open("split", config)
    images = list_training_images(session)
    for cluster in session.require_current_round().tree:
        groups = list(group_copies(images[cluster.members]))
        with pytest.raises(UserError, match=f"{len(groups)} different images; it cannot be split"):
            session.split_cluster(cluster.path, len(groups) + 1)
        if len(groups) < 2:
            continue
        list(session.split_cluster(cluster.path, 2))
        parts = session.require_current_round().find_cluster(cluster.path).children
        assert sum(len(part.members) for part in parts) == len(cluster.members)
        for group in groups:
            assert sum(bool(np.isin(cluster.members[group], part.members).any()) for part in parts) == 1
    session.close()


@pytest.mark.parametrize(
    "config",
    [
        replace(SMALL_CONFIG, cluster=replace(SMALL_CONFIG.cluster, clusters=None)),
        replace(PROPAGATION_CONFIG, cluster=replace(PROPAGATION_CONFIG.cluster, clusters=5)),
    ],
    ids=["elbow", "five clusters"],
)
def test_fewer_distinct_images_than_clusters_give_a_cluster_each(config: Config, tmp_path: Path) -> None:
    digits, _ = load_digits(3)
    write_idx(tmp_path / "train-images-idx3-ubyte", digits[np.arange(60) % 3])
    session = create_session("few", tmp_path, replace(config, training=replace(config.training, rounds=1)))
    list(session.advance())
    sizes = [len(group) for group in group_copies(list_training_images(session))]
    assert sorted(cluster.size for cluster in session.round_view().clusters) == sorted(sizes)
    for number, cluster in enumerate(session.round_view().clusters):
        session.record_answer(cluster.path, ClassAnswer(number))
    session.close_round()
    list(session.advance())
    table = drain_events(session.build_label_table())
    assert set(table.source_ids.tolist()) == {ANSWER}, "also those that are held out"
    assert len(set(zip(table.class_ids.tolist(), (table.indices % 3).tolist(), strict=True))) == 3
    session.close()


def test_one_distinct_image_for_training_makes_one_cluster(tmp_path: Path) -> None:
    digits, _ = load_digits(2)
    (held_out,) = rng.derive_generator(PROPAGATION_CONFIG.seed, "division").permutation(12)[:1]
    images = np.repeat(digits[:1], 12, axis=0)
    images[held_out] = digits[1]
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    session = create_session("single", tmp_path, PROPAGATION_CONFIG)
    list(session.advance())
    while session.phase == "labelling":
        assert [cluster.size for cluster in session.round_view().clusters] == [11]
        session.record_answer((0,), ClassAnswer(3))
        session.close_round()
        list(session.advance())
    expected = np.full(12, 3)
    expected[held_out] = NO_CLASS_ID  # one class does not make a classifier
    assert drain_events(session.build_label_table()).class_ids.tolist() == expected.tolist()
    session.close()


def test_members_at_the_centre_of_an_answered_cluster_get_its_class(copy_runs: RunTemplates) -> None:
    """The views of different images may coincide, for example those of images without contrast."""
    session = copy_runs.open("coinciding", PROPAGATION_CONFIG)
    labelling_round, store, repository = session.require_current_round(), session._store, session._repository
    cluster = max(
        labelling_round.tree, key=lambda cluster: count_distinct(list_training_images(session)[cluster.members])
    )
    snapshot = labelling_round.snapshot
    snapshot.views[cluster.members] = snapshot.views[cluster.members[0]]
    snapshot.centres[cluster.path[0]] = snapshot.views[cluster.members[0]]
    snapshot.centres[cluster.path[0]] *= np.float32(1 + 1e-7)  # rounding
    members, distances = order_members(snapshot.views, snapshot.assignments, snapshot.centres)
    snapshot = replace(snapshot, members=members, distances=distances)
    name = file_names.round_snapshot_name(1)
    repository.remove_file_records([name])
    repository.record_files(stored_arrays.save_arrays(store, name, snapshot))
    session.close()

    session = lifecycle.resume("coinciding")
    list(session.advance())
    session.record_answer(cluster.path, ClassAnswer(7, 0.8))
    table = drain_events(session.build_label_table())
    is_member = table.cluster_ids == cluster.path[0]
    assert is_member.sum() > 4 * SHOWN_MEMBERS
    assert set(table.class_ids[is_member].tolist()) == {7}
    assert set(table.source_ids[is_member].tolist()) == {ANSWER, PROPAGATED}
    assert np.allclose(table.confidences[is_member], 0.8)
    assert set(table.class_ids[~is_member].tolist()) == {NO_CLASS_ID}
    session.close()


@pytest.mark.parametrize("shape", [(40, 9, 9), (10, 9, 9, 3)], ids=["grey", "colour"])
def test_set_of_identical_images_is_refused_when_a_session_is_created(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_idx(tmp_path / f"train-images-idx{len(shape)}-ubyte", np.full(shape, 7, np.uint8))
    with pytest.raises(UserError, match=rf"All {shape[0]} images in .* are identical\. Use a set with different"):
        create_session("identical", tmp_path)
    assert locations.list_session_names() == []


def test_set_whose_images_became_identical_is_refused_before_training(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "train-images-idx3-ubyte", load_digits(40)[0])
    session = create_session("identical", tmp_path)
    write_idx(path, np.zeros((40, 28, 28), np.uint8))
    with pytest.raises(dataset_location.IdenticalImagesError, match=r"All 40 images in .* are identical"):
        drain_events(data_split.load_images(session._store, session._repository))
    session.close()


def test_copies_are_searched_once_per_session(copy_runs: RunTemplates, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_runs.copy("once")
    monkeypatch.setattr(data_split, "ImageDigests", None)
    session = lifecycle.resume("once")
    list(session.advance())
    assert session.phase == "labelling"
    session.close()
