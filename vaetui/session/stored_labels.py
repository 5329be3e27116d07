"""The labels of a session that this process does not have open, repaired first if its files are damaged."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

from vaetui.errors import UserError
from vaetui.session import lifecycle

if TYPE_CHECKING:
    from vaetui.engine.events import Event
    from vaetui.export.label_table import LabelTable
    from vaetui.session.session import Session
    from vaetui.session.session_snapshot import SessionSnapshot

SessionOpener = Callable[[Callable[[], "Session"]], AbstractContextManager["Session"]]
"""Opens the session of a factory, and closes it."""


def load_labels(
    snapshot: SessionSnapshot, open_session: SessionOpener = lambda factory: closing(factory())
) -> Generator[Event, None, LabelTable]:
    """Return the labels of a session without its lock; if files are damaged and no process has it open, repair it.

    `open_session` opens the session that is repaired.
    """
    from vaetui.engine.events import Notice
    from vaetui.session.data_loading import describe_damaged_files
    from vaetui.session.final_labels import NoLabelsError
    from vaetui.session.label_export import describe_moment
    from vaetui.session.snapshot_labels import label_images

    try:
        damage = describe_damaged_files(snapshot.repository)
        if damage is None or snapshot.holder is not None:
            label_table = yield from label_images(snapshot)
            if snapshot.holder is not None or not snapshot.store.damaged_names:
                yield from (Notice(text) for text in (describe_moment(snapshot), damage) if text)
                return label_table
    except NoLabelsError:
        raise
    except UserError:
        if snapshot.holder is not None:
            raise
    with open_session(lambda: lifecycle.resume_at(snapshot.directory)) as session:
        return (yield from session.build_label_table())
