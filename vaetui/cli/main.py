"""The command group `vaetui` and its commands; heavy modules are imported inside the commands."""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

import vaetui
from vaetui.cli import (
    audit_command,
    config_command,
    console_output,
    embed_command,
    export_command,
    inspect_command,
    model_commands,
    picker_command,
    rank_command,
    stop_command,
    watch_command,
)
from vaetui.cli.command_group import CommandGroup
from vaetui.cli.config_options import DEVICE_CHOICE, add_config_options, build_config
from vaetui.cli.data_options import DataOptions, add_data_options
from vaetui.cli.params import SessionNameType, bounded_option, session_argument
from vaetui.cli.photo_recipe import choose_recipe_for_images
from vaetui.cli.rank_command import ranks_option
from vaetui.cli.ui_options import UiMode, add_ui_options
from vaetui.engine.audit_plans import PLANS, PlanName
from vaetui.engine.config import Bounds, decodes_centres
from vaetui.engine.recipes import get_recipe
from vaetui.errors import UserError, format_count
from vaetui.runtime import session_runner
from vaetui.runtime.utf8_mode import restart_in_utf8_mode
from vaetui.simulation.annotator_config import (
    ANNOTATOR_NAMES,
    MIXED_ANSWERS,
    REVIEW_KINDS,
    AnnotatorConfig,
    AnnotatorName,
    MixedAnswer,
    ReviewKind,
    choose_mixed_answer,
    choose_review_answers,
)

if TYPE_CHECKING:
    from vaetui.engine.config import Device
    from vaetui.session.session import Session


DEFAULT_ANSWERS = 16
"""Answers of a simulated round of a recipe that leaves the number of clusters open."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True},
    invoke_without_command=True,
)
@click.version_option(vaetui.__version__, message="vaetui %(version)s")
@click.pass_context
def app(context: click.Context) -> None:
    """Label a large image set in a terminal by naming clusters.

    Without a command, all sessions are listed to choose one, or to create one.
    """
    if context.invoked_subcommand is not None:
        return
    from vaetui.tui.terminal import capabilities

    if capabilities.has_terminal():
        picker_command.run_picker(context, {"new": new, "resume": resume})
    else:
        click.echo(context.get_help(), err=True)
        context.exit(2)


@app.command()
@click.argument("name", required=False)
@add_data_options
@add_config_options
@ranks_option
@add_ui_options
def new(name: str | None, data_options: DataOptions, ranks: int | None, ui_mode: UiMode, **config_values: Any) -> None:
    """Create a session: train on images, then label clusters.

    Without NAME, the session is named after the data and the date.
    """
    from vaetui.session import lifecycle
    from vaetui.storage import locations

    config = build_config(has_features=data_options.features.text is not None, **config_values)
    if name is not None:
        locations.require_free_name(name)  # Checked before the import, which can take minutes.

    def create_session() -> Session:
        data = choose_recipe_for_images(data_options.import_images(config), config_values)
        if ui_mode.plain or ui_mode.detach:
            data.print_import_lines()  # the app shows them on its first screen
        return lifecycle.create(name, data.source, data.config, data.data_record, data.title)

    rank_command.run_session(create_session, ranks, ui_mode)


@app.command()
@click.argument("session", type=SessionNameType(), required=False)
@click.option("--device", type=DEVICE_CHOICE, help="Device to train on from now on (default: unchanged).")
@ranks_option
@add_ui_options
def resume(session: str | None, device: Device | None, ranks: int | None, ui_mode: UiMode) -> None:
    """Continue where you left off.

    Without SESSION, the session used last that is not open elsewhere is resumed. Background training of the session is
    stopped first; processes of vaetui.train go on, and their rounds are answered here.
    """
    from vaetui.runtime import takeover
    from vaetui.session import lifecycle
    from vaetui.storage import locations, training_run

    # Checked before the terminal: an unknown name is refused anywhere.
    name, notice = takeover.choose_latest_session() if session is None else (session, "")
    directory = locations.find_session(name)

    def resume_session() -> Session:
        takeover.stop_background_training(directory)
        return lifecycle.resume_at(directory, device)

    if (run := training_run.read_training_run(directory)) is not None:
        rank_command.attach(directory, run, ranks, device, ui_mode, notice)
    else:
        rank_command.run_session(resume_session, ranks, ui_mode, device, notice)


@app.command()
@add_data_options
@add_config_options
@click.option(
    "--annotator",
    type=click.Choice(ANNOTATOR_NAMES),
    default="members",
    help="What the annotator judges: the nearest 8 members of a cluster, or its decoded centre alone.",
)
@bounded_option(
    "--answers",
    bounds=Bounds(0, math.inf),
    help="Maximum answers per round (default: the clusters of a round of the recipe, or 16).",
)
@bounded_option(
    "--error-rate", bounds=Bounds(0.0, 1.0), default=0.02, help="Probability that an answer names a wrong class."
)
@bounded_option(
    "--review",
    "review_answers",
    metavar="N",
    bounds=Bounds(0, math.inf),
    help="Answers of each round, from the second on, that are spent on single images. "
    "Default: half of them with the annotator members and the recipe photos or features, else 0.",
)
@click.option(
    "--review-kind",
    type=click.Choice(REVIEW_KINDS),
    default="varied",
    help="varied: pages of doubtful images of all classes that differ from each other; class-varied: of one class; "
    "pages: the most suspicious images of one class; images: the most doubtful images one by one.",
)
@click.option(
    "--mixed",
    type=click.Choice(MIXED_ANSWERS),
    help="What becomes of a cluster whose members do not agree: it is split, or its nearest image alone is named. "
    "Default: nearest with the annotator members for photographs and with --features, else split.",
)
@click.option("--audit", "audit_plan", type=click.Choice(tuple(PLANS)), help="Audit the labels at the end.")
@click.option("--keep", metavar="NAME", help="Keep the session under this name (default: delete it).")
@click.option("--json", "as_json", is_flag=True, help="Print only one JSON object.")
def simulate(
    data_options: DataOptions,
    annotator: AnnotatorName,
    answers: int | None,
    error_rate: float,
    review_answers: int | None,
    review_kind: ReviewKind,
    mixed: MixedAnswer | None,
    audit_plan: PlanName | None,
    keep: str | None,
    as_json: bool,
    **config_values: Any,
) -> None:
    """Simulate an annotator and report the accuracy.

    The images need true labels. Only the annotator and the evaluation use them, never the training.
    """
    from vaetui.cli import simulate_command
    from vaetui.storage import locations

    config = build_config(has_features=data_options.features.text is not None, **config_values)
    if keep is not None:
        locations.require_free_name(keep)  # Checked before the import and the training of the reader.
    options = replace(data_options, import_options=replace(data_options.import_options, labels=True))
    if answers is None:
        answers = get_recipe(config.recipe).cluster.clusters or DEFAULT_ANSWERS
    if mixed == "nearest" and annotator == "centre":
        raise click.UsageError("--mixed nearest needs --annotator members: the centre alone shows no image to name.")
    data = choose_recipe_for_images(options.import_images(config), config_values)
    if review_answers is None:
        review_answers = choose_review_answers(annotator, answers, data.config)
    network = data.config.network
    shows_images = network.inputs == "vectors" or not decodes_centres(network)  # the same answers with --decoder
    mixed = mixed or choose_mixed_answer(annotator, shows_images)
    annotator_config = AnnotatorConfig(annotator, answers, error_rate, review_answers, review_kind, audit_plan, mixed)
    if not as_json:
        data.print_import_lines()
    simulate_command.run_simulation(data, annotator_config, keep, as_json)


@app.command()
@json_option
def sessions(as_json: bool) -> None:
    """List all sessions, most recently used first."""
    from vaetui.session.session_status import load_status
    from vaetui.storage import locations

    summaries: list[dict[str, Any]] = []
    for name in locations.list_session_names():
        try:
            summaries.append(load_status(name))
        except UserError as error:
            summaries.append({"name": name, "error": str(error)})
    if as_json:
        click.echo(json.dumps(summaries, indent=2))
    elif not summaries:
        click.echo("There is no session yet. Create one with: vaetui new")
    else:
        console_output.print_sessions(summaries)


@app.command()
@session_argument
@json_option
def show(session: str, as_json: bool) -> None:
    """Show a session's status, even while it trains."""
    from vaetui.session.session_status import load_agreements, load_status

    summary = load_status(session) | {"agreements": load_agreements(session)}
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        console_output.print_session(summary)


