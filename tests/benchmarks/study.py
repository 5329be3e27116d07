"""Measure the default recipe on several image sets, with parts removed and with wrong answers.

python -m tests.benchmarks.study [UNIT ...] runs what is missing in assets/results/propagation.json. It saves each run
at its end, so an interrupted study continues. Each run has its own process.
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

from tests.benchmarks import baselines, training_speed
from tests.benchmarks.datasets import find_dataset
from tests.benchmarks.results import RESULTS, describe_run, load_results, replace_json
from vaetui.cli import simulate_command
from vaetui.cli.data_options import ImportedData
from vaetui.engine.config import Config
from vaetui.engine.recipes import get_recipe
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.storage.data_record import DataRecord

DATASET_CACHE = Path(tempfile.gettempdir()) / "vaetui-sets"
THREADS = torch.get_num_threads()
"""Set by OMP_NUM_THREADS."""
MEMBERS = AnnotatorConfig("members", 16, 0.02)
Overrides = Mapping[str, Mapping[str, Any]]
"""Configuration fields by section."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One kind of run."""

    seeds: int = 2
    """Number of seeds, from 0."""
    data: str = "mnist"
    """Name of the image set."""
    recipe: str = "propagation"
    """Name of the recipe."""
    annotator: AnnotatorConfig = MEMBERS
    """The simulated annotator."""
    overrides: Overrides | None = None
    """Changes to the recipe."""
    method: Literal["simulate", "components", "labels"] = "simulate"
    """The recipe, clusters of principal components, or the recipe's networks with every label."""

    def build_config(self, seed: int) -> Config:
        """Return the configuration of a run."""
        config = replace(get_recipe(self.recipe), seed=seed)
        for section, values in (self.overrides or {}).items():
            config = replace(config, **{section: replace(getattr(config, section), **values)})
        return config


DATASETS = ("fashion", "digits", "imbalanced")
ABLATIONS: dict[str, Overrides] = {
    "second view": {"augmentation": {"strength": 0.0}},
    "contrast": {"loss": {"contrastive_weight": 0.0}},
    "consistency": {"loss": {"consistency_weight": 0.0}},
    "graph": {"propagation": {"method": "cluster"}},
    "doubt": {"cluster": {"query_strategy": "all"}},
    "fine clusters": {"cluster": {"oversample": 1}},
    "directions": {"cluster": {"distance_metric": "euclidean"}},
    "normalisation": {"network": {"batch_norm": False}},
    "hidden units": {"network": {"classifier_input": "latent"}},
    "decline": {"training": {"lr_schedule": "none", "learning_rate": 2e-3}},
}
"""How each part of the recipe is removed."""
UNITS = {
    "mnist": Unit(10),  # on all threads of an idle machine
    "one thread": Unit(2),  # comparable with units that run side by side
    "centre": Unit(3, annotator=replace(MEMBERS, annotator="centre")),
    "wrong 0": Unit(annotator=replace(MEMBERS, error_rate=0.0)),
    **{f"wrong {percent}": Unit(annotator=replace(MEMBERS, error_rate=percent / 100)) for percent in (5, 10, 20)},
    **{
        f"once {count}": Unit(
            annotator=replace(MEMBERS, answers_per_round=count),
            overrides={"training": {"rounds": 1}, "cluster": {"clusters": count}},
        )
        for count in (10, 20)
    },
    **{name: Unit(data=name) for name in DATASETS},
    **{f"{name} paper": Unit(1, data=name, recipe="paper") for name in DATASETS},
    **{f"{name} components": Unit(data=name, method="components") for name in ("mnist", *DATASETS)},
    **{f"{name} labels": Unit(1, data=name, method="labels") for name in ("mnist", *DATASETS)},
    "coloured": Unit(data="coloured"),
    "coloured without tint": Unit(data="coloured", overrides={"augmentation": {"colour_jitter": 0.0}}),
    "splits": Unit(overrides={"cluster": {"clusters": 12}}),
    **{f"without {name}": Unit(overrides=overrides) for name, overrides in ABLATIONS.items()},
    "fashion without hidden units": Unit(data="fashion", overrides=ABLATIONS["hidden units"]),
    **{f"{count} images": Unit(1, data=str(count)) for count in (10_000, 60_000, 240_000)},
}


def run_unit(unit: Unit, seed: int) -> None:
    """Run a unit once, and print the result as one line of JSON."""
    directory, config = find_dataset(unit.data, DATASET_CACHE), unit.build_config(seed)
    match unit.method:
        case "simulate":
            data = ImportedData(str(directory), "", DataRecord(), config)
            simulate_command.run_simulation(data, unit.annotator, None, True)
        case "components":
            print(json.dumps({"clusters": baselines.score_pca_clusters(seed, directory)}))
        case "labels":
            print(json.dumps({"test_accuracy": baselines.train_with_all_labels(config, directory)}))


def measure_units(units: Mapping[str, Unit], module: str, results_name: str) -> None:
    """Run what is missing in a results file of the units named on the command line, or of all.

    `module` is the program that calls this.
    """
    if sys.argv[1:2] == ["--one"]:
        run_unit(units[sys.argv[2]], int(sys.argv[3]))
        return
    for name in sys.argv[1:] or list(units):
        for seed in range(units[name].seeds):
            if f"{name}/{seed}" in load_results(results_name):
                continue
            start, gflops = time.monotonic(), training_speed.measure_matrix_multiply()
            command = [sys.executable, "-m", module, "--one", name, str(seed)]
            process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            result = json.loads(process.stdout.splitlines()[-1]) | describe_run()
            result |= {"gflops": round(gflops), "threads": THREADS}
            replace_json(RESULTS / f"{results_name}.json", load_results(results_name) | {f"{name}/{seed}": result})
            accuracies = " ".join(f"{share:.4f}" for share in result.get("test_accuracy", []))
            print(f"{name}/{seed}: {accuracies or result['clusters']}, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    measure_units(UNITS, "tests.benchmarks.study", "propagation")
