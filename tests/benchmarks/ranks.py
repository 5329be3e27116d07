"""Measure training in two processes against one, on this machine: python -m tests.benchmarks.ranks [SEEDS].

Each run trains MNIST by the default recipe with `vaetui.train`, while a simulated annotator answers the rounds. The
threads are those of the machine, divided among the processes. A run is saved in assets/results/ranks.json when it ends;
an interrupted benchmark continues with the missing ones.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks.results import load_results, save_results
from vaetui.cpu_threads import count_usable_cpus
from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
from vaetui.errors import UserError
from vaetui.runtime.local_ranks import LocalRanks
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, schedule
from vaetui.session.dataset_location import BUNDLED_DATASET
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage import locations

RESULTS_NAME = "ranks"
RANKS = (1, 2)
ANNOTATOR = AnnotatorConfig("members", 16, 0.02, 8)
POLL_INTERVAL_S = 0.2


def train_and_answer(name: str, seed: int, rank_count: int) -> dict[str, Any]:
    """Return test accuracies by epoch, and the seconds of a run with `rank_count` processes."""
    config = replace(get_recipe(DEFAULT_RECIPE), seed=seed, threads=count_usable_cpus(), device="cpu")
    lifecycle.create(name, BUNDLED_DATASET, config).close()
    directory, start_s, answer_count = locations.find_session(name), time.perf_counter(), 0
    ranks = LocalRanks(directory, rank_count)
    try:
        while True:
            with closing(_open_when_ready(directory, ranks)) as session:
                drain_events(session.advance())
                if session.phase == "finished":
                    epochs = session.training_curves().finished_epochs
                    return {
                        "test_accuracy": [epoch.test_accuracy for epoch in epochs],
                        "training_seconds": round(sum(epoch.seconds for epoch in epochs), 1),
                        "seconds": round(time.perf_counter() - start_s, 1),
                    }
                for _ in Simulation(session, None, ANNOTATOR, Stopwatch(), answer_count).answer_round():
                    pass
                answer_count += ANNOTATOR.answers_per_round
                session.close_round()
    finally:
        ranks.stop()


def _open_when_ready(directory: Path, ranks: LocalRanks) -> Session:
    """Open the session once its next round is ready or the run is finished."""
    while True:
        is_running = ranks.is_running()  # looked at first: the run ends when it has recorded that it is finished
        if schedule.read_phase(directory) != "training":
            break
        if not is_running:
            raise UserError(ranks.describe_end())
        time.sleep(POLL_INTERVAL_S)
    while True:
        try:
            return lifecycle.resume_at(directory)
        except UserError:  # the run has not closed it yet
            time.sleep(POLL_INTERVAL_S)


def main() -> None:
    """Run what is missing for seeds from 0."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs: dict[str, dict[str, Any]] = load_results(RESULTS_NAME).get("runs", {})
    for seed in range(seeds):
        for rank_count in RANKS:
            key = f"{rank_count}-{seed}"
            if key in runs:
                continue
            with tempfile.TemporaryDirectory() as home:
                os.environ["VAETUI_HOME"] = home
                runs[key] = train_and_answer("ranks", seed, rank_count)
            print(key, runs[key], flush=True)
            save_results(RESULTS_NAME, 0, {"runs": runs})


if __name__ == "__main__":
    main()
