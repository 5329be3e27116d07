"""Importing vaetui configures OpenMP before PyTorch is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = "import os, vaetui; print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize(
    ("variables", "spin_count"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_openmp_threads_yield_unless_the_user_has_decided(variables: dict[str, str], spin_count: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_WAIT", "GOMP_SPIN"))}
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment | variables, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == spin_count
