"""Test that the config file reaches the screens, and that a choice on a screen reaches the file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal
from vaetui.tui.presenters.screen_commands import SEPARATOR

CONFIG = """\
# mine
[display]
theme = "terminal"
pictures = "ascii"
[keys]
"label.split" = "S"
"any.leave" = "Ctrl-X"
"""


def test_keys_theme_and_pictures_of_the_file_apply_and_one_key_mode_is_written_back(
    home: Path, templates: SessionTemplates
) -> None:
    templates.copy("labelling", "demo")
    path = home / "config.toml"
    path.write_text(CONFIG)
    terminal = ScriptedTerminal(["-m", "vaetui", "resume", "demo"], (120, 40))
    terminal.wait_for_text(f"S split{SEPARATOR}x unreadable")
    terminal.wait_for_text("Ctrl-X leave")
    terminal.wait_until_quiet()
    assert "▀" not in terminal.text()
    assert {cell.bg for cell in terminal.screen.buffer[39].values()} <= {"default"}
    terminal.send(b"a")
    terminal.wait_until(lambda: "one_key_mode" in path.read_text())
    terminal.send(b"\x18")
    assert terminal.close() == 0
    assert path.read_text().startswith(CONFIG)
    assert tomllib.loads(path.read_text())["labelling"] == {"one_key_mode": True}
