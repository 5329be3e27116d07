"""Test the key bindings of all screens."""

from __future__ import annotations

import subprocess
import sys

import pytest
from textual.binding import Binding, BindingType

from vaetui.tui import keymap

SCREENS = {
    "any": (keymap.APP_KEYS, keymap.APP_CONFIRMED_KEYS),
    "help": (keymap.HELP_KEYS, keymap.HELP_CONFIRMED_KEYS),
    "training": (keymap.TRAINING_KEYS, keymap.TRAINING_CONFIRMED_KEYS),
    "label": (keymap.LABELLING_KEYS, keymap.LABELLING_CONFIRMED_KEYS),
    "classes": (keymap.CLASSES_KEYS, keymap.CLASSES_CONFIRMED_KEYS),
    "reading": (keymap.READING_TEST_KEYS, keymap.READING_TEST_CONFIRMED_KEYS),
    "samples": (keymap.SAMPLES_KEYS, keymap.SAMPLES_CONFIRMED_KEYS),
    "summary": (keymap.SUMMARY_KEYS, keymap.SUMMARY_CONFIRMED_KEYS),
}


@pytest.mark.parametrize("group", SCREENS)
def test_bindings_of_a_screen_have_unique_ids_and_tooltips(group: str) -> None:
    bindings, confirmed_keys = SCREENS[group]
    assert all(isinstance(binding, Binding) for binding in bindings)
    ids = [binding.id for binding in bindings if isinstance(binding, Binding)]
    assert len(ids) == len(set(ids))
    assert all(binding_id and binding_id.startswith(f"{group}.") for binding_id in ids)
    assert confirmed_keys <= set(ids)
    assert all(isinstance(binding, Binding) and binding.tooltip for binding in bindings)


def test_no_key_of_a_screen_is_bound_twice() -> None:
    def list_keys(bindings: list[BindingType]) -> list[str]:
        return [key for binding in bindings if isinstance(binding, Binding) for key in binding.key.split(",")]

    for bindings, _ in SCREENS.values():
        keys = list_keys(bindings)
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("module", ["vaetui.tui.app", "vaetui.tui.keymap"])
def test_import_loads_no_heavy_module(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'sklearn', 'numpy'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"
