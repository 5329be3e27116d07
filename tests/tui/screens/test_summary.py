"""Test the summary screen: another round, figures with and without true labels, and commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event as Gate

import pytest

from tests.tui.harness import SIZES, assert_snapshot, screen_text, wait_for_screen, wait_until
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.engine.config import TrainingConfig
from vaetui.engine.events import Event, Loading
from vaetui.engine.metrics import Agreement
from vaetui.engine.recipes import get_recipe
from vaetui.errors import UserError
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import ROUND_PENDING_NOTICE, SummaryScreen
from vaetui.tui.widgets.result_plots import compute_accuracy_by_round

pytestmark = pytest.mark.usefixtures("fast_keys")


class FinishedSession(ScriptedSession):
    """A finished run that loads its images when the gate is open."""

    def __init__(self, *, has_test_labels: bool = True, refuses_round: bool = False, name: str = "demo-mnist") -> None:
        super().__init__("finished", name=name, has_test_labels=has_test_labels)
        self.finished_epochs = [create_labelled_epoch(epoch, has_test_labels) for epoch in range(1, 7)]
        self.gate = Gate()
        self.gate.set()
        self.refuses_round = refuses_round

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)
        yield from super().advance()

    def add_round(self) -> None:
        if self.refuses_round:
            raise UserError("The disk is full. Free some space and press o again.")
        super().add_round()


def create_session_without_test_labels() -> FinishedSession:
    session = FinishedSession(has_test_labels=False)
    session.config = get_recipe("propagation")
    for index, epoch in enumerate(session.finished_epochs):
        churn = 0.1 / index if index > 1 else None
        session.finished_epochs[index] = replace(epoch, mean_confidence=0.5 + index / 12, prediction_churn=churn)
    return session


def is_loaded(app: VaetuiApp) -> bool:
    return isinstance(app.session, FinishedSession) and app.session.is_loaded and not app.event_worker.is_busy


async def test_o_adds_a_round() -> None:
    session = FinishedSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app))
        assert isinstance(app.screen, SummaryScreen)
        await pilot.press("o")
        await wait_until(pilot, lambda: not isinstance(app.screen, SummaryScreen))
        assert "add_round" in session.calls
        assert session.round_count == 6


async def test_round_requested_while_loading_is_added_afterwards() -> None:
    session = FinishedSession()
    session.gate.clear()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        await pilot.press("o")
        await pilot.pause()
        assert ROUND_PENDING_NOTICE in screen_text(app)
        assert "add_round" not in session.calls
        session.gate.set()
        await wait_until(pilot, lambda: not isinstance(app.screen, SummaryScreen))
        assert session.calls.count("add_round") == 1


async def test_requested_round_closes_the_help() -> None:
    session = FinishedSession()
    session.gate.clear()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.is_busy)
        await pilot.press("o", "question_mark")
        await wait_for_screen(pilot, HelpScreen)
        session.gate.set()
        await wait_for_screen(pilot, LabellingScreen)
        assert len(app.screen_stack) == 2
    assert app.failure is None


async def test_refused_round_shows_the_reason() -> None:
    app = VaetuiApp(FinishedSession(refuses_round=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app))
        await pilot.press("o")
        await pilot.pause()
        assert "The disk is full. Free some space and press o again." in screen_text(app)


async def test_help_lists_the_keys_and_q_exits() -> None:
    app = VaetuiApp(FinishedSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert "Add a round and continue training" in screen_text(app)
        await pilot.press("escape")
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("q")
        await wait_until(pilot, lambda: not app.is_running)
    assert app.failure is None


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("demo-mnist", "vaetui export demo-mnist -o demo-mnist.csv"),
        ("it's mine", """vaetui export 'it'"'"'s mine' -o 'it'"'"'s mine.csv'"""),
    ],
)
async def test_commands_are_complete_and_quoted(name: str, command: str) -> None:
    app = VaetuiApp(FinishedSession(name=name))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        assert command in screen_text(app)
        assert "vaetui resume" in screen_text(app)


def test_accuracy_by_round_uses_the_last_epoch_of_each_round() -> None:
    training = TrainingConfig(warmup_epochs=2, rounds=2, epochs_per_round=2)
    epochs = tuple(create_labelled_epoch(epoch) for epoch in range(1, 7))
    assert compute_accuracy_by_round(epochs, training) == [
        (round_number, epochs[2 * round_number + 1].test_accuracy) for round_number in range(3)
    ]


@pytest.mark.parametrize("size", SIZES)
async def test_summary_without_test_labels_shows_metrics_by_epoch(size: tuple[int, int]) -> None:
    app = VaetuiApp(create_session_without_test_labels())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "▲" in screen_text(app))
        text = screen_text(app)
        assert "Progress without ground truth" in text
        assert "test accuracy" not in text.lower()
        for line in (
            "     epoch    1    2    3    4    5    6",
            "● estimate    - 58.3 66.7 75.0 83.3 91.7",
            "▲ stable      -    - 95.0 96.7 97.5 98.0",
            "◆ pixels   90.0 90.0 90.0 90.0 90.0 90.0",
        ):
            assert line in text
        assert_snapshot(app, f"summary-without-test-labels-{size[0]}x{size[1]}")


async def test_help_without_test_labels_explains_those_metrics() -> None:
    app = VaetuiApp(create_session_without_test_labels())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert "classified as in the previous epoch" in screen_text(app)
        assert "test accuracy" not in screen_text(app).lower()


async def test_agreement_is_shown_for_as_many_rounds_as_fit() -> None:
    session = FinishedSession()
    session.agreements = tuple(
        (round_number, Agreement(100, 0.6 + round_number / 20, None if round_number == 4 else 0.65 + round_number / 20))
        for round_number in range(2, 7)
    )
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        assert (
            "agreement of your answers with the classifier: round 3 75 % (estimated 80 %), round 4 80 %, "
            "round 5 85 % (90 %), round 6 90 % (95 %)"
        ) in " ".join(screen_text(app).split())
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: "round 5" not in screen_text(app))
        assert "agreement of your answers with the classifier: round 6 90 % (estimated 95 %)" in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    app = VaetuiApp(FinishedSession())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "●" in screen_text(app))
        assert_snapshot(app, f"summary-{size[0]}x{size[1]}")
