"""Test the screens with real sessions: own classes from images to exported labels, and samples."""

from __future__ import annotations

import csv
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tests.command_line import run_vaetui
from tests.data.drawing import draw_letters, write_letter_folder
from tests.session.scripted_run import SMALL_CONFIG
from tests.session_templates import SessionTemplates
from tests.tui.harness import prompt_text, screen_text, wait_for_screen, wait_until
from vaetui.cli.data_options import DataOptions
from vaetui.data.class_labels import read_class_names
from vaetui.data.import_options import ImportOptions
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.session import lifecycle
from vaetui.session.predictor import Predictor
from vaetui.session.session import Session
from vaetui.storage.repository import SessionRepository
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.reading_test import ReadingTestScreen
from vaetui.tui.screens.samples import SamplesScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen

pytestmark = pytest.mark.usefixtures("home")

TINY_CONFIG = replace(SMALL_CONFIG, network=replace(SMALL_CONFIG.network, z_dim=6))
TIMEOUT_S = 120
"""Time for one phase on a busy machine."""


def create_session(data: Path, classes: str, has_labels: bool) -> Session:
    """Create a session like `vaetui new --data DATA --classes CLASSES`."""
    options = DataOptions(str(data), ImportOptions(labels=has_labels, classes=read_class_names(classes)))
    imported_data = options.import_images(TINY_CONFIG)
    return lifecycle.create(
        "own", imported_data.source, imported_data.config, imported_data.data_record, imported_data.title
    )


@asynccontextmanager
async def open_app(session: Session) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        yield pilot, app
    session.close()


async def wait_for_idle_screen(pilot: Pilot[None], screen_type: type[Screen[None]]) -> None:
    """Wait for a screen and the end of the worker behind it."""
    app = pilot.app
    assert isinstance(app, VaetuiApp)
    await wait_until(pilot, lambda: isinstance(app.screen, screen_type) and not app.event_worker.is_busy, TIMEOUT_S)


async def pick_class(pilot: Pilot[None], screen_type: type[Screen[None]], letter: str) -> None:
    """Choose a class in the line that this screen opens."""
    assert isinstance(pilot.app.screen, screen_type)
    await pilot.press("slash", letter, "enter")


async def split_cluster(pilot: Pilot[None], parts: str) -> None:
    await pilot.press("s", parts, "enter")
    await wait_for_idle_screen(pilot, LabellingScreen)


