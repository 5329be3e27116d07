"""Three small sessions to be damaged: in the midst of an epoch, while being asked, and finished."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tests.idx import write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG, create_session
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.events import BatchesTrained
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session
from vaetui.storage import locations

STATES = ("training", "labelling", "finished")
TINY = replace(
    SMALL_CONFIG,
    network=replace(SMALL_CONFIG.network, z_dim=4, channels=(4, 8), hidden_units=8),
    cluster=replace(SMALL_CONFIG.cluster, clusters=4),
    training=replace(SMALL_CONFIG.training, batch_size=8),
)
"""Quick enough for thousands of cases, with a checkpoint in the midst of each epoch."""


def make(place: Path) -> None:
    """Make the sessions below a place, each under the name of its state; VAETUI_HOME has to lead there."""
    trainer.CHECKPOINT_INTERVAL_S = 0.0  # so that all checkpoints are there which a session keeps
    session = create_session("finished", write_small_mnist(place / "digits", train=130, test=40), TINY)
    list(session.advance())
    _answer(session)
    session.finish_round()
    going = session.advance()
    while not isinstance(next(going), BatchesTrained):
        pass
    going.close()
    session = _kept(session, "training")
    list(session.advance())
    _answer(session)
    session.undo()
    session = _kept(session, "labelling")
    list(session.advance())
    session.redo()
    session.finish_round()
    list(session.advance())
    session.record_reading(1, 0, [1, None, 3])
    session.close()


def _answer(session: Session) -> None:
    """Say and do something of every kind, take some of it back, and leave a centre open."""
    added = len(session.classes)
    session.edit_classes(AddClass(added, f"class {added}"))
    session.edit_classes(MergeClass(7 + session.round_number, 0))
    session.answer((0,), ClassAnswer(1, 0.4))
    list(session.split((1,), 2))
    session.answer((1, 0), ClassAnswer(7, 0.8))
    session.answer((2,), Unreadable())
    session.undo()
    session.answer((2,), ClassAnswer(added))
    session.edit_classes(RenameClass(3, f"three of round {session.round_number}"))
    session.answer((1, 1), ClassAnswer(4, 0.6))


def _kept(session: Session, name: str) -> Session:
    """Keep a copy of the session as it is, and open it again."""
    session.close()
    shutil.copytree(session.directory, locations.sessions_directory() / name)
    return lifecycle.resume(session.name)
