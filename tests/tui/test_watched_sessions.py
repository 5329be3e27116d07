"""Test the screens and the lines of real sessions that other processes train or answer."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.session_templates import SessionTemplates
from tests.tui.harness import screen_text, wait_for_screen, wait_until
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.events import BatchesTrained, Losses
from vaetui.session import attached_session, lifecycle, watched_session
from vaetui.session.attached_session import AttachedSession
from vaetui.session.views import SessionAccess
from vaetui.session.watched_session import WatchedSession
from vaetui.storage import live_progress, training_run
from vaetui.storage.training_run import TrainingRunLock
from vaetui.tui.app import VaetuiApp
from vaetui.tui.plain.watch import PlainWatch
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.map import MapScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.screens.watched_round import WatchedRoundScreen
from vaetui.tui.session_access import LEAVE_TOOLTIPS
from vaetui.tui.textual_bindings import list_commands

pytestmark = pytest.mark.usefixtures("home")
REFUSAL = "Only watched: to change this session, leave and type: vaetui resume seen"
TIMEOUT_S = 30
BATCHES = BatchesTrained(2, 3, 9, Losses(101.0, 2.0, 3.0), 4_321.0, 0.5)


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_session, "POLL_INTERVAL_S", 0.05)
    monkeypatch.setattr(watched_session, "REST_FACTOR", 0)
    monkeypatch.setattr(attached_session, "VANISHED_TIMEOUT_S", 0)


@asynccontextmanager
async def open_app(
    session: WatchedSession | AttachedSession, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], VaetuiApp]]:
    app = VaetuiApp(session, get_access=lambda: session.access)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        yield pilot, app
        app.event_worker.stop()
    session.close()


def list_command_ids(app: VaetuiApp) -> set[str]:
    """Return the commands that footer, help and palette offer."""
    return {command.id for command in list_commands(app.screen.active_bindings.values())}


async def wait_for_text(pilot: Pilot[None], text: str) -> None:
    """Wait until the screen shows a text, on one line or wrapped."""

    def is_shown() -> bool:
        return text in " ".join(screen_text(pilot.app).split())

    try:
        await wait_until(pilot, is_shown, TIMEOUT_S)
    except TimeoutError:
        raise AssertionError(f"not shown: {text}\n{screen_text(pilot.app)}") from None


async def press_refused(pilot: Pilot[None], key: str, refusal: str = REFUSAL) -> None:
    await pilot.press(key)
    await wait_for_text(pilot, refusal)


async def test_watched_round_shows_answers_of_another_process_and_refuses_to_answer(
    templates: SessionTemplates,
) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(lifecycle.resume_at(directory)) as other:
        async with open_app(WatchedSession(directory)) as (pilot, app):
            await wait_for_screen(pilot, WatchedRoundScreen)
            await wait_for_text(pilot, "Only watched: open in process")
            await wait_for_text(pilot, "nearest members")
            assert not {command for command in list_command_ids(app) if command.startswith("label.")}
            other.record_answer((2,), Unreadable())
            await wait_for_text(pilot, "answered 2 / ")
            await pilot.press("right")
            for key in ("7", "x", "s", "g", "u"):
                await press_refused(pilot, key)
            assert other.answer_counts() == tuple(int(class_id == 6) for class_id in range(10))
            other.close_round()
            await wait_for_screen(pilot, TrainingScreen)
            live_progress.ProgressReport(directory).add(BATCHES)
            await wait_for_text(pilot, "4,321 img/s")
            assert not {"training.pause", "training.read"} & list_command_ids(app)
            assert "pause" not in screen_text(app)
            await press_refused(pilot, "space")
            await press_refused(pilot, "t")


async def test_map_stays_open_when_another_process_ends_the_round(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    with closing(lifecycle.resume_at(directory)) as other:
        async with open_app(WatchedSession(directory)) as (pilot, _):
            await wait_for_text(pilot, "nearest members")
            await pilot.press("M")
            await wait_for_screen(pilot, MapScreen)
            other.close_round()
            await wait_for_text(pilot, "round answered (Esc)")
            await pilot.press("escape")
            await wait_for_screen(pilot, TrainingScreen)


async def test_idle_session_is_shown_as_not_training(templates: SessionTemplates) -> None:
    async with open_app(WatchedSession(templates.copy("training", "seen"))) as (pilot, app):
        await wait_for_text(pilot, "not training now")
        assert "Only watched: not open in any process" in screen_text(app)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_finished_session_is_watched_with_its_images_and_without_keys_that_change_it(
    templates: SessionTemplates, size: tuple[int, int]
) -> None:
    async with open_app(WatchedSession(templates.copy("finished", "seen")), size) as (pilot, app):
        await wait_for_screen(pilot, SummaryScreen)
        assert not {
            "summary.more",
            "summary.audit",
            "summary.review",
            "summary.read",
            "summary.history",
        } & list_command_ids(app)
        assert "summary.export" in list_command_ids(app)
        assert "e exports the labels. Or leave with q" in screen_text(app)
        for key in ("o", "v", "w"):
            await press_refused(pilot, key)
        await pilot.press("M")
        await wait_for_screen(pilot, MapScreen)


async def test_deletion_ends_the_app_with_a_sentence(templates: SessionTemplates) -> None:
    directory = templates.copy("training", "seen")
    async with open_app(WatchedSession(directory)) as (pilot, app):
        directory.rename(directory.with_name("gone"))
        await wait_until(pilot, lambda: app.failure is not None)
    assert str(app.failure) == "Session seen was deleted."


async def test_round_of_a_training_run_is_answered_here_and_then_watched(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    run_lock = TrainingRunLock(directory, 2, "cpu")
    async with open_app(AttachedSession(directory)) as (pilot, app):
        await wait_for_screen(pilot, LabellingScreen)
        assert {"label.split", "label.undo", "label.go"} <= list_command_ids(app)
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await pilot.press("7", "enter", "g", "g")
        await wait_for_screen(pilot, TrainingScreen)
        await wait_for_text(pilot, "trained by 2 processes of")
        assert "training.pause" not in list_command_ids(app)
        await press_refused(pilot, "space", "Other processes train this session")
        run_lock.release()
        await wait_until(pilot, lambda: app.failure is not None)
    assert "have ended; the last checkpoint is saved. Continue with: vaetui resume seen" in str(app.failure)


def test_plain_lines_show_users_answers_and_the_end(templates: SessionTemplates, tmp_path: Path) -> None:
    directory = templates.copy("labelling", "seen")
    lines: list[str] = []
    with closing(lifecycle.resume_at(directory)) as other:

        def write(line: str) -> None:
            lines.append(line)
            if "Round 1" in line:
                other.record_answer((2,), ClassAnswer(3, 0.8))
            elif line.startswith("cluster 2"):
                (tmp_path / "input").write_text("q\n")

        (tmp_path / "input").touch()
        with (tmp_path / "input").open() as input_stream:
            assert PlainWatch(WatchedSession(directory), input_stream, write).run() == 0
    assert lines[1].startswith("Open in process ")
    assert lines[2].startswith("Round 1 of 2: 1 of ")
    assert lines[3].startswith("cluster 2 = 3, confidence 0.8. 2 of ")
    lines.clear()
    watch = PlainWatch(WatchedSession(templates.copy("finished", "done")), io.StringIO(), lines.append)
    assert watch.run() == 0
    assert lines[-2:] == ["Not open in any process", "The session is finished."]
    assert training_run.read_training_run(directory) is None


def test_plain_lines_report_each_epoch_once_until_the_run_is_finished(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "seen")
    lines: list[str] = []
    with closing(lifecycle.resume_at(directory)) as other:

        def write(line: str) -> None:
            lines.append(line)
            if line.startswith("Round "):
                other.close_round()
                for _ in other.advance():
                    pass

        assert PlainWatch(WatchedSession(directory), io.StringIO(), write).run() == 0
        ended = [line for line in lines if " ended" in line]
        assert [line.partition(" ended")[0] for line in ended] == [
            f"epoch {epoch} of {other.epoch_count}" for epoch in range(1, other.epoch_count + 1)
        ]
    assert lines[-1] == "The session is finished."


@pytest.mark.parametrize(("access", "effect"), [("full", "Save and leave"), ("watched", LEAVE_TOOLTIPS["watched"])])
async def test_help_and_palette_describe_what_leaving_does(
    templates: SessionTemplates, access: SessionAccess, effect: str
) -> None:
    directory = templates.copy("finished", "seen")
    session = WatchedSession(directory) if access == "watched" else lifecycle.resume_at(directory)
    app = VaetuiApp(session, get_access=lambda: access)
    async with app.run_test(size=(120, 80)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("question_mark")
        await wait_for_text(pilot, f"q {effect}")
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("ctrl+p", *"leave")
        await wait_for_text(pilot, f"leave: {effect}")
        app.event_worker.stop()
    session.close()
