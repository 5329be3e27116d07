"""Tests of the messages and the state of the labelling presenter."""

from __future__ import annotations

import pytest

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.tui.presenters.cluster_text import format_training_weight
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter


def press_keys(presenter: LabellingPresenter, *keys: str) -> str:
    """Press the keys and return the resulting message."""
    for key in keys:
        presenter.handle_key(key, 8)
    return presenter.status_text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("0", "8"), 'Saved: cluster 0 = "0", confidence 0.8'),
        (("0", "accept"), 'Saved: cluster 0 = "0"'),
        (("unreadable",), "Saved: cluster 0 = unreadable"),
        (("undo",), "Nothing to undo"),
        (("redo",), "Nothing to redo"),
        (("0", "8", "undo"), "Undid: answer for cluster 0"),
        (("0", "8", "undo", "redo"), "Redid: answer for cluster 0"),
        (("lower",), "Cluster 0 has no answer yet"),
        (("unreadable", "left", "lower"), "Cluster 0 has no class, so it has no confidence"),
        (("0", "accept", "left", "raise"), "Already certain"),
        (("0", "1", "left", "lower"), "0.1 is the lowest confidence. x: unreadable"),
        (("0", "8", "left", "lower"), 'Saved: cluster 0 = "0", confidence 0.7, weight 45 %'),
    ],
)
def test_key_sequence_ends_with_its_message(keys: tuple[str, ...], message: str) -> None:
    assert press_keys(LabellingPresenter(ScriptedSession()), *keys) == message


def test_class_edit_is_confirmed_with_its_undo_key() -> None:
    presenter = LabellingPresenter(ScriptedSession(classes=("cat", "dog")))
    assert presenter.edit_classes(AddClass(2, "owl"))
    assert presenter.status_text == 'Added class "owl" (digit 2). u: undo'
    assert presenter.edit_classes(RenameClass(1, "hound"))
    assert presenter.status_text == 'Renamed class "dog" to "hound". u: undo'
    assert presenter.edit_classes(MergeClass(0, 1))
    assert presenter.status_text == 'Merged class "cat" into "hound". u: undo'


def test_weight_in_the_frame_is_shortened_to_the_width_of_the_frame() -> None:
    presenter = LabellingPresenter(ScriptedSession())
    classes = presenter.session.classes
    assert format_training_weight(presenter.focused_cluster, classes, 26) == "weight when certain: 64 %"
    assert format_training_weight(presenter.focused_cluster, classes, 18) == "weight: 64 %"
    press_keys(presenter, "3", "5", "left")
    assert format_training_weight(presenter.focused_cluster, classes, 26) == "weight of 3 at 0.5: 32 %"
