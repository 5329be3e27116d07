"""What was done to the classes as a row of a table; it does not know the table."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.engine.classes import AddClass, ClassEdit, MergeClass, RenameClass


@dataclass(frozen=True, slots=True)
class ClassEditRecord:
    """An addition, a new name or a merge, as it was said."""

    id: int
    """Its number in the session, in one order with those of the sayings."""
    class_edit: ClassEdit
    """What was done."""


def class_edit_columns(class_edit: ClassEdit) -> tuple[str, int, str | None, int | None]:
    """Flatten it: kind, class, name, target."""
    match class_edit:
        case AddClass(label, name):
            return "added", label, name, None
        case RenameClass(label, name):
            return "renamed", label, name, None
        case MergeClass(label, into):
            return "merged", label, None, into


def parse_class_edit(kind: str, class_id: int, class_name: str, target_class_id: int) -> ClassEdit:
    """Read what `columns` flattened."""
    if kind == "merged":
        return MergeClass(class_id, target_class_id)
    return AddClass(class_id, class_name) if kind == "added" else RenameClass(class_id, class_name)
