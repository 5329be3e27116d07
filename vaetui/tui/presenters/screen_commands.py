"""The commands of a screen with their keys, as footer, help and command palette show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from vaetui.tui.key_bindings import format_key_list

SEPARATOR = " · "
"""Between two entries of the footer: without colours, bold keys alone would run together."""

LEAVE_ID, MORE_ID, HELP_ID = "any.leave", "any.more_keys", "any.help"
"""Commands at the end of the footer: the one that leaves, the one that turns its pages, and the help."""


@dataclass(frozen=True, slots=True)
class ScreenCommand:
    """A command that works on a screen."""

    id: str
    """The id of its binding, such as "label.go"."""
    keys: tuple[str, ...]
    """The names of its keys; empty if it has none."""
    description: str
    """Its name in the footer."""
    tooltip: str
    """Its effect."""
    section: str
    """The heading in the help."""
    is_in_footer: bool = True
    """Whether the footer shows it."""

    @property
    def closes_screen(self) -> bool:
        """Whether it returns to the screen below."""
        return self.id.endswith(".close")

    @property
    def is_digit(self) -> bool:
        """Whether it chooses a class by a digit, which is part of an answer."""
        return ".class." in self.id


@dataclass(frozen=True, slots=True)
class FooterEntry:
    """Keys with what they do."""

    keys: str
    """Names of the keys."""
    description: str
    """What they do; entries of the same name share one."""

    @property
    def cell_count(self) -> int:
        """The width in cells, without a separator."""
        return cell_len(self.keys) + 1 + cell_len(self.description)


def arrange_footer_pages(commands: Sequence[ScreenCommand], max_cells: int) -> list[list[FooterEntry]]:
    """Return the entries of each page of the footer: all on one if they fit, else as many as fit.

    Every page ends with the keys that turn the pages and open the help, the first one also with the key that returns to
    the screen below or, if there is none, leaves. If no key turns the pages, what does not fit is left out.
    """
    leave_ids = [command.id for command in commands if command.closes_screen] or [LEAVE_ID]
    end_ids = (leave_ids[0], MORE_ID, HELP_ID)
    entries = _build_footer_entries([command for command in commands if command.id not in end_ids])
    leave, more, help_ = (
        _build_footer_entries([command for command in commands if command.id == binding_id]) for binding_id in end_ids
    )
    if _count_cells([*entries, *leave, *help_]) <= max_cells:
        return [[*entries, *leave, *help_]]
    first_tail = [*leave, *more, *help_]
    for largest_number in (9, 99):  # the number of a page takes room from its entries
        other_tail = [*(_number_page(entry, largest_number, largest_number) for entry in more), *help_]
        pages = _fill_pages(entries, first_tail, other_tail, max_cells)
        if len(pages) <= largest_number:
            break
    first_page = [*pages[0], *first_tail]
    if not more:
        return [first_page]
    return [
        first_page,
        *([*page, _number_page(more[0], number, len(pages)), *help_] for number, page in enumerate(pages[1:], start=2)),
    ]


def _fill_pages(
    entries: Sequence[FooterEntry],
    first_tail: Sequence[FooterEntry],
    other_tail: Sequence[FooterEntry],
    max_cells: int,
) -> list[list[FooterEntry]]:
    """Return the entries in pages that leave room for the entries at the end of the first page and of all others."""
    pages: list[list[FooterEntry]] = [[]]
    for entry in entries:
        tail = first_tail if len(pages) == 1 else other_tail
        if pages[-1] and _count_cells([*pages[-1], entry, *tail]) > max_cells:
            pages.append([])
        pages[-1].append(entry)
    return pages


def _build_footer_entries(commands: Sequence[ScreenCommand]) -> list[FooterEntry]:
    """Return one entry per description, with the first key of each command that has it."""
    keys_by_description: dict[str, list[str]] = {}
    for command in commands:
        if command.is_in_footer and command.keys:
            # Esc, and q where it does not leave the program.
            shown_keys = command.keys[: 2 if command.closes_screen else 1]
            keys_by_description.setdefault(command.description, []).extend(shown_keys)
    return [FooterEntry(format_key_list(keys), description) for description, keys in keys_by_description.items()]


def _number_page(entry: FooterEntry, number: int, count: int) -> FooterEntry:
    return FooterEntry(entry.keys, f"{entry.description} {number}/{count}")


def _count_cells(entries: Sequence[FooterEntry]) -> int:
    """Return the width of a line of entries, with a blank on the left."""
    return 1 + sum(entry.cell_count for entry in entries) + len(SEPARATOR) * (len(entries) - 1)
