"""Key bindings as data: ids that a config file can rebind, and names of keys as users type and read them.

This module must not import Textual, which fixes its colours at import: the config file is checked before that.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

KEY_ALIASES = {
    **{"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown"},
    **{"page_up": "pageup", "page_down": "pagedown", "pgdown": "pagedown", "bksp": "backspace", "spacebar": "space"},
    # A terminal sends the same bytes for both.
    **{
        "ctrl+i": "tab",
        "ctrl+m": "enter",
        "ctrl+j": "enter",
        "ctrl+h": "backspace",
        "ctrl+left_square_bracket": "escape",
    },
}
"""Other names of keys."""
NAMED_KEYS = frozenset(
    [
        *("escape", "enter", "space", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"),
        *("up", "down", "left", "right", *(f"f{number}" for number in range(1, 25))),
    ]
)
"""Keys without a character of their own, as Textual names them."""
DISPLAY_NAMES = {
    **{"escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab", "backspace": "Backspace", "delete": "Del"},
    **{"insert": "Ins", "home": "Home", "end": "End", "pageup": "PgUp", "pagedown": "PgDn"},
    **{"up": "↑", "down": "↓", "left": "←", "right": "→"},
}
"""How prompts, footer and help write these keys."""
_KEYS_SHOWN_AS_CHARACTERS = {" ": "space", "↑": "up", "↓": "down", "←": "left", "→": "right"}
_TEXTUAL_NAMES = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at",
    "hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
"""Names that Textual uses in place of those of Unicode."""
_MODIFIERS = {"ctrl": "ctrl", "control": "ctrl", "alt": "alt", "meta": "alt", "shift": "shift"}
NO_KEY_NAME = "(no key)"
"""Stands for the key of a binding without one."""


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """A command of a screen and its keys. `tui.textual_bindings` makes a binding of Textual out of it."""

    id: str
    """The group and the name, such as "label.go"; the config file uses it."""
    key: str
    """Names of the keys as Textual writes them, separated by commas."""
    action: str
    """The action of Textual."""
    description: str
    """What the footer shows beside the key; bindings of one screen with the same description share an entry."""
    tooltip: str = ""
    """The effect, as help and command palette describe it."""
    show: bool = False
    """Whether the footer shows it."""
    key_display: str | None = None
    """What the footer shows in place of the keys, unless they are rebound."""
    section: str = ""
    """The heading in the help; empty for that of the group."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the keys."""
        return tuple(self.key.split(","))


def parse_key_name(text: str) -> str | None:
    """Return Textual's name of a key, or None if there is no such key.

    A key is a character ("G", "?"), a name ("Enter", "PgUp", "question_mark"), or one of these after "Ctrl-", "Alt-"
    or "Shift-". Combinations that most terminals do not send are refused.
    """
    text = unicodedata.normalize("NFC", text)  # an accent may be a character of its own
    if len(text) <= 1:
        return _name_character(text) if text else None
    *modifier_texts, key_text = _split_modifiers(text)
    modifiers = {_MODIFIERS.get(modifier.lower(), "") for modifier in modifier_texts}
    key = _parse_key_without_modifiers(key_text)
    if key is None or "" in modifiers or len(modifiers) < len(modifier_texts):
        return None
    if modifiers == {"shift"} and len(key) == 1 and key.isalpha():
        return key.upper()
    is_letter = len(key) == 1 and key.isascii() and key.isalpha()
    if is_letter and "alt" in modifiers and key.isupper():
        modifiers.add("shift")
    if is_letter and modifiers:
        key = key.lower()
    name = "".join(f"{modifier}+" for modifier in ("alt", "ctrl", "shift") if modifier in modifiers) + key
    if name in KEY_ALIASES:
        return KEY_ALIASES[name]
    return name if _is_sent(key, modifiers, is_letter) else None


def format_key_name(key: str) -> str:
    """Return how to write a key of Textual in a text: "Enter" for "enter", "Ctrl-P" for "ctrl+p", "?" for itself."""
    *modifiers, name = key.split("+")
    text = DISPLAY_NAMES.get(name) or _find_character(name) or name.upper()
    if "ctrl" in modifiers and len(text) == 1:
        text = text.upper()  # as it is printed on keyboards
    return "".join(f"{modifier.capitalize()}-" for modifier in modifiers) + text


def format_key_list(keys: Sequence[str]) -> str:
    """Join formatted keys: three or more consecutive digits become a range, arrows stand together."""
    unique_keys = list(dict.fromkeys(keys))
    digits = [key for key in unique_keys if key.isdigit() and len(key) == 1]
    if len(digits) >= 3 and "".join(digits) in string.digits:
        unique_keys = [f"{digits[0]}-{digits[-1]}", *(key for key in unique_keys if key not in digits)]
    if len(unique_keys) > 1 and all(key in "↑↓←→" for key in unique_keys):
        return "".join(unique_keys)
    return " ".join(unique_keys)


def _is_sent(key: str, modifiers: set[str], is_letter: bool) -> bool:
    """Return whether most terminals send a code of its own for a key with modifiers."""
    is_moving_key = key in NAMED_KEYS - {"space", "escape", "backspace", "enter", "tab"}
    if "shift" in modifiers and not (is_moving_key or key == "tab" or (is_letter and modifiers == {"alt", "shift"})):
        return False
    if "alt" in modifiers and not (is_moving_key or is_letter):
        return False
    return "ctrl" not in modifiers or key in NAMED_KEYS or is_letter


def _parse_key_without_modifiers(text: str) -> str | None:
    if len(text) == 1:
        return _name_character(text)
    name = KEY_ALIASES.get(text.lower(), text.lower())
    return name if name in NAMED_KEYS or _is_character_name(name) else None


def _split_modifiers(text: str) -> list[str]:
    """Split "Ctrl-Shift-x" or "ctrl+shift+x" into its parts; the last may itself be a dash or a plus sign."""
    separated = text.replace("^", "ctrl+", 1) if text.startswith("^") else text
    head, last = separated[:-1], separated[-1]
    parts = head.replace("-", "+").split("+")
    if not parts[-1] and len(parts) > 1:
        return [*parts[:-1], last]
    return [*parts[:-1], parts[-1] + last]


def _name_character(character: str) -> str | None:
    """Return Textual's name of a character that a key can type, or None."""
    if character.isalnum():
        return character
    if character in _KEYS_SHOWN_AS_CHARACTERS:
        return _KEYS_SHOWN_AS_CHARACTERS[character]
    if not character.isprintable():
        return None
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _TEXTUAL_NAMES.get(name, name) or None


def _find_character(name: str) -> str:
    """Return the character of a name of Textual, or ""."""
    if len(name) == 1:
        return name
    if name in _ASCII_CHARACTERS:
        return _ASCII_CHARACTERS[name]
    try:
        return unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return ""


def _is_character_name(name: str) -> bool:
    character = _find_character(name)
    return bool(character) and not character.isalnum() and _name_character(character) == name


_ASCII_CHARACTERS = {_name_character(character): character for character in string.punctuation}
"""Characters by the names of Textual; those of Unicode may contain a dash, which Textual writes as an underscore."""
