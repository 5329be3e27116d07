"""Test the sections of the help and their search."""

from __future__ import annotations

from tests.tui.presenters.test_screen_commands import create_command
from vaetui.tui import keymap
from vaetui.tui.presenters.help_text import METHOD_SENTENCES, HelpSection, build_help_sections, filter_sections
from vaetui.tui.presenters.screen_commands import ScreenCommand

LABELLING_COMMANDS = [create_command(binding) for binding in (*keymap.LABELLING_KEYS, *keymap.APP_KEYS)]


def test_sections_are_ordered_by_task_and_end_with_the_method_and_the_terms() -> None:
    sections = build_help_sections(LABELLING_COMMANDS, keymap.LABELLING_GLOSSARY, {"taken": "60 images"})
    assert [section.heading for section in sections] == [
        *("Answer", "Move", "Look closer", "Change your mind", "Classes", "Finish the round", "Everywhere"),
        *("How it works", "Terms", "Imported images"),
    ]
    assert 4 <= len(METHOD_SENTENCES) <= 6


def test_every_command_is_listed_once_with_all_its_keys() -> None:
    rows = [row for section in build_help_sections(LABELLING_COMMANDS, (), {}) for row in section.rows]
    for command in LABELLING_COMMANDS:
        (keys,) = [keys for keys, effect in rows if effect == command.tooltip]
        if command.is_digit:
            assert keys == "0-9"
        else:
            assert set(keys.split()) == set(command.keys)


def test_command_without_a_key_is_listed_as_such() -> None:
    (section, *_) = build_help_sections([ScreenCommand("label.zoom", (), "zoom", "Zoom", "Look closer")], (), {})
    assert section.rows == (("(no key)", "Zoom"),)


def test_search_finds_rows_by_all_words_of_heading_key_and_effect() -> None:
    sections = [
        HelpSection("Answer", (("x", "Unreadable: ignored in training"), ("s", "Split the cluster"))),
        HelpSection("Move", (("n", "Go to the next cluster"),)),
    ]
    assert filter_sections(sections, "") == sections
    assert filter_sections(sections, "CLUSTER next") == sections[1:]
    assert filter_sections(sections, "answer split") == [HelpSection("Answer", (("s", "Split the cluster"),))]
    assert filter_sections(sections, "nothing") == []
