"""Test the export of labels from the labelling screen and the summary."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.harness import press_slowly, screen_text, settle, wait_until
from tests.tui.scripted_session import ScriptedSession
from vaetui.session.views import Phase
from vaetui.tui.app import VaetuiApp
from vaetui.tui.presenters.export_dialogue import describe_unknown_suffix, format_question
from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.widgets.line_panel import LinePanel

PHASES: tuple[Phase, ...] = ("labelling", "finished")


@pytest.fixture(autouse=True)
def _work_in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def line_text(pilot: Pilot[None]) -> str:
    """Return the question with the typed text, and the keys below it."""
    screen = pilot.app.screen
    assert isinstance(screen, VaetuiScreen)
    assert screen.is_line_open
    return "\n".join(row.rstrip() for row in screen.query_one(LinePanel).text.splitlines()[-2:])


def is_line_open(screen: Screen[Any]) -> bool:
    return isinstance(screen, VaetuiScreen) and screen.is_line_open


async def wait_for_text(pilot: Pilot[None], text: str) -> None:
    """Wait until the screen shows a text, which may wrap."""
    await wait_until(pilot, lambda: text in " ".join(screen_text(pilot.app).split()), 10)


@pytest.mark.parametrize("phase", PHASES)
async def test_e_and_enter_export_to_a_file_named_after_the_session(phase: Phase, tmp_path: Path) -> None:
    session = ScriptedSession(phase)
    async with VaetuiApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press_slowly(pilot, "e")
        assert line_text(pilot).startswith(" Export as CSV (or .jsonl .npz .parquet folder/) to demo-mnist.csv_")
        await press_slowly(pilot, "enter")
        await wait_for_text(pilot, "640 labels written; you saw 132 images: /")
        assert not is_line_open(pilot.app.screen)
    assert (tmp_path / "demo-mnist.csv").read_text() == "0 answers\n"
    assert "export_labels demo-mnist.csv csv 0" in session.calls


@pytest.mark.parametrize("phase", PHASES)
async def test_an_existing_file_is_overwritten_after_y_only(phase: Phase, tmp_path: Path) -> None:
    session, output = ScriptedSession(phase), tmp_path / "demo-mnist.csv"
    output.write_text("mine")
    async with VaetuiApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for answer in ("n", "escape", "enter", "y"):
            await press_slowly(pilot, "e", "enter")
            await wait_until(pilot, lambda: is_line_open(pilot.app.screen), 10)
            assert line_text(pilot).startswith(" demo-mnist.csv exists. Overwrite? y/n")
            pilot.app.post_message(Paste("y"))
            await press_slowly(pilot, answer)
            assert is_line_open(pilot.app.screen) == (answer == "enter"), answer
            if answer == "enter":
                assert "y or n" in line_text(pilot)
                await press_slowly(pilot, "escape")
            if answer != "y":
                assert output.read_text() == "mine"
        await wait_for_text(pilot, "640 labels written")
    assert output.read_text() == "0 answers\n"
    assert [call for call in session.calls if "force" in call] == ["export_labels demo-mnist.csv csv 0 force"]


async def test_the_typed_name_chooses_the_format_and_the_question_names_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    session = ScriptedSession("labelling")
    async with VaetuiApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for name, title in (
            ("below/a.jsonl", "JSON Lines"),
            ("a.NPZ", "NumPy arrays"),
            ("sorted", "class folders"),
            ("below/out/", "class folders"),
        ):
            await press_slowly(pilot, "e", "ctrl+u")
            assert " Export as ? (or .csv .jsonl .npz .parquet folder/) to _" in line_text(pilot)
            pilot.app.post_message(Paste(name))
            await pilot.pause()
            assert f" Export as {title} (or " in line_text(pilot)
            await press_slowly(pilot, "enter")
            await wait_for_text(pilot, "640 labels written")
            await press_slowly(pilot, "m")
        await press_slowly(pilot, "e", "ctrl+u", *"a.tsv", "enter")
        assert " ! Unknown suffix; use .csv .txt .jsonl" in line_text(pilot)
        await press_slowly(pilot, "escape")
    calls = [call for call in session.calls if call.startswith("export_labels")]
    assert calls == [
        *("export_labels a.jsonl jsonl 0", "export_labels a.NPZ npz 0"),
        *("export_labels sorted folders 0", "export_labels out folders 0"),
    ]


async def test_a_refused_output_is_asked_for_again_with_the_reason(tmp_path: Path) -> None:
    session = ScriptedSession("labelling")
    async with VaetuiApp(session).run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        await press_slowly(pilot, "e", "ctrl+u", *"missing/a.csv", "enter")
        await wait_until(pilot, lambda: is_line_open(pilot.app.screen), 10)
        assert "missing/a.csv_" in line_text(pilot)
        assert "does not exist. Create it first." in line_text(pilot)
        (tmp_path / "missing").mkdir()
        await press_slowly(pilot, "enter")
        await wait_for_text(pilot, "640 labels written")
        assert (tmp_path / "missing/a.csv").exists()


async def test_labelling_and_training_go_on_during_an_export(tmp_path: Path) -> None:
    session = ScriptedSession("labelling", clusters=2)
    session.export_steps = threading.Semaphore(0)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press_slowly(pilot, "e", "enter")
        await wait_for_text(pilot, "Exporting: 0 %, encoding the")
        session.export_steps.release()
        await wait_for_text(pilot, "Exporting: 50 %, encoding the")
        await press_slowly(pilot, "e")
        await wait_for_text(pilot, "An export is running. Wait until it ends")
        await press_slowly(pilot, "3", "enter", "4", "enter")
        assert len(session.answer_log) == 2
        await press_slowly(pilot, "g")
        await wait_for_text(pilot, "round 2 of 5")
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        session.export_steps.release(2)
        await wait_for_text(pilot, "640 labels written; you saw 132 images:")
    assert (tmp_path / "demo-mnist.csv").exists()


async def test_leaving_during_an_export_asks_once(tmp_path: Path) -> None:
    session = ScriptedSession("finished")
    session.export_steps = threading.Semaphore(0)
    async with VaetuiApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press_slowly(pilot, "e", "enter")
        await wait_for_text(pilot, "Exporting: 0 %")
        await press_slowly(pilot, "q")
        await wait_for_text(pilot, "An export is running. q again leaves without it")
        assert not pilot.app.is_leaving  # type: ignore[attr-defined]
        await press_slowly(pilot, "q")
        assert pilot.app.is_leaving  # type: ignore[attr-defined]
        session.export_steps.release(3)
    assert not (tmp_path / "demo-mnist.csv").exists()


def test_questions_name_the_format() -> None:
    assert format_question("x.parquet") == "Export as Parquet (or .csv .jsonl .npz folder/) to"
    assert format_question("x.idx") == "Export as IDX (or .csv .jsonl .npz .parquet folder/) to"
    assert format_question("x.zip") == "Export as ? (or .csv .jsonl .npz .parquet folder/) to"
    assert describe_unknown_suffix("x.zip").startswith("Unknown suffix; use .csv")
    assert describe_unknown_suffix("x") == describe_unknown_suffix("x.csv") == ""
