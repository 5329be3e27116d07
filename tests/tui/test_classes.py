"""Own classes, many and few, from pictures to labels on the real screens with a real session."""

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
from tests.tui.harness import screen_text, wait_until
from vaetui.cli.data_options import DataOptions
from vaetui.data.class_labels import read_class_names
from vaetui.data.import_options import ImportOptions
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.storage.repository import SessionRepository
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.class_picker import ClassPickerScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.reading_test import ReadingTestScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.prompt import Prompt

pytestmark = pytest.mark.usefixtures("home", "fast_keys")
QUICK = replace(SMALL_CONFIG, network=replace(SMALL_CONFIG.network, channels=(8, 16), z_dim=6))
SECONDS = 60
"""That a phase may take on a machine that is busy otherwise."""


def begun(data: Path, classes: str, labels: bool) -> Session:
    """Begin a small session as `vaetui new --data --classes` does."""
    taken = DataOptions(str(data), ImportOptions(labels=labels, classes=read_class_names(classes))).import_images(QUICK)
    return lifecycle.create("own", taken.source, taken.config, taken.data_record, taken.title)


@asynccontextmanager
async def screens(session: Session) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, TrainingScreen)
        yield pilot, app
    session.close()


async def shown(pilot: Pilot[None], kind: type[Screen[None]]) -> None:
    """Wait for a screen, and until nothing slow goes on behind it."""
    app = pilot.app
    assert isinstance(app, VaetuiApp)
    idle = kind is not TrainingScreen
    await wait_until(pilot, lambda: isinstance(app.screen, kind) and not (idle and app.event_worker.is_busy), SECONDS)


async def named(pilot: Pilot[None], back: type[Screen[None]], letter: str) -> None:
    """Choose a class by its letter."""
    await pilot.press("slash")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, ClassPickerScreen))
    await pilot.press(letter, "enter")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, back))


async def split(pilot: Pilot[None], parts: str) -> None:
    await pilot.press("s", parts, "enter")
    await shown(pilot, LabellingScreen)


def prompt(app: VaetuiApp) -> str:
    return app.screen.query_one(Prompt).text


def exported(tmp_path: Path) -> list[dict[str, str]]:
    """Export as a person does, and read the table."""
    ran = run_vaetui("export", "own", "--format", "csv", "-o", str(tmp_path / "labels.csv"))
    assert ran.returncode == 0, ran.stderr
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_a_folder_of_26_classes_is_labelled_by_letters(tmp_path: Path) -> None:
    names = string.ascii_lowercase
    write_letter_folder(tmp_path / "letters", names, 12)
    session = begun(tmp_path / "letters", ",".join(names), labels=True)
    assert session.config.network.classes == 26
    async with screens(session) as (pilot, app):
        await shown(pilot, LabellingScreen)
        assert "/ others  0 a  1 b" in screen_text(app)
        await split(pilot, "2")
        await named(pilot, LabellingScreen, "q")
        await pilot.press("8")
        assert "saved: 0.0 is q at 0.8" in prompt(app)
        await pilot.press("x")
        await named(pilot, LabellingScreen, "y")
        await pilot.press("enter", "u")
        assert "taken back: the answer of centre 1" in prompt(app)
        await named(pilot, LabellingScreen, "z")
        await pilot.press("enter")
        await named(pilot, LabellingScreen, "m")
        await pilot.press("enter", "3", "enter", "g", "g")
        await shown(pilot, LabellingScreen)
        assert session.round_number == 2
        favourites = session.round_view().digit_keys
        assert [names[kind] for kind in favourites] == [*"abcdefgmqz"]
        await pilot.press("9", "enter", "7", "4", "8", "enter")
        assert "saved: 2 is q" in prompt(app)
        await named(pilot, LabellingScreen, "w")
        await pilot.press("enter", "g", "g")
        await shown(pilot, SummaryScreen)
        await pilot.press("t")
        await shown(pilot, ReadingTestScreen)
        assert "9 z" in screen_text(app)
        await named(pilot, ReadingTestScreen, "y")
        await pilot.press("9", "escape")
        await shown(pilot, SummaryScreen)
        assert session.reading_test().class_ids == (24, 25)
    rows = exported(tmp_path)
    assert len(rows) == 26 * 12
    assert {row["class"] for row in rows} <= set(names)
    assert all(names[int(row["label"])] == row["class"] for row in rows)
    assert {"w", "z", "m", "q"} <= {row["class"] for row in rows if row["source"] == "answer"}
    facts = SessionRepository(session.directory)
    assert [saying.answer for saying in facts.list_answers(1)] == [
        *(Split(2), ClassAnswer(16, 0.8), Unreadable(), ClassAnswer(25), ClassAnswer(12), ClassAnswer(3))
    ]
    assert [saying.answer for saying in facts.list_answers(2)] == [
        ClassAnswer(25),
        ClassAnswer(12, 0.4),
        ClassAnswer(16),
        ClassAnswer(22),
    ]
    facts.close()


async def test_an_array_of_two_classes_is_labelled_by_digits(tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", draw_letters("ox", 40))
    session = begun(tmp_path / "two.npy", "round one,cross", labels=False)
    async with screens(session) as (pilot, app):
        await shown(pilot, LabellingScreen)
        assert "0 round one  1 cross" in screen_text(app)
        await pilot.press("2")
        assert "there is no class 2: 0-1 name one" in prompt(app)
        await pilot.press("1", "enter", "x", "u", "0", "6")
        assert "saved: 1 is round one at 0.6" in prompt(app)
        await split(pilot, "3")
        await pilot.press("a", "0", "1", "x")
        await named(pilot, LabellingScreen, "c")
        await pilot.press("g", "g")
        await shown(pilot, LabellingScreen)
        assert session.round_view().digit_keys == (0, 1)
        await pilot.press("a", *"01010", "g")
        await shown(pilot, SummaryScreen)
        await pilot.press("t")
        await wait_until(pilot, lambda: "have no true labels" in " ".join(screen_text(app).split()))
    rows = exported(tmp_path)
    assert len(rows) == 80
    assert {row["class"] for row in rows} == {"round one", "cross"}
