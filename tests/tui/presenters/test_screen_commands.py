"""Test how the commands of a screen are arranged on the pages of the footer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vaetui.tui import keymap
from vaetui.tui.key_bindings import KeyBinding, format_key_name
from vaetui.tui.presenters.screen_commands import SEPARATOR, ScreenCommand, arrange_footer_pages


def create_command(binding: KeyBinding) -> ScreenCommand:
    keys = tuple(map(format_key_name, binding.keys))
    return ScreenCommand(binding.id, keys, binding.description, binding.tooltip, binding.section, binding.show)


def format_pages(commands: Sequence[ScreenCommand], max_cells: int) -> list[str]:
    return [
        " " + SEPARATOR.join(f"{entry.keys} {entry.description}" for entry in page)
        for page in arrange_footer_pages(commands, max_cells)
    ]


@pytest.mark.parametrize("max_cells", [60, 80, 120, 200])
@pytest.mark.parametrize("group", keymap.SCREEN_KEYS)
def test_pages_together_show_every_command_once_and_fit_the_width(group: str, max_cells: int) -> None:
    commands = [create_command(binding) for binding in (*keymap.SCREEN_KEYS[group], *keymap.APP_KEYS)]
    pages = format_pages(commands, max_cells)
    assert all(len(page) <= max_cells for page in pages)
    assert all("? keys" in page for page in pages)
    assert all(f"more {number}/{len(pages)}" in page for number, page in enumerate(pages[1:], start=2))
    assert ", more · ? keys" in pages[0] or len(pages) == 1
    closing = [binding for binding in keymap.SCREEN_KEYS[group] if binding.id.endswith(".close")]
    closing_keys = " ".join(format_key_name(key) for binding in closing for key in binding.keys[:2])
    assert (f"{closing_keys} {closing[0].description}" if closing else "q leave") in pages[0]
    entries = [entry for page in arrange_footer_pages(commands, max_cells) for entry in page]
    for command in commands:
        if command.is_in_footer and command.id not in ("any.more_keys", "any.help"):
            assert len([entry for entry in entries if entry.description == command.description]) == 1, command


def test_commands_with_the_same_description_share_an_entry() -> None:
    commands = [create_command(binding) for binding in keymap.LABELLING_KEYS]
    text = SEPARATOR.join(format_pages(commands, 1000))
    assert "0-9 class" in text
    assert "←↓↑→ move" in text
    assert "- + confidence" in text
    assert "u U undo" in text


def test_without_a_key_that_turns_pages_the_rest_is_left_out() -> None:
    commands = [ScreenCommand(f"label.{key}", (key,), f"command {key}", "", "") for key in "abcdef"]
    assert format_pages(commands, 40) == [" a command a · b command b · c command c"]


def test_commands_without_a_key_are_not_in_the_footer() -> None:
    assert format_pages(
        [ScreenCommand("label.a", (), "no key", "", ""), ScreenCommand("label.b", ("b",), "key", "", "")], 80
    ) == [" b key"]
