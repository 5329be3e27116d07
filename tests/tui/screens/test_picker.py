"""Test the session picker with real sessions: list, choice, new, delete, export, find, and sizes."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from threading import Event as Gate

import pytest
from textual.pilot import Pilot

from tests.session_templates import SessionTemplates, TemplatePhase
from tests.tui.harness import assert_snapshot, press_slowly, prompt_text, screen_text, settle, wait_until
from vaetui.cli.picker_command import _build_arguments
from vaetui.engine.events import Event, LabelsExported, Progress
from vaetui.session import lifecycle
from vaetui.session.session_catalogue import SessionCatalogue, StoredLabels
from vaetui.storage import file_names, locations, lock
from vaetui.tui.picker_app import EXPORT_RUNS_NOTICE, PickerApp
from vaetui.tui.presenters.picker_presenter import NewChoice, ResumeChoice
from vaetui.tui.screens import picker
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.picker import PickerScreen
from vaetui.tui.settings import AppSettings
from vaetui.tui.widgets.line_panel import LinePanel

pytestmark = pytest.mark.usefixtures("home")

SIZES = [(60, 18), (80, 24), (120, 40), (200, 60)]
SNAPSHOT_SIZES = SIZES[1:3]
PHASES: dict[str, TemplatePhase] = {
    "cats": "labelling",
    "birds-of-the-northern-forests": "finished",
    "owls": "training",
}
"""Phases of the sessions that the tests list, by their names, the one used last first."""


class SlowLabels(StoredLabels):
    """Labels that are exported when the gate opens."""

    gate = Gate()

    def export_labels(self, output: Path, *arguments: object, **options: object) -> Generator[Event, None, None]:
        yield Progress("writing", 0, 1)
        self.gate.wait(60)
        yield LabelsExported(f"{output}: 1 label written.")


class SlowCatalogue(SessionCatalogue):
    """Sessions whose labels are exported when the gate opens."""

    def __init__(self) -> None:
        self.gate = SlowLabels.gate = Gate()

    def open_labels(self, name: str) -> StoredLabels:
        return SlowLabels(name)


def create_sessions(templates: SessionTemplates) -> None:
    for index, (name, phase) in enumerate(PHASES.items()):
        used_at = time.time() - 7_300 * (index + 1)
        os.utime(file_names.database_path(templates.copy(phase, name)), (used_at, used_at))


@asynccontextmanager
async def open_picker(
    app: PickerApp | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], PickerApp]]:
    """Open the picker, and wait until all states are read."""
    app = app or PickerApp(SessionCatalogue())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot, app


def focused_name(app: PickerApp) -> str:
    screen = app.screen
    assert isinstance(screen, PickerScreen)
    entry = screen.presenter.focused_entry
    return entry.name if entry is not None else ""


def line_text(app: PickerApp) -> str:
    return app.screen.query_one(LinePanel).text


@pytest.mark.parametrize("size", SIZES)
async def test_picker_lists_sessions_with_their_states_at_every_size(
    templates: SessionTemplates, size: tuple[int, int]
) -> None:
    create_sessions(templates)
    directory = templates.copy("labelling", "damaged")
    file_names.database_path(directory).write_bytes(b"no database" * 1000)
    os.utime(file_names.database_path(directory), (time.time() - 90_000,) * 2)
    async with open_picker(size=size) as (pilot, app):
        lines = screen_text(app).splitlines()
        assert len(lines) == size[1]
        assert lines[0].endswith("4 sessions")
        assert lines[2].startswith("› cats")
        assert "labelling, round 1 of 2" in lines[2]
        assert lines[2].endswith("2 h ago")
        assert "finished" in lines[3]
        assert "training, epoch 1 of 3" in lines[4]
        assert "cannot be read" in lines[5]
        assert "Enter: resume" in prompt_text(app.screen)
        if size in SNAPSHOT_SIZES:
            assert_snapshot(app, f"picker-{size[0]}x{size[1]}")
        await press_slowly(pilot, "end")
        assert "vaetui check damaged --repair" in prompt_text(app.screen)


@pytest.mark.parametrize("size", SIZES)
async def test_picker_without_sessions_says_what_to_press(size: tuple[int, int]) -> None:
    async with open_picker(size=size) as (pilot, app):
        assert "There are no sessions yet. Press" in screen_text(app)
        if size == (80, 24):
            assert_snapshot(app, "picker-empty-80x24")
        for key in ("enter", "d", "e", "slash", "down"):
            await press_slowly(pilot, key)
            assert "No session: press n to create one" in prompt_text(app.screen)
        await pilot.press("q")
    assert app.choice is None


async def test_names_are_shown_before_the_states_are_read(templates: SessionTemplates) -> None:
    create_sessions(templates)
    screen = PickerScreen(SessionCatalogue())
    texts = ["".join(text for text, _ in line) for line in screen.presenter.list_lines(10, 80)]
    assert [text.split()[1] for text in texts[1:2]] == ["cats"]
    assert all(" … " in text for text in texts[1:])


async def test_enter_resumes_the_selected_session(templates: SessionTemplates) -> None:
    create_sessions(templates)
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "down", "j", "k", "end", "home", "pagedown")
        assert focused_name(app) == "owls"
        await pilot.press("enter")
    assert app.choice == ResumeChoice("owls")


async def test_a_session_that_is_open_elsewhere_is_not_resumed(templates: SessionTemplates) -> None:
    create_sessions(templates)
    with closing(lifecycle.resume("cats")):
        async with open_picker() as (pilot, app):
            assert "open elsewhere: labelling" in screen_text(app)
            assert f"Open in process {os.getpid()} of" in prompt_text(app.screen)
            for key in ("enter", "d"):
                await press_slowly(pilot, key)
                assert "Session cats is open in process" in prompt_text(app.screen)
                assert not isinstance(app.screen, HelpScreen)
            await pilot.press("q")
    assert app.choice is None


async def test_state_of_an_open_session_is_read_again(
    templates: SessionTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picker, "RELOAD_S", 0.05)
    create_sessions(templates)
    with closing(lifecycle.resume("owls")):
        async with open_picker() as (pilot, app):
            assert "open elsewhere: training" in screen_text(app)
            await press_slowly(pilot, "end")
            assert "Open in process" in prompt_text(app.screen)
            lock.mark_detached(locations.find_session("owls"))
            await wait_until(pilot, lambda: "training in background, epoch 1 of 3" in screen_text(app))
            assert "trains it. Enter stops that training" in prompt_text(app.screen)
            assert focused_name(app) == "owls"


async def test_new_session_takes_a_path_and_shows_what_is_wrong_with_it(tmp_path: Path) -> None:
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "n")
        assert "only Enter: the bundled MNIST" in line_text(app)
        await press_slowly(pilot, *"absent", "enter")
        assert "Images: absent" in line_text(app)
        assert "! There is no such file or directory" in line_text(app)
        await press_slowly(pilot, "ctrl+u", *str(tmp_path), "enter")
        assert "Features: _  photographs: a model or a .npy file; only Enter: none" in line_text(app)
        assert "efficientnet-lite0" in line_text(app)
        await press_slowly(pilot, "enter")
    assert app.choice == NewChoice(str(tmp_path))


@pytest.mark.parametrize(
    ("keys", "features"),
    [
        (("down", "enter"), "efficientnet-lite0"),
        ((*"~/v.npy", "enter"), "~/v.npy"),
        ((*"dinov2", "down", "enter"), "dinov2-small"),
    ],
)
async def test_new_session_takes_an_image_model_or_a_file_of_vectors(
    keys: tuple[str, ...], features: str, tmp_path: Path
) -> None:
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "n", *str(tmp_path), "enter", *keys)
    assert app.choice == NewChoice(str(tmp_path), features)
    assert isinstance(app.choice, NewChoice)
    name, arguments = _build_arguments(app.choice)
    assert (name, arguments[0]) == ("new", f"--data={tmp_path}")
    assert arguments[1:] == [f"--features={os.path.expanduser(features)}"]


async def test_picker_comes_back_with_the_typed_features_after_the_path(tmp_path: Path) -> None:
    failed_choice = NewChoice(str(tmp_path), "absent.npy")
    failed_app = PickerApp(SessionCatalogue(), failed_choice=failed_choice, problem="There is no file absent.npy.")
    async with open_picker(failed_app) as (pilot, app):
        assert "! There is no file absent.npy." in screen_text(app)
        await press_slowly(pilot, "enter")
        assert "Features: absent.npy_" in line_text(app)


async def test_new_session_with_an_empty_line_uses_the_bundled_images() -> None:
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "n", "escape")
        assert not app.screen.is_line_open  # type: ignore[attr-defined]
        await press_slowly(pilot, "n", "enter")
    assert app.choice == NewChoice("")


async def test_picker_comes_back_with_the_typed_path_and_the_reason() -> None:
    failed_app = PickerApp(SessionCatalogue(), failed_choice=NewChoice("images/ten"), problem="1 file is usable.")
    async with open_picker(failed_app) as (pilot, app):
        assert "Images: images/ten_" in line_text(app)
        assert "! No session was created" in line_text(app)
        assert "! 1 file is usable." in screen_text(app)
        await press_slowly(pilot, "escape")
        assert "! 1 file is usable." in screen_text(app)
        await press_slowly(pilot, "down")
        assert "usable" not in screen_text(app)


async def test_picker_comes_back_to_the_session_that_could_not_be_resumed(templates: SessionTemplates) -> None:
    create_sessions(templates)
    failed_app = PickerApp(SessionCatalogue(), failed_choice=ResumeChoice("owls"), problem="Its images are missing.")
    async with open_picker(failed_app) as (pilot, app):
        assert focused_name(app) == "owls"
        assert "! Its images are missing." in prompt_text(app.screen)
        await press_slowly(pilot, "up")
        assert "missing" not in prompt_text(app.screen)


async def test_delete_names_what_is_lost_and_needs_a_yes(templates: SessionTemplates) -> None:
    create_sessions(templates)
    async with open_picker() as (pilot, app):
        for keys in (("d", "n"), ("d", "enter", "escape"), ("delete", "escape")):
            await press_slowly(pilot, keys[0])
            assert "Delete cats and its 1 answer? y/n" in line_text(app)
            await press_slowly(pilot, *keys[1:])
        await settle(pilot)
        assert len(locations.list_session_names()) == 3
        await press_slowly(pilot, "d", "y")
        await wait_until(pilot, lambda: "Session cats was deleted." in prompt_text(app.screen))
        assert focused_name(app) == "birds-of-the-northern-forests"
        assert "2 sessions" in screen_text(app)
    assert "cats" not in locations.list_session_names()


async def test_session_opened_while_the_question_is_open_is_not_deleted(templates: SessionTemplates) -> None:
    create_sessions(templates)
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "d")
        with closing(lifecycle.resume("cats")):
            await press_slowly(pilot, "y")
            await wait_until(pilot, lambda: "Session cats is open in process" in prompt_text(app.screen))
    assert "cats" in locations.list_session_names()


async def test_find_selects_a_session_by_a_part_of_its_name(templates: SessionTemplates) -> None:
    create_sessions(templates)
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "slash", *"north")
        assert "1 of 3" in line_text(app)
        await press_slowly(pilot, "enter")
        assert focused_name(app) == "birds-of-the-northern-forests"


async def test_export_writes_the_labels_of_the_selected_session(
    templates: SessionTemplates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_sessions(templates)
    monkeypatch.chdir(tmp_path)
    async with open_picker() as (pilot, app):
        await press_slowly(pilot, "e")
        assert "cats.csv" in line_text(app)
        await press_slowly(pilot, "enter")
        await wait_until(pilot, lambda: "labels written" in prompt_text(app.screen))
        assert (tmp_path / "cats.csv").read_text().count("\n") > 1
        await press_slowly(pilot, "down", "e")
        assert "the-northern-forests.csv" in line_text(app)
        await press_slowly(pilot, "escape", "end", "e", "enter")
        await wait_until(pilot, lambda: "No labels yet" in line_text(app))
        await press_slowly(pilot, "escape")


@pytest.mark.parametrize("keys", [("enter",), ("n", "enter")])
async def test_a_choice_waits_until_an_export_has_ended(templates: SessionTemplates, keys: tuple[str, ...]) -> None:
    create_sessions(templates)
    catalogue = SlowCatalogue()
    async with open_picker(PickerApp(catalogue)) as (pilot, app):
        await press_slowly(pilot, "e", "enter", *keys)
        assert EXPORT_RUNS_NOTICE in prompt_text(app.screen)
        await press_slowly(pilot, "down", "e")
        assert "An export is running" in prompt_text(app.screen)
        await press_slowly(pilot, "q")
        assert "q again leaves without it" in prompt_text(app.screen)
        assert app.is_running
        catalogue.gate.set()
        await wait_until(pilot, lambda: "1 label written" in prompt_text(app.screen))
        await press_slowly(pilot, "home", *keys)
    assert app.choice == (NewChoice("") if len(keys) > 1 else ResumeChoice("cats"))


async def test_help_and_palette_work_and_rebound_keys_are_named(templates: SessionTemplates) -> None:
    settings = AppSettings(keys={"picker.new": ("N",), "picker.resume": ("r",)})
    create_sessions(templates)
    async with open_picker(PickerApp(SessionCatalogue(), settings=settings)) as (pilot, app):
        assert "r: resume · N: new session" in prompt_text(app.screen)
        await press_slowly(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "Continue the selected session" in screen_text(app)
        assert "picture mode" not in screen_text(app)
        await press_slowly(pilot, "escape", "ctrl+p", *"find a session", "enter")
        assert "Session: _" in line_text(app)
        await press_slowly(pilot, "escape", "i")
        assert "Unknown key" in prompt_text(app.screen)


async def test_list_follows_the_size_of_the_terminal(templates: SessionTemplates) -> None:
    create_sessions(templates)
    async with open_picker(size=(120, 40)) as (pilot, app):
        assert "training, epoch 1 of 3, next: round 1 of 2" in screen_text(app)
        await pilot.resize_terminal(60, 18)
        await settle(pilot)
        assert "training, epoch 1 of 3" in screen_text(app)
        assert "  birds-…rests  finished" in screen_text(app)
        assert "birds-of-the-northern-forests" not in screen_text(app)
