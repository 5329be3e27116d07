"""`stop`: end the training of a session in the background."""

from __future__ import annotations

import click

from vaetui.cli.params import session_argument


@click.command()
@session_argument
def stop(session: str) -> None:
    """Stop the background training of a session.

    Processes of --detach, with and without --ranks, and of vaetui.train save and end, also while they wait for answers.
    """
    from vaetui.runtime import takeover
    from vaetui.storage import locations

    command = takeover.stop_training(locations.find_session(session))
    if command is None:
        click.echo(f"Session {session} is not being trained. Nothing was stopped.")
    else:
        click.echo(f"Training has stopped, and everything is saved. Continue with: {command}")
