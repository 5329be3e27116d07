"""Test the config file: what it sets, which errors it is refused for, and how a choice is written back."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.runtime import config_file
from vaetui.runtime.config_template import format_config_template
from vaetui.tui.keymap import KEY_BINDINGS

pytestmark = pytest.mark.usefixtures("home")


def write_config(text: str) -> Path:
    path = config_file.get_config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_without_a_file_every_setting_has_its_default() -> None:
    user_config = config_file.load_config()
    assert (dict(user_config.values), dict(user_config.keys)) == ({}, {})
    settings = user_config.create_app_settings()
    assert (settings.theme, settings.pictures, settings.one_key_mode) == ("auto", "auto", None)
    assert settings.format_key("label.go") == "g"


def test_file_is_in_the_config_directory_of_the_platform_unless_vaetui_home_is_set(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert config_file.get_config_path() == home / "config.toml"
    monkeypatch.delenv("VAETUI_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file.get_config_path() == tmp_path / "vaetui" / "config.toml"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_section_of_the_file_is_read(newline: str, mark: str) -> None:
    lines = ["[display]", 'theme = "terminal"', 'pictures = "ascii"', "[labelling]", "one_key_mode = true"]
    lines += ["[new]", 'recipe = "paper"', 'device = "cpu"', "[keys]", '"label.go" = "G"', 'any.help = ["?", "F2"]']
    lines += ['label.redo = "Ctrl-Y"', "label.zoom = []"]
    write_config(mark + newline.join(lines))
    user_config = config_file.load_config()
    assert user_config.values == {
        "display.theme": "terminal",
        "display.pictures": "ascii",
        "labelling.one_key_mode": True,
        "new.recipe": "paper",
        "new.device": "cpu",
    }
    assert user_config.keys == {
        "label.go": ("G",),
        "any.help": ("question_mark", "f2"),
        "label.redo": ("ctrl+y",),
        "label.zoom": (),
    }
    settings = user_config.create_app_settings(theme="light")
    assert (settings.theme, settings.pictures, settings.one_key_mode) == ("light", "ascii", True)
    assert [settings.format_key(name) for name in ("label.go", "any.help", "label.redo", "label.zoom")] == [
        *("G", "?", "Ctrl-Y"),
        "(no key)",
    ]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("[displays]", 1, "there is no section [displays]; did you mean display?"),
        ("# c\n\nx = 1", 3, "there is no section [x]; use one of display, keys, labelling, new."),
        ("display = 3", 1, "display is a section: write [display] in a line of its own."),
        ('[display]\n# c\n\nthema = "dark"', 4, "there is no setting display.thema; did you mean display.theme?"),
        ('[display]\ntheme = "dork"', 2, 'display.theme is "dork"; use one of "auto", "dark", "light", "terminal".'),
        ("[display]\ntheme = 1", 2, "display.theme is 1; use one of"),
        ('[labelling]\none_key_mode = "yes"', 2, 'labelling.one_key_mode is "yes"; use true or false.'),
        ("[labelling]\none_key_mode = 1", 2, "labelling.one_key_mode is 1; use true or false."),
        (
            '[new]\ndevice = "cpu"\nrecipe = "x"',
            3,
            'new.recipe is "x"; use one of "propagation", "photos", "paper", "thorough".',
        ),
        ('[keys]\n"label.goo" = "x"', 2, "there is no command label.goo; did you mean label.go?"),
        ('[keys]\n\nlabel.go = "G,H"', 3, '"G,H" is not a key; use a name such as'),
        ("[keys]\nlabel.go = 5", 2, "5 is not a key; use a name such as"),
        ('[keys]\n"label.go" = [\n  "G",\n  "Ctrl-1",\n]', 2, '"Ctrl-1" is not a key; use a name such as'),
        ('[keys]\n"label.go" = "ctrl+c"', 2, "Ctrl-C always leaves, so label.go needs another key."),
        ('[keys]\nlabel.go = "G"\n"label.go" = "Z"', 3, "label.go is set twice."),
        ('[keys]\n"label.go" = "u"', 2, "label.undo and label.go are both bound to u."),
        ('[keys]\n"label.go" = "Z"\n"label.undo" = "Z"', 3, "label.undo and label.go are both bound to Z."),
        ('[keys]\n"label.go" = "5"', 2, "label.class.5 and label.go are both bound to 5."),
        ('[keys]\n"any.help" = "h"', 2, "label.left and any.help are both bound to h."),
        ('[keys]\n"training.pause" = "Q"\n"any.leave" = "Q"', 3, "training.pause and any.leave are both bound to Q."),
        ('[keys]\n"any.pictures" = "q"', 2, "any.leave and any.pictures are both bound to q."),
        ("[display]\ntheme = ", 2, "invalid value."),
        ("[display\n", 1, "expected ']' at the end of a table declaration."),
        ('[new]\n[display]\ntheme = "dark"\ntheme = "light"', 4, "cannot overwrite a value."),
        ("[display]\n# caf\udce9", 2, "this is not UTF-8 text."),
    ],
)  # fmt: skip
def test_error_is_refused_with_file_line_and_reason(text: str, line: int, problem: str) -> None:
    path = config_file.get_config_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=re.escape(f"{path}, line {line}: {problem}")) as caught:
        config_file.load_config()
    assert str(caught.value).endswith("Correct it with: vaetui config --edit")


def test_key_may_be_taken_from_a_command_that_is_rebound_or_belongs_to_another_screen() -> None:
    write_config('[keys]\nlabel.go = "u"\nlabel.undo = "g"\ntraining.draw = "u"\nlabel.zoom = []\nlabel.sort = "z"\n')
    assert config_file.load_config().keys["label.sort"] == ("z",)


def test_screen_may_go_on_using_a_key_of_all_screens_that_it_uses_by_default() -> None:
    write_config('[keys]\n"any.leave" = ["q", "Q"]\n"help.close" = ["q", "Esc"]')
    assert config_file.load_config().keys["any.leave"] == ("q", "Q")


@pytest.mark.parametrize("kind", ["directory", "pipe", "large", "deep"])
def test_path_that_is_no_config_file_is_refused_with_one_sentence(kind: str) -> None:
    path = config_file.get_config_path()
    path.parent.mkdir(parents=True)
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("x = " + "[" * 100_000 if kind == "deep" else "#" * (config_file.MAX_FILE_BYTES + 1))
    with pytest.raises(UserError, match=re.escape(str(path))) as caught:
        config_file.load_config()
    assert "\n" not in str(caught.value)


def test_template_sets_nothing_and_every_line_of_it_sets_the_default() -> None:
    template = format_config_template()
    path = write_config(template)
    assert config_file.load_config() == config_file.UserConfig(path)
    entries = [line for line in template.splitlines() if re.match(r'# ("[a-z_0-9.]+"|[a-z_]+) = ', line)]
    for line in entries:
        template = template.replace(line, line.removeprefix("# "))
    path.write_text(template)
    user_config = config_file.load_config()
    assert dict(user_config.values) == {
        name: setting.default or False for name, setting in config_file.SETTINGS.items()
    }
    defaults = {binding.id: binding.keys for binding in KEY_BINDINGS.values() if not re.search(r"\.[1-9]$", binding.id)}
    assert dict(user_config.keys) == defaults


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[labelling]\none_key_mode = false  # as at home\n", "[labelling]\none_key_mode = true  # as at home\n"),
        ("labelling.one_key_mode = false # x\n", "labelling.one_key_mode = true # x\n"),
        ("labelling = { one_key_mode = false }\n", "labelling = { one_key_mode = true }\n"),
        ("[labelling]\n", "[labelling]\none_key_mode = true\n"),
        ("", "[labelling]\none_key_mode = true\n"),
        (
            '# mine\r\n[keys]  # a comment\r\nlabel.go = "G"\r\n',
            '# mine\r\n[keys]  # a comment\r\nlabel.go = "G"\r\n\r\n[labelling]\r\none_key_mode = true\r\n',
        ),
    ],
)
def test_choice_is_written_back_and_the_rest_of_the_file_stays(before: str, after: str) -> None:
    path = write_config(before)
    path.chmod(0o640)
    config_file.save_one_key_mode(True)
    assert path.read_bytes().decode().replace("\r\n", "\n") == after.replace("\r\n", "\n")
    assert path.stat().st_mode & 0o777 == 0o640
    assert config_file.load_config().values["labelling.one_key_mode"] is True


def test_choice_creates_the_file_and_the_same_choice_again_leaves_it_alone() -> None:
    config_file.save_one_key_mode(True)
    path = config_file.get_config_path()
    assert tomllib.loads(path.read_text()) == {"labelling": {"one_key_mode": True}}
    inode = path.stat().st_ino
    config_file.save_one_key_mode(True)
    assert path.stat().st_ino == inode
    config_file.save_one_key_mode(False)
    assert tomllib.loads(path.read_text()) == {"labelling": {"one_key_mode": False}}


def test_choice_is_written_through_a_link(tmp_path: Path) -> None:
    path = write_config("")
    path.unlink()
    target = tmp_path / "dotfiles.toml"
    target.write_text("# mine\n")
    path.symlink_to(target)
    config_file.save_one_key_mode(True)
    assert path.is_symlink()
    assert target.read_text() == "# mine\n\n[labelling]\none_key_mode = true\n"


def test_choice_is_refused_where_the_file_cannot_be_written_or_has_an_error(home: Path) -> None:
    home.write_text("a file in place of the directory")
    with pytest.raises(UserError, match="Cannot use"):
        config_file.save_one_key_mode(True)
    home.unlink()
    path = write_config("[keys]\nnonsense")
    with pytest.raises(UserError, match="has an error"):
        config_file.save_one_key_mode(True)
    assert path.read_text() == "[keys]\nnonsense"
