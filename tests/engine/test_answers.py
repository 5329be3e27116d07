"""What stands after many sayings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vaetui.engine.answers import (
    Answer,
    ClassAnswer,
    ClusterPath,
    Split,
    Unreadable,
    effective_answers,
    format_path,
    parse_path,
)

paths = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple)
answers: st.SearchStrategy[Answer] = st.one_of(
    st.builds(ClassAnswer, st.integers(0, 9), st.floats(0, 1)),
    st.just(Unreadable()),
    st.builds(Split, st.integers(2, 5)),
)


def test_the_last_word_on_a_cluster_counts() -> None:
    assert effective_answers([((1,), ClassAnswer(3)), ((1,), ClassAnswer(4, 0.5))]) == {(1,): ClassAnswer(4, 0.5)}


def test_a_word_on_a_cluster_ends_the_words_on_its_parts() -> None:
    said: list[tuple[ClusterPath, Answer]] = [
        ((1,), Split(2)),
        ((1, 0), ClassAnswer(3)),
        ((1, 1), ClassAnswer(5)),
        ((1,), ClassAnswer(8)),
    ]
    assert effective_answers(said) == {(1,): ClassAnswer(8)}
    assert effective_answers(said[:3]) == {(1,): Split(2), (1, 0): ClassAnswer(3), (1, 1): ClassAnswer(5)}


@given(st.lists(st.tuples(paths, answers), max_size=20))
def test_what_stands_was_said_last_and_under_nothing_later(said: list[tuple[ClusterPath, Answer]]) -> None:
    result = effective_answers(said)
    for path, answer in result.items():
        last = max(at for at, (other, _) in enumerate(said) if other == path)
        assert said[last][1] == answer
        assert not any(path[: len(other)] == other for other, _ in said[last + 1 :])


@given(paths)
def test_a_written_path_is_read_back(path: ClusterPath) -> None:
    assert parse_path(format_path(path)) == path
