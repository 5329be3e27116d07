"""The ways to go on with a session, as options of a command: on screens, line by line, or without a terminal.

It does not know how the session is opened.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from vaetui.runtime import runner

if TYPE_CHECKING:
    from vaetui.session.session import Session


@dataclass(frozen=True, slots=True)
class UiMode:
    """How to go on."""

    pictures: str
    """How pictures are drawn, or "auto"."""
    theme: str
    """"dark", "light" or "auto"."""
    plain: bool
    """Whether as a dialogue line by line."""
    detach: bool
    """Whether without a terminal until a person is needed."""

    def run(self, session_factory: Callable[[], Session]) -> None:
        """Go on with the session that is opened so."""
        if self.plain and self.detach:
            raise click.UsageError("--plain asks you, and --detach asks nobody; choose one of them.")
        if self.detach:
            runner.run_detached(session_factory)
        elif self.plain:
            runner.run_plain(session_factory)
        else:
            runner.run_tui(session_factory, self.pictures, self.theme)


def _build_auto_option(name: str, choices: list[str], help_text: str) -> Callable[[Any], Any]:
    """Make the option that is left to the terminal unless it, or the variable of its name, is set."""
    shown: dict[str, Any] = {"default": "auto", "show_default": True, "show_envvar": True}
    return click.option(
        f"--{name}", type=click.Choice(["auto", *choices]), envvar=f"VAETUI_{name.upper()}", help=help_text, **shown
    )


UI_OPTIONS = (
    _build_auto_option(
        "pictures", ["half", "ascii", "sixel", "kitty"], "How pictures are drawn; auto asks the terminal."
    ),
    _build_auto_option(
        "theme", ["dark", "light"], "Light on dark or dark on light; auto asks the terminal for its background."
    ),
    click.option("--plain", is_flag=True, help="A dialogue line by line, for screen readers, logs and pipes."),
    click.option(
        "--detach", is_flag=True, help="Train without a terminal until answers are needed; resume takes it over."
    ),
)


def add_ui_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it takes them as one keyword, `manner`."""

    @functools.wraps(command)
    def wrapper(**kwargs: Any) -> Any:
        manner = UiMode(**{field.name: kwargs.pop(field.name) for field in fields(UiMode)})
        return command(ui_mode=manner, **kwargs)

    for option in reversed(UI_OPTIONS):
        wrapper = option(wrapper)
    return wrapper
