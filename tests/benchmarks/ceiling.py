"""Runs the recipe of neighbours on many sets, with its parts removed and with worse answers.

python -m tests.benchmarks.ceiling [UNIT ...] runs what is not yet in assets/results/neighbours.json, and keeps each
run as soon as it is over: so it can be interrupted and goes on. Each run has a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from tests.benchmarks import baselines, datasets, rates
from tests.benchmarks.results import RESULTS, stamp
from vaetui.cli import simulate_command
from vaetui.cli.data_options import ImportedData
from vaetui.engine.config import Config
from vaetui.engine.recipes import get_recipe
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.storage.data_record import DataRecord

KEPT = RESULTS / "neighbours.json"
PLACE = Path(tempfile.gettempdir()) / "vaetui-sets"
"""Where sets are made that nobody ships."""
THREADS = torch.get_num_threads()
"""On which a run computes; to be set with OMP_NUM_THREADS."""
MEMBERS = AnnotatorConfig("members", 16, 0.02)


@dataclass(frozen=True, slots=True)
class Unit:
    """One kind of run."""

    seeds: int = 2
    """How many seeds, from 0."""
    data: str = "mnist"
    """The set."""
    recipe: str = "neighbours"
    """The recipe."""
    habits: AnnotatorConfig = MEMBERS
    """Who answers, and how."""
    turned: Mapping[str, Mapping[str, Any]] | None = None
    """Knobs turned away from the recipe, by part."""
    way: Literal["simulate", "components", "labels"] = "simulate"
    """What is run: the recipe, clusters of principal components, or the recipe's networks with every label."""

    def config(self, seed: int) -> Config:
        """Give the configuration of a run."""
        config = replace(get_recipe(self.recipe), seed=seed)
        for part, knobs in (self.turned or {}).items():
            config = replace(config, **{part: replace(getattr(config, part), **knobs)})
        return config


SETS = ("fashion", "digits", "imbalanced")
REMOVED: dict[str, Mapping[str, Mapping[str, Any]]] = {
    "second view": {"warp": {"warps": 0.0}},
    "contrast": {"loss": {"contrast": 0.0}},
    "consistency": {"loss": {"consistency": 0.0}},
    "graph": {"spread": {"over": "cluster"}},
    "doubt": {"cluster": {"asked": "all"}},
    "fine clusters": {"cluster": {"finer": 1}},
    "directions": {"cluster": {"by": "place"}},
    "normalisation": {"network": {"normalised": False}},
    "hidden units": {"network": {"classified": "latent"}},
    "decline": {"training": {"decline": "none", "rate": 2e-3}},
}
"""What each part of the recipe is when it is taken out."""
UNITS = {
    "mnist": Unit(10),  # on all threads, while nothing else is done
    "one thread": Unit(2),  # what is to be held against others that run side by side
    "centre": Unit(3, habits=replace(MEMBERS, annotator="centre")),
    "wrong 0": Unit(habits=replace(MEMBERS, error_rate=0.0)),
    **{f"wrong {share}": Unit(habits=replace(MEMBERS, error_rate=share / 100)) for share in (5, 10, 20)},
    **{
        f"once {count}": Unit(
            habits=replace(MEMBERS, answers_per_round=count),
            turned={"training": {"rounds": 1}, "cluster": {"clusters": count}},
        )
        for count in (10, 20)
    },
    **{name: Unit(data=name) for name in SETS},
    **{f"{name} paper": Unit(1, data=name, recipe="paper") for name in SETS},
    **{f"{name} components": Unit(data=name, way="components") for name in ("mnist", *SETS)},
    **{f"{name} labels": Unit(1, data=name, way="labels") for name in ("mnist", *SETS)},
    "coloured": Unit(data="coloured"),
    "coloured without tint": Unit(data="coloured", turned={"warp": {"tint": 0.0}}),
    "splits": Unit(turned={"cluster": {"clusters": 12}}),
    **{f"without {name}": Unit(turned=turned) for name, turned in REMOVED.items()},
    "fashion without hidden units": Unit(data="fashion", turned=REMOVED["hidden units"]),
    **{f"{count} images": Unit(1, data=str(count)) for count in (10_000, 60_000, 240_000)},
}


def known() -> dict[str, Any]:
    """Give what was measured so far, by unit and seed."""
    told: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return told


def measure(unit: Unit, seed: int) -> None:
    """Run it once, and print what it came to as one line of JSON."""
    place, config = datasets.find(unit.data, PLACE), unit.config(seed)
    match unit.way:
        case "simulate":
            simulate_command.run_simulation(ImportedData(str(place), "", DataRecord(), config), unit.habits, None, True)
        case "components":
            print(json.dumps({"clusters": baselines.of_components(seed, place)}))
        case "labels":
            print(json.dumps({"test_accuracy": baselines.with_all_labels(config, place)}))


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        measure(UNITS[sys.argv[2]], int(sys.argv[3]))
        return
    for name in sys.argv[1:] or list(UNITS):
        for seed in range(UNITS[name].seeds):
            if f"{name}/{seed}" in known():
                continue
            begun, rate = time.monotonic(), rates.multiply()
            command = [sys.executable, "-m", "tests.benchmarks.ceiling", "--one", name, str(seed)]
            ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            told = json.loads(ran.stdout.splitlines()[-1]) | stamp() | {"gflops": round(rate), "threads": THREADS}
            KEPT.with_suffix(".partial").write_text(json.dumps(known() | {f"{name}/{seed}": told}, indent=1))
            KEPT.with_suffix(".partial").replace(KEPT)
            accuracies = " ".join(f"{share:.4f}" for share in told.get("test_accuracy", []))
            print(f"{name}/{seed}: {accuracies or told['clusters']}, {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