@app.command()
@session_argument
@click.option("--repair", is_flag=True, help="Repair damage where possible; damaged files are kept aside.")
@json_option
def check(session: str, repair: bool, as_json: bool) -> None:
    """Verify every file of a session.

    The exit status is 1 if damage remains.
    """
    from vaetui.session.verification import verify_session

    findings = session_runner.run_with_progress(verify_session(session, repair))
    remaining = [finding for finding in findings if finding.is_lost or not repair]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        console_output.print_findings(session, findings, remaining, repair)
    sys.exit(int(bool(remaining)))


@app.command()
@session_argument
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def delete(session: str, yes: bool) -> None:
    """Delete a session and all its answers."""
    from vaetui.session import deletion

    with deletion.lock_for_deletion(session) as answer_count:
        answers = "" if answer_count is None else f" and its {format_count(answer_count, 'answer')}"
        if not yes and not click.confirm(f"Delete session {session}{answers}?"):
            click.echo("Nothing was deleted.")
            return
        deletion.delete_session(session)
    click.echo(f"Session {session} was deleted.")


for command in (
    inspect_command.inspect,
    embed_command.embed,
    export_command.export,
    audit_command.audit,
    model_commands.predict,
    model_commands.export_model,
    model_commands.samples,
    config_command.config,
    watch_command.watch,
    stop_command.stop,
):
    app.add_command(command)


def main() -> None:
    """Run the command line; a UserError is printed as one line on standard error, with exit status 2."""
    restart_in_utf8_mode()
    from vaetui.storage import locations

    session_runner.reserve_std_fds()
    try:
        with session_runner.log_crash(locations.sessions_directory().parent):
            app(prog_name="vaetui")
    except UserError as error:
        with suppress(OSError):  # Standard error may be what cannot be written.
            click.echo(f"vaetui: {error}", err=True)
        sys.exit(2)
