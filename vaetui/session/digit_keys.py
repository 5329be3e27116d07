"""Which class each digit stands for; it does not know keys, nor what was said of what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vaetui.engine.classes import Added, Classes, Naming
from vaetui.session.views import DIGITS, Favourites


def chosen(classes: Classes, tally: Mapping[int, int]) -> Favourites:
    """Choose as a round begins, by how often each was named before: all up to ten, of more the ten named most.

    A class whose number is a digit has that one; the others take the digits that are left.
    """
    counts = counted(classes, tally)
    most = sorted(classes.offered, key=lambda label: -counts[label])[:DIGITS]
    own = {label for label in most if label < DIGITS}
    digits: list[int | None] = [label if label in own else None for label in range(DIGITS)]
    for label in sorted(set(most) - own):
        digits[digits.index(None)] = label
    while digits[-1] is None:
        digits.pop()
    return tuple(digits)


def joining(favourites: Favourites, namings: Iterable[Naming]) -> Favourites:
    """Give what was added in the round the digits that are free; no other digit changes its meaning before the next."""
    digits = list(favourites)
    for naming in namings:
        if isinstance(naming, Added) and None in digits:
            digits[digits.index(None)] = naming.label
        elif isinstance(naming, Added) and len(digits) < DIGITS:
            digits.append(naming.label)
    return tuple(digits)


def counted(classes: Classes, tally: Mapping[int, int]) -> tuple[int, ...]:
    """Give how often each class was named, those named that were merged into it among them."""
    counts = [0] * len(classes)
    for label, root in enumerate(classes.roots):
        counts[root] += tally.get(label, 0)
    return tuple(counts)


def usable(favourites: Favourites, classes: Classes) -> list[int]:
    """Give the digits that stand for a class that there still is."""
    return [digit for digit, kind in enumerate(favourites) if kind in classes.offered]
