"""Show a scripted session in the terminal.

python -m tests.tui.scripted_app [PICTURE_MODE [PHASE]]
"""

from __future__ import annotations

import os
import sys
from typing import cast

from vaetui.tui.terminal.capabilities import configure_textual, detect_capabilities


def main(picture_mode: str = "auto", phase: str = "labelling") -> None:
    """Probe the terminal like the command, unless a picture mode is given, and show the session in that phase."""
    given_mode = None if picture_mode == "auto" else picture_mode
    terminal = detect_capabilities(given_mode, given_mode and os.environ.get("VAETUI_THEME", "dark"))
    configure_textual(terminal, os.environ)

    # Imported after the probe, like the screens of the command.
    from tests.tui.scripted_session import EndlessSession, ScriptedSession, create_epoch, create_training_events
    from vaetui.session.views import Phase
    from vaetui.tui.app import VaetuiApp

    session = EndlessSession(create_training_events()) if phase == "training" else ScriptedSession(cast(Phase, phase))
    if phase == "finished":
        session.finished_epochs = [create_epoch(epoch) for epoch in range(1, 7)]
    app = VaetuiApp(
        session,
        terminal.picture_mode,
        terminal.cell_pixels,
        terminal.theme,
        offered_modes=terminal.offered_modes,
        colour_count=terminal.colour_count,
        start_notice=terminal.notice,
    )
    app.run()
    print("calls:", *session.calls)
    print("answers:", *session.answer_log)
    print("readings:", session.readings)
    sys.exit(128 + app.signal_number if app.signal_number else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
