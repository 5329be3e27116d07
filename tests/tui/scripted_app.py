"""The program that tests run in a terminal: asks the terminal, then shows a scripted session."""

from __future__ import annotations

import os
import sys

from vaetui.tui.probe import prepare, probe


def main() -> None:
    """Probe as the command does, unless a mode is given, and label."""
    terminal = probe(sys.argv[1] if len(sys.argv) > 1 else None)
    prepare(terminal, os.environ)

    from tests.tui.scripted import ScriptedSession
    from vaetui.tui.app import VaetuiApp
    from vaetui.tui.picture import choose

    choose(terminal.pictures, terminal.cell)
    VaetuiApp(ScriptedSession(), terminal.pictures).run()


if __name__ == "__main__":
    main()
