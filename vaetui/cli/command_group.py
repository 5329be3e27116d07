"""The click group of the program: an output that cannot be written ends any command with one sentence."""

from __future__ import annotations

import sys
from typing import Any

import click

from vaetui.errors import UserError
from vaetui.runtime.output_errors import CLOSED_OUTPUT_MESSAGE, flush_standard_output, translate_output_errors


class CommandGroup(click.Group):
    """A group whose commands raise UserError for a full disk and a closed pipe.

    Commands named in `interactive_names` save and leave in these cases by themselves.
    """

    interactive_names = frozenset({"new", "resume"})
    """Commands that also work without an open standard output."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the options of the group; --help and --version print here."""
        with translate_output_errors():
            return super().make_context(*args, **kwargs)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; raises UserError before it does anything if standard output is closed."""
        name, command, remaining_args = super().resolve_command(ctx, args)
        if sys.stdout is None and name not in self.interactive_names:
            raise UserError(CLOSED_OUTPUT_MESSAGE)
        return name, command, remaining_args

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and write everything that it printed."""
        with translate_output_errors():
            result = super().invoke(ctx)
            flush_standard_output()
            return result
