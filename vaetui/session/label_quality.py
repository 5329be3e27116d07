"""What is known about the labels of a session as a whole, for exports and model cards: their version and audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaetui.export.label_info import LabelInfo
from vaetui.session.labelling import derive_version

if TYPE_CHECKING:
    from vaetui.export.label_table import LabelTable
    from vaetui.export.model import ModelOrigin
    from vaetui.session.session_snapshot import SessionSnapshot


def describe_labels(snapshot: SessionSnapshot, label_table: LabelTable) -> LabelInfo:
    """Return what is known about the labels of a session, whose table is that of its current state."""
    classes, repository = snapshot.classes, snapshot.repository
    return LabelInfo(
        session_name=snapshot.name,
        version=derive_version(classes, label_table.class_ids),
        epoch=len(snapshot.finished_epochs),
        round_number=repository.find_last_answered_round() or 0,
        answer_count=repository.count_answers(),
        aliases=classes.aliases,
    )


def describe_model(snapshot: SessionSnapshot) -> ModelOrigin:
    """Return where the networks of a session come from, and what was measured about its labels."""
    from vaetui.export.model import ModelOrigin

    epochs = snapshot.finished_epochs
    return ModelOrigin(
        session_name=snapshot.name,
        epoch=snapshot.last_trained_epoch,
        round_number=snapshot.repository.find_last_answered_round() or 0,
        answer_count=snapshot.repository.count_answers(),
        test_accuracy=epochs[-1].test_accuracy if epochs else None,
        audit=None,
    )
