"""A real OpenSSH server on this machine with keys of its own, and lines to it; it does not know what runs there."""

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
SEPARATED = Path("/run/sshd")
"""Where a server that runs as root wants an empty directory."""
MISSING = "needs sshd and ssh, which .ci/run installs"


def here() -> bool:
    """Tell whether a server can be had."""
    return SSHD is not None and shutil.which("ssh") is not None


class Server:
    """One server that nobody else uses; what runs on its far side sees that place for sessions."""

    def __init__(self, directory: Path, home: Path) -> None:
        assert SSHD is not None
        directory.mkdir(mode=0o700)
        if os.geteuid() == 0:
            SEPARATED.mkdir(mode=0o755, exist_ok=True)
        for name in ("host", "user"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
            subprocess.run(key, check=True)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        config = {
            "Port": port,
            "ListenAddress": "127.0.0.1",
            "HostKey": directory / "host",
            "AuthorizedKeysFile": directory / "user.pub",
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",
            "PermitRootLogin": "prohibit-password",
        }
        (directory / "config").write_text("".join(f"{key} {value}\n" for key, value in config.items()))
        self.log = directory / "log"
        """What the server says."""
        command = [SSHD, "-D", "-f", str(directory / "config"), "-E", str(self.log)]
        self._server = subprocess.Popen(command)
        wait_until(lambda: self.log.exists() and "listening on" in self.log.read_text())
        self._line = [
            *("ssh", "-F", "none", "-i", str(directory / "user"), "-p", str(port)),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={directory / 'known'}"),
            *("-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1"),
        ]
        self._far = [
            "env",
            f"VAETUI_HOME={home}",
            f"PYTHONPATH={ROOT}",
            "PYTHONDONTWRITEBYTECODE=1",
            "OMP_NUM_THREADS=1",
            "PYTHONFAULTHANDLER=1",  # a program that hangs can be asked where
        ]

    def terminal(self, *command: str, size: tuple[int, int] = (80, 24)) -> ScriptedTerminal:
        """Run a command on the far side in a terminal over a new line; the terminal's child is the client."""
        become = "import os, sys; os.execvp('ssh', sys.argv[1:])"
        line = [*self._line[:1], "-tt", *self._line[1:], shlex.join([*self._far, *command])]
        return ScriptedTerminal(["-c", become, *line], size)

    def pipe(self, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command on the far side without a terminal, with that for its input."""
        line = [*self._line, shlex.join([*self._far, *command])]
        return subprocess.run(line, input=typed, capture_output=True, text=True, check=False, timeout=180)

    def close(self) -> None:
        self._server.terminate()
        self._server.wait()


def vaetui(*arguments: str) -> list[str]:
    """Give the command that runs the program on the far side."""
    return [sys.executable, "-m", "vaetui", *arguments]


def cut(line: ScriptedTerminal) -> None:
    """Let the client die as it does when its machine goes down."""
    os.kill(line.child, signal.SIGKILL)
    line.close()
