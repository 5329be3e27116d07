"""Damages small sessions in thousands of ways and opens them, and writes assets/results/fuzz.json.

python -m tests.benchmarks.fuzz                    5,000 cases (some ten minutes on one core)
python -m tests.benchmarks.fuzz --seed 3 --case 77 one case alone, with the traceback if there is one

A case holds where everything works or is refused in one sentence. It fails where anything else is raised, where it
hangs, takes much memory, touches what lies outside the session, executes anything, prints what a terminal obeys,
records what nobody said, or opens with other answers or other bits after damage to one file. Exit status 1 where any
case fails.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from tests.benchmarks import results
from tests.robustness.cases import Verdict
from tests.robustness.worker_pool import WorkerPool

EXAMPLES = 3
"""Cases that are named for each failure."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--case", type=int, help="One case alone.")
    wanted = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vaetui-fuzz-") as place:
        pool = WorkerPool(Path(place), wanted.seed, wanted.workers)
        pool.create_templates()
        if wanted.case is not None:
            pool.run_verbosely(wanted.case)
            return 0
        verdicts = []
        for verdict in pool.run(range(wanted.cases)):
            verdicts.append(verdict)
            if len(verdicts) % 500 == 0:
                print(f"{len(verdicts)} cases, {sum(not it.passed for it in verdicts)} failed", flush=True)
    told = figures(verdicts)
    print(*table(told), sep="\n")
    results.save_results("fuzz", wanted.seed, told | {"seconds": round(time.monotonic() - begun)})
    return 0 if told["failed"] == 0 else 1


def figures(verdicts: list[Verdict]) -> dict[str, Any]:
    """Count what came of the cases, by kind of damage, and gather the failures that are alike."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    failures: defaultdict[str, list[Verdict]] = defaultdict(list)
    for it in sorted(verdicts, key=lambda it: it.case):
        kinds[it.kind][it.verdict if it.passed else "failed"] += 1
        if not it.passed:
            failures[f"{it.verdict}, {it.location}"].append(it)
    return {
        "cases": len(verdicts),
        "works": sum(it.verdict == "works" for it in verdicts),
        "refused": sum(it.verdict == "refused" for it in verdicts),
        "failed": sum(map(len, failures.values())),
        "most_memory_mb": round(max(it.memory_bytes for it in verdicts) / 1e6),
        "kinds": {kind: dict(sorted(counts.items())) for kind, counts in sorted(kinds.items())},
        "failures": [
            {
                "what": what,
                "count": len(alike),
                "cases": [it.case for it in alike[:EXAMPLES]],
                "damage": alike[0].corruption,
            }
            for what, alike in sorted(failures.items(), key=lambda item: -len(item[1]))
        ],
    }


def table(told: dict[str, Any]) -> list[str]:
    """Lay the figures out for a person."""
    names = ("works", "refused", "failed")
    lines = [f"{'damage':20}" + "".join(f"{name:>9}" for name in names)]
    for kind, counts in told["kinds"].items():
        lines.append(f"{kind:20}" + "".join(f"{counts.get(name, 0):9}" for name in names))
    lines.append(f"{'all':20}" + "".join(f"{told[name]:9}" for name in names))
    return lines + [
        f"{it['count']:4} x {it['what']}  (cases {', '.join(map(str, it['cases']))}: {it['damage']})"
        for it in told["failures"]
    ]


if __name__ == "__main__":
    raise SystemExit(main())
