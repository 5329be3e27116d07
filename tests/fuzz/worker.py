"""A process that runs the cases whose numbers it is told: python -m tests.fuzz.worker PLACE SEED."""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.case import Cases

ADDRESSES = 3 << 30
"""Bytes of addresses beyond those that the program has, as a last bound before the machine's own."""


def main(place: Path, seed: int) -> None:
    cases = Cases(place, seed)
    cases.run(-1)  # what is only loaded once is loaded now
    size = int(re.findall(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESSES, resource.RLIM_INFINITY))
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as told:
        for line in sys.stdin:
            print(json.dumps(asdict(cases.run(int(line)))), file=told, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
