"""A real OpenSSH server on this machine with its own keys, and connections to it."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.terminal import ROOT, ScriptedTerminal
from tests.watching import wait_until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PRIVILEGE_SEPARATION_DIRECTORY = Path("/run/sshd")
"""An empty directory that sshd requires if it runs as root."""
SKIP_REASON = "needs sshd and ssh, which .ci/run installs"
MAX_STARTS = 5
"""Attempts to start the server: another process may take the free port in between."""


def is_installed() -> bool:
    """Return whether client and server are installed."""
    return SSHD is not None and shutil.which("ssh") is not None


class SSHServer:
    """A server that nothing else uses; programs started through it store their sessions in `home`."""

    def __init__(self, directory: Path, home: Path) -> None:
        """Create the keys in `directory` and start the server."""
        directory.mkdir(mode=0o700)
        if os.geteuid() == 0:
            PRIVILEGE_SEPARATION_DIRECTORY.mkdir(mode=0o755, exist_ok=True)
        for name in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
            subprocess.run(command, check=True)
        port = self._start(directory)
        self._client_command = [
            *("ssh", "-F", "none", "-i", str(directory / "user"), "-p", str(port)),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={directory / 'known'}"),
            *("-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1"),
        ]
        self._remote_environment = [
            "env",
            f"VAETUI_HOME={home}",
            f"PYTHONPATH={ROOT}",
            "PYTHONDONTWRITEBYTECODE=1",
            "OMP_NUM_THREADS=1",
            "PYTHONFAULTHANDLER=1",  # SIGABRT prints where a program hangs
        ]

    def open_terminal(self, *command: str, size: tuple[int, int] = (80, 24)) -> ScriptedTerminal:
        """Run a remote command in a terminal over a new connection; the terminal's process is the client."""
        exec_client = "import os, sys; os.execvp('ssh', sys.argv[1:])"
        remote_command = shlex.join([*self._remote_environment, *command])
        client, *options = self._client_command
        return ScriptedTerminal(["-c", exec_client, client, "-tt", *options, remote_command], size)

    def run(self, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a remote command without a terminal, with `typed` as its input."""
        client_command = [*self._client_command, shlex.join([*self._remote_environment, *command])]
        return subprocess.run(client_command, input=typed, capture_output=True, text=True, check=False, timeout=240)

    def close(self) -> None:
        """Stop the server."""
        self._server.terminate()
        self._server.wait()

    def _start(self, directory: Path) -> int:
        """Start the server on a free port, and return the port."""
        assert SSHD is not None
        for attempt in range(MAX_STARTS):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            options = {
                "Port": port,
                "ListenAddress": "127.0.0.1",
                "HostKey": directory / "host",
                "AuthorizedKeysFile": directory / "user.pub",
                "PidFile": "none",
                "UsePAM": "no",
                "StrictModes": "no",
                "PermitRootLogin": "prohibit-password",
            }
            (directory / "config").write_text("".join(f"{key} {value}\n" for key, value in options.items()))
            log = directory / f"log-{attempt}"
            log.touch()
            self._server = server = subprocess.Popen([SSHD, "-D", "-f", str(directory / "config"), "-E", str(log)])
            wait_until(lambda log=log, server=server: "listening on" in log.read_text() or server.poll() is not None)  # type: ignore[misc]
            if server.poll() is None:
                return port
        raise AssertionError(log.read_text())


def vaetui_command(*arguments: str) -> list[str]:
    """Return the command that runs the program on the server."""
    return [sys.executable, "-m", "vaetui", *arguments]


def drop_connection(terminal: ScriptedTerminal) -> None:
    """Kill the client, as if its machine had lost power."""
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.close()
