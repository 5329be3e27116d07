"""The app: which screen is shown, how it ends, how keys can be overridden."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Event

import pytest

from tests.tui.harness import screen_text, wait_until
from tests.tui.scripted_session import EndlessSession, ScriptedSession
from vaetui.engine.events import Clustered, Finished, Loading, Notice
from vaetui.engine.events import Event as Happening
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.class_picker import ClassPickerScreen
from vaetui.tui.screens.help import HelpScreen, join_keys
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen


class Failing(ScriptedSession):
    def __init__(self, failure: BaseException) -> None:
        super().__init__("training")
        self.failure = failure

    def advance(self) -> Iterator[Happening]:
        yield Loading("PyTorch")
        raise self.failure


MENDED = Notice("round-001.npz is damaged: restored from its second copy")


class Damaged(ScriptedSession):
    def advance(self) -> Iterator[Happening]:
        yield Loading("the networks")
        yield MENDED


@pytest.mark.parametrize(
    ("phase", "kind"),
    [("training", TrainingScreen), ("labelling", LabellingScreen), ("finished", SummaryScreen)],
)
async def test_the_first_screen_is_that_of_the_phase(phase: str, kind: type) -> None:
    app = VaetuiApp(ScriptedSession(phase, events=[]))  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        assert isinstance(app.screen, kind)


@pytest.mark.parametrize(("last", "kind"), [(Clustered(1, 16, ()), LabellingScreen), (Finished(), SummaryScreen)])
async def test_the_screen_follows_the_phase(last: Happening, kind: type) -> None:
    app = VaetuiApp(ScriptedSession("training", events=[Loading("PyTorch"), last]))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, kind))
        assert len(app.screen_stack) == 2


@pytest.mark.parametrize("phase", ["training", "labelling", "finished"])
async def test_what_was_mended_is_told_on_every_screen(phase: str) -> None:
    app = VaetuiApp(Damaged(phase))  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: MENDED.message in screen_text(app))


async def test_what_was_mended_is_told_also_to_who_looks_for_a_name_meanwhile() -> None:
    class Gated(Damaged):
        gate = Event()

        def advance(self) -> Iterator[Happening]:
            self.gate.wait(10)
            yield from super().advance()

    session = Gated("labelling")
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))
        await pilot.press("slash")
        await wait_until(pilot, lambda: isinstance(app.screen, ClassPickerScreen))
        session.gate.set()
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await pilot.press("escape")
        await wait_until(pilot, lambda: MENDED.message in screen_text(app))


async def test_a_new_phase_ends_the_help_of_the_old_one() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        session.current_phase = "labelling"
        app.event_worker.stop()
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))
        assert len(app.screen_stack) == 2


@pytest.mark.parametrize("key", ["escape", "q", "question_mark"])
async def test_each_of_three_keys_leaves_the_help_and_nothing_else(key: str) -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press(key)
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        assert not app.is_leaving


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_every_way_out_closes_the_slow_verb_first(key: str) -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press(key)
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_lost_line_saves_and_leaves(number: signal.Signals) -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        os.kill(os.getpid(), number)
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1
    assert app.failure is None


@pytest.mark.parametrize("failure", [UserError("The disk is full."), ValueError("a fault")])
async def test_what_the_worker_raises_ends_the_app_and_is_kept(failure: Exception) -> None:
    app = VaetuiApp(Failing(failure))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: not app.is_running)
    assert app.failure is failure
    assert app.return_code == 1


async def test_the_first_frame_is_painted_before_any_screen_is_imported() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    painted: list[str] = []
    begin = app._show_first_screen

    def begin_after_a_look() -> None:
        painted.append(screen_text(app))
        begin()

    app._show_first_screen = begin_after_a_look  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
    assert painted[0].startswith(" vaetui  demo-mnist")
    assert "starting …" in painted[0]


def test_the_app_alone_imports_neither_torch_nor_numpy() -> None:
    code = "import sys, vaetui.tui.app; print(sorted({'torch', 'sklearn', 'numpy'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


async def test_there_is_no_command_palette() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert isinstance(app.screen, TrainingScreen)


async def test_a_keymap_overrides_keys_by_their_ids_and_the_help_knows() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        app.set_keymap({"training.pause": "z", "any.help": "f1"})
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("z")
        await wait_until(pilot, lambda: not app.event_worker.is_busy)
        await pilot.press("f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert any(line.split()[:2] == ["z", "Stop"] for line in screen_text(app).splitlines())


async def test_every_key_of_ours_has_a_name() -> None:
    for phase in ("training", "labelling", "finished"):
        app = VaetuiApp(ScriptedSession(phase, events=[]))
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_until(pilot, lambda: len(app.screen_stack) == 2)  # noqa: B023
            for _, binding, _, _ in app.screen.active_bindings.values():
                assert binding.id or binding.system or not binding.show, binding


def test_digits_are_written_as_a_span() -> None:
    assert join_keys(list("0123456789")) == "0-9"
    assert join_keys(["u"]) == "u"
    assert join_keys(["left", "h"]) == "left h"
