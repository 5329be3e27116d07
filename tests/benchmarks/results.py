"""Keeps what a benchmark measured, with when, on what and from which seed; it measures nothing."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "assets/results"


def stamp() -> dict[str, str]:
    """Tell when and on what something was measured."""
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    return {"date": f"{datetime.date.today()}", "machine": machine}


def keep(name: str, seed: int, figures: dict[str, Any]) -> None:
    """Write the figures to a file of that name, in one piece."""
    path = RESULTS / f"{name}.json"
    path.with_suffix(".partial").write_text(json.dumps(stamp() | {"seed": seed} | figures, indent=2) + "\n")
    path.with_suffix(".partial").replace(path)
