"""The line that finds any command of a screen by its name, and clusters by their number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from vaetui.tui.presenters.line_dialogue import NO_MATCH_HINT, Choice, LineDialogue
from vaetui.tui.presenters.screen_commands import ScreenCommand

NUMBER_PATTERN = re.compile(r"\d+(\.\d*)*")
"""The path of a cluster, such as "3.1", or the start of one."""
HIDDEN_IDS = frozenset({"any.command", "label.command", "any.more_keys"})
"""Commands of the palette itself and of the footer, which a list of all commands does not need."""


class CommandPalette(LineDialogue):
    """A line with all commands and their keys; on the labelling screen a number goes to that cluster.

    A number matches clusters only: it must never run a command whose text happens to contain it.
    """

    def __init__(
        self, commands: Sequence[ScreenCommand], targets: Sequence[Choice], on_choice: Callable[[object], None]
    ) -> None:
        """Offer the commands, whose value is their id, and `targets` with the number of a cluster as their label."""
        self._target_count = len(targets)
        super().__init__(
            "Command or cluster:" if targets else "Command:",
            [*build_command_choices(commands), *targets],
            on_choice=on_choice,
            help_text="Type part of a name" + (", or a cluster such as 3 or 3.1" if targets else ""),
        )

    def _set_text(self, text: str, cursor: int) -> None:
        super()._set_text(text, cursor)
        if self._is_number:
            self.matches = [choice for choice in self.matches if choice.label[:1].isdigit()]
            self.marked_index = 0 if self.matches else None

    def _choose(self) -> bool:
        is_over = super()._choose()
        if self._is_number and self.hint == NO_MATCH_HINT and self._target_count:
            self.hint = f"There is no cluster {self.text.strip()} in this round"
        return is_over

    @property
    def _is_number(self) -> bool:
        return NUMBER_PATTERN.fullmatch(self.text.strip()) is not None


def build_command_choices(commands: Sequence[ScreenCommand]) -> list[Choice]:
    """Return one choice per command that can run by itself: its name and effect, with its keys beside them.

    A digit is part of an answer, so the digits are left out.
    """
    return [
        Choice(f"{command.description}: {command.tooltip}", command.id, " ".join(command.keys))
        for command in commands
        if not command.is_digit and command.id not in HIDDEN_IDS
    ]
