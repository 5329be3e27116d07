"""Classes as choices of a line dialogue, and why an edit of the classes is refused."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.classes import ClassEdit, ClassList
from vaetui.errors import UserError
from vaetui.session.views import DigitKeys
from vaetui.tui.presenters.line_dialogue import Choice


def create_class_choices(classes: ClassList, class_ids: Sequence[int], digit_keys: DigitKeys = ()) -> list[Choice]:
    """Return the classes with these ids; each one's digit key stands beside a name that is not that digit."""
    return [
        Choice(classes.names[class_id], class_id, _format_digit(classes, class_id, digit_keys))
        for class_id in class_ids
    ]


def find_edit_error(classes: ClassList, edit: ClassEdit) -> str:
    """Return why the edit is refused, or "" if it is possible."""
    try:
        classes.with_edit(edit)
    except UserError as error:
        return str(error)
    return ""


def _format_digit(classes: ClassList, class_id: int, digit_keys: DigitKeys) -> str:
    digit = str(digit_keys.index(class_id)) if class_id in digit_keys else ""
    return "" if digit == classes.names[class_id] or not digit else f"key {digit}"
