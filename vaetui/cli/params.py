"""Click parameters shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from vaetui.errors import UserError


class SessionNameType(click.types.StringParamType):
    """The name of a session."""

    name = "session"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the sessions whose name starts with `incomplete`."""
        from vaetui.storage import locations

        return [CompletionItem(name) for name in locations.list_session_names() if name.startswith(incomplete)]


session_argument = click.argument("session", type=SessionNameType())


def build_format_option(formats: Sequence[str]) -> Callable[[Any], Any]:
    """Return the option for the format of the output, CSV by default."""
    return click.option(
        "--format", "format_name", type=click.Choice(formats), default="csv", help="Format of the output."
    )


def refuse_to_overwrite(output: Path, force: bool, inputs: Iterable[Path]) -> None:
    """Raise UserError if the output is one of the inputs or inside a session or dataset, or exists and not `force`.

    Links and other spellings of a path are followed. Pipes, devices and open file descriptors can always be written.
    """
    from vaetui.storage import output_files

    if str(output) == "-":
        raise UserError("- is not a file name. Use -o /dev/stdout for standard output.")
    is_special = output_files.is_special_file(output)
    if is_special and not output.is_file():
        return
    output_files.refuse_data_directories(output)
    if not os.path.lexists(output):
        return
    for path in inputs:
        if output_files.is_same_file(output, path):
            raise UserError(f"{output} is the input {path}. Choose another output.")
    if not force and not is_special:
        raise UserError(f"{output} exists. Choose another output, or overwrite it with --force.")


force_option = click.option("--force", is_flag=True, help="Overwrite an existing file.")
