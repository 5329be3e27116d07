"""Measure training beside busy processes, with different ways to wait: python -m tests.benchmarks.contention [WAY ...].

One process per way trains in turns, alone and beside one and two processes that always compute, all on the same CPUs.
A turn in which other programs used more than a tenth of a CPU is repeated, if there is time. The results are written to
assets/results/contention.json (about five minutes).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from tests.benchmarks.results import save_results
from vaetui.session.cpu_load import parse_busy_ticks

CPUS = 2
NEIGHBOURS = (0, 1, 2)
TURNS, MAX_TURNS = 3, 5
MAX_OTHER_LOAD = 0.1
"""CPUs that other programs may use in a turn."""
WARM_UP_S, TURN_S = 3.5, 3.0
"""Seconds until the threads have adapted themselves, and seconds that are measured."""
SEED = 0
WAYS: dict[str, dict[str, str]] = {
    "spinning": {"ADAPTS": ""},
    "before": {"ADAPTS": "", "GOMP_SPINCOUNT": "1000"},
    "passive": {"ADAPTS": "", "OMP_WAIT_POLICY": "passive"},
    "one thread": {"ADAPTS": "", "OMP_NUM_THREADS": "1"},
    "after": {"ADAPTS": "1"},
}
"""Variables of each way; "spinning" is the default of OpenMP, "before" what vaetui did, "after" what it does."""
DEFAULT_WAYS = ("spinning", "before", "after")
IMAGES = ("grey", "colour")
NEIGHBOUR = [sys.executable, "-c", "while True: pass"]


def run_worker(images: str, adapts: bool) -> None:
    """Train the default recipe; for each line of the input print images per second and CPU seconds per second."""
    import numpy as np

    from tests.idx import MNIST_DIRECTORY
    from vaetui.engine import malloc
    from vaetui.engine.device_inputs import put_on_device
    from vaetui.engine.images import images_from_array, read_idx_array
    from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
    from vaetui.engine.train_state import create_train_state
    from vaetui.engine.training import train_epoch
    from vaetui.session.thread_placement import adapt_threads

    malloc.tune_malloc()
    recipe = get_recipe(DEFAULT_RECIPE)
    config = replace(recipe, device="cpu", network=replace(recipe.network, downsampling=1))
    if images == "grey":
        pixels = read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3)
    else:
        pixels = np.random.default_rng(SEED).integers(0, 256, (4096, 64, 64, 3), np.uint8)
    state = create_train_state(config, pixels.shape[1:])
    inputs = put_on_device(images_from_array(pixels), state.device, config.network)

    def train() -> Iterator[int]:
        for epoch in range(1, 1_000_000):
            events = train_epoch(state, inputs, None, config, epoch=epoch)
            last_step = 0
            for event in adapt_threads(events, state.device) if adapts else events:
                yield (event.step - last_step) * config.training.batch_size
                last_step = event.step

    counts = train()
    next(counts)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        while time.perf_counter() < start + WARM_UP_S:
            next(counts)
        start, cpu_start, count = time.perf_counter(), time.process_time(), 0
        busy_start = sum(parse_busy_ticks(_read_stat()).values())
        while time.perf_counter() < start + TURN_S:
            count += next(counts)
        seconds, own = time.perf_counter() - start, time.process_time() - cpu_start
        busy = (sum(parse_busy_ticks(_read_stat()).values()) - busy_start) / os.sysconf("SC_CLK_TCK")
        print(count / seconds, own / seconds, (busy - own) / seconds, flush=True)


def _read_stat() -> str:
    with open("/proc/stat", encoding="ascii") as file:
        return file.read()


class Worker:
    """A process that trains on request."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until the process is ready."""
        self._process = process
        self._read_line()

    def measure(self) -> tuple[float, float, float]:
        """Return images per second of a turn, and the CPUs that this and other processes used."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        rate, own, other = map(float, self._read_line().split())
        return rate, own, other

    def _read_line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"The worker ended with status {self._process.wait()}.")
        return line


@contextmanager
def _start_worker(way: str, images: str) -> Iterator[Worker]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment |= {"OMP_NUM_THREADS": str(CPUS)} | WAYS[way]
    if way == "spinning":  # vaetui leaves the default where it adapts the threads
        environment.pop("GOMP_SPINCOUNT", None)
    command = [sys.executable, "-m", "tests.benchmarks.contention", "--worker", images]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


@contextmanager
def _start_neighbours(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start processes that always compute, in sessions of their own, as those of other users are."""
    processes = [subprocess.Popen(NEIGHBOUR, start_new_session=True) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _read_cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    with open(f"/proc/{process.pid}/stat", "rb") as file:
        fields = file.read().rpartition(b") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(ways: list[str], images: str, turns: int) -> list[dict[str, Any]]:
    """Return a row for each way and number of neighbours."""
    turns_by_case: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    with ExitStack() as stack:
        workers = {way: stack.enter_context(_start_worker(way, images)) for way in ways}
        for turn in range(max(turns, min(MAX_TURNS, 2 * turns))):
            for count in NEIGHBOURS:
                with _start_neighbours(count) as neighbours:
                    for way in ways if turn % 2 else ways[::-1]:
                        measured = turns_by_case.setdefault((way, count), [])
                        if sum(other <= MAX_OTHER_LOAD for *_, other in measured) >= turns:
                            continue
                        used, start = sum(map(_read_cpu_seconds, neighbours)), time.perf_counter()
                        rate, own, other = workers[way].measure()
                        used = (sum(map(_read_cpu_seconds, neighbours)) - used) / (time.perf_counter() - start)
                        measured.append((rate, own, max(0.0, other - used)))
    rows = []
    for way in ways:
        alone = _select(turns_by_case[ways[0], 0], turns)
        for count in NEIGHBOURS:
            selected = _select(turns_by_case[way, count], turns)
            rate, alone_rate = (statistics.median(turn[0] for turn in part) for part in (selected, alone))
            rows.append(
                {
                    "images": images,
                    "way": way,
                    "neighbours": count,
                    "rate": round(rate),
                    "lowest_rate": round(min(turn[0] for turn in selected)),
                    "highest_rate": round(max(turn[0] for turn in selected)),
                    "relative_rate": round(rate / alone_rate, 3),
                    "relative_to_share_by_process": round(rate / alone_rate * (1 + count), 2),
                    "relative_to_share_by_thread": round(rate / alone_rate * (CPUS + count) / CPUS, 2),
                    "cpus_used": round(statistics.median(turn[1] for turn in selected), 2),
                    "cpus_used_by_other_programs": round(statistics.median(turn[2] for turn in selected), 2),
                    "turns": len(selected),
                }
            )
    return rows


def _select(measured: list[tuple[float, float, float]], turns: int) -> list[tuple[float, float, float]]:
    """Return the turns that other programs disturbed least."""
    return sorted(measured, key=lambda turn: max(turn[2], MAX_OTHER_LOAD))[:turns]


def main() -> None:
    """Measure the ways and write the results file."""
    parser = argparse.ArgumentParser(description="Measure training beside busy processes.")
    parser.add_argument("ways", nargs="*", help=f"any of: {', '.join(WAYS)}")
    parser.add_argument("--images", nargs="+", choices=IMAGES, default=list(IMAGES), help="images to train on")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of each way")
    parser.add_argument("--dry-run", action="store_true", help="print only")
    parser.add_argument("--worker", choices=IMAGES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        run_worker(arguments.worker, bool(os.environ["ADAPTS"]))
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CPUS])
    rows = []
    for images in arguments.images:
        for row in measure(arguments.ways or list(DEFAULT_WAYS), images, arguments.turns):
            print(*(f"{key}={value}" for key, value in row.items()), flush=True)
            rows.append(row)
        if not arguments.dry_run:
            save_results("contention", SEED, {"rows": rows})


if __name__ == "__main__":
    main()
