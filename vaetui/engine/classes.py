"""The list of classes of a session, and the edits that add, rename and merge classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from vaetui.engine import config_text
from vaetui.errors import UserError, is_printable_text

MAX_CLASSES = int(config_text.get_field_bounds("network", "classes").maximum)
"""Most classes of a session, merged ones included."""
MAX_CLASS_NAME_CHARS = 100
"""Most characters of a class name."""
NO_LABEL = 255
"""Stands in label files for an image without a label; larger than every class id."""


@dataclass(frozen=True, slots=True)
class AddClass:
    """Add a class."""

    class_id: int
    """Its id: the number of classes so far."""
    name: str
    """Its name."""


@dataclass(frozen=True, slots=True)
class RenameClass:
    """Change the name of a class."""

    class_id: int
    """The class."""
    name: str
    """Its new name."""


@dataclass(frozen=True, slots=True)
class MergeClass:
    """Merge a class into another: all its answers and predictions, past and future, count as the other class."""

    class_id: int
    """The class to merge; it is no longer active."""
    target_id: int
    """The class that it counts as."""


ClassEdit: TypeAlias = AddClass | RenameClass | MergeClass


@dataclass(frozen=True, slots=True)
class ClassList:
    """All classes of a session, merged ones included; class ids never change."""

    names: tuple[str, ...]
    """Names by class id."""
    canonical: tuple[int, ...]
    """By class id, the class that it counts as: itself, or the class that it was merged into."""

    def __post_init__(self) -> None:
        """Raise UserError for too few, too many, invalid or equal names, and for merges that no edits lead to."""
        require_valid_class_names(self.names, "The list of classes")
        is_complete = len(self.canonical) == len(self.names) and set(self.canonical) <= set(range(len(self.names)))
        if not is_complete or any(self.canonical[target_id] != target_id for target_id in self.canonical):
            raise UserError("The list of classes has invalid merges.")
        if len(self.active_ids) < 2:
            raise UserError("The list of classes has fewer than two classes that are not merged.")

    @classmethod
    def from_names(cls, names: Sequence[str]) -> ClassList:
        """Return a list of unmerged classes; raises UserError for too few, too many, invalid or equal names."""
        return cls(tuple(names), tuple(range(len(names))))

    def __len__(self) -> int:
        """Return the number of classes, merged ones included."""
        return len(self.names)

    @property
    def active_ids(self) -> tuple[int, ...]:
        """Ids of the classes that are not merged into another."""
        return tuple(class_id for class_id, target_id in enumerate(self.canonical) if class_id == target_id)

    @property
    def resolved_names(self) -> tuple[str, ...]:
        """By class id, the name of the class that it counts as."""
        return tuple(self.names[target_id] for target_id in self.canonical)

    @property
    def aliases(self) -> dict[str, str]:
        """Names of merged classes, with the name of the class that each counts as."""
        return {name: target for name, target in zip(self.names, self.resolved_names, strict=True) if name != target}

    def find_id(self, name: str) -> int | None:
        """Return the id of the class with that name, or None."""
        return self.names.index(name) if name in self.names else None

    def with_edit(self, edit: ClassEdit) -> ClassList:
        """Return the list after an edit; raises UserError if the edit is not possible."""
        match edit:
            case AddClass(class_id, name):
                if class_id != len(self):
                    raise UserError(f"The next class id is {len(self)}; got {class_id}.")
                if len(self) >= MAX_CLASSES:
                    raise UserError(f"The session already has {MAX_CLASSES} classes, the maximum.")
                self._require_usable_name(name)
                return ClassList((*self.names, name), (*self.canonical, class_id))
            case RenameClass(class_id, name):
                self.require_active(class_id)
                self._require_usable_name(name)
                return replace(self, names=(*self.names[:class_id], name, *self.names[class_id + 1 :]))
            case MergeClass(class_id, target_id):
                self.require_active(class_id)
                self.require_active(target_id)
                if class_id == target_id:
                    raise UserError(
                        f'Class "{self.names[class_id]}" cannot be merged into itself. Choose another class.'
                    )
                if len(self.active_ids) <= 2:
                    raise UserError("Only two classes are left. At least two must remain, so they cannot be merged.")
                merged = tuple(target_id if target == class_id else target for target in self.canonical)
                return replace(self, canonical=merged)

    def require_active(self, class_id: int) -> None:
        """Raise UserError if the class does not exist or was merged into another."""
        if not 0 <= class_id < len(self):
            raise UserError(f"There is no class {class_id}. Choose a class from 0 to {len(self) - 1}.")
        if self.canonical[class_id] != class_id:
            target = self.resolved_names[class_id]
            raise UserError(f'Class "{self.names[class_id]}" was merged into "{target}". Use "{target}".')

    def _require_usable_name(self, name: str) -> None:
        require_valid_class_name(name)
        if (class_id := self.find_id(name)) is not None:
            self.require_active(class_id)
            raise UserError(f'Class "{name}" already exists. Choose another name.')


def require_valid_class_names(names: Sequence[str], source: str) -> tuple[str, ...]:
    """Return the names as a tuple; raises UserError, naming `source`, for a wrong count, invalid or equal names."""
    if not 2 <= len(names) <= MAX_CLASSES:
        raise UserError(f"{source} needs 2 to {MAX_CLASSES} names; got {len(names)}.")
    for name in names:
        require_valid_class_name(name)
    if len(set(names)) < len(names):
        equal_name = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{source} has two classes named {equal_name}. Use different names.")
    return tuple(names)


def require_valid_class_name(name: str) -> None:
    """Raise UserError if the name is empty, too long or no printable text, or if spaces surround it."""
    if not (0 < len(name) <= MAX_CLASS_NAME_CHARS and is_printable_text(name) and name == name.strip()):
        raise UserError(
            f'"{name[:MAX_CLASS_NAME_CHARS]}" is not a valid class name. Use 1 to {MAX_CLASS_NAME_CHARS} printable '
            "characters, without spaces around them."
        )
