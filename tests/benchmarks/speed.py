"""Measure the speed of vaetui, as ratios within one run, and write assets/results/speed.json.

python -m tests.benchmarks.speed            measures everything (about ten minutes on two cores)
python -m tests.benchmarks.speed training   measures a part: training app start clustering memory simulated

Machines are noisy, so what is compared runs in turns, and the median of the pairs counts.
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

from tests.benchmarks.results import load_results, save_results

SEED = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    part: str
    """The measurement it belongs to."""
    what: str
    """Description of the figure."""
    measured: float
    """The figure."""
    unit: str
    """Its unit."""
    bound: float
    """The target."""
    at_least: bool
    """Whether the target is a lower bound, else an upper one."""
    detail: str
    """The figures behind it."""

    @property
    def held(self) -> bool:
        """Whether the target is met."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def measure_training() -> list[Line]:
    from tests.benchmarks import training_speed

    multiply, loader = training_speed.compare_with_multiply(), training_speed.compare_with_loader()
    return [
        _line("training", "training, relative to a matrix multiply", *multiply, "x", 0.85, True),
        _line("training", "training, relative to a DataLoader loop", *loader, "x", 1.3, True),
    ]


def measure_app() -> list[Line]:
    from tests.benchmarks import app_speed

    rate, detail = app_speed.compare_app_with_headless()
    lines = [_line("app", "training in the app, relative to headless training", rate, detail, "x", 0.95, True)]
    keys = ("the key that pauses", "the key that opens the help")
    for key, seconds in zip(keys, app_speed.measure_key_to_paint(), strict=True):
        median, late = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        detail = f"{key}, {len(seconds)} times while training"
        lines.append(_line("app", "key to repainted screen, median", 1000 * median, detail, "ms", 30, False))
        lines.append(_line("app", "key to repainted screen, 95th percentile", 1000 * late, detail, "ms", 80, False))
    return lines


def measure_start() -> list[Line]:
    from tests.benchmarks import app_speed

    frame, help_text = app_speed.measure_first_frame(), app_speed.measure_help()
    return [
        _line("start", "first frame, relative to an empty Textual app", *frame, "x", 1.5, False),
        _line("start", "vaetui --help, beyond python -c pass", *help_text, "s", 0.4, False),
    ]


def measure_clustering() -> list[Line]:
    from tests.benchmarks import labelling_speed

    seconds, forward = labelling_speed.measure_epoch_to_round()
    detail = f"{seconds:.2f} s, one forward pass of the encoder {forward:.2f} s"
    beyond = seconds - 1.5 * forward
    split, answer, split_detail = labelling_speed.measure_split_and_answers()
    return [
        _line("clustering", "epoch to labelling, beyond 1.5 forward passes", beyond, detail, "s", 2, False),
        _line("clustering", "split of 6,000 images", split, split_detail, "s", 0.5, False),
        _line("clustering", "saving an answer, median", 1000 * answer, split_detail, "ms", 20, False),
    ]


def measure_simulation() -> list[Line]:
    command = [sys.executable, "-m", "vaetui", "simulate", "--recipe", "paper", "--seed", f"{SEED}", "--json"]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = json.loads(process.stdout.splitlines()[-1])["seconds"]
    beyond = seconds["total"] - 1.15 * seconds["training"]
    detail = f"six epochs: {seconds['total']:.0f} s, of which {seconds['training']:.0f} s are training"
    return [_line("simulated", "a simulated run, beyond 1.15 times its training", beyond, detail, "s", 15, False)]


def measure_memory() -> list[Line]:
    from tests.benchmarks import app_speed

    return [_line("memory", "peak memory of the process", *app_speed.measure_peak_memory(), "MB", 900, False)]


PARTS: dict[str, Callable[[], list[Line]]] = {
    "training": measure_training,
    "app": measure_app,
    "start": measure_start,
    "clustering": measure_clustering,
    "memory": measure_memory,
    "simulated": measure_simulation,
}


def _line(part: str, what: str, measured: float, detail: str, unit: str, bound: float, at_least: bool) -> Line:
    return Line(part, what, round(measured, 4), unit, bound, at_least, detail)


def main(parts: list[str]) -> None:
    os.environ["VAETUI_HOME"] = tempfile.mkdtemp(prefix="vaetui-speed-")
    saved = load_results("speed").get("lines", [])
    for part in parts or list(PARTS):
        lines = PARTS[part]()
        for line in lines:
            sign = ">=" if line.at_least else "<="
            mark = "ok" if line.held else "FALLS SHORT"
            print(f"{line.what:52} {line.measured:9.3f} {line.unit:3} {sign} {line.bound:g}  {mark}  ({line.detail})")
        saved = [old for old in saved if old["part"] != part] + [asdict(line) | {"held": line.held} for line in lines]
        save_results("speed", SEED, {"lines": saved})


if __name__ == "__main__":
    main(sys.argv[1:])
