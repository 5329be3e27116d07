"""The config file of the user: find it, read and check it, and write one setting back.

The file is optional. What is wrong in it is refused with a sentence that names the file and the line.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, get_args

import platformdirs

from vaetui.engine import config, recipes
from vaetui.errors import UserError
from vaetui.storage import atomic_files
from vaetui.tui.display_choices import PICTURE_CHOICES, THEME_CHOICES
from vaetui.tui.key_bindings import format_key_name, parse_key_name
from vaetui.tui.keymap import KEY_BINDINGS
from vaetui.tui.settings import LEAVING_KEYS, AppSettings, find_key_collision

FILE_NAME = "config.toml"
MAX_FILE_BYTES = 1 << 20
"""A larger file is not a config file."""
MAX_VALUE_CHARS = 40
"""Characters of a wrong value that a message repeats."""
EDIT_ADVICE = "Correct it with: vaetui config --edit"
KEYS_SECTION = "keys"
ONE_KEY_MODE = "labelling.one_key_mode"
NEW_FILE_TEXT = "# Settings of vaetui. See all of them with: vaetui config\n\n"
"""Start of a file that the program creates to remember a choice."""
IMAGE_RECIPES = tuple(name for name in recipes.RECIPES if name != recipes.FEATURES_RECIPE)
"""Recipes of sessions that train on images; --features chooses the other one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the file other than keys."""

    choices: tuple[str, ...] | None
    """The texts that are allowed; None for true and false."""
    default: str | None
    """The value without a file; None if not set."""
    help_text: str
    """What it changes."""
    variable: str = ""
    """The environment variable that overrides the file."""


SETTINGS: Mapping[str, Setting] = {
    "display.theme": Setting(
        THEME_CHOICES,
        "auto",
        "Colours; auto follows the terminal's background, terminal uses its 16 colours",
        "VAETUI_THEME",
    ),
    "display.pictures": Setting(
        PICTURE_CHOICES, "auto", "Picture mode; auto queries the terminal, none leaves pictures out", "VAETUI_PICTURES"
    ),
    ONE_KEY_MODE: Setting(None, None, "Whether a digit answers at once in new sessions; a changes it on the screen"),
    "new.recipe": Setting(IMAGE_RECIPES, recipes.DEFAULT_RECIPE, "Recipe of new sessions without --features"),
    "new.device": Setting(get_args(config.Device), "auto", "Device of new sessions; auto chooses the fastest"),
}
"""Settings by section and name."""


@dataclass(frozen=True, slots=True)
class UserConfig:
    """What the file sets; all of it is valid."""

    path: Path
    """The file, which need not exist."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values by the names of `SETTINGS`."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by binding id, as Textual names them; () for none."""

    def create_app_settings(self, theme: str | None = None, pictures: str | None = None) -> AppSettings:
        """Return the settings of the app; theme and picture mode are those of options or variables, if any."""
        return AppSettings(
            self.keys,
            theme or self.values.get("display.theme", "auto"),
            pictures or self.values.get("display.pictures", "auto"),
            self.values.get(ONE_KEY_MODE),
        )


def get_config_path() -> Path:
    """Return the path of the file: in VAETUI_HOME, else in the platform's user config directory."""
    home = os.environ.get("VAETUI_HOME")
    directory = Path(home) if home else Path(platformdirs.user_config_dir("vaetui", appauthor=False))
    return directory.absolute() / FILE_NAME


def load_config() -> UserConfig:
    """Read and check the file; without one everything has its default. Raises UserError if it is not valid."""
    path = get_config_path()
    text = read_text(path)
    return UserConfig(path) if text is None else parse_config(path, text)


