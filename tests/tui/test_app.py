"""Test the app: which screen it shows, how it exits, and what it imports."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from threading import Event as Gate

import pytest

from tests.tui.harness import screen_text, settle, wait_for_screen, wait_until
from tests.tui.scripted_session import EndlessSession, ScriptedSession
from vaetui.engine.events import Clustered, Event, Finished, Loading, Notice
from vaetui.errors import UserError
from vaetui.session.views import Phase
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen

NOTICE = Notice("round-001.npz was damaged and was restored from its copy.")


class FailingSession(ScriptedSession):
    """A session whose training raises an exception."""

    def __init__(self, failure: BaseException) -> None:
        super().__init__("training")
        self.failure = failure

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        raise self.failure


class GatedSession(ScriptedSession):
    """A session whose training ends when the gate is open."""

    def __init__(self) -> None:
        super().__init__("training")
        self.gate = Gate()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)
        self.current_phase = "labelling"
        yield Clustered(1, 16, ())


class NoticeSession(ScriptedSession):
    """A session that reports a notice when the gate is open."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(phase)
        self.gate = Gate()

    def advance(self) -> Iterator[Event]:
        yield Loading("the model")
        self.gate.wait(60)
        yield NOTICE


@pytest.mark.parametrize(
    ("phase", "screen_type"),
    [("training", TrainingScreen), ("labelling", LabellingScreen), ("finished", SummaryScreen)],
)
async def test_first_screen_is_that_of_the_phase_and_shows_notices(phase: Phase, screen_type: type) -> None:
    session = NoticeSession(phase)
    session.gate.set()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        assert isinstance(app.screen, screen_type)
        for _, binding, _, _ in app.screen.active_bindings.values():
            assert binding.id or binding.system or not binding.show, binding
        await wait_until(pilot, lambda: NOTICE.message in " ".join(screen_text(app).split()))


@pytest.mark.parametrize(
    ("last_event", "screen_type"), [(Clustered(1, 16, ()), LabellingScreen), (Finished(), SummaryScreen)]
)
async def test_end_of_a_phase_shows_the_screen_of_the_next(last_event: Event, screen_type: type) -> None:
    app = VaetuiApp(ScriptedSession("training", events=[Loading("PyTorch"), last_event]))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, screen_type)
        assert len(app.screen_stack) == 2


async def test_notice_appears_after_a_line_is_closed() -> None:
    session = NoticeSession("labelling")
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, LabellingScreen)
        await pilot.press("slash", "a")
        session.gate.set()
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await pilot.press("escape")
        await wait_until(pilot, lambda: NOTICE.message in " ".join(screen_text(app).split()))


async def test_new_phase_waits_until_a_line_is_closed() -> None:
    session = GatedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        await pilot.press("ctrl+p", "p", "a")
        session.gate.set()
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await pilot.press("x", "1", "a", "1")
        assert isinstance(app.screen, TrainingScreen)
        await pilot.press("escape")
        await wait_for_screen(pilot, LabellingScreen)
        assert session.answer_log == []


async def test_new_phase_closes_the_help() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        session.current_phase = "labelling"
        app.event_worker.stop()
        await wait_for_screen(pilot, LabellingScreen)
        assert len(app.screen_stack) == 2


async def test_three_keys_close_the_help_without_leaving() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        for key in ("escape", "q", "question_mark"):
            await pilot.press("question_mark")
            await wait_for_screen(pilot, HelpScreen)
            await pilot.press(key)
            await wait_for_screen(pilot, TrainingScreen)
            assert not app.is_leaving


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_key_saves_and_exits(key: str) -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press(key)
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1


@pytest.mark.parametrize("signal_number", [signal.SIGHUP, signal.SIGTERM])
async def test_signal_saves_and_exits(signal_number: signal.Signals) -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        os.kill(os.getpid(), signal_number)
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1
    assert app.failure is None


@pytest.mark.parametrize("failure", [UserError("The disk is full."), ValueError("a fault")])
async def test_exception_of_the_worker_ends_the_app_and_is_kept(failure: Exception) -> None:
    app = VaetuiApp(FailingSession(failure))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: not app.is_running)
    assert app.failure is failure
    assert app.return_code == 1


async def test_first_frame_is_painted_before_the_first_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    first_frames: list[str] = []
    show_first_screen = app._show_first_screen

    def record_frame() -> None:
        first_frames.append(screen_text(app))
        show_first_screen()

    monkeypatch.setattr(app, "_show_first_screen", record_frame)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
    assert first_frames[0].startswith(" vaetui  demo-mnist")
    assert "starting …" in first_frames[0]


async def test_command_palette_of_textual_which_hides_all_pictures_is_disabled() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert isinstance(app.screen, TrainingScreen)


async def test_keymap_overrides_keys_by_id_and_changes_the_help() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        app.set_keymap({"training.pause": "z", "any.help": "f1"})
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("z")
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await pilot.press("f1")
        await wait_for_screen(pilot, HelpScreen)
        assert any(line.split()[:2] == ["z", "Pause"] for line in screen_text(app).splitlines())


async def test_notice_that_arrives_after_the_exit_is_dropped() -> None:
    app = VaetuiApp(ScriptedSession("finished"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.exit()
    app.show_notice("an export ended")
