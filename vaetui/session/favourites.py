"""Which classes the ten digits stand for; it does not know who presses them."""

from __future__ import annotations

from collections import Counter

from vaetui.engine.answers import Label
from vaetui.session.board import DIGITS
from vaetui.store.facts import Facts


def favourites(facts: Facts, round: int) -> tuple[int, ...]:
    """Give the classes of the digits, 0 first: all up to ten, of more those named most in the rounds before that one.

    By the rounds before, as no key is to change its meaning while one is asked.
    """
    classes = range(facts.config.network.classes)
    if len(classes) <= DIGITS:
        return tuple(classes)
    before = [saying.answer for number in range(1, round) for saying in facts.sayings(number)]
    named = Counter(answer.label for answer in before if isinstance(answer, Label))
    return tuple(sorted(sorted(classes, key=lambda kind: -named[kind])[:DIGITS]))
