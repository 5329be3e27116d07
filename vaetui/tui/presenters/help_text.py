"""The text of the help: commands by task, how the method works, and terms, with a search over all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vaetui.tui.binding_tables import Glossary
from vaetui.tui.key_bindings import NO_KEY_NAME, format_key_list
from vaetui.tui.keymap import ANSWER, CHANGE, CLASSES, EVERYWHERE, FINISH, LOOK, MOVE
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.presenters.screen_commands import ScreenCommand

SECTION_ORDER = (ANSWER, MOVE, LOOK, CHANGE, CLASSES, FINISH)
"""Sections that come first, in this order; then the other ones, and `EVERYWHERE` last."""
METHOD_SENTENCES = (
    "A neural network learns to compress every image to a few numbers, its latent vector, and to restore the image "
    "from them, or with --features the vector of the image; this needs no labels.",
    "Similar images form a cluster, and you name clusters in place of single images.",
    "Your answer spreads to similar images: the nearer an image is to the centre, and the higher your confidence, the "
    "more it counts.",
    "Then the networks train on with these labels, and the next round asks about other clusters, above all about those "
    "whose classes are in doubt.",
    "Split a cluster that mixes classes, or name its nearest image alone, and mark a cluster that shows nothing as "
    "unreadable.",
    "After the last round every image has a class with a confidence, and you can export the labels at any time.",
)
"""How the method works, for a user who has never heard of it."""
CONFIG_ROW = ("vaetui config", "Show or change keys, colours and defaults in the config file (in the shell)")


@dataclass(frozen=True, slots=True)
class HelpSection:
    """A part of the help."""

    heading: str
    """The heading."""
    rows: tuple[tuple[str, str], ...]
    """Keys or terms, and their effects or meanings."""


def build_help_sections(
    commands: Iterable[ScreenCommand], glossary: Glossary, import_lines: Mapping[str, str]
) -> list[HelpSection]:
    """Return the sections; commands with the same effect share a row, and the ten digits are one range."""
    rows_by_heading: dict[str, dict[str, list[str]]] = {heading: {} for heading in SECTION_ORDER}
    for command in commands:
        rows = rows_by_heading.setdefault(command.section, {})
        rows.setdefault(command.tooltip, []).extend(command.keys)
    everywhere = rows_by_heading.pop(EVERYWHERE, {})
    sections = [_create_key_section(heading, rows) for heading, rows in rows_by_heading.items() if rows]
    last_section = _create_key_section(EVERYWHERE, everywhere)
    sections.append(replace(last_section, rows=(*last_section.rows, CONFIG_ROW)))
    sections.append(HelpSection("How it works", tuple(("", sentence) for sentence in METHOD_SENTENCES)))
    if glossary:
        sections.append(HelpSection("Terms", glossary))
    if import_lines:
        sections.append(HelpSection("Imported images", tuple(import_lines.items())))
    return sections


def filter_sections(sections: Sequence[HelpSection], text: str) -> list[HelpSection]:
    """Return the rows that contain every word of the text, or all rows of a section whose heading does."""
    words = text.casefold().split()
    filtered_sections = []
    for section in sections:
        rows = tuple(
            row
            for row in section.rows
            if all(word in f"{section.heading} {row[0]} {row[1]}".casefold() for word in words)
        )
        if rows:
            filtered_sections.append(replace(section, rows=rows))
    return filtered_sections


class HelpSearch(LineDialogue):
    """A line that filters the help while it is typed; Esc shows everything again."""

    def __init__(self, on_change: Callable[[str], None], text: str) -> None:
        """Start with `text`; `on_change` receives the text after every change."""
        self._on_change = on_change
        super().__init__(
            "Search:", on_choice=lambda _: None, accepts_text=True, text=text, help_text="Type words of a line"
        )

    def handle_key(self, key: str, character: str | None) -> bool:
        """Handle a key as in any line; an empty line may be closed by Enter, too."""
        if key in ("escape", "ctrl+c"):
            self._on_change("")
            return True
        if key == "enter":
            return True
        return super().handle_key(key, character)

    def _set_text(self, text: str, cursor: int) -> None:
        super()._set_text(text, cursor)
        self._on_change(text)


def _create_key_section(heading: str, keys_by_effect: Mapping[str, Sequence[str]]) -> HelpSection:
    rows = ((format_key_list(keys) or NO_KEY_NAME, effect) for effect, keys in keys_by_effect.items())
    return HelpSection(heading, tuple(rows))
