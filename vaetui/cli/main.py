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
from vaetui.cli.data_options import Given, images
from vaetui.cli.params import Name, named
from vaetui.cli.ui_options import Manner, manners
from vaetui.errors import Trouble
from vaetui.runtime import runner
from vaetui.simulation.annotator_config import KINDS, Habits, Kind

if TYPE_CHECKING:
    from vaetui.engine.config import Device
    from vaetui.session.session import Session


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(vaetui.__version__, message="vaetui %(version)s")
def app() -> None:
    """Label a large image set with a few dozen keystrokes, in a terminal."""


@app.command()
@click.argument("name", required=False)
@images
@config_options.knobs
@manners
def new(name: str | None, given: Given, manner: Manner, **turned: Any) -> None:
    """Begin a session: train on unlabelled images, then label what was learned.

    Without a NAME one is made up.
    """
    from vaetui.session import lifecycle
    from vaetui.storage import locations

    config = config_options.chosen(**turned)
    if name is not None:
        locations.vacant(name)  # before images are decoded for nothing

    def opening() -> Session:
        taken = given.taken(config)
        return lifecycle.create(name, taken.source, taken.config, taken.material, taken.title)

    manner.go(opening)


@app.command()
@click.argument("session", type=Name(), required=False)
@click.option("--device", type=config_options.DEVICES, help="Where to train from now on; without it, as before.")
@manners
def resume(session: str | None, device: Device | None, manner: Manner) -> None:
    """Go on with a session exactly where it was left.

    Without a name, with the SESSION that was used last. One that is trained without a terminal is taken over.
    """
    from vaetui.runtime import takeover
    from vaetui.session import lifecycle
    from vaetui.storage import locations

    def opening() -> Session:
        directory = locations.find(session or locations.latest())
        takeover.take_over(directory)
        return lifecycle.enter(directory, device)

    manner.go(opening)


@app.command()
@images
@config_options.knobs
@click.option(
    "--annotator",
    type=click.Choice(KINDS),
    default="members",
    show_default=True,
    help="Who answers: centre reads the decoded centre alone; members knows the nearest 8 members.",
)
@click.option("--answers", type=click.IntRange(0), default=16, show_default=True, help="Answers in a round, at most.")
@click.option("--error-rate", type=click.FloatRange(0, 1), default=0.02, show_default=True, help="Share of wrong keys.")
@click.option("--keep", metavar="NAME", help="Keep the session under that name; without it, nothing is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but one JSON object.")
def simulate(
    given: Given, annotator: Kind, answers: int, error_rate: float, keep: str | None, as_json: bool, **turned: Any
) -> None:
    """Let a stand-in for a person answer a whole run, and measure what comes of it.

    The images need labels, which the stand-in and the measures look at, and nothing that learns.
    """
    from vaetui.cli import simulate_command
    from vaetui.storage import locations

    config = config_options.chosen(**turned)
    if keep is not None:
        locations.vacant(keep)  # before images are decoded, and a reader is trained, for nothing
    taken = Given(given.data, replace(given.wish, labels=True)).taken(config)
    simulate_command.simulate(taken, Habits(annotator, answers, error_rate), keep, as_json)


@app.command()
@as_json
def sessions(as_json: bool) -> None:
    """List all sessions, latest used first."""
    from vaetui.session.summary import show
    from vaetui.storage import locations

    told = [_or_trouble(show, name) for name in locations.names()]
    if as_json:
        click.echo(json.dumps(told, indent=2))
    elif not told:
        click.echo("There is no session yet; begin one with: vaetui new")
    else:
        formatting.sessions(told)


@app.command()
@named
@as_json
def show(session: str, as_json: bool) -> None:
    """Tell how a session stands, also while another process trains it."""
    from vaetui.session import summary

    told = summary.show(session) | {"agreements": summary.calibration(session)}
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        formatting.session(told)


@app.command()
@named
@click.option("--repair", is_flag=True, help="Mend what can be mended; what was damaged is kept aside.")
@as_json
def check(session: str, repair: bool, as_json: bool) -> None:
    """Verify every file and fact of a session, and say what would mend it; exit status 1 where something is left."""
    from vaetui.session.verification import inspect

    found = runner.watched(inspect(session, repair))
    left = [each for each in found if each.lost or not repair]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        formatting.findings(session, found, left, repair)
    sys.exit(int(bool(left)))


@app.command()
@named
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def delete(session: str, yes: bool) -> None:
    """Delete a session with everything in it."""
    from vaetui.session import data_source
    from vaetui.storage import locations
    from vaetui.storage.lock import Lock

    directory = locations.find(session)
    if not yes and not click.confirm(f"Delete {session} and all its answers?"):
        click.echo("Nothing was deleted.")
        return
    lock = Lock(directory)  # refuses while somebody works in it
    locations.remove(session)
    lock.release()
    data_source.sweep()
    click.echo(f"{session} is deleted.")


for command in (export_command.export, model_commands.predict, model_commands.export_model, model_commands.samples):
    app.add_command(command)


def main() -> None:
    """Run the command line; what a person can mend is one sentence on standard error, with exit status 2."""
    from vaetui.storage import locations

    runner.hold_streams()
    try:
        with runner.confessed(locations.sessions().parent):
            app(prog_name="vaetui")
    except Trouble as trouble:
        click.echo(f"vaetui: {trouble}", err=True)
        sys.exit(2)


def _or_trouble(show: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    try:
        return show(name)
    except Trouble as trouble:
        return {"name": name, "trouble": str(trouble)}
