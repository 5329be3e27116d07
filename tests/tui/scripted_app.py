"""The program that tests run in a terminal: asks the terminal, then shows a scripted session.

python -m tests.tui.scripted_app [PICTURES [PHASE]]
"""

from __future__ import annotations

import os
import sys

from vaetui.tui.terminal.capabilities import configure_textual, detect_capabilities


def main(pictures: str = "auto", phase: str = "labelling") -> None:
    """Probe as the command does, unless a way of drawing is named, and show that phase."""
    named = None if pictures == "auto" else pictures
    terminal = detect_capabilities(named, named and os.environ.get("VAETUI_THEME", "dark"))
    configure_textual(terminal, os.environ)

    from tests.tui.paced import PacedSession, two_epochs
    from tests.tui.scripted import ScriptedSession, epoch_ended
    from vaetui.tui.app import VaetuiApp

    session = PacedSession(two_epochs()) if phase == "training" else ScriptedSession(phase)
    if phase == "finished":
        session.ended = [epoch_ended(epoch) for epoch in range(1, 7)]
    app = VaetuiApp(session, terminal.picture_mode, terminal.cell_pixels, terminal.theme)
    app.run()
    print("calls:", *session.calls)
    print("said:", *session.said)
    print("read:", session.readings)
    sys.exit(128 + app.signal_number if app.signal_number else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
