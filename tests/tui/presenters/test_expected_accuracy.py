"""Tests of the texts about accuracies that nobody measured."""

from __future__ import annotations

import pytest

from vaetui.tui.presenters.expected_accuracy import (
    fit_texts,
    format_expected_accuracy,
    format_small_share,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.754, "about 75 % (not audited)"),
        (0.999, "about 99 % (not audited)"),
        (1.0, "about 99 % (not audited)"),
        (0.0, "about 1 % (not audited)"),
    ],
)
def test_expected_accuracy_has_no_decimals_and_promises_neither_all_nor_nothing(share: float, text: str) -> None:
    assert format_expected_accuracy(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.052, "5 %"), (0.01, "1 %"), (0.004, "less than 1 %")])
def test_measured_share_is_rounded(share: float, text: str) -> None:
    assert format_small_share(share) == text


def test_texts_that_do_not_fit_are_shortened_or_left_out() -> None:
    alternatives = [["first text", "first"], ["second text", "2nd"], [], ["third"]]
    assert fit_texts(alternatives, 80) == "first text. second text. third"
    assert fit_texts(alternatives, 20) == "first text. 2nd"
    assert fit_texts(alternatives, 9) == "first"
    assert fit_texts(alternatives, 3) == "2nd"
