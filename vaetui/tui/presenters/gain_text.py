"""What the last rounds and pages brought, and whether more are worth it, as sentences."""

from __future__ import annotations

from vaetui.session.expected_gain import LITTLE_GAIN, ExpectedGain
from vaetui.tui.presenters.expected_accuracy import format_small_share


def describe_gain(
    expected_gain: ExpectedGain | None, advice: tuple[str, str], *, is_round_open: bool = False
) -> list[str]:
    """Return what the last rounds brought and what the next one may bring, as alternatives, longest first.

    `advice` is what to do in place of a round that would bring little, in full and in short. With `is_round_open`, the
    next round waits for its answers already. Empty without an expectation.
    """
    if expected_gain is None:
        return []
    subject = "this round" if is_round_open else "another round"
    nothing = "nothing" if expected_gain.is_measured else "nothing that shows"
    later = expected_gain.rounds[-1]
    last = past = f"Round {later.round_number} {_format_gain(later.gain, nothing)}"
    if len(expected_gain.rounds) > 1:
        earlier = expected_gain.rounds[0]
        later_text = _format_gain(later.gain, nothing, has_verb=earlier.gain <= -LITTLE_GAIN / 2)
        past = f"Round {earlier.round_number} {_format_gain(earlier.gain, nothing)}, "
        past += f"round {later.round_number} {later_text}"
    match expected_gain.outlook:
        case "little":
            short_subject = subject.removesuffix(" round")
            return [
                f"{past}: {subject} would bring little; {advice[0]}",
                f"{last}: {short_subject} would bring little; {advice[1]}",
                f"{subject.capitalize()} would bring little; {advice[1]}",
                f"Little left; {advice[0]}",
            ]
        case "some":
            outlook = f"{subject} may bring {_format_points(expected_gain.next_gain)}"
            return [f"{past}: {outlook}", f"{last}: {outlook}", outlook.capitalize()]
        case "unsettled":
            changes = f"{format_small_share(expected_gain.churn or 0.0)} of the predictions still change"
            outlook = f"{subject} may bring more"
            return [f"{past}, but {changes}: {outlook}", f"{last}: {outlook}", outlook.capitalize()]
        case "lost":
            outlook = f"{subject} may bring them back"
            return [f"{past}: {outlook}", f"{last}: {outlook}"]


def describe_review_page(class_name: str, expected_errors: float, page_images: int, review_key: str) -> list[str]:
    """Return how many images the next page of a review is expected to correct, as alternatives, longest first."""
    count = round(expected_errors)
    images = f"{f'about {count}' if count else 'hardly any'} of {page_images} images"
    return [
        f"The next page of the review ({review_key}) may correct {images} labelled {class_name}",
        f"The next page of the review ({review_key}) may correct {images}",
        f"{review_key}: the next page may correct {images}",
    ]


def _format_gain(gain: float, nothing: str, *, has_verb: bool = True) -> str:
    """Return a gain such as "brought about 2 points"; a later one leaves out verb and unit, unless it is a loss."""
    if gain <= -LITTLE_GAIN / 2:
        return f"lost {_format_points(-gain)}"
    verb = "brought " * has_verb
    if gain < LITTLE_GAIN / 10:
        return verb + nothing
    text = _format_points(gain)
    return verb + text if has_verb else text.replace(" points", "").replace(" point", "")


def _format_points(gain: float) -> str:
    count = round(100 * gain)
    return "less than 1 point" if 100 * gain < 0.95 else f"about {count} point{'s' * (count != 1)}"
