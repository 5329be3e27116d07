"""Damage small sessions and files to import in thousands of ways, and write assets/results/fuzz.json.

python -m tests.benchmarks.fuzz                     5,000 sessions and 5,000 imports (about 20 minutes on one core)
python -m tests.benchmarks.fuzz --seed 3 --case 77  one session, with its traceback if there is one
python -m tests.benchmarks.fuzz --import-case 77    one import likewise

A session passes if everything works, or if vaetui refuses it in one sentence. It fails if anything else is raised, if
it hangs, takes much memory, changes files outside the session, executes anything, prints control characters, records
answers that nobody gave, or opens with other answers or other bits after damage to one file. An import passes if every
intact picture is in the dataset with its own path and label and every other file is listed, or if it is refused in one
sentence and too little is intact. The exit status is 1 if a case fails.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.results import save_results
from tests.robustness.cases import Verdict
from tests.robustness.import_cases import ImportCases
from tests.robustness.worker_pool import WorkerPool

MAX_LISTED_CASES = 3
REPORT_INTERVAL = 500
"""Cases between two lines of progress."""


def main() -> int:
    """Run the benchmark and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--imports", type=int, default=5_000)
    parser.add_argument("--case", type=int, help="Run one session only.")
    parser.add_argument("--import-case", type=int, help="Run one import only.")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vaetui-fuzz-") as directory:
        import_cases = ImportCases(Path(directory) / "imports", options.seed)
        if options.import_case is not None:
            print(import_cases.run(options.import_case, verbose=True))
            return 0
        pool = WorkerPool(Path(directory), options.seed, options.workers)
        pool.create_templates()
        if options.case is not None:
            pool.run_verbosely(options.case)
            return 0
        sessions = summarise(report_progress("sessions", pool.run(range(options.cases))))
        imports = summarise(report_progress("imports", map(import_cases.run, range(options.imports))))
    print(*format_lines(sessions), *format_lines(imports), sep="\n")
    save_results("fuzz", options.seed, sessions | {"imports": imports, "seconds": round(time.monotonic() - start)})
    return 0 if sessions["failed"] == imports["failed"] == 0 else 1


def report_progress(name: str, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts, and print how many there are from time to time."""
    finished: list[Verdict] = []
    for verdict in verdicts:
        finished.append(verdict)
        if len(finished) % REPORT_INTERVAL == 0:
            failed_count = sum(not verdict.passed for verdict in finished)
            print(f"{len(finished)} {name}, {failed_count} failed", flush=True)
    return finished


def summarise(verdicts: list[Verdict]) -> dict[str, Any]:
    """Count the verdicts by kind of damage, and group equal failures."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    failures: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in sorted(verdicts, key=lambda verdict: verdict.case):
        kinds[verdict.kind][verdict.verdict if verdict.passed else "failed"] += 1
        if not verdict.passed:
            failures[f"{verdict.verdict}, {verdict.location}"].append(verdict)
    return {
        "cases": len(verdicts),
        "works": sum(verdict.verdict == "works" for verdict in verdicts),
        "refused": sum(verdict.verdict == "refused" for verdict in verdicts),
        "failed": sum(map(len, failures.values())),
        "most_memory_mb": round(max(verdict.memory_bytes for verdict in verdicts) / 1e6),
        "kinds": {kind: dict(sorted(counts.items())) for kind, counts in sorted(kinds.items())},
        "failures": [
            {
                "what": failure,
                "count": len(group),
                "cases": [verdict.case for verdict in group[:MAX_LISTED_CASES]],
                "damage": group[0].corruption,
            }
            for failure, group in sorted(failures.items(), key=lambda item: -len(item[1]))
        ],
    }


def format_lines(figures: dict[str, Any]) -> list[str]:
    """Format the figures as lines of a table."""
    columns = ("works", "refused", "failed")
    lines = [f"{'damage':20}" + "".join(f"{column:>9}" for column in columns)]
    for kind, counts in figures["kinds"].items():
        lines.append(f"{kind:20}" + "".join(f"{counts.get(column, 0):9}" for column in columns))
    lines.append(f"{'all':20}" + "".join(f"{figures[column]:9}" for column in columns))
    return lines + [
        f"{failure['count']:4} x {failure['what']}  "
        f"(cases {', '.join(map(str, failure['cases']))}: {failure['damage']})"
        for failure in figures["failures"]
    ]


if __name__ == "__main__":
    raise SystemExit(main())
