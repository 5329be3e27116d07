"""How much memory and time a large set takes, part by part: python -m tests.benchmarks.million [COUNT].

The images are MNIST's, warped; a process of its own takes them in from one .npy file, trains, is asked, spreads the
answers and writes the labels, as `vaetui new` and `vaetui export` do. Answers are what most of the nearest members are.
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

from tests.benchmarks.results import keep
from tests.idx import MNIST
from vaetui.engine.augmentation import augment
from vaetui.engine.config import AugmentConfig
from vaetui.engine.events import BatchesTrained, Clustered, Event
from vaetui.engine.images import read_idx
from vaetui.engine.vae import to_byte_images, to_float_images

COUNT, ROUNDS = 1_000_000, 2
WARPS = AugmentConfig(rotate=15.0, translate=0.07, scale=0.15, shear=0.15, elastic=0.05)
"""How far each image is warped, so that none is there twice."""
TOGETHER = 10_000
"""Images that are warped at a time."""
T = TypeVar("T")


class Meter:
    """Seconds of each part and the most memory in it, beyond that of the bare process."""

    def __init__(self) -> None:
        """Begin with what the process has now."""
        self.bare = resident()
        self.parts: dict[str, dict[str, float]] = {}
        self.longest = 0.0
        """Seconds between two reports, in which a key that leaves is not heeded."""
        self._most = (0, 0)
        threading.Thread(target=self._look, daemon=True).start()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure until this is left."""
        self._most = (0, 0)
        begun = time.perf_counter()
        yield
        whole, own = (round((most - bare) / 1e6) for most, bare in zip(self._most, self.bare, strict=True))
        self.parts[name] = {"seconds": round(time.perf_counter() - begun, 1), "memory_mb": whole, "own_mb": own}
        print(name, self.parts[name], file=sys.stderr, flush=True)

    def follow(self, events: Generator[Event, None, T] | Iterator[Event], upto: Callable[[Event], bool]) -> T | None:
        """Take events up to that one, or to the end, and give what comes of them."""
        last, what = time.perf_counter(), ""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                found: T | None = end.value
                return found
            now = time.perf_counter()
            if now - last > self.longest:
                self.longest, self.slowest = now - last, f"{what} to {event!r}"[:200]
            last, what = now, repr(event)[:80]
            if upto(event):
                return None

    def _look(self) -> None:
        while True:
            whole, own = resident()
            self._most = max(self._most[0], whole), max(self._most[1], own)
            time.sleep(0.02)


def resident() -> tuple[int, int]:
    """Give the bytes in memory: all, and those that are not pages of files, which the system takes back as it likes."""
    told = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return tuple(1024 * int(told[key].split()[0]) for key in ("VmRSS", "RssAnon"))  # type: ignore[return-value]


def write_images(path: Path, count: int) -> None:
    """Write warped digits as one .npy file."""
    digits = torch.from_numpy(read_idx(MNIST / "train-images-idx3-ubyte.gz", 3))
    written = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 28, 28))  # type: ignore[no-untyped-call]
    for start in range(0, count, TOGETHER):
        which = torch.arange(start, min(start + TOGETHER, count)) % len(digits)
        written[start : start + TOGETHER] = to_byte_images(
            augment(to_float_images(digits[which]), WARPS, 0, start)
        ).numpy()
    written.flush()


def measured(path: Path) -> dict[str, Any]:
    """Go the whole way with the images in a file."""
    import sklearn.cluster  # noqa: F401 (part of the bare process)

    from vaetui.cli.simulate_command import drain
    from vaetui.data.import_options import ImportOptions
    from vaetui.data.importing import import_dataset
    from vaetui.engine.answers import ClassAnswer
    from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
    from vaetui.export.formats import write_labels
    from vaetui.session import lifecycle
    from vaetui.storage import file_names, round_snapshots
    from vaetui.storage.artifact_store import ArtifactStore
    from vaetui.storage.repository import SessionRepository
    from vaetui.storage.round_snapshots import TrainValSplit

    torch.zeros(64, 64) @ torch.zeros(64, 64)
    meter = Meter()
    with meter.part("taking the images in"):
        source = drain(import_dataset(path, ImportOptions())).directory
    config = get_recipe(DEFAULT_RECIPE)
    config = replace(config, training=replace(config.training, rounds=ROUNDS))
    session = lifecycle.create("many", str(source), config)
    events = session.advance()
    with meter.part("loading"):
        meter.follow(events, lambda event: isinstance(event, BatchesTrained))
    with meter.part("first epoch"):
        meter.follow(events, lambda event: isinstance(event, BatchesTrained) and event.step == event.steps_per_epoch)
    with meter.part("first round: reading, measuring, clustering"):
        meter.follow(events, lambda event: isinstance(event, Clustered))
        meter.follow(events, lambda _: False)
    first = max(part["memory_mb"] for part in meter.parts.values())
    facts = SessionRepository(session.directory)
    division = round_snapshots.load(
        ArtifactStore(session.directory, facts), file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit
    )
    facts.close()
    classes = read_idx(MNIST / "train-labels-idx1-ubyte.gz", 1)
    truth = np.resize(classes, len(division.train_indices) + len(division.validation_indices))
    answers = 0
    while session.phase == "labelling":
        number = session.round_number
        with meter.part(f"round {number}: 16 answers"):
            for tile in session.round_view().clusters:
                nearest = division.train_indices[session.current_round().members(tile.path, "nearest", 8)]
                session.answer(tile.path, ClassAnswer(Counter(truth[nearest].tolist()).most_common(1)[0][0], 1.0))
                answers += 1
        session.finish_round()
        events = session.advance()
        with meter.part(f"round {number}: spreading the answers"):
            meter.follow(events, lambda event: isinstance(event, BatchesTrained))
        with meter.part(f"round {number}: epoch"):
            meter.follow(
                events, lambda event: isinstance(event, BatchesTrained) and event.step == event.steps_per_epoch
            )
        with meter.part(f"round {number}: reading, graph, clustering"):
            meter.follow(events, lambda _: False)
    with meter.part("leaving and opening again"):
        session.close()
        session = lifecycle.resume("many")
        meter.follow(session.advance(), lambda _: False)
    with meter.part("labels of all images"):
        labels = meter.follow(session.label_table(), lambda _: False)
    assert labels is not None
    with meter.part("writing them as CSV"):
        meter.follow(write_labels(labels, "csv", 0.0, False, None, path.with_name("labels.csv")), lambda _: False)
    right = float(np.mean(labels.class_ids == truth))
    return {
        **{"images": len(truth), "answers": answers, "right": right, "bare_mb": round(meter.bare[0] / 1e6)},
        **{"first_screen_mb": first, "unheeded_s": round(meter.longest, 2), "unheeded": meter.slowest},
        "parts": meter.parts,
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory(prefix="million-", dir=os.environ.get("VAETUI_ROOM")) as place:
        path = Path(place) / "images.npy"
        write_images(path, count)
        program = "import json, sys; from pathlib import Path; from tests.benchmarks.million import measured; "
        program += "print(json.dumps(measured(Path(sys.argv[1]))))"
        environment = os.environ | {"VAETUI_HOME": str(Path(place) / "home")}
        ran = subprocess.run(
            [sys.executable, "-c", program, str(path)], env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    told = json.loads(ran.stdout.splitlines()[-1])
    print(json.dumps(told, indent=2))
    if count == COUNT:
        keep("million", 0, told)


if __name__ == "__main__":
    main()
