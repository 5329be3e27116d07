"""The click group of the program: an output that cannot be written ends any command with one sentence."""

from __future__ import annotations

import sys
from typing import Any

import click

from vaetui.errors import UserError
from vaetui.runtime.output_errors import CLOSED_OUTPUT_MESSAGE, flush_standard_output, translate_output_errors

MAX_DESCRIPTION_CHARS = 1_000
"""Most characters of the description of a command in the list: no description is longer."""


class CommandGroup(click.Group):
    """A group whose commands raise UserError for a full disk and a closed pipe.

    Commands named in `interactive_names` save and leave in these cases instead.
    """

    interactive_names = frozenset({"new", "resume"})
    """Commands that also work without an open standard output."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the options of the group; --help and --version print here.

        Raises UserError before the command does anything if standard output is closed.
        """
        if sys.stdout is None and not self.interactive_names.intersection(args[:1]):
            raise UserError(CLOSED_OUTPUT_MESSAGE)
        with translate_output_errors():
            return super().make_context(info_name, args, parent, **extra)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands; descriptions are wrapped, where click would cut them."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        descriptions = [
            (name, command.get_short_help_str(MAX_DESCRIPTION_CHARS)) for name, command in commands.items() if command
        ]
        with formatter.section("Commands"):
            formatter.write_dl(descriptions)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and write everything that it printed."""
        with translate_output_errors():
            result = super().invoke(ctx)
            flush_standard_output()
            return result
