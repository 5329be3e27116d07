"""Tests of derived random generators."""

from __future__ import annotations

from vaetui.engine.rng import derive_generator, derive_seed


def test_derived_seeds_never_change() -> None:
    assert [derive_seed(0, "network"), derive_seed(7, "elbow", 3, 1)] == [629160469, 548183991]


def test_seed_purpose_and_position_select_different_streams() -> None:
    keys = [(0, "order", 1), (1, "order", 1), (0, "training", 1), (0, "order", 2)]
    assert len({derive_generator(*key).random() for key in keys}) == len(keys)