def export_rows(tmp_path: Path) -> list[dict[str, str]]:
    process = run_vaetui("export", "own", "--format", "csv", "-o", str(tmp_path / "labels.csv"))
    assert process.returncode == 0, process.stderr
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
async def test_folder_of_26_classes_is_labelled_by_name_and_exported(tmp_path: Path) -> None:
    names = string.ascii_lowercase
    write_letter_folder(tmp_path / "letters", names, 12)
    session = create_session(tmp_path / "letters", ",".join(names), has_labels=True)
    assert session.config.network.classes == 26
    async with open_app(session) as (pilot, app):
        assert isinstance(app.screen, TrainingScreen | LabellingScreen)  # training may be over
        await wait_for_idle_screen(pilot, LabellingScreen)
        assert "/ others  0 a  1 b" in screen_text(app)
        await split_cluster(pilot, "2")
        await pick_class(pilot, LabellingScreen, "q")
        await pilot.press("8")
        assert 'Saved: cluster 0.0 = "q", confidence 0.8' in prompt_text(app.screen)
        await pilot.press("x")
        await pick_class(pilot, LabellingScreen, "y")
        await pilot.press("enter", "u")
        assert "Undid: answer for cluster 1" in prompt_text(app.screen)
        await pick_class(pilot, LabellingScreen, "z")
        await pilot.press("enter")
        await pick_class(pilot, LabellingScreen, "m")
        await pilot.press("enter", "3", "enter", "g", "g")
        await wait_for_idle_screen(pilot, LabellingScreen)
        assert session.round_number == 2
        digit_keys = session.round_view().digit_keys
        assert [names[class_id] for class_id in digit_keys if class_id is not None] == [*"abcdefgmqz"]
        await pilot.press("9", "enter", "7", "4", "8", "enter")
        assert 'Saved: cluster 2 = "q"' in prompt_text(app.screen)
        await pick_class(pilot, LabellingScreen, "w")
        await pilot.press("enter", "g", "g")
        await wait_for_idle_screen(pilot, SummaryScreen)
        await pilot.press("t")
        await wait_for_idle_screen(pilot, ReadingTestScreen)
        assert "9 z" in screen_text(app)
        await pick_class(pilot, ReadingTestScreen, "y")
        await pilot.press("9", "escape")
        await wait_for_idle_screen(pilot, SummaryScreen)
        assert session.reading_test().class_ids == (24, 25)
    rows = export_rows(tmp_path)
    assert len(rows) == 26 * 12
    assert {row["class"] for row in rows} <= set(names)
    assert all(names[int(row["label"])] == row["class"] for row in rows)
    assert {"w", "z", "m", "q"} <= {row["class"] for row in rows if row["source"] == "answer"}
    repository = SessionRepository(session.directory)
    assert [record.answer for record in repository.list_answers(1)] == [
        *(Split(2), ClassAnswer(16, 0.8), Unreadable(), ClassAnswer(25), ClassAnswer(12), ClassAnswer(3))
    ]
    assert [record.answer for record in repository.list_answers(2)] == [
        ClassAnswer(25),
        ClassAnswer(12, 0.4),
        ClassAnswer(16),
        ClassAnswer(22),
    ]
    repository.close()


async def test_array_of_two_classes_is_labelled_by_digits_and_exported(tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", draw_letters("ox", 40))
    session = create_session(tmp_path / "two.npy", "round one,cross", has_labels=False)
    async with open_app(session) as (pilot, app):
        await wait_for_idle_screen(pilot, LabellingScreen)
        assert "0 round one  1 cross" in screen_text(app)
        await pilot.press("2")
        assert "Digit 2 has no class (use 0-1)" in prompt_text(app.screen)
        await pilot.press("1", "enter", "x", "u", "0", "6")
        assert 'Saved: cluster 1 = "round one", confidence 0.6' in prompt_text(app.screen)
        await split_cluster(pilot, "3")
        await pilot.press("a", "0", "1", "x")
        await pick_class(pilot, LabellingScreen, "c")
        await pilot.press("g", "g")
        await wait_for_idle_screen(pilot, LabellingScreen)
        assert session.round_view().digit_keys == (0, 1)
        assert "ONE-KEY" in prompt_text(app.screen)
        await pilot.press(*"01010", "g")
        await wait_for_idle_screen(pilot, SummaryScreen)
        await pilot.press("t")
        await wait_until(pilot, lambda: "have no true labels" in " ".join(screen_text(app).split()))
    rows = export_rows(tmp_path)
    assert len(rows) == 80
    assert {row["class"] for row in rows} == {"round one", "cross"}


async def test_screen_and_predictor_generate_the_same_samples(templates: SessionTemplates) -> None:
    templates.copy("finished", "real")
    async with open_app(lifecycle.resume("real")) as (pilot, app):
        await wait_for_idle_screen(pilot, SummaryScreen)
        await pilot.press("d")
        await wait_for_screen(pilot, SamplesScreen)
        screen = app.screen
        assert isinstance(screen, SamplesScreen)
        for key, class_id, seed in (("n", None, 1), ("4", 4, 1)):
            await wait_until(pilot, lambda: not screen.event_worker.is_busy, TIMEOUT_S)
            await pilot.press(key)
            await wait_until(pilot, lambda: not screen.event_worker.is_busy, TIMEOUT_S)
            generation = Predictor("real").generate_samples(18, class_id, seed)
            while True:
                try:
                    next(generation)
                except StopIteration as end:
                    assert np.array_equal(screen.pictures, end.value)
                    break
