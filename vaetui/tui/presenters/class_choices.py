"""Classes as choices of a line dialogue, and why an edit of the classes is refused."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.classes import ClassEdit, ClassList
from vaetui.errors import UserError
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.cluster_text import format_share
from vaetui.tui.presenters.line_dialogue import Choice


def create_class_choices(
    classes: ClassList,
    class_ids: Sequence[int],
    digit_keys: DigitKeys = (),
    class_shares: Sequence[tuple[int, float]] = (),
) -> list[Choice]:
    """Return the classes with these ids; each one's digit key stands beside a name that is not that digit.

    Those that are predicted for a share of the members come first, with that share beside them.
    """
    shares = {class_id: share for class_id, share in class_shares if class_id in class_ids}
    return [
        Choice(classes.names[class_id], class_id, _format_detail(classes, class_id, digit_keys, shares.get(class_id)))
        for class_id in [*shares, *(class_id for class_id in class_ids if class_id not in shares)]
    ]


def find_edit_error(classes: ClassList, edit: ClassEdit) -> str:
    """Return why the edit is refused, or "" if it is possible."""
    try:
        classes.with_edit(edit)
    except UserError as error:
        return str(error)
    return ""


def _format_detail(classes: ClassList, class_id: int, digit_keys: DigitKeys, share: float | None) -> str:
    digit = str(digit_keys.index(class_id)) if class_id in digit_keys else ""
    key = "" if digit == classes.names[class_id] or not digit else f"key {digit}"
    return ", ".join(filter(None, [key, "" if share is None else f"predicted {format_share(share)}"]))
