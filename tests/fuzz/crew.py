"""Workers that share the cases; one that hangs or dies is told of and replaced."""

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

from tests.fuzz.case import SECONDS, Verdict, drawn

ROOT = Path(__file__).parents[2]
PATIENCE = 2 * SECONDS
"""Seconds after which a worker hangs that does not even notice that its case does."""
START = 120
"""Seconds that a worker may take to begin, on a busy machine."""


class Crew:
    """So many workers, below a place where they make and damage copies of the templates."""

    def __init__(self, place: Path, seed: int, workers: int) -> None:
        self._place = place
        self._seed = seed
        self._workers = workers

    def prepare(self) -> None:
        """Make the sessions that are damaged, in a process of their own."""
        home = str(self._place / "templates")
        program = f"from pathlib import Path; from tests.fuzz import states; states.make(Path({str(self._place)!r}))"
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, check=True, env={**_environment(), "VAETUI_HOME": home}
        )

    def show(self, number: int) -> None:
        """Run one case for a person to read."""
        program = "import sys; from pathlib import Path; from tests.fuzz.case import Cases; "
        program += f"print(Cases(Path({str(self._place)!r}), {self._seed}).run({number}, loud=True))"
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, env=_environment())

    def run(self, numbers: Sequence[int]) -> Iterator[Verdict]:
        """Give the verdicts on those cases, in the order that they come in."""
        verdicts: queue.Queue[Verdict | None] = queue.Queue()
        threads = [
            threading.Thread(target=self._work, args=(numbers[at :: self._workers], verdicts), daemon=True)
            for at in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        for _ in range(len(numbers)):
            verdict = verdicts.get()
            if verdict is None:
                raise RuntimeError("a worker could not begin; run one case alone with --case")
            yield verdict

    def _work(self, numbers: Sequence[int], verdicts: queue.Queue[Verdict | None]) -> None:
        waiting = list(reversed(numbers))
        while waiting:
            complaints = self._place / f"complaints-{threading.get_ident()}"
            with complaints.open("w") as complained, subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker", str(self._place), str(self._seed)],
                cwd=ROOT, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complained,
                text=True,
            ) as process:  # fmt: skip
                try:
                    begun = self._lead(process, waiting, verdicts)
                finally:
                    process.kill()
            if not begun:
                verdicts.put(None)
                return

    def _lead(self, process: subprocess.Popen[str], waiting: list[int], verdicts: queue.Queue[Verdict | None]) -> bool:
        """Hand out case after case until the worker fails; tells whether it answered to any."""
        assert process.stdin is not None
        assert process.stdout is not None
        patience, begun = START, False
        while waiting:
            number = waiting.pop()
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], patience)
            line = process.stdout.readline() if ready else ""
            if not line and not begun:
                return False
            if not line:
                _, state, kind = drawn(self._seed, number)
                what = f"died with {process.wait()}" if ready else "hung, and its worker with it"
                verdicts.put(Verdict(number, state, kind, "", what, where=kind))
                return True
            verdicts.put(Verdict(**json.loads(line)))
            patience, begun = PATIENCE, True
        return True


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}
