"""On how many images classifier and neighbour graph differ, and between which classes, as text."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.session.views import Disagreement
from vaetui.tui.presenters.expected_accuracy import format_small_share


def describe_disagreement(disagreement: Disagreement | None, class_names: Sequence[str]) -> list[str]:
    """Return the share of images and the pair of classes that differs most, as alternatives, longest first.

    Empty if the disagreement is not measured.
    """
    if disagreement is None:
        return []
    if not disagreement.share:
        return ["Classifier and graph agree on all images"]
    share = format_small_share(disagreement.share)
    texts = [
        f"Classifier and graph differ on {share} of the images",
        f"Classifier and graph differ on {share}",
        f"Graph differs on {share}",
    ]
    if not disagreement.pairs:
        return texts
    first, second, count = disagreement.pairs[0]
    names = f"{class_names[first]} and {class_names[second]}"
    is_majority = 2 * count > sum(pair_count for *_, pair_count in disagreement.pairs)
    with_names = f"{texts[0]}, {'most of them' if is_majority else 'most often'} {names}"
    return [with_names, *(f"{text}: {names}" for text in texts[1:]), *texts]
