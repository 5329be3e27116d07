"""The themes and picture modes that a user can choose, apart from code that is slow to import."""

from __future__ import annotations

THEMES = ("auto", "dark", "light", "terminal")
""""auto" follows the background of the terminal; "terminal" uses the 16 colours that the user gave the terminal."""
PICTURE_MODES = ("auto", "half", "ascii", "sixel", "kitty", "none")
""""auto" queries the terminal; "none" leaves the pictures out, also line by line."""
