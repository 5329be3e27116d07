"""The tests of vaetui."""

import os

# Several test processes share the cores, and most networks in the tests are tiny: one thread each is fastest.
# PyTorch reads this when it is imported; the programs that the tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
