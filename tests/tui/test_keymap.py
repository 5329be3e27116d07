"""Test the key bindings of all screens."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vaetui.tui import keymap
from vaetui.tui.key_bindings import format_key_name, parse_key_name


@pytest.mark.parametrize("group", keymap.SCREEN_KEYS)
def test_bindings_of_a_screen_have_unique_ids_and_tooltips(group: str) -> None:
    bindings = keymap.SCREEN_KEYS[group]
    ids = [binding.id for binding in bindings]
    assert len(ids) == len(set(ids))
    assert all(binding_id.startswith(f"{group}.") for binding_id in ids)
    assert all(binding.tooltip and binding.description for binding in bindings)


def test_every_table_of_keys_can_be_rebound() -> None:
    tables = [table for name, table in vars(keymap).items() if name.endswith("_KEYS") and isinstance(table, list)]
    assert len(tables) >= 8
    assert all(any(table is listed for listed in keymap.SCREEN_KEYS.values()) for table in tables)


def test_every_screen_has_a_heading_in_the_help() -> None:
    assert list(keymap.GROUP_TITLES) == list(keymap.SCREEN_KEYS)
    assert len(set(keymap.GROUP_TITLES.values())) == len(keymap.GROUP_TITLES)


@pytest.mark.parametrize("group", keymap.SCREEN_KEYS)
def test_no_key_of_a_screen_is_bound_twice(group: str) -> None:
    keys = [key for binding in keymap.SCREEN_KEYS[group] for key in binding.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("group", keymap.SCREEN_KEYS)
def test_tooltips_name_no_key_that_a_user_may_bind_elsewhere(group: str) -> None:
    words = {word.strip(",.:;()") for binding in keymap.SCREEN_KEYS[group] for word in binding.tooltip.split()[1:]}
    assert not words & {"Enter", "Space", "Esc", "Tab", "Del", "Backspace", "PgUp", "PgDn", "Home", "End"}


@pytest.mark.parametrize("group", keymap.SCREEN_KEYS)
def test_default_keys_are_written_as_textual_names_them(group: str) -> None:
    for binding in keymap.SCREEN_KEYS[group]:
        assert [parse_key_name(format_key_name(key)) for key in binding.keys if len(format_key_name(key)) == 1] == [
            key for key in binding.keys if len(format_key_name(key)) == 1
        ]
        assert [parse_key_name(key) for key in binding.keys] == list(binding.keys)


def test_key_of_a_binding_is_named_as_users_know_it() -> None:
    names = {"label.go": "g", "label.sure": "Enter", "any.command": "Ctrl-P", "any.help": "?", "label.first": "Home"}
    assert {binding_id: keymap.format_default_key(binding_id) for binding_id in names} == names


def test_import_of_the_key_tables_does_not_load_textual() -> None:
    """Textual fixes its colours at import, and the config file is checked before the terminal is queried."""
    code = "import sys, vaetui.tui.settings; print('textual' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "False\n"


@pytest.mark.parametrize("module", ["vaetui.tui.app", "vaetui.tui.keymap"])
def test_import_loads_no_heavy_module(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'sklearn', 'numpy'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"
