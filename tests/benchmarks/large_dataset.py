"""Measure memory and time of a million images, part by part: python -m tests.benchmarks.large_dataset [COUNT].

The images are augmented digits of MNIST. A separate process imports them from one .npy file, trains, answers,
propagates the answers and writes the labels, as `vaetui new` and `vaetui export` do. An answer is the majority class
of the nearest images.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from tests.benchmarks.results import save_results
from tests.idx import MNIST_DIRECTORY
from vaetui.engine.augmentation import augment
from vaetui.engine.config import AugmentConfig
from vaetui.engine.events import BatchesTrained, Clustered, Event
from vaetui.engine.images import read_idx_array
from vaetui.engine.vae import to_byte_images, to_float_images

DEFAULT_IMAGES, ROUNDS = 1_000_000, 2
AUGMENTATION = AugmentConfig(rotate=15.0, translate=0.07, scale=0.15, shear=0.15, elastic=0.05)
"""Changes that make each copy of a digit another image."""
CHUNK_IMAGES = 10_000
SAMPLE_INTERVAL_S = 0.02
T = TypeVar("T")


class Meter:
    """Measures seconds and peak memory of each part, beyond the memory of the bare process."""

    def __init__(self) -> None:
        self.bare = read_memory()
        self.parts: dict[str, dict[str, float]] = {}
        self.longest_gap = 0.0
        """Longest time between two events in seconds, during which a key to leave has no effect."""
        self._peak = (0, 0)
        threading.Thread(target=self._sample, daemon=True).start()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the body as one part."""
        self._peak = (0, 0)
        start, cpu_start = time.perf_counter(), time.process_time()
        yield
        cpu_seconds = round(time.process_time() - cpu_start, 1)
        total, own = (round((peak - bare) / 1e6) for peak, bare in zip(self._peak, self.bare, strict=True))
        seconds = round(time.perf_counter() - start, 1)
        self.parts[name] = {"seconds": seconds, "cpu_seconds": cpu_seconds, "memory_mb": total, "own_mb": own}
        print(name, self.parts[name], file=sys.stderr, flush=True)

    def follow(self, events: Generator[Event, None, T] | Iterator[Event], until: Callable[[Event], bool]) -> T | None:
        """Consume events up to the one that fulfils the condition, or to the end; return the generator's value."""
        last, previous = time.perf_counter(), ""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                value: T | None = end.value
                return value
            now = time.perf_counter()
            if now - last > self.longest_gap:
                self.longest_gap, self.slowest = now - last, f"{previous} to {event!r}"[:200]
            last, previous = now, repr(event)[:80]
            if until(event):
                return None

    def _sample(self) -> None:
        while True:
            total, own = read_memory()
            self._peak = max(self._peak[0], total), max(self._peak[1], own)
            time.sleep(SAMPLE_INTERVAL_S)


