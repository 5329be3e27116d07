"""Restart the program in Python's UTF-8 mode where the locale has another encoding."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

PICTURES_VARIABLE = "VAETUI_PICTURES"
"""The variable that replaces the default of --pictures."""


def restart_in_utf8_mode() -> None:
    """Restart so that file names are UTF-8, as everywhere else, unless they are already.

    In another encoding the same file would have another name than in the process that imported it. Output in the C
    locale becomes UTF-8, too, because most terminals show it; any other locale keeps its encoding for the standard
    streams. Pictures are drawn with ASCII characters, unless the user has chosen a mode.
    """
    encoding = sys.getfilesystemencoding()
    if sys.flags.utf8_mode or encoding == "utf-8":
        return
    if os.environ.get(PICTURES_VARIABLE, "auto") == "auto":
        os.environ[PICTURES_VARIABLE] = "ascii"
    if encoding != "ascii":
        os.environ.setdefault("PYTHONIOENCODING", f"{encoding}:replace")
    with suppress(OSError):  # The program also runs without UTF-8 mode.
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
