"""Compare the training rate of two versions of the code: python -m tests.benchmarks.training_rates CHECKOUT [CASE ...].

CHECKOUT is the directory of an older version, such as one made by `git worktree add`. Both versions train in turns of a
few seconds, so that other work on the machine slows both, and the median of the ratios counts. The results are written
to assets/results/training_rates.json. Without cases, all are measured (about half an hour).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.results import load_results, save_results
from tests.idx import MNIST_DIRECTORY

CHECKOUT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("training_worker.py")
TURNS = 10
SEED = 0
COLOUR_IMAGES = ("colour", "colour-32", "colour-96", "colour-128", "colour-256")


@dataclass(frozen=True, slots=True)
class Case:
    """What is trained."""

    recipe: str
    """Name of the recipe."""
    images: str
    """"grey" for MNIST, 28x28; "colour" for generated images of 64x64 pixels, "colour-N" for NxN."""
    threads: int
    """Threads of PyTorch."""

    def __str__(self) -> str:
        """Return the name of the case in results and arguments."""
        return f"{self.recipe}-{self.images}-{self.threads}"


CASES = {
    str(case): case
    for recipe, images in (
        ("propagation", "grey"),
        *(("propagation", images) for images in COLOUR_IMAGES),
        *(("photos", images) for images in COLOUR_IMAGES),
        ("paper", "grey"),
    )
    for case in (Case(recipe, images, 1), Case(recipe, images, 2))
}
"""All cases by name."""


class Worker:
    """A process that trains one version of the code on request."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wrap a started process."""
        self._process = process

    def read_line(self) -> str:
        """Return the next line that the process prints."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"The worker ended with status {self._process.wait()}.")
        return line

    def measure_rates(self) -> tuple[float, float]:
        """Return the images per second of one turn, and those per second of CPU time."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        rate, cpu_rate = map(float, self.read_line().split())
        return rate, cpu_rate


@contextmanager
def start_worker(checkout: Path, case: Case) -> Iterator[Worker]:
    """Start a worker on a checkout; it is ready to train, and is stopped at the end."""
    command = [sys.executable, "-P", str(WORKER), case.recipe, case.images, str(MNIST_DIRECTORY), str(case.threads)]
    environment = os.environ | {"PYTHONPATH": str(checkout), "GOMP_SPINCOUNT": "1000"}  # the same way to wait
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            worker = Worker(process)
            worker.read_line()
            yield worker
        finally:
            process.kill()


def compare(checkout: Path, case: Case, turns: int) -> dict[str, Any]:
    """Return the median rates of both versions in images per second, and the ratio of the new one to the old one.

    The ratio per second of CPU time depends less on other work on the machine.
    """
    with start_worker(checkout, case) as old, start_worker(CHECKOUT, case) as new:
        pairs = []
        for turn in range(turns):
            first, second = (old, new) if turn % 2 else (new, old)
            rates = {first: first.measure_rates(), second: second.measure_rates()}
            pairs.append((rates[old], rates[new]))
    ratios, cpu_ratios = ([new[part] / old[part] for old, new in pairs] for part in (0, 1))
    return {
        "case": str(case),
        "recipe": case.recipe,
        "images": case.images,
        "threads": case.threads,
        "before": round(statistics.median(old[0] for old, _ in pairs)),
        "after": round(statistics.median(new[0] for _, new in pairs)),
        "ratio": round(statistics.median(ratios), 3),
        "lowest_ratio": round(min(ratios), 3),
        "highest_ratio": round(max(ratios), 3),
        "cpu_ratio": round(statistics.median(cpu_ratios), 3),
    }


def main() -> None:
    """Measure the cases and replace them in the results file."""
    parser = argparse.ArgumentParser(description="Compare the training rate of two versions of the code.")
    parser.add_argument("checkout", type=Path, help="directory of the older version")
    parser.add_argument("cases", nargs="*", help=f"any of: {', '.join(CASES)}")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of each version")
    parser.add_argument("--dry-run", action="store_true", help="print only")
    arguments = parser.parse_args()
    rows = {row["case"]: row for row in load_results("training_rates").get("rows", [])}
    for name in arguments.cases or CASES:
        rows[name] = compare(arguments.checkout.resolve(), CASES[name], arguments.turns)
        print(*(f"{key}={value}" for key, value in rows[name].items()), flush=True)
        if not arguments.dry_run:
            save_results("training_rates", SEED, {"rows": [rows[case] for case in CASES if case in rows]})


if __name__ == "__main__":
    main()
