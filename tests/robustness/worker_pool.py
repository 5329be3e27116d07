"""Worker processes that share the cases; a worker that hangs or dies is reported and replaced."""

from __future__ import annotations

import json
import os
import queue
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.robustness.cases import CASE_TIMEOUT_S, Verdict, draw_case

ROOT = Path(__file__).parents[2]
WORKER_TIMEOUT_S = 3 * CASE_TIMEOUT_S
"""After this time a worker hangs that does not even notice the time limit of its case."""
START_TIMEOUT_S = 240
"""How long a worker may take to start on a busy machine."""


class WorkerPool:
    """Workers that corrupt copies of the templates below a directory."""

    def __init__(self, directory: Path, seed: int, workers: int) -> None:
        self._directory = directory
        self._seed = seed
        self._workers = workers

    def create_templates(self) -> None:
        """Create the sessions to be corrupted, in a process of their own."""
        program = (
            "from pathlib import Path; from tests.robustness import session_templates; "
            f"session_templates.create_templates(Path({str(self._directory)!r}))"
        )
        environment = {**_environment(), "VAETUI_HOME": str(self._directory / "templates")}
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, env=environment)

    def run_verbosely(self, number: int) -> None:
        """Run one case and print its verdict, with the traceback if there is one."""
        program = (
            "from pathlib import Path; from tests.robustness.cases import Cases; "
            f"print(Cases(Path({str(self._directory)!r}), {self._seed}).run({number}, verbose=True))"
        )
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, env=_environment())

    def run(self, numbers: Sequence[int]) -> Iterator[Verdict]:
        """Yield the verdicts of the cases as they arrive."""
        verdicts: queue.Queue[Verdict | None] = queue.Queue()
        threads = [
            threading.Thread(target=self._run_workers, args=(numbers[start :: self._workers], verdicts), daemon=True)
            for start in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        for _ in range(len(numbers)):
            verdict = verdicts.get()
            if verdict is None:
                raise RuntimeError("a worker could not start; run one case alone with --case")
            yield verdict

    def _run_workers(self, numbers: Sequence[int], verdicts: queue.Queue[Verdict | None]) -> None:
        waiting = list(reversed(numbers))
        while waiting:
            stderr_path = self._directory / f"stderr-{threading.get_ident()}"
            with stderr_path.open("w") as stderr, subprocess.Popen(
                [sys.executable, "-m", "tests.robustness.worker", str(self._directory), str(self._seed)],
                cwd=ROOT, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
            ) as process:  # fmt: skip
                try:
                    has_started = self._feed(process, waiting, verdicts)
                finally:
                    process.kill()
            if not has_started:
                verdicts.put(None)
                return

    def _feed(self, process: subprocess.Popen[str], waiting: list[int], verdicts: queue.Queue[Verdict | None]) -> bool:
        """Send one case after another until the worker fails; return whether it finished any."""
        assert process.stdin is not None
        assert process.stdout is not None
        timeout_s, has_started = START_TIMEOUT_S, False
        while waiting:
            number = waiting.pop()
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], timeout_s)
            line = process.stdout.readline() if ready else ""
            if not line and not has_started:
                return False
            if not line:
                _, template, kind = draw_case(self._seed, number)
                failure = f"died with {process.wait()}" if ready else "hung, and its worker with it"
                verdicts.put(Verdict(number, template, kind, "", failure, location=kind))
                return True
            verdicts.put(Verdict(**json.loads(line)))
            timeout_s, has_started = WORKER_TIMEOUT_S, True
        return True


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