def read_text(path: Path) -> str | None:
    """Return the text of the file, or None if there is none; a link is followed, as dotfiles often are links."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UserError(f"{path} is not a file. Remove it, or create a config file there.")
            content = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"Cannot read the config file {path} ({error.strerror or error}).") from error
    if len(content) > MAX_FILE_BYTES:
        raise UserError(f"{path} has more than {MAX_FILE_BYTES >> 20} MiB, so it is not a config file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _create_error(path, content[: error.start].count(b"\n") + 1, "this is not UTF-8 text") from error


def parse_config(path: Path, text: str) -> UserConfig:
    """Check the text of the file; raises UserError for the first error."""
    data = _parse_toml(path, text)
    values: dict[str, Any] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for section, entries in data.items():
        sections = sorted({*(name.partition(".")[0] for name in SETTINGS), KEYS_SECTION})
        if section not in sections:
            _refuse(path, text, (section,), f"there is no section [{section}]{_suggest(section, sections)}")
        if not isinstance(entries, dict):
            _refuse(path, text, (section,), f"{section} is a section: write [{section}] in a line of its own")
        if section == KEYS_SECTION:
            for key_path, binding_id, value in _list_bindings(entries, (section,)):
                if binding_id in keys:
                    _refuse(path, text, key_path, f"{binding_id} is set twice")
                keys[binding_id] = _check_keys(path, text, key_path, binding_id, value)
        else:
            for name, value in entries.items():
                values[f"{section}.{name}"] = _check_value(path, text, (section, name), value)
    if keys:
        _check_collisions(path, text, keys)
    return UserConfig(path, values, keys)


def find_line(text: str, key_path: Sequence[str]) -> int:
    """Return the number of the line in which a section or value of a valid file starts."""
    lines, last_valid = text.splitlines(keepends=True), 0
    for count in range(1, len(lines) + 1):
        data = _try_parsing("".join(lines[:count]))
        if data is not None:
            if _has_path(data, key_path):
                return last_valid + 1
            last_valid = count
    return max(last_valid, 1)


def find_binding_line(text: str, binding_id: str) -> int:
    """Return the number of the line in which the keys of a binding are set."""
    data = _try_parsing(text) or {}
    for key_path, listed_id, _ in _list_bindings(data.get(KEYS_SECTION, {}), (KEYS_SECTION,)):
        if listed_id == binding_id:
            return find_line(text, key_path)
    return 1


def save_one_key_mode(is_on: bool) -> None:
    """Set one-key mode in the file, and keep its comments and its order; raises UserError if that fails."""
    path = get_config_path()
    text = read_text(path)
    try:
        is_set = parse_config(path, text or "").values.get(ONE_KEY_MODE) == is_on
    except UserError as error:
        raise UserError(f"{path} has an error. {EDIT_ADVICE}") from error
    if not is_set:
        new_text = _set_value(NEW_FILE_TEXT if text is None else text, ONE_KEY_MODE, is_on)
        if new_text is None or parse_config(path, new_text).values.get(ONE_KEY_MODE) != is_on:
            raise UserError(f"{path} is written in a way that allows no change. {EDIT_ADVICE}")
        write_text(path, new_text)


def write_text(path: Path, text: str) -> None:
    """Replace the file atomically, or the file that it links to; its permissions stay."""
    target = path.resolve()
    with atomic_files.translate_os_errors(target):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        atomic_files.replace_file(target, text.encode())
        if mode is not None:
            target.chmod(mode)


def _set_value(text: str, name: str, value: bool) -> str | None:
    """Return the text of a valid file with one value changed or added, or None if its form does not allow it."""
    import tomlkit  # here, because only this needs it
    from tomlkit.exceptions import TOMLKitError

    section, key = name.split(".")
    try:
        document = tomlkit.parse(text)
        if section not in document:
            document[section] = tomlkit.table()
        document[section][key] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError):
        return None


def _parse_toml(path: Path, text: str) -> dict[str, Any]:
    import tomllib  # here, because most users have no config file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, line = str(error), len(text.splitlines()) or 1
        if match := re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", reason, re.DOTALL):
            reason, line = match[1], int(match[2])
        reason = reason.replace(" (at end of document)", "")
        raise _create_error(path, line, f"{reason[:1].lower()}{reason[1:]}") from error
    except RecursionError as error:
        raise UserError(f"{path} is nested too deeply for a config file. {EDIT_ADVICE}") from error


def _try_parsing(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _has_path(data: Any, key_path: Sequence[str]) -> bool:
    for name in key_path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


def _list_bindings(entries: Any, key_path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield path, binding id and value of each binding; `label.go` without quotes is a table in TOML."""
    for name, value in entries.items() if isinstance(entries, dict) else ():
        if isinstance(value, dict):
            yield from _list_bindings(value, (*key_path, name))
        else:
            yield (*key_path, name), ".".join((*key_path[1:], name)), value


def _check_value(path: Path, text: str, key_path: tuple[str, str], value: Any) -> Any:
    name = ".".join(key_path)
    if name not in SETTINGS:
        names = [listed for listed in SETTINGS if listed.startswith(f"{key_path[0]}.")]
        _refuse(path, text, key_path, f"there is no setting {name}{_suggest(name, names)}")
    choices = SETTINGS[name].choices
    if choices is None and not isinstance(value, bool):
        _refuse(path, text, key_path, f"{name} is {_format_value(value)}; use true or false")
    if choices is not None and value not in choices:
        allowed = ", ".join(f'"{choice}"' for choice in choices)
        _refuse(path, text, key_path, f"{name} is {_format_value(value)}; use one of {allowed}")
    return value


def _check_keys(path: Path, text: str, key_path: Sequence[str], binding_id: str, value: Any) -> tuple[str, ...]:
    if binding_id not in KEY_BINDINGS:
        _refuse(path, text, key_path, f"there is no command {binding_id}{_suggest(binding_id, list(KEY_BINDINGS))}")
    key_texts = value if isinstance(value, list) else [value]
    keys: list[str] = []
    for key_text in key_texts:
        key = parse_key_name(key_text) if isinstance(key_text, str) else None
        if key is None:
            advice = 'such as "g", "G", "Ctrl-G", "F5" or "PgUp", or a list of names'
            _refuse(path, text, key_path, f"{_format_value(key_text)} is not a key; use a name {advice}")
        if key in LEAVING_KEYS:
            _refuse(path, text, key_path, f"{format_key_name(key)} always leaves, so {binding_id} needs another key")
        keys.append(key)
    return tuple(dict.fromkeys(keys))


def _check_collisions(path: Path, text: str, keys: Mapping[str, tuple[str, ...]]) -> None:
    if collision := find_key_collision(keys):
        first_id, second_id, key = collision
        line = max(find_binding_line(text, binding_id) for binding_id in (first_id, second_id) if binding_id in keys)
        raise _create_error(path, line, f"{first_id} and {second_id} are both bound to {format_key_name(key)}")


def _suggest(name: str, names: Sequence[str]) -> str:
    """Return a question after an unknown name, or the names that exist if they are few."""
    if matches := difflib.get_close_matches(name, names, n=1):
        return f"; did you mean {matches[0]}?"
    return f"; use one of {', '.join(names)}" if len(names) <= 5 else "; list all with: vaetui config --keys"


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else f"{value}"
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"


def _refuse(path: Path, text: str, key_path: Sequence[str], problem: str) -> NoReturn:
    raise _create_error(path, find_line(text, key_path), problem)


def _create_error(path: Path, line: int, problem: str) -> UserError:
    return UserError(f"{path}, line {line}: {problem.rstrip('.')}{'' if problem.endswith('?') else '.'} {EDIT_ADVICE}")
