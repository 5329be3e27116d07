"""What to answer next follows from what was answered in the round."""

from __future__ import annotations

import pytest

from vaetui.session.answer_advice import AnswerAdvice, advise_after_last_round, advise_in_round
from vaetui.session.review_views import ReviewClass


@pytest.mark.parametrize(
    ("round_number", "uses_propagation", "cluster_answers", "image_answers", "unanswered", "expected"),
    [
        (1, True, 0, 0, (), "clusters"),
        (1, True, 15, 0, (), "clusters"),
        (1, True, 16, 0, (), None),
        (2, True, 0, 0, (), "clusters"),
        (2, True, 7, 0, (), "clusters"),
        (2, True, 8, 0, (), "varied page"),
        (2, True, 16, 7, (), "varied page"),
        (2, True, 8, 8, (), None),
        (3, True, 8, 0, (5,), "clusters"),
        (3, True, 16, 0, (5,), None),
        (2, False, 8, 0, (), "clusters"),
        (2, False, 16, 0, (), None),
    ],
)
def test_a_round_begins_with_clusters_and_goes_on_with_varied_images(
    round_number: int,
    uses_propagation: bool,
    cluster_answers: int,
    image_answers: int,
    unanswered: tuple[int, ...],
    expected: str | None,
) -> None:
    advice = advise_in_round(round_number, uses_propagation, 16, cluster_answers, image_answers, unanswered)
    assert (advice and advice.kind) == expected


def test_after_the_last_round_the_class_with_the_most_expected_errors_comes_next() -> None:
    classes = [ReviewClass(0, 100, 2.0, 0), ReviewClass(3, 50, 7.5, 32), ReviewClass(4, 9, 0.1, 0)]
    assert advise_after_last_round(classes) == AnswerAdvice("class page", 3, 7.5)


@pytest.mark.parametrize("errors", [(), (0.4,), (0.9, 0.2)])
def test_nothing_is_advised_where_hardly_any_errors_are_expected(errors: tuple[float, ...]) -> None:
    assert advise_after_last_round([ReviewClass(index, 10, error, 0) for index, error in enumerate(errors)]) is None
