"""What is known about the labels of a session as a whole, for exports and model cards: their version and audit."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from vaetui.export.label_info import LabelInfo

if TYPE_CHECKING:
    from vaetui.export.label_table import LabelTable
    from vaetui.session.session_snapshot import SessionSnapshot


def describe_labels(snapshot: SessionSnapshot, label_table: LabelTable) -> LabelInfo:
    """Return what is known about the labels of a session, whose table is that of its current state."""
    classes, repository = snapshot.classes, snapshot.repository
    digest = hashlib.sha256("\0".join(label_table.class_names).encode(errors="surrogatepass"))
    digest.update(label_table.class_ids.astype(np.uint8).tobytes())
    return LabelInfo(
        session_name=snapshot.name,
        version=digest.hexdigest()[:12],
        epoch=snapshot.last_trained_epoch,
        round_number=repository.find_last_answered_round() or 0,
        answer_count=repository.count_answers(),
        aliases=classes.aliases,
    )
