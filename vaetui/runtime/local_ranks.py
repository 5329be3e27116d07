"""Processes on this machine that train a session together, as torchrun would start them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import click

from vaetui.cpu_threads import count_usable_cpus
from vaetui.errors import UserError, format_count, make_printable
from vaetui.runtime.rank_environment import LOST_RANK_TEXT, RESTART_ADVICE
from vaetui.storage import training_run

STOP_TIMEOUT_S = 20.0
"""Seconds in which the processes must save and end; then they are killed."""
POLL_INTERVAL_S = 0.05
"""Seconds between two looks at the processes."""
STDERR_BYTES = 10_000
"""Bytes of the end of the errors of a process that are searched for a message."""


def describe_crowding(ranks: int) -> str:
    """Return a sentence on more processes than CPUs, or ""."""
    cpus = count_usable_cpus()
    if ranks <= cpus:
        return ""
    return f"With {format_count(cpus, 'CPU')}, {ranks} processes train no faster than {cpus}."


def train_detached(directory: Path, count: int) -> None:
    """Start detached processes that train a session, and print how to attach once they serve it.

    Raises UserError if they end before. Ctrl-C stops them until then.
    """
    ranks = LocalRanks(directory, count, is_detached=True)
    try:
        while training_run.read_training_run(directory) is None:
            if not ranks.is_running():
                raise UserError(ranks.describe_end())
            time.sleep(POLL_INTERVAL_S)
    except BaseException:
        ranks.stop()
        raise
    name = directory.name
    click.echo(f'Training "{name}" in {format_count(count, "process", "processes")} in the background.')
    click.echo(f"Status: vaetui show {name}. Attach: vaetui resume {name}. Stop: vaetui stop {name}")


class LocalRanks:
    """N processes of `vaetui.train`; unless they are detached, they end when this process ends, whatever ends it."""

    def __init__(self, directory: Path, count: int, is_detached: bool = False) -> None:
        """Start `count` processes that train the session in a directory; if detached, this process may end before."""
        self._count = count
        self._name = directory.name
        read_fd, self._lifeline_fd = os.pipe()
        self._errors: list[IO[bytes]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        variables = {
            **os.environ,
            **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_find_free_port())},
            **{"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)},
        }
        lifeline = "-1" if is_detached else str(read_fd)
        command = [sys.executable, "-m", "vaetui.runtime.rank_process", lifeline, directory.name]
        try:
            for rank in range(count):
                errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
                self._errors.append(errors)
                self._processes.append(
                    subprocess.Popen(
                        command,
                        env={**variables, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                        pass_fds=[read_fd],
                        start_new_session=True,  # Ctrl-C and a closed terminal reach only the process that stops them
                    )
                )
        except OSError as error:
            self.stop()
            raise UserError(f"The processes that train cannot be started ({error.strerror}).") from error
        finally:
            os.close(read_fd)

    def is_running(self) -> bool:
        """Return whether all processes run."""
        return all(process.poll() is None for process in self._processes)

    def stop(self) -> None:
        """Let the processes save and end; kill those that do not within `STOP_TIMEOUT_S` seconds."""
        self._send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while any(process.poll() is None for process in self._processes) and time.monotonic() < deadline_s:
            time.sleep(POLL_INTERVAL_S)
        self._send_signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()
        self._close_files()

    def describe_end(self) -> str:
        """Return why the processes ended and how to continue, in one line."""
        cause = self._describe_cause()
        advice = f"Continue with: vaetui resume {self._name} --ranks {self._count}"
        return cause if "vaetui resume" in cause else f"{cause.removesuffix(f' {RESTART_ADVICE}')} {advice}"

    def _describe_cause(self) -> str:
        """Return why a process ended, as a sentence; what others report about it counts only if it says nothing."""
        ended = [(rank, process) for rank, process in enumerate(self._processes) if process.poll() is not None]
        causes = [self._describe_end_of(rank, process.returncode) for rank, process in ended if process.returncode]
        causes.sort(key=lambda cause: LOST_RANK_TEXT in cause)  # stable
        return causes[0] if causes else f"The processes that trained {self._name} have ended; everything is saved."

    def _describe_end_of(self, rank: int, status: int) -> str:
        """Return the signal that ended a process, else its last message or line of errors, as a sentence."""
        name = f"Process {rank + 1} of {self._count}"
        if status < 0:
            return f"{name} was ended by {signal.Signals(-status).name}; the last checkpoint is saved."
        lines = self._read_errors(rank).splitlines() or ["no message"]
        messages = [line.removeprefix("vaetui: ") for line in lines if line.startswith("vaetui: ")]
        return messages[-1] if messages else f"{name} failed: {lines[-1].rstrip('.')}; the last checkpoint is saved."

    def _read_errors(self, rank: int) -> str:
        file = self._errors[rank]
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - STDERR_BYTES, 0))
        lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(make_printable(line) for line in lines if line.strip())

    def _send_signal(self, number: int) -> None:
        for process in self._processes:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    process.send_signal(number)

    def _close_files(self) -> None:
        for file in self._errors:
            file.close()
        self._errors = []
        if self._lifeline_fd >= 0:
            os.close(self._lifeline_fd)
            self._lifeline_fd = -1


def _find_free_port() -> int:
    """Return a port of this machine that no process uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
