"""Measures how fast vaetui is, as ratios within one run, and writes assets/results/speed.json.

python -m tests.benchmarks.speed            measures everything (about ten minutes on two cores)
python -m tests.benchmarks.speed training   measures some of it: training app start clustering memory simulated

Machines are noisy: what is compared runs in turn, and the median of the pairs counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tests.benchmarks import results
from tests.benchmarks.results import RESULTS

SEED = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One measured line of the table."""

    part: str
    """Which measurement it belongs to."""
    what: str
    """What was measured, for a person."""
    measured: float
    """The figure."""
    unit: str
    """Its unit."""
    bound: float
    """What it has to reach."""
    at_least: bool
    """Whether the figure has to be at least the bound, or else at most."""
    detail: str
    """The figures behind it."""

    @property
    def held(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def training() -> list[Line]:
    from tests.benchmarks import rates

    return [
        _line("training", "training, of what a matrix multiply allows", *rates.against_multiply(), "x", 0.85, True),
        _line("training", "training, against a DataLoader loop", *rates.against_loader(), "x", 1.3, True),
    ]


def app() -> list[Line]:
    from tests.benchmarks import screens

    rate, detail = screens.app_against_headless()
    lines = [_line("app", "training inside the app, of the headless rate", rate, detail, "x", 0.95, True)]
    for what, keys in zip(("the key that pauses", "the key that opens the help"), screens.key_to_paint(), strict=True):
        median, late = statistics.median(keys), statistics.quantiles(keys, n=20)[-1]
        told = f"{what}, {len(keys)} times while training"
        lines.append(_line("app", "key to repainted screen, median", 1000 * median, told, "ms", 30, False))
        lines.append(_line("app", "key to repainted screen, 95th percentile", 1000 * late, told, "ms", 80, False))
    return lines


def start() -> list[Line]:
    from tests.benchmarks import screens

    return [
        _line("start", "first frame, of an empty Textual app's", *screens.first_frame(), "x", 1.5, False),
        _line("start", "vaetui --help, beyond python -c pass", *screens.help_beyond_pass(), "s", 0.4, False),
    ]


def clustering() -> list[Line]:
    from tests.benchmarks import rounds

    seconds, forward = rounds.epoch_to_round()
    detail = f"{seconds:.2f} s, one forward pass of the encoder {forward:.2f} s"
    over = seconds - 1.5 * forward
    split, answer, told = rounds.split_and_answer()
    return [
        _line("clustering", "epoch to labelling, beyond 1.5 forward passes", over, detail, "s", 2, False),
        _line("clustering", "split of 6,000 images", split, told, "s", 0.5, False),
        _line("clustering", "an answer on the disk, median", 1000 * answer, told, "ms", 20, False),
    ]


def simulated() -> list[Line]:
    command = [sys.executable, "-m", "vaetui", "simulate", "--recipe", "paper", "--seed", f"{SEED}", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = json.loads(ran.stdout.splitlines()[-1])["seconds"]
    over = seconds["total"] - 1.15 * seconds["training"]
    detail = f"six epochs: {seconds['total']:.0f} s, of which {seconds['training']:.0f} s are training"
    return [_line("simulated", "a simulated run, beyond 1.15 times its pure training", over, detail, "s", 15, False)]


def memory() -> list[Line]:
    from tests.benchmarks import screens

    return [_line("memory", "peak memory of the whole process", *screens.peak_memory(), "MB", 900, False)]


PARTS: dict[str, Callable[[], list[Line]]] = {
    "training": training,
    "app": app,
    "start": start,
    "clustering": clustering,
    "memory": memory,
    "simulated": simulated,
}


def _line(part: str, what: str, measured: float, detail: str, unit: str, bound: float, at_least: bool) -> Line:
    return Line(part, what, round(measured, 4), unit, bound, at_least, detail)


def main(parts: list[str]) -> None:
    os.environ["VAETUI_HOME"] = tempfile.mkdtemp(prefix="vaetui-speed-")
    before = RESULTS / "speed.json"
    kept = json.loads(before.read_text())["lines"] if before.exists() else []
    for part in parts or list(PARTS):
        lines = PARTS[part]()
        for line in lines:
            sign = ">=" if line.at_least else "<="
            mark = "holds" if line.held else "FALLS SHORT"
            print(f"{line.what:52} {line.measured:9.3f} {line.unit:3} {sign} {line.bound:g}  {mark}  ({line.detail})")
        kept = [old for old in kept if old["part"] != part] + [asdict(line) | {"held": line.held} for line in lines]
        results.keep("speed", SEED, {"lines": kept})


if __name__ == "__main__":
    main(sys.argv[1:])
