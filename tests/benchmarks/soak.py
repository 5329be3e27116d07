"""Kill small runs of the real program at random moments, and write assets/results/soak.json.

python -m tests.benchmarks.soak                200 kills (about half an hour on one core)
python -m tests.benchmarks.soak --kills 1000 --seed 5

The seed determines the kill points; where a kill falls also depends on the speed of the machine. The exit status is 1
if an answer was lost or invented, or if a run ended with other bits than an undisturbed run.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from tests.benchmarks.results import save_results
from tests.idx import write_small_mnist
from tests.soak.kill_points import FILE_SUFFIXES, KillPoint, choose_kill_point, choose_time
from tests.soak.killed_run import PROCESS_KINDS, KilledRun, KillStats, RunResult

MAX_KILLS_PER_RUN = 10
SEED_COUNT = 3
"""Number of different seeds of the sessions."""
RUN_S = 6.0
"""Seconds that an undisturbed run takes on an idle core in plain mode; with screens it takes somewhat more."""


def kill_repeatedly(run: KilledRun, rng: random.Random, max_kills: int) -> None:
    """Kill the processes of a run at random moments, at most `max_kills` times."""
    for _ in range(max_kills):
        process_kind = rng.choice(PROCESS_KINDS) if run.is_created else "plain"
        if process_kind == "export":
            kill_point = rng.choice((choose_time(rng, RUN_S / 2), KillPoint(0.0, file_suffix=FILE_SUFFIXES[0])))
        elif process_kind == "screens":
            kill_point = choose_time(rng, 1.5 * RUN_S)
        else:
            kill_point = choose_kill_point(rng, RUN_S)
        if run.kill_at(process_kind, kill_point):
            return


def finish_undisturbed(data: Path, seed: int) -> RunResult:
    """Return the result of a run without kills."""
    return KilledRun(f"undisturbed-{seed}", data, seed, random.Random(seed), KillStats()).finish(with_labels=True)


def main() -> int:
    """Run the benchmark and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ |= {"VAETUI_HOME": tempfile.mkdtemp(prefix="vaetui-soak-"), "OMP_NUM_THREADS": "1"}
    data = write_small_mnist(Path(os.environ["VAETUI_HOME"]) / "digits", train=640, test=200)
    started_s = time.monotonic()
    stats, undisturbed = KillStats(), {seed: finish_undisturbed(data, seed) for seed in range(SEED_COUNT)}
    while stats.kills < options.kills:
        number = stats.runs
        rng = random.Random(f"{options.seed}.{number}")
        run = KilledRun(f"run-{number}", data, number % SEED_COUNT, rng, stats)
        kill_repeatedly(run, rng, min(MAX_KILLS_PER_RUN, options.kills - stats.kills))
        is_identical = run.matches(run.finish(with_labels=True), undisturbed[number % SEED_COUNT])
        print(f"run {number}: {stats.kills} kills, {'identical' if is_identical else stats.failures}", flush=True)
    results = stats.to_dict() | {"seconds": round(time.monotonic() - started_s)}
    save_results("soak", options.seed, results)
    print(results)
    return 0 if stats.identical == stats.runs and not stats.failures else 1


if __name__ == "__main__":
    raise SystemExit(main())
