"""Measure memory and time of a session with features, part by part: python -m tests.benchmarks.large_vectors [COUNT].

Images and vectors are random numbers, so only the cost means anything. A separate process trains on the vectors,
answers all rounds with arbitrary classes, propagates the answers and writes the labels, as `vaetui new --features` and
`vaetui export` do.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.large_dataset import Meter, measure_in_process
from tests.benchmarks.results import save_results
from tests.idx import write_idx
from tests.vectors import record_vectors

DEFAULT_VECTORS, WIDTH, SIDE = 100_000, 384, 28
CHUNK_VECTORS = 10_000


def write_data(directory: Path, count: int) -> None:
    """Write random images as an IDX file, and random vectors as a .npy file of float16."""
    generator = np.random.default_rng(0)
    write_idx(directory / "train-images-idx3-ubyte", generator.integers(0, 256, (count, SIDE, SIDE), np.uint8))
    vectors = np.lib.format.open_memmap(directory / "vectors.npy", "w+", np.float16, (count, WIDTH))
    for start in range(0, count, CHUNK_VECTORS):
        size = min(CHUNK_VECTORS, count - start), WIDTH
        vectors[start : start + CHUNK_VECTORS] = generator.standard_normal(size, np.float32)
    vectors.flush()


def measure(directory: Path) -> dict[str, Any]:
    """Run everything with the images and vectors in a directory."""
    import sklearn.cluster  # noqa: F401 (part of the bare process)
    import torch

    from vaetui.engine.answers import ClassAnswer
    from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded
    from vaetui.engine.recipes import FEATURES_RECIPE, get_recipe
    from vaetui.session import lifecycle
    from vaetui.storage.data_record import DataRecord

    torch.zeros(64, 64) @ torch.zeros(64, 64)
    meter = Meter()
    record, config = record_vectors(directory / "vectors.npy"), get_recipe(FEATURES_RECIPE)
    session = lifecycle.create("large", str(directory), config, DataRecord(features=record))
    events = session.advance()
    with meter.part("loading"):
        meter.follow(events, lambda event: isinstance(event, BatchesTrained))
    with meter.part("first epoch"):
        meter.follow(events, lambda event: isinstance(event, BatchesTrained) and event.step == event.steps_per_epoch)
    with meter.part("first round: prediction, clustering"):
        meter.follow(events, lambda event: isinstance(event, Clustered))
        meter.follow(events, lambda _: False)
    answers = 0
    while session.phase == "labelling":
        number = session.round_number
        for cluster in session.round_view().clusters:
            session.record_answer(cluster.path, ClassAnswer(answers % 10))
            answers += 1
        session.close_round()
        events = session.advance()
        with meter.part(f"round {number}: propagation"):
            meter.follow(events, lambda event: isinstance(event, BatchesTrained))
        with meter.part(f"round {number}: epoch"):
            meter.follow(events, lambda event: isinstance(event, EpochEnded))
        with meter.part(f"round {number}: graph, clustering"):
            meter.follow(events, lambda _: False)
    with meter.part("close and resume"):
        session.close()
        session = lifecycle.resume("large")
        meter.follow(session.advance(), lambda _: False)
    with meter.part("export as CSV"):
        meter.follow(session.export_labels(directory / "labels.csv"), lambda _: False)
    session.close()
    return {
        **{"vectors": record.count, "width": record.width, "file_mb": round(Path(record.path).stat().st_size / 1e6)},
        **{"answers": answers, "threads": torch.get_num_threads(), "bare_mb": round(meter.bare[0] / 1e6)},
        **{"unheeded_s": round(meter.longest_gap, 2), "unheeded": meter.slowest, "parts": meter.parts},
        **{"most_memory_mb": max(part["memory_mb"] for part in meter.parts.values())},
        **{"most_own_mb": max(part["own_mb"] for part in meter.parts.values())},
        **{
            f"total_{key}": round(sum(part[key] for part in meter.parts.values())) for key in ("seconds", "cpu_seconds")
        },
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_VECTORS
    with tempfile.TemporaryDirectory(prefix="large-", dir=os.environ.get("VAETUI_SCRATCH")) as directory:
        write_data(Path(directory), count)
        figures = measure_in_process("tests.benchmarks.large_vectors", Path(directory), Path(directory))
    print(json.dumps(figures, indent=2))
    if count == DEFAULT_VECTORS:
        save_results("large_vectors", 0, figures)


if __name__ == "__main__":
    main()
