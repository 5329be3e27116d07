"""Three small sessions to be corrupted: in the middle of an epoch, during labelling, and finished."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tests.idx import write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG, create_session, stop_within_epoch
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session
from vaetui.storage import locations

TEMPLATE_NAMES = ("training", "labelling", "finished")
TINY_CONFIG = replace(
    SMALL_CONFIG,
    network=replace(SMALL_CONFIG.network, z_dim=4, channels=(4, 8), hidden_units=8),
    cluster=replace(SMALL_CONFIG.cluster, clusters=4),
    training=replace(SMALL_CONFIG.training, batch_size=8),
)
"""Fast enough for thousands of cases, with several batches per epoch."""


def create_templates(directory: Path) -> None:
    """Create a session for each template; VAETUI_HOME has to be below the directory."""
    trainer.CHECKPOINT_INTERVAL_S = 0.0  # as many checkpoints as a session keeps
    session = create_session("finished", write_small_mnist(directory / "digits", train=130, test=40), TINY_CONFIG)
    list(session.advance())
    _answer_round(session)
    session.close_round()
    stop_within_epoch(session)
    session = _save_copy(session, "training")
    list(session.advance())
    _answer_round(session)
    session.undo()
    session = _save_copy(session, "labelling")
    list(session.advance())
    session.redo()
    session.close_round()
    list(session.advance())
    session.record_reading(1, 0, [1, None, 3])
    session.close()


def _answer_round(session: Session) -> None:
    """Record answers and class edits of every kind, undo one, and leave a cluster without an answer."""
    class_count = len(session.classes)
    session.edit_classes(AddClass(class_count, f"class {class_count}"))
    session.edit_classes(MergeClass(7 + session.round_number, 0))
    session.record_answer((0,), ClassAnswer(1, 0.4))
    list(session.split_cluster((1,), 2))
    session.record_answer((1, 0), ClassAnswer(7, 0.8))
    session.record_answer((2,), Unreadable())
    session.undo()
    session.record_answer((2,), ClassAnswer(class_count))
    session.edit_classes(RenameClass(3, f"three of round {session.round_number}"))
    session.record_answer((1, 1), ClassAnswer(4, 0.6))
    added_class = AddClass(class_count + 1, f"class {class_count + 1}")
    session.record_answers([((2,), ClassAnswer(class_count + 1))], added_class)
    session.record_answers([((2,), ClassAnswer(class_count + 1, 0.9))], extends_last_step=True)
    session.record_answer((0,), Cleared())
    session.undo()
    page = [AnsweredImage(index, ClassAnswer(5 if index % 4 else 6), 5) for index in range(8)]
    session.record_image_answers([*page, AnsweredImage(9, Unreadable())], "review")
    session.record_border(5, range(0, 130, 7))
    session.record_image_answers([AnsweredImage(9, Cleared())], "audit")
    session.undo()
    session.correct_answer(1, (0,), ClassAnswer(5))


def _save_copy(session: Session, name: str) -> Session:
    """Close the session, copy it under another name, and open it again."""
    session.close()
    shutil.copytree(session.directory, locations.sessions_directory() / name)
    return lifecycle.resume(session.name)
