"""The summary: its key, its figures, its commands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.tui.harness import assert_snapshot, screen_text, wait_until
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.engine.config import TrainingConfig
from vaetui.engine.events import Event, Loading
from vaetui.engine.metrics import Agreement
from vaetui.engine.recipes import get_recipe
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.widgets.result_plots import compute_accuracy_by_round


class Finished(ScriptedSession):
    """A run that is over, whose images are loaded only when the test says so."""

    def __init__(self, *, test: bool = True, refuses: bool = False, name: str = "demo-mnist") -> None:
        super().__init__("finished", name=name)
        self.finished_epochs = [create_labelled_epoch(epoch, test) for epoch in range(1, 7)]
        self.may_load = threading.Event()
        self.may_load.set()
        self.refuses = refuses

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.may_load.wait(10)
        yield from super().advance()

    def add_round(self) -> None:
        if self.refuses:
            raise UserError("The disk is full: free some space and press o again.")
        super().add_round()


def session_is_loaded(app: VaetuiApp) -> bool:
    return isinstance(app.session, Finished) and app.session.is_loaded and not app.event_worker.is_busy


async def test_o_begins_one_more_round() -> None:
    session = Finished()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: session_is_loaded(app))
        assert isinstance(app.screen, SummaryScreen)
        await pilot.press("o")
        await wait_until(pilot, lambda: not isinstance(app.screen, SummaryScreen))
        assert "another_round" in session.calls
        assert session.rounds == 6


async def test_o_while_loading_waits_until_everything_is_loaded() -> None:
    session = Finished()
    session.may_load.clear()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        await pilot.press("o")
        await pilot.pause()
        assert "as soon as PyTorch is loaded" in screen_text(app)
        assert "another_round" not in session.calls
        session.may_load.set()
        await wait_until(pilot, lambda: not isinstance(app.screen, SummaryScreen))
        assert session.calls.count("another_round") == 1


async def test_one_more_round_begins_while_the_keys_are_explained() -> None:
    session = Finished()
    session.may_load.clear()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        await pilot.press("o", "question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        session.may_load.set()
        await wait_until(pilot, lambda: isinstance(app.screen, LabellingScreen))
        assert len(app.screen_stack) == 2
    assert app.failure is None


async def test_what_another_round_refuses_is_said_on_the_screen() -> None:
    app = VaetuiApp(Finished(refuses=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: session_is_loaded(app))
        await pilot.press("o")
        await pilot.pause()
        assert "The disk is full: free some space and press o again." in screen_text(app)


async def test_q_leaves() -> None:
    app = VaetuiApp(Finished())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await wait_until(pilot, lambda: not app.is_running)
    assert app.failure is None


async def test_question_mark_explains_the_keys() -> None:
    app = VaetuiApp(Finished())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Ask one more round" in screen_text(app)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("demo-mnist", "vaetui export demo-mnist -o demo-mnist.csv"),
        ("it's mine", """vaetui export 'it'"'"'s mine' -o 'it'"'"'s mine.csv'"""),
    ],
)
async def test_the_commands_are_whole_and_can_be_typed_as_they_are(name: str, command: str) -> None:
    app = VaetuiApp(Finished(name=name))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        assert command in screen_text(app)
        assert "vaetui resume" in screen_text(app)


def test_accuracy_by_round_takes_the_last_epoch_of_each_round() -> None:
    training = TrainingConfig(warmup_epochs=2, rounds=2, epochs_per_round=2)
    epochs = tuple(create_labelled_epoch(epoch) for epoch in range(1, 7))
    assert compute_accuracy_by_round(epochs, training) == [
        (number, epochs[2 * number + 1].test_accuracy) for number in range(3)
    ]


def untested(recipe_name: str = "propagation") -> Finished:
    """Give a run without true labels that is over."""
    session = Finished(test=False)
    session.has_test_labels, session.config = False, get_recipe(recipe_name)
    if recipe_name == "propagation":
        for at, one in enumerate(session.finished_epochs):
            changed = 0.1 / at if at > 1 else None
            session.finished_epochs[at] = replace(one, mean_confidence=0.5 + at / 12, prediction_churn=changed)
    return session


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_without_truth_it_shows_what_is_known_by_epoch(size: tuple[int, int]) -> None:
    app = VaetuiApp(untested())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: session_is_loaded(app) and "▲" in screen_text(app))
        shown = screen_text(app)
        assert "known without labels" in shown
        assert "accuracy" not in shown
        for line in (
            "     epoch    1    2    3    4    5    6",
            "▲ agreed      -    - 95.0 96.7 97.5 98.0",
            "● expected    - 58.3 66.7 75.0 83.3 91.7",
            "◆ pixels   90.0 90.0 90.0 90.0 90.0 90.0",
            "■ covered  0.00 88.0 88.0 88.0 88.0 88.0",
        ):
            assert line in shown
        assert_snapshot(app, f"summary-untested-{size[0]}x{size[1]}")


async def test_without_truth_the_help_explains_those_figures() -> None:
    app = VaetuiApp(untested())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "as it did an epoch before" in screen_text(app)
        assert "test accuracy" not in screen_text(app)


async def test_the_last_rounds_tell_how_far_the_answers_agreed_with_the_classifier() -> None:
    session = Finished()
    session.agreements = tuple(
        (number, Agreement(100, 0.6 + number / 20, None if number == 4 else 0.65 + number / 20))
        for number in range(2, 7)
    )
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        assert (
            "agreement of your answers with the classifier: round 3 75 % (it expected 80 %), round 4 80 %, "
            "round 5 85 % (90 %), round 6 90 % (95 %)"
        ) in " ".join(screen_text(app).split())
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: "round 5" not in screen_text(app))
        assert "agreement of your answers with the classifier: round 6 90 % (it expected 95 %)" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_screen_looks_as_before(size: tuple[int, int]) -> None:
    app = VaetuiApp(Finished())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: session_is_loaded(app) and "●" in screen_text(app))
        assert_snapshot(app, f"summary-{size[0]}x{size[1]}")
