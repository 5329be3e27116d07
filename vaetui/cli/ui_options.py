"""Options for how a command runs a session: in the Textual app, line by line, or in the background."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from vaetui.runtime import session_runner

if TYPE_CHECKING:
    from vaetui.session.session import Session


@dataclass(frozen=True, slots=True)
class UiMode:
    """The front end of a session."""

    pictures: str
    """The picture mode of the terminal, or "auto"."""
    theme: str
    """"dark", "light" or "auto"."""
    plain: bool
    """Whether to run the line-by-line dialogue."""
    detach: bool
    """Whether to train in the background."""

    def run_session(self, session_factory: Callable[[], Session]) -> None:
        """Open a session and run it in this mode."""
        if self.plain and self.detach:
            raise click.UsageError("--plain and --detach exclude each other. Use one of them.")
        if self.detach:
            session_runner.train_in_background(session_factory)
        elif self.plain:
            session_runner.run_plain(session_factory)
        else:
            session_runner.run_tui(session_factory, self.pictures, self.theme)


def _build_auto_option(name: str, choices: list[str], help_text: str) -> Callable[[Any], Any]:
    """Return an option that defaults to the variable VAETUI_<NAME>, else to "auto"."""
    return click.option(
        f"--{name}",
        type=click.Choice(["auto", *choices]),
        default="auto",
        envvar=f"VAETUI_{name.upper()}",
        show_envvar=True,
        help=help_text,
    )


UI_OPTIONS = (
    _build_auto_option("pictures", ["half", "ascii", "sixel", "kitty"], "Picture mode; auto queries the terminal."),
    _build_auto_option("theme", ["dark", "light"], "Colour theme; auto follows the terminal's background."),
    click.option("--plain", is_flag=True, help="Line-by-line dialogue for screen readers, logs and pipes."),
    click.option("--detach", is_flag=True, help="Train in the background until answers are needed."),
)


def add_ui_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the front end to a command, which receives them as the keyword `ui_mode`."""

    @functools.wraps(command)
    def wrapper(**kwargs: Any) -> Any:
        ui_mode = UiMode(**{field.name: kwargs.pop(field.name) for field in fields(UiMode)})
        return command(ui_mode=ui_mode, **kwargs)

    for option in reversed(UI_OPTIONS):
        wrapper = option(wrapper)
    return wrapper
