"""Compare sessions with and without downsampling: python -m tests.benchmarks.downsampling CACHE [SET:RECIPE ...].

Both learn from the same images with the same seed, and get 64 answers of the annotator "members" in four rounds. The
sets are found as in `datasets`; by default coloured digits with the default recipe, and photographs of CIFAR-10 with
the recipe for photographs, both enlarged to 64x64 pixels. The results are written to assets/results/downsampling.json
after each session. With --quick, an epoch has a fifth of its batches.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.datasets import find_dataset
from tests.benchmarks.forked_runs import NoReader
from tests.benchmarks.from_scratch import load_images
from tests.benchmarks.results import load_results, save_results
from vaetui.engine.config import decodes_centres
from vaetui.engine.recipes import get_recipe
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.simulation.annotator_config import AnnotatorConfig, choose_mixed_answer, choose_review_answers
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage.data_record import DataRecord

DEFAULT_CASES = ("coloured-64:propagation", "cifar10-64:photos")
ANSWERS_PER_ROUND = 16
ERROR_RATE = 0.02
QUICK_SHARE = 5


def run_session(directory: Path, recipe: str, seed: int, downsampling: int | None, *, is_quick: bool) -> dict[str, Any]:
    """Return the accuracy and the times of a simulated session; a `downsampling` of None is chosen by size."""
    config = replace(get_recipe(recipe), seed=seed, device="cpu", threads=torch.get_num_threads())
    class_count = int(load_images(directory)[1].max()) + 1
    config = replace(config, network=replace(config.network, classes=class_count, downsampling=downsampling))
    if is_quick:
        min_batches = config.training.min_batches // QUICK_SHARE
        config = replace(config, training=replace(config.training, min_batches=min_batches))
    review_answers = choose_review_answers("members", ANSWERS_PER_ROUND, config)
    mixed = choose_mixed_answer("members", not decodes_centres(config.network))
    annotator = AnnotatorConfig("members", ANSWERS_PER_ROUND, ERROR_RATE, review_answers=review_answers, mixed=mixed)
    cpu_started_at = time.process_time()
    with tempfile.TemporaryDirectory(prefix="vaetui-") as scratch:
        lifecycle.create_at(Path(scratch), str(directory), config, DataRecord())
        with closing(lifecycle.resume_at(Path(scratch))) as session:
            factor = session.config.network.downsampling
            simulation = Simulation(session, TrainedReader(NoReader(), 1.0), annotator, Stopwatch())
            result = drain_events(simulation.run_to_end())
    return {
        "downsampling": factor,
        "test_accuracy": result.test_accuracy,
        "exported_accuracy": None if result.exported is None else result.exported.accuracy,
        "answers": result.answers,
        "training_seconds": round(result.seconds.get("training", 0.0), 1),
        "cpu_seconds": round(time.process_time() - cpu_started_at, 1),
    }


def main() -> None:
    """Run the sessions, one after the other, and keep the results of other cases and seeds."""
    parser = argparse.ArgumentParser(description="Compare sessions with and without downsampling.")
    parser.add_argument("cache", type=Path)
    parser.add_argument("cases", nargs="*", default=DEFAULT_CASES, help="SET:RECIPE")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a fifth of the batches")
    arguments = parser.parse_args()
    for seed in range(arguments.seeds):
        for case in arguments.cases:
            name, recipe = case.split(":")
            directory = find_dataset(name, arguments.cache)
            for downsampling in (None, 1):
                row = {"set": name, "recipe": recipe, "seed": seed, "quick": arguments.quick}
                kept = load_results("downsampling").get("rows", [])
                row |= run_session(directory, recipe, seed, downsampling, is_quick=arguments.quick)
                keys = ("set", "recipe", "seed", "quick", "downsampling")
                kept = [other for other in kept if any(other[key] != row[key] for key in keys)]
                save_results("downsampling", seed, {"rows": [*kept, row]})
                print(row, flush=True)


if __name__ == "__main__":
    main()
