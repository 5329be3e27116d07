"""The themes and picture modes, and what a user can choose instead, apart from code that is slow to import."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

PictureMode: TypeAlias = Literal["half", "ascii", "sixel", "kitty", "none"]
PICTURE_MODES: tuple[PictureMode, ...] = get_args(PictureMode)
"""All modes, in the order in which a key switches between them."""
SHOWN_MODES = PICTURE_MODES[:-1]
"""The modes that draw pictures."""
DEFAULT_COLOUR_COUNT = 16
"""Colours of a sixel picture where the terminal does not report a number; the VT340 has as many."""
THEME_CHOICES = ("auto", "dark", "light", "terminal")
""""auto" follows the background of the terminal; "terminal" uses the 16 colours that the user gave the terminal."""
PICTURE_CHOICES = ("auto", *PICTURE_MODES)
""""auto" queries the terminal; "none" leaves the pictures out, also line by line."""
