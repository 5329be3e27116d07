"""What classes there are after what a person did to them; it does not know answers, nor where anything is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from vaetui.engine import config_text
from vaetui.errors import UserError

MAX_CLASSES = int(config_text.field_bounds("network", "classes").maximum)
"""Classes that can be told apart."""
MAX_NAME_CHARS = 100
"""Letters in a name."""


@dataclass(frozen=True, slots=True)
class AddClass:
    """There is one more class."""

    class_id: int
    """Its number: as many as there were."""
    name: str
    """What it is called."""


@dataclass(frozen=True, slots=True)
class RenameClass:
    """A class is called otherwise."""

    class_id: int
    """The class."""
    name: str
    """What it is called from now on."""


@dataclass(frozen=True, slots=True)
class MergeClass:
    """A class is no longer told from another: whatever is called so, by whom and when it may be, counts as that."""

    class_id: int
    """The class that is no longer offered."""
    target_id: int
    """What it counts as."""


ClassEdit: TypeAlias = AddClass | RenameClass | MergeClass


@dataclass(frozen=True, slots=True)
class ClassList:
    """All classes that there ever were in a session; their numbers never change."""

    names: tuple[str, ...]
    """What each is called, in the order of their numbers."""
    canonical: tuple[int, ...]
    """What each counts as: itself, or the class that it was merged into."""

    @classmethod
    def from_names(cls, names: Sequence[str]) -> ClassList:
        """Give classes of these names, of which none is merged.

        Raises Trouble for what cannot be such.
        """
        if not 2 <= len(names) <= MAX_CLASSES or len(set(names)) < len(names) or not all(map(_is_valid_name, names)):
            raise UserError(
                f"From 2 to {MAX_CLASSES} different names of up to {MAX_NAME_CHARS} printable letters make classes."
            )
        return cls(tuple(names), tuple(range(len(names))))

    def __len__(self) -> int:
        """Count them, those that were merged too."""
        return len(self.names)

    @property
    def active(self) -> tuple[int, ...]:
        """Give the numbers of those that can be said."""
        return tuple(label for label, root in enumerate(self.canonical) if label == root)

    @property
    def resolved_names(self) -> tuple[str, ...]:
        """Give for each number the name of what it counts as."""
        return tuple(self.names[root] for root in self.canonical)

    @property
    def aliases(self) -> dict[str, str]:
        """Give the names of those that were merged, with what they count as."""
        return {name: called for name, called in zip(self.names, self.resolved_names, strict=True) if name != called}

    def find_id(self, name: str) -> int | None:
        """Give the number of the class that is called so; None where there is none."""
        return self.names.index(name) if name in self.names else None

    def apply(self, edit: ClassEdit) -> ClassList:
        """Give the classes after that was done to them.

        Raises Trouble, with a sentence for who wanted it, for what cannot be done.
        """
        match edit:
            case AddClass(label, name):
                if label != len(self):
                    raise UserError(f"The number of a new class is {len(self)}, not {label}.")
                if len(self) >= MAX_CLASSES:
                    raise UserError(f"There are {MAX_CLASSES} classes already, as many as can be told apart.")
                self._require_unused(name)
                return ClassList((*self.names, name), (*self.canonical, label))
            case RenameClass(label, name):
                self.require_active(label)
                self._require_unused(name)
                return replace(self, names=(*self.names[:label], name, *self.names[label + 1 :]))
            case MergeClass(label, into):
                self.require_active(label)
                self.require_active(into)
                if label == into:
                    raise UserError(f"{self.names[label]} cannot be merged into itself.")
                if len(self.active) <= 2:
                    raise UserError("Two classes have to be left: these cannot be merged.")
                return replace(self, canonical=tuple(into if root == label else root for root in self.canonical))

    def require_active(self, class_id: int) -> None:
        """Raise Trouble for a class that there is not, and for one that was merged into another."""
        if not 0 <= class_id < len(self):
            raise UserError(f"There is no class {class_id}; the classes are 0 to {len(self) - 1}.")
        if self.canonical[class_id] != class_id:
            raise UserError(f"{self.names[class_id]} counts as {self.resolved_names[class_id]} since they were merged.")

    def _require_unused(self, name: str) -> None:
        if not _is_valid_name(name):
            raise UserError(
                f"{name[:MAX_NAME_CHARS]!r} cannot name a class; up to {MAX_NAME_CHARS} printable letters can."
            )
        label = self.find_id(name)
        if label is not None:
            self.require_active(label)
            raise UserError(f"There is a class {name} already.")


def _is_valid_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME_CHARS and name.isprintable() and name == name.strip()
