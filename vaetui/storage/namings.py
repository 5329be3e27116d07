"""What was done to the classes as a row of a table; it does not know the table."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.engine.classes import Added, Merged, Naming, Renamed


@dataclass(frozen=True, slots=True)
class Named:
    """An addition, a new name or a merge, as it was said."""

    id: int
    """Its number in the session, in one order with those of the sayings."""
    naming: Naming
    """What was done."""


def columns(naming: Naming) -> tuple[str, int, str | None, int | None]:
    """Flatten it: kind, class, name, target."""
    match naming:
        case Added(label, name):
            return "added", label, name, None
        case Renamed(label, name):
            return "renamed", label, name, None
        case Merged(label, into):
            return "merged", label, None, into


def read(kind: str, label: int, name: str, target: int) -> Naming:
    """Read what `columns` flattened."""
    if kind == "merged":
        return Merged(label, target)
    return Added(label, name) if kind == "added" else Renamed(label, name)
