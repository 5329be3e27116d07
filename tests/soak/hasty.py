"""The program, with a checkpoint at every report: python -m tests.soak.hasty resume NAME --plain."""

from __future__ import annotations

from vaetui.cli import main
from vaetui.session import learning

assert hasattr(learning, "SAVE_SECONDS")
learning.SAVE_SECONDS = 0.0
main()
