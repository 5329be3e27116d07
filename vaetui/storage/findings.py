"""What was found damaged in a session and what is done about it; it does not know how it was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a session's directory that is not as it should be."""

    file_name: str
    """The name of the file."""
    problem: str
    """What is wrong with it: "is damaged"."""
    remedy: str
    """What mends it: "made anew from its copy"."""
    is_lost: bool = False
    """Whether nothing that is left can mend it."""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.file_name} {self.problem}: {self.remedy}"
