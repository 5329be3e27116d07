"""`vaetui` without a command: the session picker in a terminal, and then the chosen command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from vaetui.cli.ui_options import UiMode, add_ui_options
from vaetui.errors import UserError
from vaetui.runtime import session_runner

if TYPE_CHECKING:
    from vaetui.tui.presenters.picker_presenter import PickerChoice


@click.command("vaetui")
@add_ui_options
@click.pass_context
def _pick(context: click.Context, ui_mode: UiMode) -> None:
    """Let the user choose, and run `resume` or `new`; what keeps a session from being opened is shown in the picker."""
    commands: Mapping[str, click.Command] = context.obj
    choice, problem = None, ""
    while (choice := session_runner.run_picker(ui_mode.settings, choice, problem)) is not None:
        name, arguments = _build_arguments(choice)
        try:
            with commands[name].make_context(name, arguments, context.parent) as command_context:
                commands[name].invoke(command_context)
        except session_runner.SessionEndedError:
            raise
        except UserError as error:
            problem = str(error)
    session_runner.exit_immediately(0)  # a thread may still read sessions


def run_picker(context: click.Context, commands: Mapping[str, click.Command]) -> None:
    """Run the session picker and the commands that are chosen there, with the settings of the user."""
    with _pick.make_context("vaetui", [], context, obj=commands) as picker_context:
        _pick.invoke(picker_context)


def _build_arguments(choice: PickerChoice) -> tuple[str, list[str]]:
    """Return the command of a choice and its arguments."""
    from vaetui.session.session_catalogue import expand_path
    from vaetui.tui.presenters.picker_presenter import ResumeChoice

    if isinstance(choice, ResumeChoice):
        return "resume", ["--", choice.name]
    features = [f"--features={expand_path(choice.features_text)}"] if choice.features_text else []
    return "new", [f"--data={expand_path(choice.path_text)}", *features] if choice.path_text else []
