"""The commands; it knows what a person may type, and imports nothing heavy before it is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

import vaetui
from vaetui.cli import config_options, export_command, formatting, model_commands
from vaetui.cli.data_options import DataOptions, add_data_options
from vaetui.cli.params import SessionNameType, session_argument
from vaetui.cli.ui_options import UiMode, add_ui_options
from vaetui.errors import UserError
from vaetui.runtime import runner
from vaetui.simulation.annotator_config import ANNOTATOR_NAMES, AnnotatorConfig, AnnotatorName

if TYPE_CHECKING:
    from vaetui.engine.config import Device
    from vaetui.session.session import Session


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(vaetui.__version__, message="vaetui %(version)s")
def app() -> None:
    """Label a large image set with a few dozen keystrokes, in a terminal."""


@app.command()
@click.argument("name", required=False)
@add_data_options
@config_options.add_config_options
@add_ui_options
def new(name: str | None, data_options: DataOptions, ui_mode: UiMode, **config_values: Any) -> None:
    """Begin a session: train on unlabelled images, then label what was learned.

    Without a NAME one is made up.
    """
    from vaetui.session import lifecycle
    from vaetui.storage import locations

    config = config_options.build_config(**config_values)
    if name is not None:
        locations.require_free(name)  # before images are decoded for nothing

    def create_session() -> Session:
        taken = data_options.import_images(config)
        return lifecycle.create(name, taken.source, taken.config, taken.data_record, taken.title)

    ui_mode.run(create_session)


@app.command()
@click.argument("session", type=SessionNameType(), required=False)
@click.option("--device", type=config_options.DEVICE_CHOICE, help="Where to train from now on; without it, as before.")
@add_ui_options
def resume(session: str | None, device: Device | None, ui_mode: UiMode) -> None:
    """Go on with a session exactly where it was left.

    Without a name, with the SESSION that was used last. One that is trained without a terminal is taken over.
    """
    from vaetui.runtime import takeover
    from vaetui.session import lifecycle
    from vaetui.storage import locations

    def resume_session() -> Session:
        directory = locations.find_session(session or locations.latest_session_name())
        takeover.take_over(directory)
        return lifecycle.resume_at(directory, device)

    ui_mode.run(resume_session)


@app.command()
@add_data_options
@config_options.add_config_options
@click.option(
    "--annotator",
    type=click.Choice(ANNOTATOR_NAMES),
    default="members",
    show_default=True,
    help="Who answers: centre reads the decoded centre alone; members knows the nearest 8 members.",
)
@click.option("--answers", type=click.IntRange(0), default=16, show_default=True, help="Answers in a round, at most.")
@click.option("--error-rate", type=click.FloatRange(0, 1), default=0.02, show_default=True, help="Share of wrong keys.")
@click.option("--keep", metavar="NAME", help="Keep the session under that name; without it, nothing is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but one JSON object.")
def simulate(
    data_options: DataOptions,
    annotator: AnnotatorName,
    answers: int,
    error_rate: float,
    keep: str | None,
    as_json: bool,
    **config_values: Any,
) -> None:
    """Let a stand-in for a person answer a whole run, and measure what comes of it.

    The images need labels, which the stand-in and the measures look at, and nothing that learns.
    """
    from vaetui.cli import simulate_command
    from vaetui.storage import locations

    config = config_options.build_config(**config_values)
    if keep is not None:
        locations.require_free(keep)  # before images are decoded, and a reader is trained, for nothing
    taken = DataOptions(data_options.data, replace(data_options.import_options, labels=True)).import_images(config)
    simulate_command.run_simulation(taken, AnnotatorConfig(annotator, answers, error_rate), keep, as_json)


@app.command()
@json_option
def sessions(as_json: bool) -> None:
    """List all sessions, latest used first."""
    from vaetui.session.summary import load_status
    from vaetui.storage import locations

    told = [_load_summary_or_error(load_status, name) for name in locations.session_names()]
    if as_json:
        click.echo(json.dumps(told, indent=2))
    elif not told:
        click.echo("There is no session yet; begin one with: vaetui new")
    else:
        formatting.print_sessions(told)


@app.command()
@session_argument
@json_option
def show(session: str, as_json: bool) -> None:
    """Tell how a session stands, also while another process trains it."""
    from vaetui.session import summary

    told = summary.load_status(session) | {"agreements": summary.load_agreements(session)}
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        formatting.print_session(told)


@app.command()
@session_argument
@click.option("--repair", is_flag=True, help="Mend what can be mended; what was damaged is kept aside.")
@json_option
def check(session: str, repair: bool, as_json: bool) -> None:
    """Verify every file and fact of a session, and say what would mend it; exit status 1 where something is left."""
    from vaetui.session.verification import verify_session

    found = runner.run_with_progress(verify_session(session, repair))
    left = [each for each in found if each.is_lost or not repair]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        formatting.print_findings(session, found, left, repair)
    sys.exit(int(bool(left)))


@app.command()
@session_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def delete(session: str, yes: bool) -> None:
    """Delete a session with everything in it."""
    from vaetui.session import data_source
    from vaetui.storage import locations
    from vaetui.storage.lock import Lock

    directory = locations.find_session(session)
    if not yes and not click.confirm(f"Delete {session} and all its answers?"):
        click.echo("Nothing was deleted.")
        return
    lock = Lock(directory)  # refuses while somebody works in it
    locations.remove_session(session)
    lock.release()
    data_source.remove_unused_datasets()
    click.echo(f"{session} is deleted.")


for command in (export_command.export, model_commands.predict, model_commands.export_model, model_commands.samples):
    app.add_command(command)


def main() -> None:
    """Run the command line; what a person can mend is one sentence on standard error, with exit status 2."""
    from vaetui.storage import locations

    runner.reserve_std_fds()
    try:
        with runner.log_crash(locations.sessions_directory().parent):
            app(prog_name="vaetui")
    except UserError as trouble:
        click.echo(f"vaetui: {trouble}", err=True)
        sys.exit(2)


def _load_summary_or_error(load_summary: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    try:
        return load_summary(name)
    except UserError as trouble:
        return {"name": name, "error": str(trouble)}
