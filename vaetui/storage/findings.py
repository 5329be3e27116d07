"""A problem found in a session directory, and its remedy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One damaged, missing or foreign file."""

    file_name: str
    """The name of the file."""
    problem: str
    """What is wrong with it, as the rest of a sentence: "is damaged"."""
    remedy: str
    """How it was or will be repaired: "restored from its second copy"."""
    is_lost: bool = False
    """Whether nothing in the session can repair it."""

    def __str__(self) -> str:
        """Return one line for messages and the log."""
        return f"{self.file_name} {self.problem}: {self.remedy}"
