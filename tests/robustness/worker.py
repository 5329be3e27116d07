"""A process that runs the cases whose numbers it reads: python -m tests.robustness.worker DIRECTORY SEED."""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from tests.robustness.cases import Cases

MAX_EXTRA_ADDRESS_BYTES = 3 << 30
"""Address space in addition to the program's, as a last limit before the machine's own."""


def main(directory: Path, seed: int) -> None:
    cases = Cases(directory, seed)
    cases.run(-1)  # imports what is imported on first use
    size = int(re.findall(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_EXTRA_ADDRESS_BYTES, resource.RLIM_INFINITY))
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as output:
        for line in sys.stdin:
            print(json.dumps(asdict(cases.run(int(line)))), file=output, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
