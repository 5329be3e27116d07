"""Compare whole simulated runs of two versions of the code: python -m tests.benchmarks.whole_runs CHECKOUT [SET SEEDS].

CHECKOUT is the directory of an older version. Both run `vaetui simulate` with the default recipe, one after the
other, for each seed. A run is saved in assets/results/whole_runs.json when it ends; an interrupted benchmark continues
with the missing ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.datasets import find_dataset
from tests.benchmarks.results import load_results, save_results
from tests.benchmarks.study import DATASET_CACHE

CHECKOUT = Path(__file__).parents[2]
RESULTS_NAME = "whole_runs"


def simulate(checkout: Path, data: Path, seed: int) -> dict[str, Any]:
    """Return accuracies and seconds of a simulated run by a version of the code."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"PYTHONPATH": str(checkout), "VAETUI_HOME": home}
        command = [sys.executable, "-m", "vaetui", "simulate", "--data", str(data), "--seed", str(seed), "--json"]
        load = os.getloadavg()[0]
        output = subprocess.run(command, cwd=home, env=environment, check=True, stdout=subprocess.PIPE).stdout
    result = json.loads(output)
    return {
        "test_accuracy": result["test_accuracy"],
        "exported": result["exported"],
        "seconds": {part: round(seconds, 1) for part, seconds in result["seconds"].items()},
        "load_before": round(load, 1),
    }


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description="Compare whole simulated runs of two versions of the code.")
    parser.add_argument("checkout", type=Path, help="directory of the older version")
    parser.add_argument("set", nargs="?", default="mnist", help="mnist or fashion")
    parser.add_argument("seeds", nargs="?", type=int, default=5, help="seeds, from 0")
    arguments = parser.parse_args()
    versions = {"before": arguments.checkout.resolve(), "after": CHECKOUT}
    runs: dict[str, dict[str, Any]] = load_results(RESULTS_NAME).get("runs", {})
    data = find_dataset(arguments.set, DATASET_CACHE)
    for seed in range(arguments.seeds):
        for version, checkout in versions.items():
            key = f"{arguments.set}-{version}-{seed}"
            if key not in runs:
                runs[key] = simulate(checkout, data, seed)
                print(key, runs[key], flush=True)
                save_results(RESULTS_NAME, 0, {"runs": dict(sorted(runs.items()))})


if __name__ == "__main__":
    main()
