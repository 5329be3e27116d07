"""Importing vaetui configures OpenMP before PyTorch is loaded, and takes no time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

PROGRAM = "import os, vaetui; print(os.environ.get('GOMP_SPINCOUNT'))"
TIMED_IMPORT = """
import os, typing, collections.abc, functools, time
start = time.process_time()
import vaetui
print(time.process_time() - start)
"""
MAX_IMPORT_S = 0.02


@pytest.mark.parametrize(
    ("variables", "spin_count"),
    [({}, "None" if sys.platform == "linux" else "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"),
     ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)  # fmt: skip
def test_openmp_threads_keep_the_default_where_they_are_adapted_or_the_user_has_decided(
    variables: dict[str, str], spin_count: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_WAIT", "GOMP_SPIN"))}
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment | variables, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == spin_count


def test_importing_vaetui_is_instant() -> None:
    seconds = [
        float(subprocess.run([sys.executable, "-c", TIMED_IMPORT], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert statistics.median(seconds) < MAX_IMPORT_S
