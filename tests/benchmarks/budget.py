"""How 64 answers are spent best, and what further answers bring: clusters, pages of images or single images.

python -m tests.benchmarks.budget --cache DIRECTORY [--kind budget] [--sets mnist:2,digits:4] [--device cuda]

With `--kind budget`, all strategies share the first round
of 16 cluster answers and spend three more rounds; with `--kind review`, they share four rounds of cluster answers and
spend three more. A set that is no part of the project is read from DIRECTORY/NAME, a directory of IDX files. Every
finished run is kept, so that an interrupted benchmark goes on; no run starts after `--seconds`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Any

from tests.benchmarks.forked_runs import (
    ANSWERS_PER_ROUND,
    CLUSTERS_ONLY,
    continue_run,
    find_directory,
    start_run,
    to_row,
)
from tests.benchmarks.results import RESULTS, describe_run, replace_json
from vaetui.engine.config import Device
from vaetui.simulation.annotator_config import AnnotatorConfig

SETS = "mnist:2,fashion:2,imbalanced:2,coloured:2,digits:2"
FURTHER_ROUNDS = 3
FIRST_ROUNDS = {"budget": 1, "review": 4}
"""Rounds of cluster answers that all strategies share."""
HALF = ANSWERS_PER_ROUND // 2
STRATEGIES: dict[str, dict[str, AnnotatorConfig | None]] = {
    "budget": {
        "clusters": CLUSTERS_ONLY,
        "varied pages": replace(CLUSTERS_ONLY, review_answers=ANSWERS_PER_ROUND, review_kind="varied"),
        "clusters and varied pages": replace(CLUSTERS_ONLY, review_answers=HALF, review_kind="varied"),
        "suspicious pages": replace(CLUSTERS_ONLY, review_answers=ANSWERS_PER_ROUND, review_kind="pages"),
        "varied pages of a class": replace(CLUSTERS_ONLY, review_answers=ANSWERS_PER_ROUND, review_kind="class-varied"),
        "single images": replace(CLUSTERS_ONLY, review_answers=ANSWERS_PER_ROUND, review_kind="images"),
    },
    "review": {
        "clusters": CLUSTERS_ONLY,
        "clusters and varied pages": replace(CLUSTERS_ONLY, review_answers=HALF, review_kind="varied"),
        "varied pages": replace(CLUSTERS_ONLY, review_answers=ANSWERS_PER_ROUND, review_kind="varied"),
        "suspicious pages": replace(CLUSTERS_ONLY, review_answers=ANSWERS_PER_ROUND, review_kind="pages"),
        "random images": None,
    },
}
"""What the answers after the first rounds are spent on, most important first; None reads random images."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The runs of one set and seed that share their first rounds."""

    name: str
    """The image set."""
    seed: int
    """The random seed."""
    kind: str
    """What is compared."""
    cache: Path
    """Directory of image sets and finished runs."""
    device: Device
    """Device of the networks."""
    base: Path
    """Directory of the session that the runs continue."""

    @property
    def rows_path(self) -> Path:
        """File of the finished rows."""
        return self.cache / f"{self.kind}.jsonl"


def run_base(unit: Unit) -> None:
    """Run the first rounds."""
    start_run(unit.base, unit.name, unit.seed, unit.cache, unit.device, FIRST_ROUNDS[unit.kind])


def run_strategy(unit: Unit, strategy: str) -> None:
    """Run the other rounds by one strategy, and append its rows to the file of rows."""
    started_at = time.time()
    annotator_config = STRATEGIES[unit.kind][strategy]
    figures = continue_run(unit.base, annotator_config, FURTHER_ROUNDS, FIRST_ROUNDS[unit.kind])
    rows = [to_row(unit.name, unit.seed, strategy, item) for item in figures]
    with unit.rows_path.open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{unit.kind}: {rows[-1]}, {time.time() - started_at:.0f} s", flush=True)


def run_units(units: Sequence[Unit], process_count: int, deadline: float) -> None:
    """Run what is missing; the strategies of a unit run side by side as soon as its first rounds are finished."""
    pending: list[tuple[AsyncResult[None], Unit | None]] = []
    with multiprocessing.get_context("spawn").Pool(process_count) as pool:
        for unit in units:
            if list_missing(unit) and time.time() < deadline:
                pending.append((pool.apply_async(run_base, (unit,)), unit))
        while pending:
            result, unit_or_none = pending.pop(0)
            result.wait(0.1)
            if not result.ready():
                pending.append((result, unit_or_none))
                continue
            result.get()
            if unit_or_none is not None:
                for strategy in list_missing(unit_or_none):
                    arguments = unit_or_none, strategy, deadline
                    pending.append((pool.apply_async(run_strategy_in_time, arguments), None))


def run_strategy_in_time(unit: Unit, strategy: str, deadline: float) -> None:
    """Run a strategy unless it is too late."""
    if time.time() < deadline:
        run_strategy(unit, strategy)


def list_missing(unit: Unit) -> list[str]:
    """Return the strategies of a unit that are not finished."""
    finished = {
        row["strategy"] for row in load_rows(unit.rows_path) if (row["set"], row["seed"]) == (unit.name, unit.seed)
    }
    return [strategy for strategy in STRATEGIES[unit.kind] if strategy not in finished]


def load_rows(path: Path) -> list[dict[str, Any]]:
    """Return the finished rows."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Run what is missing and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="directory of image sets and finished runs")
    parser.add_argument("--sets", nargs="+", default=[SETS], help="SET:SEEDS or SET:FIRST-END,... for each kind")
    parser.add_argument("--kind", choices=tuple(STRATEGIES), action="append", help="default: all")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no run starts after this time")
    arguments = parser.parse_args()
    deadline, cache = time.time() + arguments.seconds, arguments.cache
    cache.mkdir(parents=True, exist_ok=True)
    kinds = arguments.kind or list(STRATEGIES)
    with tempfile.TemporaryDirectory(prefix="vaetui-runs-") as scratch:
        units = []
        for kind, sets in zip(kinds, (arguments.sets * len(kinds))[: len(kinds)], strict=True):
            for name, seed in parse_sets(sets, cache):
                base = Path(scratch) / f"{kind}-{name}-{seed}"
                units.append(Unit(name, seed, kind, cache, arguments.device, base))
        run_units(units, arguments.processes, deadline)
    for kind in kinds:
        save_rows(kind, load_rows(cache / f"{kind}.jsonl"))


def parse_sets(text: str, cache: Path) -> Iterator[tuple[str, int]]:
    """Yield the sets and seeds that "SET:SEEDS,SET:FIRST-END" names; their directories are made."""
    for item in text.split(","):
        name, _, seeds = item.partition(":")
        find_directory(name, cache)
        first, _, end = (seeds if "-" in seeds else f"0-{seeds or 1}").partition("-")
        yield from ((name, seed) for seed in range(int(first), int(end)))


def save_rows(kind: str, rows: list[dict[str, Any]]) -> None:
    """Write the rows to the results file."""
    replace_json(RESULTS / f"{kind}.json", describe_run() | {"rows": rows})


if __name__ == "__main__":
    main()
