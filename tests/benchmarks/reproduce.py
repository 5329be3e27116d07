"""Measure everything that the paper reports, and its baselines: python -m tests.benchmarks.reproduce [UNIT ...].

Each result is saved to assets/results/paper.json at once and not measured again, so an interrupted run continues. It
takes hours on two cores. `figures` and `tables` make the documentation's part from it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import baselines
from tests.benchmarks.paper_results import READING_ACCURACY_BY_Z_DIM
from tests.benchmarks.results import RESULTS, describe_run, load_results, replace_json
from vaetui.engine.recipes import RECIPES

SEEDS = (0, 1, 2)
CENTRES_PATH = RESULTS / "centres.npz"
AUTOENCODER_ONLY = ("--gamma", "0", "--rounds", "0")
"""The loss of equation 1 alone, without questions."""

Unit = Callable[[int, Path], dict[str, Any]]


def simulation_unit(*options: str) -> Unit:
    """Return a unit that runs the program once."""

    def measure(seed: int, home: Path) -> dict[str, Any]:
        return _simulate(home, "--seed", str(seed), *options)

    return measure


def measure_members(seed: int, home: Path) -> dict[str, Any]:
    """Run the paper's recipe, and save the decoded centres of the first seed (figures 2 and 3)."""
    result = simulation_unit(*([] if seed else ["--keep", "centres"]))(seed, home)
    if not seed:
        save_centres(home)
    return result


def measure_plain(seed: int, home: Path) -> dict[str, Any]:
    """Train without the classification loss, then name clusters of the latent vectors."""
    name = f"plain-{seed}"
    result = _simulate(home, "--seed", str(seed), "--warmup-epochs", "6", *AUTOENCODER_ONLY, "--keep", name)
    return result | {"clusters": baselines.score_latent_clusters(home / "sessions" / name)}


def measure_labels(seed: int, home: Path) -> dict[str, Any]:
    """Train with every label: the upper bound of these networks in as many epochs."""
    return {"test_accuracy": baselines.train_with_all_labels(replace(RECIPES["paper"], seed=seed))}


def measure_pca(seed: int, home: Path) -> dict[str, Any]:
    """Train nothing: principal components and k-means."""
    return {"clusters": baselines.score_pca_clusters(seed)}


UNITS: dict[str, Unit] = {
    "pca": measure_pca,
    "members": measure_members,
    "centre": simulation_unit("--annotator", "centre"),
    "plain": measure_plain,
    "labels": measure_labels,
    **{
        f"z{z_dim}": simulation_unit("--latent-dim", str(z_dim), "--warmup-epochs", "5", *AUTOENCODER_ONLY)
        for z_dim in READING_ACCURACY_BY_Z_DIM
    },
    "mean": simulation_unit("--latent", "mean"),
    "normal": simulation_unit("--init", "normal"),
}


def save_centres(home: Path) -> None:
    """Save the decoded centres of the first round, and those that a sixth would start with."""
    os.environ["VAETUI_HOME"] = str(home)
    from vaetui.session import lifecycle
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.storage.artifact_store import ArtifactStore
    from vaetui.storage.repository import SessionRepository

    session = lifecycle.resume("centres")
    session.add_round()
    for _ in session.advance():
        pass
    last = np.stack([cluster.picture for cluster in session.round_view().clusters])
    repository = SessionRepository(session.directory)
    first_round = LabellingRound(ArtifactStore(session.directory, repository), repository, session.config, 1)
    first = np.stack([cluster.picture for cluster in first_round.build_round_view().clusters if len(cluster.path) == 1])
    repository.close()
    session.close()
    np.savez_compressed(CENTRES_PATH, first=first, last=last)


def _simulate(home: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "vaetui", "simulate", "--recipe", "paper", "--json", *options]
    environment = {**os.environ, "VAETUI_HOME": str(home)}
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def main() -> None:
    units = sys.argv[1:] or list(UNITS)
    with tempfile.TemporaryDirectory(prefix="reproduce-") as home:
        for seed in SEEDS:
            for unit in units:
                name = f"{unit}/{seed}"
                if name in load_results("paper"):
                    continue
                start = time.monotonic()
                result = UNITS[unit](seed, Path(home)) | describe_run()
                replace_json(RESULTS / "paper.json", load_results("paper") | {name: result})
                keys = ("test_accuracy", "reading_accuracy", "clusters")
                summary = " ".join(f"{key} {result[key]}" for key in keys if key in result)
                print(f"{name}: {time.monotonic() - start:.0f} s, {summary}", flush=True)


if __name__ == "__main__":
    main()
