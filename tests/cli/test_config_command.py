"""Test the command `config`, and which of option, environment, config file and default applies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import assert_refused, run_vaetui
from vaetui.cli import main as cli_main
from vaetui.runtime import session_runner
from vaetui.tui.keymap import KEY_BINDINGS
from vaetui.tui.settings import AppSettings


@pytest.fixture
def config_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VAETUI_THEME", "VAETUI_PICTURES", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    home.mkdir()
    return home / "config.toml"


def test_without_a_file_the_path_and_the_defaults_are_shown(config_path: Path) -> None:
    process = run_vaetui("config")
    assert process.returncode == 0
    assert process.stdout.splitlines()[0].split()[:3] == ["config", "file", str(config_path)]
    assert "create it with: vaetui config --edit" in process.stdout
    assert ["display.theme", "auto", "default"] in [line.split() for line in process.stdout.splitlines()]
    assert not config_path.exists()


def test_every_setting_is_shown_with_where_it_comes_from(config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_path.write_text('[display]\ntheme = "terminal"\npictures = "ascii"\n[keys]\nlabel.go = "G"\nlabel.zoom = []')
    monkeypatch.setenv("VAETUI_PICTURES", "half")
    rows = [line.split() for line in run_vaetui("config").stdout.splitlines()]
    assert ["display.theme", "terminal", "file"] in rows
    assert ["display.pictures", "half", "VAETUI_PICTURES"] in rows
    assert ["keys.label.go", "G", "file"] in [row[:3] for row in rows]
    assert ["keys.label.zoom", "(no", "key)", "file"] in [row[:4] for row in rows]
    assert not any(row[0] == "keys.label.undo" for row in rows)
    all_rows = [line.split() for line in run_vaetui("config", "--keys").stdout.splitlines()]
    assert {row[0] for row in all_rows} >= {f"keys.{binding_id}" for binding_id in KEY_BINDINGS}
    description = json.loads(run_vaetui("config", "--json").stdout)
    assert description["path"] == str(config_path)
    assert description["settings"]["display.pictures"] == {"value": "half", "source": "VAETUI_PICTURES"}
    assert description["keys"]["label.go"]["keys"] == ["G"]
    assert description["keys"]["label.undo"] == {
        "keys": ["u"],
        "source": "default",
        "effect": KEY_BINDINGS["label.undo"].tooltip,
    }


def test_check_accepts_a_valid_file_and_refuses_others_with_the_line(config_path: Path) -> None:
    process = run_vaetui("config", "--check")
    assert (process.returncode, process.stdout) == (
        0,
        f"{config_path} does not exist, so every setting has its default.\n",
    )
    config_path.write_text('[display]\ntheme = "dark"')
    process = run_vaetui("config", "--check")
    assert (process.returncode, process.stdout) == (0, f"{config_path} is valid.\n")
    config_path.write_text('[display]\n\ntheme = "drak"')
    assert_refused(f'{config_path}, line 3: display.theme is "drak"; use one of', "config", "--check")
    assert_refused(f"{config_path}, line 3: ", "config")


def test_edit_creates_a_file_with_all_defaults_and_checks_what_was_written(
    config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    process = run_vaetui("config", "--edit")
    assert (process.returncode, process.stdout) == (0, f"{config_path} is valid.\n")
    assert all(f'"{name}"' in config_path.read_text() for name in ("label.go", "any.help", "training.pause"))
    config_path.write_text('[display]\ntheme = "dark"')
    monkeypatch.setenv("EDITOR", "sed -i s/dark/dork/")
    assert_refused(f'{config_path}, line 2: display.theme is "dork"', "config", "--edit")
    monkeypatch.setenv("EDITOR", "false")
    assert_refused("The editor failed", "config", "--edit")


def test_error_in_the_file_is_refused_before_a_session_is_made(config_path: Path) -> None:
    config_path.write_text('[keys]\n"label.go" = "u"')
    message = f"{config_path}, line 2: label.undo and label.go are both bound to u."
    assert_refused(message, "new", "demo")
    assert_refused(message, "resume", "demo")
    assert not (config_path.parent / "sessions").exists()
    assert run_vaetui("sessions").returncode == 0
    assert run_vaetui("new", "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "text", "theme", "pictures"),
    [
        ((), {}, "", "auto", "auto"),
        ((), {}, '[display]\ntheme = "light"\npictures = "ascii"', "light", "ascii"),
        ((), {"VAETUI_THEME": "dark"}, '[display]\ntheme = "light"\npictures = "ascii"', "dark", "ascii"),
        (("--theme", "auto"), {"VAETUI_THEME": "dark"}, '[display]\ntheme = "light"', "auto", "auto"),
        (("--pictures", "half"), {}, '[display]\npictures = "ascii"', "auto", "half"),
    ],
)
def test_option_overrides_environment_and_that_the_file(
    config_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    text: str,
    theme: str,
    pictures: str,
) -> None:
    settings: list[AppSettings] = []
    monkeypatch.setattr(session_runner, "run_tui", lambda factory, app_settings, *_: settings.append(app_settings))
    config_path.write_text(text)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    process = run_vaetui("new", *arguments)
    assert process.returncode == 0, process.stderr
    assert [(setting.theme, setting.pictures) for setting in settings] == [(theme, pictures)]


def test_file_sets_recipe_and_device_of_new_sessions_unless_options_do(
    config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created: list[dict[str, Any]] = []
    monkeypatch.setattr(cli_main, "build_config", lambda **values: created.append(values))
    monkeypatch.setattr(session_runner, "run_tui", lambda *_: None)
    config_path.write_text('[new]\nrecipe = "paper"\ndevice = "cpu"')
    for arguments in ((), ("--recipe", "propagation"), ("--device", "auto")):
        assert run_vaetui("new", *arguments).returncode == 0
    assert [(values["recipe"], values["device"]) for values in created] == [
        ("paper", "cpu"),
        ("propagation", "cpu"),
        ("paper", "auto"),
    ]
