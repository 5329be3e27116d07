"""Keeps what a benchmark measured, with when, on what and from which seed; it measures nothing."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "assets/results"


def keep(name: str, seed: int, figures: dict[str, Any]) -> None:
    """Write the figures to a file of that name."""
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    told = {"date": f"{datetime.date.today()}", "machine": machine, "seed": seed, **figures}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(told, indent=2) + "\n")
