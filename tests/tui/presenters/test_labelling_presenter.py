"""Tests of the messages and the state of the labelling presenter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split, format_path
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.session.views import RoundView
from vaetui.tui.presenters.cluster_text import format_training_weight
from vaetui.tui.presenters.key_parser import format_question
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter


def press_keys(presenter: LabellingPresenter, *keys: str) -> str:
    """Press the keys and return the resulting message."""
    for key in keys:
        presenter.handle_key(key, 8)
    return presenter.status_text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("0", "8"), 'Saved: cluster 0 = "0", confidence 0.8'),
        (("0", "accept"), 'Saved: cluster 0 = "0"'),
        (("unreadable",), "Saved: cluster 0 = unreadable"),
        (("undo",), "Nothing to undo"),
        (("redo",), "Nothing to redo"),
        (("0", "8", "undo"), "Undid: answer for cluster 0"),
        (("0", "8", "undo", "redo"), "Redid: answer for cluster 0"),
        (("lower",), "Cluster 0 has no answer yet"),
        (("unreadable", "left", "lower"), "Cluster 0 has no class, so it has no confidence"),
        (("0", "accept", "left", "raise"), "Already certain"),
        (("0", "1", "left", "lower"), "0.1 is the lowest confidence. x: unreadable"),
        (("0", "8", "left", "lower"), 'Saved: cluster 0 = "0", confidence 0.7. Weight 45 %'),
    ],
)
def test_key_sequence_ends_with_its_message(keys: tuple[str, ...], message: str) -> None:
    assert press_keys(LabellingPresenter(ScriptedSession()), *keys) == message


def test_class_edit_is_confirmed_with_its_undo_key() -> None:
    presenter = LabellingPresenter(ScriptedSession(classes=("cat", "dog")))
    assert presenter.edit_classes(AddClass(2, "owl"))
    assert presenter.status_text == 'Added class "owl" (digit 2). u: undo'
    assert presenter.edit_classes(RenameClass(1, "hound"))
    assert presenter.status_text == 'Renamed class "dog" to "hound". u: undo'
    assert presenter.edit_classes(MergeClass(0, 1))
    assert presenter.status_text == 'Merged class "cat" into "hound". u: undo'


def test_weight_in_the_frame_is_shortened_to_the_width_of_the_frame() -> None:
    presenter = LabellingPresenter(ScriptedSession())
    classes = presenter.session.classes
    assert format_training_weight(presenter.focused_cluster, classes, 26) == "weight when certain: 64 %"
    assert format_training_weight(presenter.focused_cluster, classes, 18) == "weight: 64 %"
    press_keys(presenter, "3", "5", "left")
    assert format_training_weight(presenter.focused_cluster, classes, 26) == "weight of 3 at 0.5: 32 %"


def create_session_with_shares(shares: dict[int, tuple[int, float]], clusters: int = 6) -> ScriptedSession:
    """Create a session whose clusters are predicted as (class, share), or not at all."""
    session = ScriptedSession(clusters=clusters)
    round_view = session.round_view

    def create_view() -> RoundView:
        view = round_view()
        return replace(
            view,
            clusters=tuple(
                replace(cluster, class_shares=(shares[cluster.path[0]],) if cluster.path[0] in shares else ())
                for cluster in view.clusters
            ),
        )

    session.round_view = create_view  # type: ignore[method-assign]
    return session


def visible_paths(presenter: LabellingPresenter) -> list[str]:
    return [format_path(cluster.path) for cluster in presenter.visible_clusters]


def test_accept_all_answers_the_sure_clusters_in_one_step_and_focuses_the_next_open_one() -> None:
    session = create_session_with_shares({0: (1, 0.95), 1: (7, 0.949), 2: (1, 1.0), 3: (2, 0.99)})
    presenter = LabellingPresenter(session)
    press_keys(presenter, "right", "right", "right", "2", "accept")
    assert presenter.focused_cluster.path == (4,)
    press_keys(presenter, "accept_all")
    assert presenter.focused_info.sure_text == "1: 2"
    assert press_keys(presenter, "accept_all") == "Saved: 2 clusters as predicted. u: undo"
    assert session.answer_log[1:] == [((0,), ClassAnswer(1)), ((2,), ClassAnswer(1))]
    assert presenter.focused_cluster.path == (4,)
    press_keys(presenter, "undo")
    assert session.answer_log == [((3,), ClassAnswer(2))]


def test_enter_accepts_the_guess_of_an_open_cluster_only() -> None:
    session = create_session_with_shares({0: (4, 0.63)})
    presenter = LabellingPresenter(session)
    assert press_keys(presenter, "accept") == 'Saved: cluster 0 = "4"'
    press_keys(presenter, "accept")
    assert presenter.hint == "Type a class first (0-9)"
    press_keys(presenter, "left", "accept")
    assert presenter.hint == "Cluster 0 has an answer. Type a class to change it"
    assert session.answer_log == [((0,), ClassAnswer(4))]
    presenter.show_notice("Ignored: pasted text")
    press_keys(presenter, "undo")
    presenter.show_notice("Ignored: pasted text")
    press_keys(presenter, "accept")
    assert session.answer_log == [], "the notice has replaced the guess, so the first Enter only shows it again"
    press_keys(presenter, "accept")
    assert session.answer_log == [((0,), ClassAnswer(4))]


def test_confidence_of_the_last_answer_changes_until_the_focus_moves() -> None:
    session = ScriptedSession()
    presenter = LabellingPresenter(session)
    assert press_keys(presenter, "9", "accept", "lower", "lower") == (
        'Saved: cluster 0 = "9", confidence 0.8. Weight 51 %'
    )
    assert presenter.focused_cluster.path == (1,)
    press_keys(presenter, "raise", "members", "lower", "undo")
    assert [cluster.answer for cluster in presenter.round_view.clusters[:2]] == [ClassAnswer(9), None]
    press_keys(presenter, "right", "lower")
    assert presenter.status_text == "Cluster 1 has no answer yet"
    press_keys(presenter, "undo")
    assert presenter.round_view.clusters[0].answer is None


def test_answers_of_one_key_mode_are_changed_in_one_step_each() -> None:
    session = ScriptedSession()
    presenter = LabellingPresenter(session)
    presenter.set_one_key_mode(True)
    press_keys(presenter, "3", "lower", "4", "lower", "lower", "lower")
    answers = [cluster.answer for cluster in presenter.round_view.clusters[:2]]
    assert answers == [ClassAnswer(3, 0.9), ClassAnswer(4, 0.7)]
    press_keys(presenter, "undo")
    assert presenter.round_view.clusters[1].answer == ClassAnswer(4)
    press_keys(presenter, "undo", "undo")
    assert [cluster.answer for cluster in presenter.round_view.clusters[:2]] == [ClassAnswer(3), None]


def test_new_class_and_its_answer_are_one_step() -> None:
    session = ScriptedSession(classes=("cat", "dog"))
    presenter = LabellingPresenter(session)
    presenter.select_class(2, AddClass(2, "owl"))
    assert session.classes == ClassList.from_names(("cat", "dog")), "a class without an answer is not made"
    assert press_keys(presenter, "8") == 'Saved: cluster 0 = "owl", confidence 0.8'
    assert session.answer_log == [((0,), ClassAnswer(2, 0.8))]
    press_keys(presenter, "undo")
    assert (session.answer_log, len(session.classes)) == ([], 2)
    press_keys(presenter, "redo")
    assert (session.answer_log, len(session.classes)) == ([((0,), ClassAnswer(2, 0.8))], 3)
    presenter.set_one_key_mode(True)
    presenter.select_class(3, AddClass(3, "bat"))
    assert session.answer_log[-1][1] == ClassAnswer(3)
    press_keys(presenter, "1")
    assert session.answer_log[-1][1] == ClassAnswer(1), "the new class was used once"


def test_cleared_answer_is_open_again_and_can_be_undone() -> None:
    session = ScriptedSession(clusters=3)
    presenter = LabellingPresenter(session)
    press_keys(presenter, "1", "accept", "left")
    assert press_keys(presenter, "clear") == "Cleared: answer for cluster 0. u: undo"
    assert presenter.focused_cluster.answer is None
    assert press_keys(presenter, "clear") == "Cluster 0 has no answer yet"
    press_keys(presenter, "undo")
    assert presenter.focused_cluster.answer == ClassAnswer(1)
    press_keys(presenter, "right", "5", "clear", "2", "accept")
    assert session.answer_log[-1] == ((1,), ClassAnswer(2)), "while a class is typed, the key takes it back"


def test_split_can_be_cleared_with_its_parts() -> None:
    session = ScriptedSession(clusters=2)
    session.answer_log = [((0,), Split(3)), ((0, 1), ClassAnswer(1))]
    presenter = LabellingPresenter(session)
    press_keys(presenter, "first")
    assert press_keys(presenter, "clear") == "Cleared: split of cluster 0. u: undo"
    assert visible_paths(presenter) == ["0", "1"]
    press_keys(presenter, "undo")
    assert visible_paths(presenter) == ["0", "0.0", "0.1", "0.2", "1"]


def test_keys_move_by_pages_and_to_the_ends() -> None:
    presenter = LabellingPresenter(ScriptedSession(clusters=20))
    for key, index in (("page_down", 8), ("page_down", 16), ("page_down", 19), ("page_up", 11), ("last", 19)):
        presenter.handle_key(key, 4, 8)
        assert presenter.focus_index == index
    press_keys(presenter, "first")
    assert presenter.focus_index == 0


def test_sorting_keeps_the_focus_and_answers_move_no_cluster() -> None:
    shares = {0: (3, 0.9), 1: (1, 0.4), 2: (3, 0.6), 3: (2, 0.99)}
    presenter = LabellingPresenter(create_session_with_shares(shares, 4))
    press_keys(presenter, "right")
    assert press_keys(presenter, "sort") == "Sorted by size"
    assert visible_paths(presenter) == ["3", "2", "1", "0"], "a later cluster is larger in this session"
    assert presenter.focused_cluster.path == (1,)
    press_keys(presenter, "sort")
    assert visible_paths(presenter) == ["1", "2", "0", "3"]
    assert presenter.arrangement_text == "by doubt"
    press_keys(presenter, "5", "accept")
    assert visible_paths(presenter) == ["1", "2", "0", "3"]
    assert presenter.focused_cluster.path == (2,)
    press_keys(presenter, "sort")
    assert visible_paths(presenter) == ["3", "0", "2", "1"], "by the names 2, 3, 3 and 5"
    press_keys(presenter, "sort")
    assert (visible_paths(presenter), presenter.arrangement_text) == (["0", "1", "2", "3"], "")


def test_parts_of_a_split_follow_their_cluster_in_any_order() -> None:
    session = ScriptedSession(clusters=3)
    presenter = LabellingPresenter(session)
    press_keys(presenter, "sort")
    session.answer_log = [((1,), Split(2))]
    presenter.refresh_round((1, 0))
    assert visible_paths(presenter) == ["2", "1", "1.0", "1.1", "0"]
    assert presenter.focused_cluster.path == (1, 0)
    session.answer_log = [((1,), Split(2)), ((1, 0), Split(2))]
    presenter.refresh_round((1, 0, 0))
    assert visible_paths(presenter) == ["2", "1", "1.0", "1.0.0", "1.0.1", "1.1", "0"]


def test_filter_shows_open_clusters_until_a_hidden_one_is_asked_for() -> None:
    session = ScriptedSession(clusters=4)
    presenter = LabellingPresenter(session)
    press_keys(presenter, "1", "accept")
    assert press_keys(presenter, "filter") == "Only clusters without an answer"
    assert (visible_paths(presenter), presenter.arrangement_text) == (["1", "2", "3"], "open only")
    press_keys(presenter, "1", "accept")
    assert (visible_paths(presenter), presenter.focused_cluster.path) == (["2", "3"], (2,))
    press_keys(presenter, "lower")
    assert presenter.round_view.clusters[1].answer == ClassAnswer(1, 0.9), "the last answer, though it is hidden"
    assert not presenter.jump_to((9,))
    assert visible_paths(presenter) == ["2", "3"]
    assert presenter.jump_to((1,))
    assert (visible_paths(presenter), presenter.focused_cluster.path) == (["0", "1", "2", "3"], (1,))
    press_keys(presenter, "filter", "2", "accept", "2", "accept")
    assert visible_paths(presenter) == ["0", "1", "2", "3"], "no cluster is open"
    assert presenter.status_text.startswith('Saved: cluster 3 = "2"')
    assert press_keys(presenter, "filter", "filter") == "All clusters have answers"


def test_jump_ends_the_answer_that_was_typed_for_another_cluster() -> None:
    session = ScriptedSession()
    presenter = LabellingPresenter(session)
    presenter.handle_key("5", 8)
    assert presenter.jump_to((3,))
    presenter.handle_key("7", 8)
    presenter.handle_key("accept", 8)
    answers = {cluster.path: cluster.answer for cluster in presenter.round_view.clusters if cluster.answer}
    assert answers == {(3,): ClassAnswer(7)}


def test_last_answer_of_the_round_is_confirmed_beside_what_comes_next() -> None:
    session = ScriptedSession(clusters=2, classes=("cat", "dog", "owl"))
    presenter = LabellingPresenter(session)
    press_keys(presenter, "0", "accept")
    assert press_keys(presenter, "1", "accept") == 'Saved: cluster 1 = "dog". No answer yet for: owl'
    assert format_question(presenter.key_parser, presenter.focused_info)[0] == "All clusters have answers. g: train"


def test_overwritten_answer_is_counted_once() -> None:
    presenter = LabellingPresenter(ScriptedSession())
    press_keys(presenter, "0", "accept", "left", "1", "accept", "lower")
    assert presenter.round_view.answer_count == 1
