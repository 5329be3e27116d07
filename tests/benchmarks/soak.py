"""Kills whole small runs of the real program at random moments, and writes assets/results/soak.json.

python -m tests.benchmarks.soak                200 kills (about half an hour on one core)
python -m tests.benchmarks.soak --kills 1000 --seed 5

What is drawn follows from the seed; where a kill falls depends on the machine too. Exit status 1 where anything
was lost or invented, or where a run came to other bits than without kills.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from tests.benchmarks import results
from tests.idx import write_small_mnist
from tests.soak import moments
from tests.soak.ordeal import WAYS, Ordeal, Outcome, Tally

IN_A_RUN = 10
"""Kills in one run, at most, before it may end."""
SEEDS = 3
"""Sessions of as many seeds take turns."""
LIFE = 6.0
"""Seconds that an undisturbed run takes on an idle core, and screens somewhat more."""


def torment(ordeal: Ordeal, draw: random.Random, kills: int, old: bool) -> None:
    """Kill one run so often at most; one that begins in an old format is killed while it is upgraded, too."""
    if old:
        ordeal.begin_old()
    for number in range(kills - 1 if old else kills):
        upgrading = old and number < 3
        way = "plain" if upgrading or not ordeal.begun else draw.choice(WAYS)
        if way == "export":
            moment = draw.choice((moments.any_time(draw, LIFE / 2), moments.Moment(0.0, file=moments.FILES[0])))
        elif way == "screens":
            moment = moments.any_time(draw, 1.5 * LIFE)
        else:
            moment = moments.any_time(draw, 0.6) if upgrading else moments.drawn(draw, LIFE)
        if ordeal.suffer(way, moment):
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    os.environ |= {"VAETUI_HOME": tempfile.mkdtemp(prefix="vaetui-soak-"), "OMP_NUM_THREADS": "1"}
    data = write_small_mnist(Path(os.environ["VAETUI_HOME"]) / "digits", train=640, test=200)
    begun = time.monotonic()
    tally, undisturbed = Tally(), {seed: whole(data, seed) for seed in range(SEEDS)}
    while tally.kills < wanted.kills:
        number = tally.runs
        draw = random.Random(f"{wanted.seed}.{number}")
        ordeal = Ordeal(f"run-{number}", data, number % SEEDS, draw, tally)
        torment(ordeal, draw, min(IN_A_RUN, wanted.kills - tally.kills), old=number % 4 == 3)
        held = ordeal.holds(ordeal.finish(labels=True), undisturbed[number % SEEDS])
        print(f"run {number}: {tally.kills} kills, {'holds' if held else tally.complaints}", flush=True)
    figures = tally.figures() | {"seconds": round(time.monotonic() - begun)}
    results.keep("soak", wanted.seed, figures)
    print(figures)
    return 0 if tally.equal == tally.runs and not tally.complaints else 1


def whole(data: Path, seed: int) -> Outcome:
    """Give what a run comes to that nobody kills."""
    return Ordeal(f"whole-{seed}", data, seed, random.Random(seed), Tally()).finish(labels=True)


if __name__ == "__main__":
    raise SystemExit(main())