def read_memory() -> tuple[int, int]:
    """Return the bytes in memory: all, and those that are not pages of files, which the system can reclaim."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return tuple(1024 * int(fields[key].split()[0]) for key in ("VmRSS", "RssAnon"))  # type: ignore[return-value]


def write_images(path: Path, count: int) -> None:
    """Write augmented digits as one .npy file."""
    digits = torch.from_numpy(read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3))
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 28, 28))
    for start in range(0, count, CHUNK_IMAGES):
        indices = torch.arange(start, min(start + CHUNK_IMAGES, count)) % len(digits)
        images = augment(to_float_images(digits[indices]), AUGMENTATION, 0, start)
        array[start : start + CHUNK_IMAGES] = to_byte_images(images).numpy()
    array.flush()


def measure(path: Path) -> dict[str, Any]:
    """Run everything with the images in a file."""
    import sklearn.cluster  # noqa: F401 (part of the bare process)

    from vaetui.data.import_options import ImportOptions
    from vaetui.data.importing import import_dataset
    from vaetui.engine.answers import ClassAnswer
    from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
    from vaetui.runtime.session_runner import drain_events
    from vaetui.session import lifecycle
    from vaetui.storage import stored_arrays
    from vaetui.storage.artifact_store import ArtifactStore
    from vaetui.storage.repository import SessionRepository

    def ends_epoch(event: Event) -> bool:
        return isinstance(event, BatchesTrained) and event.step == event.steps_per_epoch

    torch.zeros(64, 64) @ torch.zeros(64, 64)
    meter = Meter()
    with meter.part("import"):
        source = drain_events(import_dataset(path, ImportOptions())).directory
    config = get_recipe(DEFAULT_RECIPE)
    config = replace(config, training=replace(config.training, rounds=ROUNDS))
    session = lifecycle.create("large", str(source), config)
    events = session.advance()
    with meter.part("loading"):
        meter.follow(events, lambda event: isinstance(event, BatchesTrained))
    with meter.part("first epoch"):
        meter.follow(events, ends_epoch)
    with meter.part("first round: prediction, measuring, clustering"):
        meter.follow(events, lambda event: isinstance(event, Clustered))
        meter.follow(events, lambda _: False)
    first_screen_mb = max(part["memory_mb"] for part in meter.parts.values())
    repository = SessionRepository(session.directory)
    store = ArtifactStore(session.directory, repository)
    split = stored_arrays.load_train_val_split(store)
    repository.close()
    digit_labels = read_idx_array(MNIST_DIRECTORY / "train-labels-idx1-ubyte.gz", 1)
    true_labels = np.resize(digit_labels, len(split.train_indices) + len(split.validation_indices))
    answers = 0
    while session.phase == "labelling":
        number = session.round_number
        with meter.part(f"round {number}: 16 answers"):
            for cluster in session.round_view().clusters:
                nearest = split.train_indices[
                    session.require_current_round().member_indices(cluster.path, "nearest", 8)
                ]
                majority = Counter(true_labels[nearest].tolist()).most_common(1)[0][0]
                session.record_answer(cluster.path, ClassAnswer(majority, 1.0))
                answers += 1
        session.close_round()
        events = session.advance()
        with meter.part(f"round {number}: propagation"):
            meter.follow(events, lambda event: isinstance(event, BatchesTrained))
        with meter.part(f"round {number}: epoch"):
            meter.follow(events, ends_epoch)
        with meter.part(f"round {number}: prediction, graph, clustering"):
            meter.follow(events, lambda _: False)
    with meter.part("close and resume"):
        session.close()
        session = lifecycle.resume("large")
        meter.follow(session.advance(), lambda _: False)
    with meter.part("labels of all images"):
        label_table = meter.follow(session.build_label_table(), lambda _: False)
    assert label_table is not None
    with meter.part("writing them as CSV"):
        meter.follow(session.export_labels(path.with_name("labels.csv")), lambda _: False)
    accuracy = float(np.mean(label_table.class_ids == true_labels))
    return {
        **{"images": len(true_labels), "answers": answers, "right": accuracy, "bare_mb": round(meter.bare[0] / 1e6)},
        **{"first_screen_mb": first_screen_mb, "unheeded_s": round(meter.longest_gap, 2), "unheeded": meter.slowest},
        "parts": meter.parts,
    }


def measure_in_process(module_name: str, data_path: Path, directory: Path) -> dict[str, Any]:
    """Run `measure` of a module on data, with sessions in a directory, in a process whose memory nothing else uses."""
    program = f"import json, sys; from pathlib import Path; from {module_name} import measure; "
    program += "print(json.dumps(measure(Path(sys.argv[1]))))"
    environment = os.environ | {"VAETUI_HOME": str(directory / "home")}
    process = subprocess.run(
        [sys.executable, "-c", program, str(data_path)], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return figures


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_IMAGES
    with tempfile.TemporaryDirectory(prefix="large-", dir=os.environ.get("VAETUI_SCRATCH")) as directory:
        path = Path(directory, "images.npy")
        write_images(path, count)
        figures = measure_in_process("tests.benchmarks.large_dataset", path, Path(directory))
    print(json.dumps(figures, indent=2))
    if count == DEFAULT_IMAGES:
        save_results("large_dataset", 0, figures)


if __name__ == "__main__":
    main()
