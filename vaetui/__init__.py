"""Label large image sets from a terminal.

`vaetui.open` reads the labels, predictions and figures of a session in Python.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vaetui.cpu_threads import set_openmp_variables
from vaetui.errors import UserError

if TYPE_CHECKING:
    from vaetui.session.session_reader import SessionReader

__version__ = "0.1.0"
__all__ = ["UserError", "__version__", "open"]

set_openmp_variables(os.environ)


def open(name: str) -> SessionReader:
    """Read a session by its name; the reader shows it as it is now, even if another process trains it.

    Raises UserError for an unknown name, a session of an unsupported format, and a damaged database.
    """
    from vaetui.session.session_reader import SessionReader

    return SessionReader(name)
