"""The commands; it knows what a person may type, and imports nothing heavy before it is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import vaetui
from vaetui import printed, running
from vaetui.trouble import Trouble

app = typer.Typer(
    name="vaetui",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Label a large image set with a few dozen keystrokes, in a terminal.",
)


class Pictures(StrEnum):
    """Ways to draw a picture in a terminal."""

    auto = "auto"
    half = "half"
    ascii = "ascii"
    sixel = "sixel"
    kitty = "kitty"


class Device(StrEnum):
    """Where the networks are trained."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


def _complete(incomplete: str) -> list[str]:
    from vaetui.store import home

    return [name for name in home.names() if name.startswith(incomplete)]


Named = Annotated[str, typer.Argument(metavar="SESSION", help="Name of the session.", autocompletion=_complete)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HowDrawn = Annotated[
    Pictures,
    typer.Option(envvar="VAETUI_PICTURES", help="How pictures are drawn; auto asks the terminal."),
]


@app.command()
def new(
    name: Annotated[str | None, typer.Argument(help="Name of the session; one is made up without it.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Directory of IDX files, gzipped or plain; the bundled MNIST without it.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Settings to start from.")] = "paper",
    rounds: Annotated[int | None, typer.Option(min=0, help="Rounds of answers.")] = None,
    clusters: Annotated[
        int | None, typer.Option(min=2, max=256, help="Clusters in a round; the elbow decides without it.")
    ] = None,
    z_dim: Annotated[int | None, typer.Option(min=1, max=256, help="Numbers in a latent vector.")] = None,
    beta: Annotated[float | None, typer.Option(min=0, help="Factor of the divergence (eq. 1).")] = None,
    gamma: Annotated[float | None, typer.Option(min=0, help="Factor of the classification loss (eq. 3).")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Where every random draw comes from.")] = None,
    device: Annotated[Device, typer.Option(help="Where the networks are trained.")] = Device.auto,
    pictures: HowDrawn = Pictures.auto,
) -> None:
    """Begin a session: train on unlabelled images, then label what was learned."""
    running.need_terminal()
    from vaetui.engine import config
    from vaetui.session import creation
    from vaetui.session.data import BUNDLED

    chosen = config.recipe(recipe)
    chosen = replace(
        chosen,
        device=device.value,
        network=replace(chosen.network, **_given(z_dim=z_dim)),
        loss=replace(chosen.loss, **_given(beta=beta, gamma=gamma)),
        cluster=replace(chosen.cluster, **_given(clusters=clusters)),
        training=replace(chosen.training, **_given(rounds=rounds)),
        **_given(seed=seed),
    )
    source = BUNDLED if data is None else str(data)
    running.drive(lambda: creation.create(name, source, chosen), _forced(pictures))


@app.command()
def resume(
    session: Annotated[
        str | None,
        typer.Argument(help="Name of the session; without it, the one used last.", autocompletion=_complete),
    ] = None,
    device: Annotated[Device | None, typer.Option(help="Where to train from now on; as before without it.")] = None,
    pictures: HowDrawn = Pictures.auto,
) -> None:
    """Go on with a session exactly where it was left."""
    running.need_terminal()
    from vaetui.session import creation

    running.drive(lambda: creation.resume(session, device.value if device else None), _forced(pictures))


@app.command()
def sessions(as_json: AsJson = False) -> None:
    """List all sessions, latest used first."""
    from vaetui.session.report import show
    from vaetui.store import home

    told = [_or_trouble(show, name) for name in home.names()]
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    elif not told:
        typer.echo("There is no session yet; begin one with: vaetui new")
    else:
        printed.sessions(told)


@app.command()
def show(session: Named, as_json: AsJson = False) -> None:
    """Tell how a session stands, also while another process trains it."""
    from vaetui.session import report

    told = report.show(session)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        printed.session(told)


@app.command()
def export(
    session: Named,
    output: Annotated[Path, typer.Option("-o", "--output", help="The CSV file to write.")],
) -> None:
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
    typer.echo(f"{output}: {len(rows):,} labels, {answered:,} by answers, the others by the classifier.")


@app.command()
def delete(
    session: Named,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a session with everything in it."""
    from vaetui.store import home
    from vaetui.store.lock import Lock

    directory = home.find(session)
    if not yes and not typer.confirm(f"Delete {session} and all its answers?"):
        typer.echo("Nothing was deleted.")
        return
    Lock(directory).release()  # refuses while somebody works in it
    home.remove(session)
    typer.echo(f"{session} is deleted.")


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"vaetui {vaetui.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; what a person can mend is one sentence on standard error, with exit status 2."""
    try:
        app()
    except Trouble as trouble:
        typer.echo(f"vaetui: {trouble}", err=True)
        sys.exit(2)


def _given(**values: Any) -> dict[str, Any]:
    """Keep the knobs that were turned."""
    return {name: value for name, value in values.items() if value is not None}


def _forced(pictures: Pictures) -> str | None:
    return None if pictures is Pictures.auto else pictures.value


def _or_trouble(show: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    try:
        return show(name)
    except Trouble as trouble:
        return {"name": name, "trouble": str(trouble)}
