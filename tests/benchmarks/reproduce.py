"""Runs everything that the paper reports, and the baselines beside it: python -m tests.benchmarks.reproduce [UNIT ...].

What is measured goes into assets/results/paper.json as soon as it is known, and what stands there is not run again:
so it can be interrupted and goes on. Hours on two cores. `figures` and `tables` make the README's part from it.
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
from tests.benchmarks.published import BY_SIZE, PAPER
from tests.benchmarks.results import RESULTS, stamp
from vaetui.engine.recipes import RECIPES

SEEDS = (0, 1, 2)
CENTRES = RESULTS / "centres.npz"
PLAIN = ("--gamma", "0", "--rounds", "0")
"""The loss of equation 1 alone, and nobody asked."""

Unit = Callable[[int, Path], dict[str, Any]]


def simulated(*options: str) -> Unit:
    """Make a unit of one run of the program."""

    def measure(seed: int, home: Path) -> dict[str, Any]:
        return _simulate(home, "--seed", str(seed), *options)

    return measure


def members(seed: int, home: Path) -> dict[str, Any]:
    """Run the paper's recipe, and keep the decoded centres of the first seed (figures 2 and 3)."""
    told = simulated(*([] if seed else ["--keep", "pictured"]))(seed, home)
    if not seed:
        pictured(home)
    return told


def plain(seed: int, home: Path) -> dict[str, Any]:
    """Train without the classification loss, then name clusters of what was learned."""
    name = f"plain-{seed}"
    told = _simulate(home, "--seed", str(seed), "--warmup-epochs", "6", *PLAIN, "--keep", name)
    return told | {"clusters": baselines.of_latents(home / "sessions" / name)}


def labels(seed: int, home: Path) -> dict[str, Any]:
    """Give every label: the ceiling of these networks in as many epochs."""
    return {"test_accuracy": baselines.with_all_labels(replace(RECIPES["paper"], seed=seed))}


def pca(seed: int, home: Path) -> dict[str, Any]:
    """Learn nothing: principal components and k-means."""
    return {"clusters": baselines.of_components(seed)}


UNITS: dict[str, Unit] = {
    "pca": pca,
    "members": members,
    "centre": simulated("--annotator", "centre"),
    "plain": plain,
    "labels": labels,
    **{f"z{size}": simulated("--latent-dim", str(size), "--warmup-epochs", "5", *PLAIN) for size in BY_SIZE},
    "mean": simulated("--latent", "mean"),
    "normal": simulated("--init", "normal"),
}


def pictured(home: Path) -> None:
    """Keep the centres of the first round, and those that a sixth would begin with."""
    os.environ["VAETUI_HOME"] = str(home)
    from vaetui.session import lifecycle

    session = lifecycle.resume("pictured")
    session.add_round()
    for _ in session.advance():
        pass
    kept: dict[str, Any] = {"last": np.stack([tile.picture for tile in session.round_view().clusters])}
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.storage.artifact_store import ArtifactStore
    from vaetui.storage.repository import SessionRepository

    facts = SessionRepository(session.directory)
    first = LabellingRound(ArtifactStore(session.directory, facts), facts, session.config, 1)
    kept["first"] = np.stack([tile.picture for tile in first.round_view().clusters if len(tile.path) == 1])
    facts.close()
    session.close()
    np.savez_compressed(CENTRES, **kept)


def _simulate(home: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "vaetui", "simulate", "--recipe", "paper", "--json", *options]
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "VAETUI_HOME": str(home)}
    )
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def known() -> dict[str, Any]:
    """Give what was measured so far, by unit and seed."""
    told: dict[str, Any] = json.loads(PAPER.read_text()) if PAPER.exists() else {}
    return told


def main() -> None:
    wanted = sys.argv[1:] or list(UNITS)
    with tempfile.TemporaryDirectory(prefix="reproduce-") as home:
        for seed in SEEDS:
            for unit in wanted:
                name = f"{unit}/{seed}"
                if name in known():
                    continue
                begun = time.monotonic()
                told = UNITS[unit](seed, Path(home))
                told |= stamp()
                PAPER.with_suffix(".partial").write_text(json.dumps(known() | {name: told}, indent=1))
                PAPER.with_suffix(".partial").replace(PAPER)
                print(f"{name}: {time.monotonic() - begun:.0f} s, {_gist(told)}", flush=True)


def _gist(told: dict[str, Any]) -> str:
    return " ".join(f"{key} {told[key]}" for key in ("test_accuracy", "reading_accuracy", "clusters") if key in told)


if __name__ == "__main__":
    main()
