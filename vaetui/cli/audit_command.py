"""`audit`: check labels by hand to measure how many are right, or print what earlier audits measured."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import click

from vaetui.cli.params import session_argument
from vaetui.cli.ui_options import UiMode, add_foreground_options
from vaetui.engine.audit_plans import PLANS
from vaetui.errors import UserError

if TYPE_CHECKING:
    from vaetui.session.session import Session


@click.command()
@session_argument
@click.option(
    "--plan", type=click.Choice(list(PLANS)), help="quick: 30 single images and 3 pages of 32; full: 10 pages."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results of all finished audits as JSON; ask nothing.")
@add_foreground_options
def audit(session: str, plan: str | None, as_json: bool, ui_mode: UiMode) -> None:
    """Measure how many labels are right, by checking some.

    An audit that was left goes on, whatever its plan. Nothing is trained. Without --plan, the result of the present
    labels is shown if there is one, else the plan is asked for.
    """
    from vaetui.runtime import takeover
    from vaetui.session import lifecycle
    from vaetui.session.session_snapshot import SessionSnapshot
    from vaetui.session.session_status import load_status
    from vaetui.session.stored_audits import load_results
    from vaetui.storage import locations
    from vaetui.tui.presenters.audit_text import AUDIT_TOO_EARLY_MESSAGE

    directory = locations.find_session(session)
    if as_json:
        if plan is not None:
            raise click.UsageError("--json prints finished audits and starts none. Leave out --plan.")
        with closing(SessionSnapshot(directory)) as snapshot:
            results = load_results(snapshot.repository)
        click.echo(json.dumps([result.to_dict() for result in results], indent=2))
        return

    def open_session() -> Session:
        if load_status(session)["phase"] == "training":  # before background training is stopped for nothing
            raise UserError(
                f"Session {session} is training. Its labels can be audited in the next round, or after the last one."
            )
        takeover.stop_background_training(directory)
        opened_session = lifecycle.resume_at(directory)
        if opened_session.round_number == 1 and opened_session.audits.view is None:
            opened_session.close()
            raise UserError(AUDIT_TOO_EARLY_MESSAGE)
        return opened_session

    ui_mode.run_session(open_session, audit_plan=plan or "")
