"""Tests of answer histories and cluster paths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vaetui.engine.answers import (
    Answer,
    ClassAnswer,
    Cleared,
    ClusterPath,
    Split,
    Unreadable,
    effective_answers,
    find_effective_indices,
    format_path,
    parse_path,
)

paths = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple)
answers: st.SearchStrategy[Answer] = st.one_of(
    st.builds(ClassAnswer, st.integers(0, 9), st.floats(0, 1)),
    st.just(Unreadable()),
    st.builds(Split, st.integers(2, 5)),
    st.just(Cleared()),
)


def test_second_answer_on_a_cluster_replaces_the_first() -> None:
    assert effective_answers([((1,), ClassAnswer(3)), ((1,), ClassAnswer(4, 0.5))]) == {(1,): ClassAnswer(4, 0.5)}


def test_cleared_cluster_has_no_answer_on_itself_or_its_parts() -> None:
    history: list[tuple[ClusterPath, Answer]] = [
        ((0,), ClassAnswer(1)),
        ((1,), Split(2)),
        ((1, 0), ClassAnswer(3)),
        ((1,), Cleared()),
        ((2,), Cleared()),
    ]
    assert effective_answers(history) == {(0,): ClassAnswer(1)}
    assert effective_answers([*history, ((1,), ClassAnswer(4))])[(1,)] == ClassAnswer(4)


@given(st.lists(st.tuples(paths, answers), max_size=20))
def test_answers_in_force_are_the_last_on_their_cluster_with_no_later_one_above_it(
    history: list[tuple[ClusterPath, Answer]],
) -> None:
    indices = find_effective_indices(history)
    assert indices == sorted(indices)
    for index, (path, answer) in enumerate(history):
        is_replaced = any(path[: len(other)] == other for other, _ in history[index + 1 :])
        assert (index in indices) == (not is_replaced and not isinstance(answer, Cleared))


def test_answer_on_a_split_cluster_discards_those_on_its_sub_clusters() -> None:
    history: list[tuple[ClusterPath, Answer]] = [
        ((1,), Split(2)),
        ((1, 0), ClassAnswer(3)),
        ((1, 1), ClassAnswer(5)),
        ((1,), ClassAnswer(8)),
    ]
    assert effective_answers(history) == {(1,): ClassAnswer(8)}
    assert effective_answers(history[:3]) == {(1,): Split(2), (1, 0): ClassAnswer(3), (1, 1): ClassAnswer(5)}


@given(st.lists(st.tuples(paths, answers), max_size=20))
def test_effective_answer_is_the_last_one_and_no_later_answer_is_on_a_parent(
    history: list[tuple[ClusterPath, Answer]],
) -> None:
    for path, answer in effective_answers(history).items():
        last = max(index for index, (other, _) in enumerate(history) if other == path)
        assert history[last][1] == answer
        assert not any(path[: len(other)] == other for other, _ in history[last + 1 :])


@given(paths)
def test_parsing_a_formatted_path_returns_the_path(path: ClusterPath) -> None:
    assert parse_path(format_path(path)) == path
