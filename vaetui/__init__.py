"""Label large image sets from a terminal.

`vaetui.open` reads the labels, predictions and figures of a session in Python.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vaetui.errors import UserError

if TYPE_CHECKING:
    from vaetui.session.session_reader import SessionReader

__version__ = "0.1.0"
__all__ = ["UserError", "__version__", "open"]

# PyTorch's OpenMP threads spin while they wait for each other, which slows every process on a shared machine. GNU
# OpenMP reads this variable when torch is imported. It changes neither the number of threads nor any result.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def open(name: str) -> SessionReader:
    """Read a session by its name; the reader shows it as it is now, even if another process trains it.

    Raises UserError for an unknown name, a session of an unsupported format, and a damaged database.
    """
    from vaetui.session.session_reader import SessionReader

    return SessionReader(name)
