"""A full audit of a session, as a program that tests kill: python -m tests.session.audited_run SESSION.

It goes on with the audit where it was left, by the true classes, and prints the number of keys after each one. Every
seventh key is taken back and pressed again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing

from vaetui.engine.answers import ClassAnswer
from vaetui.session import lifecycle
from vaetui.session.audit_views import AuditView
from vaetui.session.session import Session


def require_view(session: Session) -> AuditView:
    """Return the view of the open or newest finished audit."""
    view = session.audits.view
    assert view is not None
    return view


def run_audit(session: Session) -> Iterator[int]:
    """Audit to the end from any state; yield the number of keys after each one."""
    list(session.advance())
    if session.audits.view is None:
        list(session.audits.start("full"))
    assert session.true_labels is not None
    true_labels = session.true_labels.train_validation_labels
    assert true_labels is not None
    while (view := require_view(session)).part != "done":
        open_items = [item for item in view.items if item.check is None]
        marked = [
            (item.position, ClassAnswer(int(true_labels.class_ids[item.image_index])))
            for item in open_items
            if view.part == "blind" or int(true_labels.class_ids[item.image_index]) != item.shown_class_id
        ]
        accepted = [(item.position, ClassAnswer(item.shown_class_id or 0)) for item in open_items]
        session.audits.record(marked[:1] or accepted)
        yield (keys := require_view(session).keys)
        if keys % 7 == 0:
            session.audits.undo()
            yield keys
            session.audits.redo()
            yield keys


def main() -> None:
    """Continue the audit of a session."""
    with closing(lifecycle.resume(sys.argv[1])) as session:
        for keys in run_audit(session):
            print(keys, flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    main()
