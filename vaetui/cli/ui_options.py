"""Options for how a command runs a session: in the Textual app, line by line, or in the background."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from vaetui.runtime import session_runner
from vaetui.tui.display_choices import PICTURE_CHOICES, THEME_CHOICES

if TYPE_CHECKING:
    from vaetui.session.session import Session
    from vaetui.tui.settings import AppSettings


@dataclass(frozen=True, slots=True)
class UiMode:
    """The front end of a session."""

    settings: AppSettings
    """The settings of the app, from options, environment and config file."""
    plain: bool
    """Whether to run the line-by-line dialogue."""
    detach: bool
    """Whether to train in the background."""

    def __post_init__(self) -> None:
        """Raise click.UsageError for two front ends at once."""
        if self.plain and self.detach:
            raise click.UsageError("--plain and --detach exclude each other. Use one of them.")

    def run_session(
        self, session_factory: Callable[[], Session], notice: str = "", audit_plan: str | None = None
    ) -> None:
        """Open a session and run it in this mode; a notice is shown at the start.

        With an `audit_plan`, only an audit is run: of that plan, or of the one that the user chooses if it is "".
        """
        if notice:
            click.echo(notice, err=True)
        if self.detach:
            session_runner.train_in_background(session_factory)
        elif self.plain:
            session_runner.run_plain(session_factory, self.settings.pictures != "none", audit_plan)
        else:
            session_runner.run_tui(session_factory, self.settings, notice, audit_plan)


def _build_auto_option(name: str, choices: Sequence[str], help_text: str) -> Callable[[Any], Any]:
    """Return an option that defaults to the variable VAETUI_<NAME>, else to the config file, else to "auto"."""
    return click.option(
        f"--{name}",
        type=click.Choice(choices),
        default="auto",
        envvar=f"VAETUI_{name.upper()}",
        show_envvar=True,
        help=help_text,
    )


UI_OPTIONS = (
    _build_auto_option(
        "pictures", PICTURE_CHOICES, "Picture mode; auto queries the terminal, none leaves pictures out."
    ),
    _build_auto_option(
        "theme", THEME_CHOICES, "Colours; auto follows the background, terminal uses the terminal's own 16."
    ),
    click.option("--plain", is_flag=True, help="Line-by-line dialogue: the way for screen readers, logs and pipes."),
)
DETACH_OPTION = click.option("--detach", is_flag=True, help="Train in the background until answers are needed.")


def add_ui_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the front end to a command, as `add_foreground_options`, and one for the background."""
    return add_foreground_options(command, DETACH_OPTION)


def add_foreground_options(command: Callable[..., Any], *other_options: Callable[[Any], Any]) -> Callable[..., Any]:
    """Add the options of the front end to a command, which receives them as the keyword `ui_mode`.

    The config file is read and checked before the command runs. It also sets the recipe and the device of a command
    that has both options, unless the user gave them.
    """

    @functools.wraps(command)
    def wrapper(**kwargs: Any) -> Any:
        from vaetui.runtime import config_file  # here, so that --help is quick

        user_config = config_file.load_config()
        theme, pictures = kwargs.pop("theme"), kwargs.pop("pictures")
        settings = user_config.create_app_settings(
            theme if _is_given("theme") else None, pictures if _is_given("pictures") else None
        )
        if "recipe" in kwargs:  # the device of a session that exists stays as it is
            for name in ("recipe", "device"):
                if not _is_given(name):
                    kwargs[name] = user_config.values.get(f"new.{name}", kwargs[name])
        return command(ui_mode=UiMode(settings, kwargs.pop("plain"), kwargs.pop("detach", False)), **kwargs)

    for option in reversed((*UI_OPTIONS, *other_options)):
        wrapper = option(wrapper)
    return wrapper


def _is_given(name: str) -> bool:
    """Return whether the user gave an option, on the command line or in the environment."""
    source = click.get_current_context().get_parameter_source(name)
    return source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
