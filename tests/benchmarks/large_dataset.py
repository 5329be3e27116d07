"""Measure memory and time of one and ten million images: python -m tests.benchmarks.large_dataset [COUNT [rehearsal]].

The images are augmented digits of MNIST. A separate process imports them from one .npy file, trains, answers a round,
propagates the answers, trains and clusters again, and writes the labels, as `vaetui new` and `vaetui export` do; then
it does what a person does in the app. An answer is the majority class of the nearest images. The figures of each part
are saved when it ends. A rehearsal has tiny images and networks, and saves nothing.
"""

from __future__ import annotations

import gc
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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from tests.benchmarks.results import describe_run, load_results, save_results
from tests.idx import MNIST_DIRECTORY
from vaetui.engine.augmentation import augment
from vaetui.engine.config import AugmentConfig
from vaetui.engine.events import BatchesTrained, Clustered, Event
from vaetui.engine.images import read_idx_array
from vaetui.engine.vae import to_byte_images, to_float_images

if TYPE_CHECKING:
    from vaetui.session.session import Session

DEFAULT_IMAGES, ROUNDS, ANSWERED_ROUNDS = 1_000_000, 2, 1
RESULTS_NAME, REHEARSAL = "large_dataset", "rehearsal"
POOL_IMAGES = 500_000
"""Augmented digits; further images are these, shifted by up to two pixels, so that all images differ."""
SHIFTS_PX = tuple((down, right) for down in (0, 1, -1, 2, -2) for right in (0, 1, -1, 2, -2))
AUGMENTATION = AugmentConfig(rotate=15.0, translate=0.07, scale=0.15, shear=0.15, elastic=0.05)
"""Changes that make each copy of a digit another image."""
CHUNK_IMAGES = 10_000
SAMPLE_INTERVAL_S = 0.02
REPORTED_GAP_S = 0.7
"""Gaps between events that are printed, if they are longer."""
T = TypeVar("T")


class Meter:
    """Measures seconds and peak memory of each part, beyond the memory of the bare process."""

    def __init__(self, on_part: Callable[[], None] | None = None) -> None:
        """Call `on_part` after each part."""
        self.bare = read_memory()
        self.parts: dict[str, dict[str, float]] = {}
        self.longest_gap, self.slowest = 0.0, ""
        """Longest time between two events in seconds, during which a key to leave has no effect."""
        self._on_part, self._part_gap = on_part, 0.0
        self._peak = (0, 0)
        threading.Thread(target=self._sample, daemon=True).start()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the body as one part."""
        self._peak, self._part_gap = (0, 0), 0.0
        start, cpu_start = time.perf_counter(), time.process_time()
        yield
        cpu_seconds = round(time.process_time() - cpu_start, 1)
        total, own = (round((peak - bare) / 1e6) for peak, bare in zip(self._peak, self.bare, strict=True))
        seconds = round(time.perf_counter() - start, 1)
        part = {"seconds": seconds, "cpu_seconds": cpu_seconds, "memory_mb": total, "own_mb": own}
        self.parts[name] = {**part, "pause_s": round(self._part_gap, 2)}
        print(name, self.parts[name], file=sys.stderr, flush=True)
        if self._on_part is not None:
            self._on_part()

    def follow(self, events: Generator[Event, None, T] | Iterator[Event], until: Callable[[Event], bool]) -> T | None:
        """Consume events up to the one that fulfils the condition, or to the end; return the generator's value."""
        last, last_cpu, previous = time.perf_counter(), time.process_time(), ""
        while True:
            try:
                event: Event | None = next(events)
            except StopIteration as end:
                event, value = None, end.value
            now, now_cpu = time.perf_counter(), time.process_time()
            self._part_gap = max(self._part_gap, now - last)
            if now - last > REPORTED_GAP_S:
                cpu_text = f"{now - last:.2f} s, {now_cpu - last_cpu:.2f} s of the CPU"
                print(f"{cpu_text}: {previous} to {event!r}"[:200], file=sys.stderr, flush=True)
            if now - last > self.longest_gap:
                self.longest_gap, self.slowest = now - last, f"{previous} to {event!r}"[:200]
            last, last_cpu, previous = now, now_cpu, repr(event)[:80]
            if event is None:
                result: T | None = value
                return result
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


