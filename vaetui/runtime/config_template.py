"""The text of a new config file: every setting and every key with its default, in comments."""

from __future__ import annotations

import json

from vaetui.runtime.config_file import KEYS_SECTION, SETTINGS
from vaetui.tui.key_bindings import format_key_name
from vaetui.tui.keymap import GROUP_TITLES, SCREEN_KEYS

HEAD = """\
# Settings of vaetui. Every line that starts with "# " and a name shows a default: remove the # to change it.
# Options of a command and environment variables override this file. Check it with: vaetui config --check
"""
KEYS_HEAD = """\
# Keys: a character ("G", "?"), a name ("Enter", "PgUp", "F5"), or either after Ctrl-, Alt- or Shift- ("Ctrl-G").
# ["g", "F5"] binds two keys, [] none; the command palette then still runs the command.
"""


def format_config_template() -> str:
    """Return the text; it sets nothing."""
    lines = [HEAD]
    section = ""
    for name, setting in SETTINGS.items():
        if name.partition(".")[0] != section:
            section = name.partition(".")[0]
            lines.append(f"[{section}]")
        choices = f" ({', '.join(setting.choices)})" if setting.choices else " (true, false)"
        value = "false" if setting.choices is None else f'"{setting.default}"'
        lines += [f"# {setting.help_text}{choices}", f"# {name.partition('.')[2]} = {value}", ""]
    lines += [f"[{KEYS_SECTION}]", KEYS_HEAD.rstrip()]
    for group, bindings in SCREEN_KEYS.items():
        lines += ["", f"# {GROUP_TITLES[group]}"]
        for binding in bindings:
            if ".class." in binding.id and not binding.id.endswith(".0"):
                continue  # the line of the first digit stands for all
            keys = [format_key_name(key) for key in binding.keys]
            entry = f'# "{binding.id}" = {json.dumps(keys[0] if len(keys) == 1 else keys, ensure_ascii=False)}'
            lines.append(f"{entry:46}  # {binding.tooltip}{' (also .1 to .9)' if '.class.' in binding.id else ''}")
    return "\n".join(lines) + "\n"
