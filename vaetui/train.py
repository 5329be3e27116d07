"""Trains a session without a terminal: `python -m vaetui.train SESSION`, as one process or as one of several.

torchrun and Slurm scripts start several and tell each its place by RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and
MASTER_PORT.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from vaetui.cli.params import session_argument
from vaetui.cpu_threads import set_openmp_variables
from vaetui.errors import UserError
from vaetui.runtime import session_runner
from vaetui.runtime.rank_environment import CommonError, RankEnvironment, read_rank_environment
from vaetui.runtime.utf8_mode import restart_in_utf8_mode


@click.command()
@session_argument
@click.pass_obj
def train(environment: RankEnvironment, session: str) -> None:
    """Train SESSION whenever it needs no answers, until it is finished.

    The rounds are answered by `vaetui resume SESSION`, in another terminal or on another machine with the same files.
    Several processes train it together when torchrun starts them:

    torchrun --nproc-per-node 2 -m vaetui.train SESSION
    """
    from vaetui.runtime import training_process

    with session_runner.log_crash(_find_log_directory()):
        status = training_process.serve_session(session, environment)
    session_runner.exit_immediately(status)


def main() -> None:
    """Run the command; what is wrong for all processes is printed by the first one alone, with exit status 2."""
    restart_in_utf8_mode()
    session_runner.reserve_std_fds()
    environment = RankEnvironment()
    try:
        environment = read_rank_environment()
        _prepare_environment(environment)
        if environment.rank:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (open until the end)
        train.main(prog_name="python -m vaetui.train", standalone_mode=False, obj=environment)
    except click.ClickException as error:
        if environment.rank == 0:
            error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except UserError as error:
        if environment.rank == 0 or not isinstance(error, CommonError):
            with suppress(OSError):
                click.echo(f"vaetui: {error}", err=True)
        session_runner.exit_immediately(2)


def _prepare_environment(environment: RankEnvironment) -> None:
    """Set the variables that PyTorch reads when it is imported."""
    if environment.size > 1:
        if "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("OMP_NUM_THREADS") == "1":
            del os.environ["OMP_NUM_THREADS"]  # set by torchrun; vaetui divides the cores among the ranks
            set_openmp_variables(os.environ)
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # a connection is tried again without a warning


def _find_log_directory() -> Path:
    from vaetui.storage import locations

    return locations.sessions_directory().parent


if __name__ == "__main__":  # worker processes import this module, too
    main()
