"""The command `config`: shows, edits and checks the config file of the user."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from vaetui.errors import UserError, make_printable
from vaetui.tui.key_bindings import NO_KEY_NAME, format_key_name

if TYPE_CHECKING:
    from vaetui.runtime.config_file import UserConfig

CELLS = (30, 14)
"""Width of the columns of names and of values."""


@click.command()
@click.option("--edit", is_flag=True, help="Edit the file in $VISUAL or $EDITOR, then check it.")
@click.option("--check", is_flag=True, help="Check the file; exit status 2 with the line of the first error.")
@click.option("--keys", "all_keys", is_flag=True, help="List all keys, not only those that the file sets.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all keys.")
def config(edit: bool, check: bool, all_keys: bool, as_json: bool) -> None:
    """Show the config file and the settings in effect.

    The file is config.toml in the user's config directory, or in VAETUI_HOME if that is set.
    """
    from vaetui.runtime import config_file

    if edit + check + (all_keys or as_json) > 1:
        raise click.UsageError("--edit, --check and --keys or --json exclude each other. Use one of them.")
    if edit:
        _edit_file()
    user_config = config_file.load_config()
    if edit or check:
        state = "is valid" if user_config.path.exists() else "does not exist, so every setting has its default"
        click.echo(make_printable(f"{user_config.path} {state}."))
    elif as_json:
        click.echo(json.dumps(_describe_config(user_config), indent=2))
    else:
        _print_config(_describe_config(user_config), all_keys)


def _edit_file() -> None:
    from vaetui.runtime import config_file
    from vaetui.runtime.config_template import format_config_template

    path = config_file.get_config_path()
    if not os.path.lexists(path):
        config_file.write_text(path, format_config_template())
    try:
        click.edit(filename=str(path))
    except click.ClickException as error:
        raise UserError(
            f"The editor failed ({error.message}). Set EDITOR to one that works, or edit {path}."
        ) from error


def _describe_config(user_config: UserConfig) -> dict[str, Any]:
    """Return the path, and every setting and binding with its value and where that comes from."""
    from vaetui.runtime import config_file
    from vaetui.tui.keymap import KEY_BINDINGS
    from vaetui.tui.settings import get_keys

    settings: dict[str, Any] = {}
    for name, setting in config_file.SETTINGS.items():
        value = user_config.values.get(name, setting.default)
        source = "file" if name in user_config.values else "default"
        if setting.variable and (variable_value := os.environ.get(setting.variable)):
            value, source = variable_value, setting.variable
        settings[name] = {"value": value, "source": source}
    keys = {
        binding_id: {
            "keys": [format_key_name(key) for key in get_keys(user_config.keys, binding_id)],
            "source": "file" if binding_id in user_config.keys else "default",
            "effect": binding.tooltip,
        }
        for binding_id, binding in KEY_BINDINGS.items()
    }
    return {"path": str(user_config.path), "exists": user_config.path.exists(), "settings": settings, "keys": keys}


def _print_config(description: dict[str, Any], all_keys: bool) -> None:
    name_cells, value_cells = CELLS
    state = "" if description["exists"] else "  (does not exist; create it with: vaetui config --edit)"
    click.echo(make_printable(f"{'config file':{name_cells}}{description['path']}") + state)
    for name, entry in description["settings"].items():
        value = "not set" if entry["value"] is None else json.dumps(entry["value"]).strip('"')
        click.echo(make_printable(f"{name:{name_cells}}{value:{value_cells}}{entry['source']}"))
    shown_keys = {
        binding_id: entry for binding_id, entry in description["keys"].items() if all_keys or entry["source"] == "file"
    }
    for binding_id, entry in shown_keys.items():
        keys = " ".join(entry["keys"]) or NO_KEY_NAME
        click.echo(
            f"{f'keys.{binding_id}':{name_cells}}{keys:{value_cells}}{entry['source']:9}{entry['effect']}".rstrip()
        )
    if not all_keys:
        click.echo(f"{'other keys':{name_cells}}{'':{value_cells}}default; list them with: vaetui config --keys")
