"""The commands; it knows what a person may type, and imports nothing heavy before it is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

import vaetui
from vaetui import knobs, printed, running
from vaetui.manners import Manner, manners
from vaetui.simulation.habits import KINDS, Habits, Kind
from vaetui.trouble import Trouble

if TYPE_CHECKING:
    from vaetui.engine.config import Device
    from vaetui.session.session import Session


class Name(click.types.StringParamType):
    """The name of a session, which the shell can complete."""

    name = "session"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """List the sessions that begin so."""
        from vaetui.store import home

        return [CompletionItem(name) for name in home.names() if name.startswith(incomplete)]


named = click.argument("session", type=Name())
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(vaetui.__version__, message="vaetui %(version)s")
def app() -> None:
    """Label a large image set with a few dozen keystrokes, in a terminal."""


@app.command()
@click.argument("name", required=False)
@knobs.knobs
@manners
def new(name: str | None, manner: Manner, **turned: Any) -> None:
    """Begin a session: train on unlabelled images, then label what was learned.

    Without a NAME one is made up.
    """
    from vaetui.session import creation

    source, config = knobs.chosen(**turned)
    manner.go(lambda: creation.create(name, source, config))


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
def simulate(annotator: Kind, answers: int, error_rate: float, keep: str | None, as_json: bool, **turned: Any) -> None:
    """Let a stand-in for a person answer a whole run, and measure what comes of it.

    The images need labels, which the stand-in and the measures look at, and nothing that learns.
    """
    from vaetui import headless

    source, config = knobs.chosen(**turned)
    headless.simulate(source, config, Habits(annotator, answers, error_rate), keep, as_json)


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

    told = report.show(session)
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        printed.session(told)


@app.command()
@named
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The CSV file to write."
)
def export(session: str, output: Path) -> None:
    """Write one label per training image, from the answers or else the classifier, as CSV."""
    from vaetui.engine.answers import written
    from vaetui.session import creation
    from vaetui.store.exports import write_csv

    if not output.parent.is_dir():
        raise Trouble(f"There is no directory {output.parent}; make it first.")
    with running.opened(lambda: creation.resume(session)) as opened:
        rows = running.watched(opened.labels())
    write_csv(
        output,
        ("index", "label", "confidence", "source", "cluster"),
        (
            (row.index, row.label, f"{row.confidence:.4f}", row.source, "" if row.path is None else written(row.path))
            for row in rows
        ),
    )
    answered = sum(row.source == "answer" for row in rows)
    click.echo(f"{output}: {len(rows):,} labels, {answered:,} by answers, the others by the classifier.")


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
    from vaetui.store import home
    from vaetui.store.lock import Lock

    directory = home.find(session)
    if not yes and not click.confirm(f"Delete {session} and all its answers?"):
        click.echo("Nothing was deleted.")
        return
    lock = Lock(directory)  # refuses while somebody works in it
    home.remove(session)
    lock.release()
    click.echo(f"{session} is deleted.")


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
