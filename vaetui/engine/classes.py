"""What classes there are after what a person did to them; it does not know answers, nor where anything is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from vaetui.engine import config_text
from vaetui.errors import Trouble

MOST = int(config_text.within("network", "classes").most)
"""Classes that can be told apart."""
LONGEST = 100
"""Letters in a name."""


@dataclass(frozen=True, slots=True)
class Added:
    """There is one more class."""

    label: int
    """Its number: as many as there were."""
    name: str
    """What it is called."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A class is called otherwise."""

    label: int
    """The class."""
    name: str
    """What it is called from now on."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A class is no longer told from another: whatever is called so, by whom and when it may be, counts as that."""

    label: int
    """The class that is no longer offered."""
    into: int
    """What it counts as."""


Naming: TypeAlias = Added | Renamed | Merged


@dataclass(frozen=True, slots=True)
class Classes:
    """All classes that there ever were in a session; their numbers never change."""

    names: tuple[str, ...]
    """What each is called, in the order of their numbers."""
    roots: tuple[int, ...]
    """What each counts as: itself, or the class that it was merged into."""

    @classmethod
    def named(cls, names: Sequence[str]) -> Classes:
        """Give classes of these names, of which none is merged.

        Raises Trouble for what cannot be such.
        """
        if not 2 <= len(names) <= MOST or len(set(names)) < len(names) or not all(map(_readable, names)):
            raise Trouble(f"From 2 to {MOST} different names of up to {LONGEST} printable letters make classes.")
        return cls(tuple(names), tuple(range(len(names))))

    def __len__(self) -> int:
        """Count them, those that were merged too."""
        return len(self.names)

    @property
    def offered(self) -> tuple[int, ...]:
        """Give the numbers of those that can be said."""
        return tuple(label for label, root in enumerate(self.roots) if label == root)

    @property
    def called(self) -> tuple[str, ...]:
        """Give for each number the name of what it counts as."""
        return tuple(self.names[root] for root in self.roots)

    @property
    def aliases(self) -> dict[str, str]:
        """Give the names of those that were merged, with what they count as."""
        return {name: called for name, called in zip(self.names, self.called, strict=True) if name != called}

    def find(self, name: str) -> int | None:
        """Give the number of the class that is called so; None where there is none."""
        return self.names.index(name) if name in self.names else None

    def after(self, naming: Naming) -> Classes:
        """Give the classes after that was done to them.

        Raises Trouble, with a sentence for who wanted it, for what cannot be done.
        """
        match naming:
            case Added(label, name):
                if label != len(self):
                    raise Trouble(f"The number of a new class is {len(self)}, not {label}.")
                if len(self) >= MOST:
                    raise Trouble(f"There are {MOST} classes already, as many as can be told apart.")
                self._check_free(name)
                return Classes((*self.names, name), (*self.roots, label))
            case Renamed(label, name):
                self.check(label)
                self._check_free(name)
                return replace(self, names=(*self.names[:label], name, *self.names[label + 1 :]))
            case Merged(label, into):
                self.check(label)
                self.check(into)
                if label == into:
                    raise Trouble(f"{self.names[label]} cannot be merged into itself.")
                if len(self.offered) <= 2:
                    raise Trouble("Two classes have to be left: these cannot be merged.")
                return replace(self, roots=tuple(into if root == label else root for root in self.roots))

    def check(self, label: int) -> None:
        """Raise Trouble for a class that there is not, and for one that was merged into another."""
        if not 0 <= label < len(self):
            raise Trouble(f"There is no class {label}; the classes are 0 to {len(self) - 1}.")
        if self.roots[label] != label:
            raise Trouble(f"{self.names[label]} counts as {self.called[label]} since they were merged.")

    def _check_free(self, name: str) -> None:
        if not _readable(name):
            raise Trouble(f"{name[:LONGEST]!r} cannot name a class; up to {LONGEST} printable letters can.")
        label = self.find(name)
        if label is not None:
            self.check(label)
            raise Trouble(f"There is a class {name} already.")


def _readable(name: str) -> bool:
    return 0 < len(name) <= LONGEST and name.isprintable() and name == name.strip()
