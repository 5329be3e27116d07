"""Tests of the sentences about the gain of rounds and pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaetui.session.expected_gain import ExpectedGain, Outlook, RoundGain
from vaetui.tui.presenters.gain_text import describe_gain, describe_review_page

ADVICE = ("check the labels with v", "check with v")


def create_gain(gains: list[float], outlook: Outlook, next_gain: float = 0.0) -> ExpectedGain:
    rounds = tuple(RoundGain(3 + index, gain) for index, gain in enumerate(gains))
    return ExpectedGain(rounds, next_gain, outlook, 0.18, is_measured=False)


@pytest.mark.parametrize(
    ("gain", "texts"),
    [
        (
            create_gain([0.02, 0.004], "little"),
            [
                "Round 3 brought about 2 points, round 4 less than 1: another round would bring little; "
                "check the labels with v",
                "Round 4 brought less than 1 point: another would bring little; check with v",
                "Another round would bring little; check with v",
                "Little left; check the labels with v",
            ],
        ),
        (
            create_gain([0.08, 0.05], "some", 0.03),
            [
                "Round 3 brought about 8 points, round 4 about 5: another round may bring about 3 points",
                "Round 4 brought about 5 points: another round may bring about 3 points",
                "Another round may bring about 3 points",
            ],
        ),
        (
            create_gain([0.012, 0.0], "unsettled"),
            [
                "Round 3 brought about 1 point, round 4 nothing that shows, but 18 % of the predictions still change: "
                "another round may bring more",
                "Round 4 brought nothing that shows: another round may bring more",
                "Another round may bring more",
            ],
        ),
        (
            create_gain([0.02, -0.093], "lost"),
            [
                "Round 3 brought about 2 points, round 4 lost about 9 points: another round may bring them back",
                "Round 4 lost about 9 points: another round may bring them back",
            ],
        ),
        (
            create_gain([-0.093, 0.1], "some", 0.05),
            [
                "Round 3 lost about 9 points, round 4 brought about 10 points: another round may bring about 5 points",
                "Round 4 brought about 10 points: another round may bring about 5 points",
                "Another round may bring about 5 points",
            ],
        ),
        (None, []),
    ],
)
def test_gain_is_described_at_several_lengths(gain: ExpectedGain | None, texts: list[str]) -> None:
    assert describe_gain(gain, ADVICE) == texts


@pytest.mark.parametrize("outlook", ["little", "some", "unsettled", "lost"])
def test_one_text_of_each_outlook_fits_a_narrow_screen_and_the_longest_names_two_rounds(outlook: Outlook) -> None:
    rounds = (RoundGain(12, 0.103), RoundGain(13, -0.114 if outlook == "lost" else 0.006))
    texts = describe_gain(
        ExpectedGain(rounds, 0.104, outlook, 0.18, is_measured=False),
        ("check the labels with Ctrl-V", "check with Ctrl-V"),
    )
    assert "ound 12 brought about 10 points, round 13 " in texts[0]
    assert "Round 13 " in next(text for text in texts if len(text) <= 82)


def test_true_labels_show_that_a_round_brought_nothing() -> None:
    gain = replace(create_gain([0.0], "little"), is_measured=True)
    assert describe_gain(gain, ADVICE)[1] == "Round 3 brought nothing: another would bring little; check with v"


def test_an_open_round_is_named_as_this_one() -> None:
    texts = describe_gain(create_gain([0.02, 0.004], "little"), ADVICE, is_round_open=True)
    assert texts[1:3] == [
        "Round 4 brought less than 1 point: this would bring little; check with v",
        "This round would bring little; check with v",
    ]


@pytest.mark.parametrize(
    ("errors", "texts"),
    [
        (
            8.7,
            [
                "The next page of the review (w) may correct about 9 of 32 images labelled cat",
                "The next page of the review (w) may correct about 9 of 32 images",
                "w: the next page may correct about 9 of 32 images",
            ],
        ),
        (
            0.3,
            [
                "The next page of the review (w) may correct hardly any of 32 images labelled cat",
                "The next page of the review (w) may correct hardly any of 32 images",
                "w: the next page may correct hardly any of 32 images",
            ],
        ),
    ],
)
def test_next_review_page_is_described(errors: float, texts: list[str]) -> None:
    assert describe_review_page("cat", errors, 32, "w") == texts
