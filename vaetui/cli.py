"""The commands; it knows what a person may type, and imports nothing heavy before it is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

import vaetui
from vaetui import knobs, labels, predicting, printed, running
from vaetui.images import Given, images
from vaetui.manners import Manner, manners
from vaetui.naming import Name, named
from vaetui.simulation.habits import KINDS, Habits, Kind
from vaetui.trouble import Trouble

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
@knobs.knobs
@manners
def new(name: str | None, given: Given, manner: Manner, **turned: Any) -> None:
    """Begin a session: train on unlabelled images, then label what was learned.

    Without a NAME one is made up.
    """
    from vaetui.session import creation
    from vaetui.store import home

    config = knobs.chosen(**turned)
    if name is not None:
        home.vacant(name)  # before images are decoded for nothing

    def opening() -> Session:
        taken = given.taken(config)
        return creation.create(name, taken.source, taken.config, taken.material, taken.title)

    manner.go(opening)


@app.command()
@click.argument("session", type=Name(), required=False)
@click.option("--device", type=knobs.DEVICES, help="Where to train from now on; without it, as before.")
@manners
def resume(session: str | None, device: Device | None, manner: Manner) -> None:
    """Go on with a session exactly where it was left.

    Without a name, with the SESSION that was used last. One that is trained without a terminal is taken over.
    """
    from vaetui import takeover
    from vaetui.session import creation
    from vaetui.store import home

    def opening() -> Session:
        directory = home.find(session or home.latest())
        takeover.take_over(directory)
        return creation.enter(directory, device)

    manner.go(opening)


@app.command()
@images
@knobs.knobs
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
    from vaetui import headless
    from vaetui.store import home

    config = knobs.chosen(**turned)
    if keep is not None:
        home.vacant(keep)  # before images are decoded, and a reader is trained, for nothing
    taken = Given(given.data, replace(given.wish, labels=True)).taken(config)
    headless.simulate(taken, Habits(annotator, answers, error_rate), keep, as_json)


@app.command()
@as_json
def sessions(as_json: bool) -> None:
    """List all sessions, latest used first."""
    from vaetui.session.report import show
    from vaetui.store import home

    told = [_or_trouble(show, name) for name in home.names()]
    if as_json:
        click.echo(json.dumps(told, indent=2))
    elif not told:
        click.echo("There is no session yet; begin one with: vaetui new")
    else:
        printed.sessions(told)


@app.command()
@named
@as_json
def show(session: str, as_json: bool) -> None:
    """Tell how a session stands, also while another process trains it."""
    from vaetui.session import report

    told = report.show(session) | {"agreements": report.calibration(session)}
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        printed.session(told)


@app.command()
@named
@click.option("--repair", is_flag=True, help="Mend what can be mended; what was damaged is kept aside.")
@as_json
def check(session: str, repair: bool, as_json: bool) -> None:
    """Verify every file and fact of a session, and say what would mend it; exit status 1 where something is left."""
    from vaetui.session.inspection import inspect

    found = running.watched(inspect(session, repair))
    left = [each for each in found if each.lost or not repair]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        printed.findings(session, found, left, repair)
    sys.exit(int(bool(left)))


@app.command()
@named
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def delete(session: str, yes: bool) -> None:
    """Delete a session with everything in it."""
    from vaetui.session import source
    from vaetui.store import home
    from vaetui.store.lock import Lock

    directory = home.find(session)
    if not yes and not click.confirm(f"Delete {session} and all its answers?"):
        click.echo("Nothing was deleted.")
        return
    lock = Lock(directory)  # refuses while somebody works in it
    home.remove(session)
    lock.release()
    source.sweep()
    click.echo(f"{session} is deleted.")


for command in (labels.export, predicting.predict, predicting.export_model, predicting.samples):
    app.add_command(command)


def main() -> None:
    """Run the command line; what a person can mend is one sentence on standard error, with exit status 2."""
    from vaetui.store import home

    running.hold_streams()
    try:
        with running.confessed(home.sessions().parent):
            app(prog_name="vaetui")
    except Trouble as trouble:
        click.echo(f"vaetui: {trouble}", err=True)
        sys.exit(2)


def _or_trouble(show: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    try:
        return show(name)
    except Trouble as trouble:
        return {"name": name, "trouble": str(trouble)}
