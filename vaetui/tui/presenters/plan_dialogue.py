"""The question how large an audit is."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from vaetui.engine.audit_plans import PLANS
from vaetui.tui.presenters.audit_text import describe_plan
from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue


class PlanDialogue(LineDialogue):
    """Asks for the plan of an audit; the first letter of its name chooses it at once."""

    def __init__(self, on_plan: Callable[[str], None], part_count: int) -> None:
        """Ask; `on_plan` receives the name of the plan. The terminal shows a page in `part_count` parts."""
        super().__init__(
            "Audit: quick or full?",
            [Choice(name, name, describe_plan(name, part_count)) for name in PLANS],
            on_choice=lambda name: on_plan(cast(str, name)),
            help_text="q or f",
        )

    def handle_key(self, key: str, character: str | None) -> bool:
        """Handle a key, and return whether the question is answered."""
        if character and not self.text:
            self._result = next((choice for choice in self.matches if choice.label[0] == character.lower()), None)
            if self._result is not None:
                return True
        return super().handle_key(key, character)
