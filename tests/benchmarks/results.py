"""Write the figures of a benchmark with date, machine and seed to `assets/results/`."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "assets/results"


def describe_run() -> dict[str, str]:
    """Return the date and the machine of a measurement."""
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    return {"date": f"{datetime.date.today()}", "machine": machine}


def save_results(name: str, seed: int, figures: dict[str, Any]) -> None:
    """Replace a results file by these figures."""
    replace_json(RESULTS / f"{name}.json", describe_run() | {"seed": seed} | figures)


def load_results(name: str) -> dict[str, Any]:
    """Return the content of a results file; empty if it does not exist."""
    path = RESULTS / f"{name}.json"
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return content


def list_runs(name: str, unit: str) -> list[dict[str, Any]]:
    """Return the runs of a unit in a results file, whose keys are UNIT/SEED, in the order of their seeds."""
    runs = []
    for key, run in load_results(name).items():
        run_unit, _, seed = key.rpartition("/")
        if run_unit == unit:
            runs.append((int(seed), run))
    return [run for _, run in sorted(runs, key=lambda pair: pair[0])]


def replace_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a JSON file in one step, so that an interrupted benchmark never leaves half a file."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    partial.replace(path)
