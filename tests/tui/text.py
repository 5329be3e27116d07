"""What a screen shows as plain text, and its comparison with what it showed before; it does not know colours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from textual.app import App

SNAPSHOTS = Path(__file__).parent / "snapshots"


def plain(app: App[Any]) -> str:
    """Give the text on the screen, line by line, without blanks at the ends."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips()) + "\n"


def same_as_before(app: App[Any], name: str) -> None:
    """Compare the screen with snapshots/NAME.txt; with VAETUI_SNAPSHOTS=update in the environment write that file."""
    path, shown = SNAPSHOTS / f"{name}.txt", plain(app)
    if os.environ.get("VAETUI_SNAPSHOTS") == "update":
        path.write_text(shown)
    assert shown == path.read_text(), f"{name} looks different; VAETUI_SNAPSHOTS=update takes it as it is now"