def write_images(path: Path, count: int, side: int = 28) -> None:
    """Write augmented digits as one .npy file; `find_true_labels` returns their classes."""
    digits = torch.from_numpy(read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3))
    pool_count = min(count, POOL_IMAGES)
    pool = np.empty((pool_count, side, side), np.uint8)
    crop = slice((28 - side) // 2, (28 + side) // 2)
    for start in range(0, pool_count, CHUNK_IMAGES):
        indices = torch.arange(start, min(start + CHUNK_IMAGES, pool_count)) % len(digits)
        images = augment(to_float_images(digits[indices]), AUGMENTATION, 0, start)
        pool[start : start + CHUNK_IMAGES] = to_byte_images(images).numpy()[:, crop, crop]
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, pool_count):
            shift = SHIFTS_PX[start // pool_count]
            for first in range(0, min(pool_count, count - start), CHUNK_IMAGES):
                chunk = pool[first : min(first + CHUNK_IMAGES, count - start)]
                file.write(np.roll(chunk, shift, (1, 2)).tobytes())


def find_true_labels(count: int) -> NDArray[np.uint8]:
    """Return the classes of the images that `write_images` writes, [N]."""
    digit_labels = read_idx_array(MNIST_DIRECTORY / "train-labels-idx1-ubyte.gz", 1)
    return np.resize(np.resize(digit_labels, min(count, POOL_IMAGES)), count)


def measure(path: Path) -> dict[str, Any]:
    """Run everything with the images in a file; print the figures so far after each part, and return them."""
    import sklearn.cluster  # noqa: F401 (part of the bare process)

    from vaetui.data.import_options import ImportOptions
    from vaetui.data.importing import import_dataset
    from vaetui.engine.answers import ClassAnswer
    from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
    from vaetui.session import lifecycle
    from vaetui.storage import stored_arrays
    from vaetui.storage.artifact_store import ArtifactStore
    from vaetui.storage.repository import SessionRepository

    def ends_epoch(event: Event) -> bool:
        return isinstance(event, BatchesTrained) and event.step == event.steps_per_epoch

    torch.zeros(64, 64) @ torch.zeros(64, 64)
    figures: dict[str, Any] = {"calls": {}}

    def report() -> None:
        figures.update(parts=meter.parts, bare_mb=round(meter.bare[0] / 1e6))
        figures.update(unheeded_s=round(meter.longest_gap, 2), unheeded=meter.slowest)
        print(json.dumps(figures), flush=True)

    meter = Meter(report)
    with meter.part("import"):
        source = meter.follow(import_dataset(path, ImportOptions()), lambda _: False)
    assert source is not None
    config = get_recipe(DEFAULT_RECIPE)
    config = replace(config, training=replace(config.training, rounds=ROUNDS))
    if is_rehearsal := np.load(path, mmap_mode="r").shape[1] < 28:
        config = replace(config, network=replace(config.network, channels=(2, 4), hidden_units=8))
        config = replace(config, training=replace(config.training, max_epoch_images=20_000))
        config = replace(config, propagation=replace(config.propagation, max_graph_images=10_000))
    session = lifecycle.create("large", str(source.directory), config)
    events = session.advance()
    with meter.part("loading"):
        meter.follow(events, lambda event: isinstance(event, BatchesTrained))
    with meter.part("first epoch"):
        meter.follow(events, ends_epoch)
    with meter.part("first round: prediction, clustering"):
        meter.follow(events, lambda event: isinstance(event, Clustered))
        meter.follow(events, lambda _: False)
    figures["first_screen_mb"] = max(part["memory_mb"] for part in meter.parts.values())
    repository = SessionRepository(session.directory)
    split = stored_arrays.load_train_val_split(ArtifactStore(session.directory, repository))
    repository.close()
    figures["images"] = len(split.train_indices) + len(split.validation_indices)
    true_labels, figures["answers"] = find_true_labels(figures["images"]), 0
    while session.phase == "labelling" and session.round_number <= ANSWERED_ROUNDS:
        number = session.round_number
        with meter.part(f"round {number}: 16 answers"):
            for cluster in session.round_view().clusters:
                nearest = split.train_indices[
                    session.require_current_round().member_indices(cluster.path, "nearest", 8)
                ]
                majority = Counter(true_labels[nearest].tolist()).most_common(1)[0][0]
                session.record_answer(cluster.path, ClassAnswer(majority, 1.0))
                figures["answers"] += 1
        session.close_round()
        events = session.advance()
        with meter.part(f"round {number}: propagation"):
            meter.follow(events, lambda event: isinstance(event, BatchesTrained))
        with meter.part(f"round {number}: epoch"):
            meter.follow(events, ends_epoch)
        with meter.part(f"round {number}: prediction, graph, clustering"):
            meter.follow(events, lambda _: False)
    with meter.part("labels of all images"):
        label_table = meter.follow(session.build_label_table(), lambda _: False)
    assert label_table is not None
    if not is_rehearsal:
        figures["right"] = float(np.mean(label_table.class_ids == true_labels))
    del label_table
    with meter.part("writing them as CSV"):
        meter.follow(session.export_labels(path.with_name("labels.csv")), lambda _: False)
    figures["csv_mb"] = round(path.with_name("labels.csv").stat().st_size / 1e6)
    path.with_name("labels.csv").unlink()
    with meter.part("close and resume"):
        session.close()
        del session, events
        gc.collect()
        session = timed(figures, "opening the session", lambda: lifecycle.resume("large"))
        meter.follow(session.advance(), lambda _: False)
    with meter.part("review, map, audit"):
        use_app(session, meter, figures)
    figures["session_mb"] = round(sum(file.stat().st_size for file in session.directory.iterdir()) / 1e6)
    session.close()
    return figures


def timed(figures: dict[str, Any], name: str, call: Callable[[], T]) -> T:
    """Record the seconds of a call of the app, which waits for it."""
    start = time.perf_counter()
    result = call()
    figures["calls"][name] = round(time.perf_counter() - start, 2)
    print(f"{name}: {figures['calls'][name]} s", file=sys.stderr, flush=True)
    return result


def use_app(session: Session, meter: Meter, figures: dict[str, Any]) -> None:
    """Do what a person does in the app, and record how long each step takes."""
    from vaetui.engine.answers import AnsweredImage, ClassAnswer

    view = timed(figures, "the labelling screen", session.round_view)
    path = view.clusters[0].path
    for order in ("nearest", "farthest", "random"):
        timed(figures, f"64 {order} members", partial(session.member_images, path, order, 64))
    timed(figures, "an answer about a cluster", lambda: session.record_answer(path, ClassAnswer(0, 1.0)))
    timed(figures, "the screen after it", session.round_view)
    timed(figures, "undo", session.undo)
    timed(figures, "the summary", session.summary)
    timed(figures, "the map", lambda: meter.follow(session.map_images(), lambda _: False))
    timed(figures, "loading the labels to review", lambda: meter.follow(session.load_labelling(), lambda _: False))
    reviews = session.reviews
    timed(figures, "the classes to review", reviews.classes)
    page = timed(figures, "a page of doubtful images", lambda: reviews.page(None, 40))
    timed(figures, "their pictures", lambda: session.select_images([image.image_index for image in page]))
    answers = [AnsweredImage(image.image_index, ClassAnswer(image.label_class_id, 1.0)) for image in page]
    timed(figures, "answers about 40 images", lambda: session.record_image_answers(answers, "review"))
    timed(figures, "the page after them", lambda: reviews.page(None, 40))
    timed(figures, "a varied page", lambda: reviews.varied_page(None, 40))
    timed(figures, "pairs of confused classes", reviews.pairs)
    timed(figures, "the page of a pair", lambda: reviews.pair_page(4, 9, 20))
    timed(figures, "the search for a border", lambda: reviews.border(4, 40))
    timed(figures, "drawing an audit", lambda: meter.follow(session.audits.start("quick"), lambda _: False))
    timed(figures, "the audit", lambda: session.audits.view)
    timed(figures, "giving it up", session.audits.abandon)
    timed(figures, "a split of a cluster", lambda: meter.follow(session.split_cluster(path, 4), lambda _: False))


def measure_in_process(
    module_name: str, data_path: Path, directory: Path, on_figures: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Run `measure` of a module on data, with sessions in a directory, in a process whose memory nothing else uses.

    `on_figures` is called with each figures that `measure` prints before it returns.
    """
    program = f"import json, sys; from pathlib import Path; from {module_name} import measure; "
    program += "print(json.dumps(measure(Path(sys.argv[1]))))"
    environment = os.environ | {"VAETUI_HOME": str(directory / "home")}
    figures: dict[str, Any] = {}
    command = [sys.executable, "-c", program, str(data_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            figures = json.loads(line)
            if on_figures is not None:
                on_figures(figures)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return figures


def save_run(count: int, figures: dict[str, Any], is_complete: bool) -> None:
    """Replace the figures of a run with that many images, and keep those of others."""
    runs = load_results(RESULTS_NAME).get("runs", {})
    runs[str(count)] = describe_run() | {"is_complete": is_complete} | figures
    save_results(RESULTS_NAME, 0, {"runs": runs})


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_IMAGES
    is_rehearsal = sys.argv[2:] == [REHEARSAL]
    with tempfile.TemporaryDirectory(prefix="large-", dir=os.environ.get("VAETUI_SCRATCH")) as directory:
        path = Path(directory, "images.npy")
        start = time.perf_counter()
        write_images(path, count, 8 if is_rehearsal else 28)
        print(f"{count:,} images written in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        save_part = None if is_rehearsal else partial(save_run, count, is_complete=False)
        figures = measure_in_process("tests.benchmarks.large_dataset", path, Path(directory), save_part)
    print(json.dumps(figures, indent=2))
    if not is_rehearsal:
        save_run(count, figures, is_complete=True)


if __name__ == "__main__":
    main()
