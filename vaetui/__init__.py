"""Label large image sets from a terminal."""

import os

__version__ = "0.1.0"

# PyTorch's OpenMP threads spin while they wait for each other, which slows every process on a shared machine. GNU
# OpenMP reads this variable when torch is imported. It changes neither the number of threads nor any result.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
