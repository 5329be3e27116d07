"""How far the answers of each round agree with the classifier that had not heard them; it knows no truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.config import epoch_before
from vaetui.engine.metrics import Agreement, agreement
from vaetui.session.label_propagator import Spreading
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import Lost, Vault
from vaetui.storage.repository import Facts
from vaetui.storage.round_snapshots import Found


def agreements(vault: Vault, facts: Facts, spreading: Spreading) -> Iterator[tuple[int, Agreement]]:
    """Give each round that is over, from the second with answers on, with what it says of the classifier.

    The images named in a round were shown to nobody before its answers, unless an earlier round named them: those are
    left out. So this holds the classifier's certainty against labels that it could not have learned from. The
    certainty is that of then: of classes that were merged since it tells less than is now agreed.
    """
    known = np.empty(0, np.int64)
    for number, _, ended in facts.rounds():
        if ended is None:
            return  # its answers may still change
        heard = spreading.heard(number)
        seeds = heard.seeds
        new = np.flatnonzero(~np.isin(seeds.indices, known))
        certainty = _certainty(vault, facts, number) if len(known) else None
        told = agreement(
            seeds.labels[new], heard.called[new], None if certainty is None else certainty[seeds.indices[new]]
        )
        if len(known) and told:
            yield number, told
        known = np.concatenate([known, seeds.indices])


def _certainty(vault: Vault, facts: Facts, round: int) -> NDArray[np.float32] | None:
    """Give how sure the classifier was of each training image as that round began, where that was kept."""
    name = file_names.found(epoch_before(facts.config.training, round))
    if facts.stamp(name):
        with suppress(Lost):  # a figure less is no reason to fail
            return round_snapshots.load(vault, name, Found).certainty
    return None
