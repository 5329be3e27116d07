"""One of the processes that train a session on this machine: `python -m vaetui.runtime.rank_process FD SESSION`.

It ends as soon as the process that started it has ended: then the other end of the pipe FD is closed. With -1 for FD,
it goes on.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

from vaetui.runtime.local_ranks import STOP_TIMEOUT_S


def main() -> None:
    """Train the session of the arguments until it is finished or the other end of the pipe is closed."""
    fd = int(sys.argv[1])
    if fd >= 0:
        threading.Thread(target=_end_with_pipe, args=(fd,), name="vaetui-lifeline", daemon=True).start()
    sys.argv = ["python -m vaetui.train", *sys.argv[2:]]
    runpy.run_module("vaetui.train", run_name="__main__")


def _end_with_pipe(fd: int) -> None:
    """Wait until the pipe is closed, then let this process save and end; kill it if it does not."""
    if hasattr(signal, "pthread_sigmask"):  # signals belong to the threads that wait for them
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    while os.read(fd, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_TIMEOUT_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
