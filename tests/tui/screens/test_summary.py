"""Test the summary screen: another round, figures with and without true labels, and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from threading import Event as Gate

import numpy as np
import pytest

from tests.tui.harness import SIZES, assert_snapshot, screen_text, settle, wait_for_screen, wait_until
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import TrainingConfig
from vaetui.engine.events import Event, Loading
from vaetui.engine.metrics import Agreement
from vaetui.engine.recipes import get_recipe
from vaetui.errors import UserError
from vaetui.session.views import Disagreement, Summary
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import ROUND_PENDING_NOTICE, SummaryScreen
from vaetui.tui.session_access import describe_refusal
from vaetui.tui.widgets.least_sure_images import LEAST_SURE_HEADING, NO_IMAGES_TEXT, LeastSureImages
from vaetui.tui.widgets.result_plots import compute_accuracy_by_round

ALL_SIZES = [(80, 24), (100, 30), (120, 40), (200, 60)]


class FinishedSession(ScriptedSession):
    """A finished run that loads its images when the gate is open."""

    def __init__(
        self,
        *,
        has_test_labels: bool = True,
        refuses_round: bool = False,
        name: str = "demo-mnist",
        rounds: int = 5,
        answers: int | None = None,
    ) -> None:
        super().__init__("finished", name=name, has_test_labels=has_test_labels, rounds=rounds)
        self.answer_count = answers
        self.finished_epochs = [create_labelled_epoch(epoch, has_test_labels) for epoch in range(1, 7)]
        self.gate = Gate()
        self.gate.set()
        self.refuses_round = refuses_round

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.gate.wait(60)
        yield from super().advance()

    def summary(self) -> Summary:
        summary = super().summary()
        return summary if self.answer_count is None else replace(summary, answer_count=self.answer_count)

    def add_round(self) -> None:
        if self.refuses_round:
            raise UserError("The disk is full. Free some space and press o again.")
        super().add_round()


def create_session_without_test_labels() -> FinishedSession:
    session = FinishedSession(has_test_labels=False)
    session.config = get_recipe("propagation")
    for index, epoch in enumerate(session.finished_epochs):
        churn = 0.1 / index if index > 1 else None
        expected = (None, 0.7, 0.742, 0.773, 0.785, 0.79)[index]
        session.finished_epochs[index] = replace(
            epoch, mean_confidence=0.96, expected_accuracy=expected, prediction_churn=churn
        )
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


@pytest.mark.parametrize("size", [(60, 18), (60, 24), (80, 18)])
async def test_notice_is_whole_after_a_change_of_the_size_and_while_the_screen_scrolls(size: tuple[int, int]) -> None:
    notice = f"Cannot use /{'home/' * 20}session.db (No space left on device). Free some space and press o again."
    app = VaetuiApp(FinishedSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app))
        assert isinstance(app.screen, SummaryScreen)
        app.screen.show_notice("A notice of one line")
        await pilot.pause()
        app.screen.show_notice(notice)
        await pilot.resize_terminal(*size)
        for key in (None, "down", "down", "up", "comma"):
            await pilot.press(*filter(None, [key]))
            await pilot.pause()
            lines = [line[: size[0] - 2] for line in screen_text(app).splitlines()]  # without the scroll bar
            assert "".join(notice.split()) in "".join("".join(lines).split()), key
            assert lines[-2].rstrip().endswith("again.")
            assert "more" in lines[-1]
        app.screen.show_notice("")
        await pilot.pause()
        assert "press o again" not in screen_text(app)


async def test_refusal_of_a_watched_session_is_shown_in_the_smallest_terminal() -> None:
    app = VaetuiApp(FinishedSession(), get_access=lambda: "watched")
    async with app.run_test(size=(60, 18)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("o")
        await settle(pilot)
        assert describe_refusal("watched", "demo-mnist") in " ".join(screen_text(app).split())


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


@pytest.mark.parametrize("size", ALL_SIZES)
@pytest.mark.parametrize("has_test_labels", [True, False])
async def test_everything_fits_without_scrolling_and_no_figure_is_broken(
    size: tuple[int, int], has_test_labels: bool
) -> None:
    session = FinishedSession() if has_test_labels else create_session_without_test_labels()
    last = session.finished_epochs[-1]
    session.finished_epochs[-1] = replace(
        last, mean_confidence=0.987, expected_accuracy=0.753, prediction_churn=0.0123, reading_accuracy=0.876
    )
    session.agreements = ((5, Agreement(100, 0.87, 0.912)),)
    session.disagreement = Disagreement(0.05, ((4, 9, 300), (3, 5, 20)))
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "vaetui resume demo-mnist" in screen_text(app))
        screen = app.screen
        assert screen.max_scroll_y == 0
        text = screen_text(app)
        for command in ("export demo-mnist -o demo-mnist.csv", "show demo-mnist", "resume demo-mnist"):
            assert f"vaetui {command}" in text
        assert "e exports the labels, v audits, w corrects them. Or leave with q, then type:" in text
        assert "v audit · w review" in text.splitlines()[-1]
        for figure in (
            *("64 answers", "training 2:05", "labelling 4:00", "87 % (confidence 91 %)", "87.6 %"),
            *("Expected accuracy about 75 % (not audited)", "Classifier and graph differ on 5 % of the images"),
        ):
            assert figure in text
        assert "98.7" not in text
        assert re.search(r"[Aa]nother (round )?(may|would) bring", text)
        assert not re.search(r"^\s*%", text, re.MULTILINE) or has_test_labels


@pytest.mark.parametrize("size", ALL_SIZES)
async def test_values_stand_below_their_points(size: tuple[int, int]) -> None:
    app = VaetuiApp(FinishedSession())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "●" in screen_text(app))
        lines = screen_text(app).splitlines()
        values = next(line for line in lines if line.lstrip().startswith("%"))
        frame = values.index("╰")
        points = [index for index in range(frame) if any(line[index : index + 1] == "●" for line in lines[:20])]
        centres = [(match.start() + match.end() - 1) / 2 for match in re.finditer(r"\d+(\.\d)?", values[:frame])]
        assert len(points) == len(centres) == 6
        assert all(abs(point - centre) <= 1.5 for point, centre in zip(points, centres, strict=True))


@pytest.mark.parametrize(("size", "key"), [((80, 24), "l"), ((120, 40), ""), ((200, 60), "")])
async def test_least_sure_images_of_each_class_are_shown(size: tuple[int, int], key: str) -> None:
    session = FinishedSession()
    session.classes = ClassList.from_names(("cat", "owl", *map(str, range(2, 10))))
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "resume" in screen_text(app))
        widget = app.screen.query_one(LeastSureImages)
        assert widget.display is not bool(key)
        if key:
            await pilot.press(key)
        await wait_until(pilot, lambda: "■ owl 31 %" in screen_text(app))
        await wait_until(pilot, lambda: all(pixels is not None for pixels in widget.shown_images))
        assert app.screen.max_scroll_y == 0
        expected, _ = session.least_sure_images(0, 1)
        assert np.array_equal(widget.shown_images[0], expected[0])
        for name in ("cat", "owl", *map(str, range(2, 10))):
            assert f"■ {name} 31 %" in screen_text(app)
        if key:
            await pilot.press(key)
            await wait_until(pilot, lambda: "Training images by class" in screen_text(app))
            assert not widget.display


class FullyAnsweredSession(FinishedSession):
    """A finished session in which every image has an answer of its own."""

    def least_sure_images(self, class_id: int, count: int) -> tuple[Pixels, tuple[float, ...]]:
        return np.zeros((0, 28, 28), np.uint8), ()


async def test_place_of_the_least_sure_images_tells_that_there_are_none() -> None:
    app = VaetuiApp(FullyAnsweredSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and NO_IMAGES_TEXT in screen_text(app))


async def test_figures_are_the_same_after_the_least_sure_images_have_been_shown() -> None:
    app = VaetuiApp(FinishedSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "resume" in screen_text(app))
        await settle(pilot)
        figures = screen_text(app)
        await pilot.press("l")
        await wait_until(pilot, lambda: LEAST_SURE_HEADING in screen_text(app))
        await settle(pilot)
        await pilot.press("l")
        await wait_until(pilot, lambda: screen_text(app) == figures)


@pytest.mark.parametrize("has_test_labels", [True, False])
async def test_classes_without_an_answer_are_named_not_counted_and_leave_no_estimate(has_test_labels: bool) -> None:
    session = create_session_without_test_labels()
    session.has_test_labels = has_test_labels
    session.classes = ClassList.from_names(("cat", "owl", *map(str, range(2, 10))))
    session.unanswered_class_ids = (0, 1)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "No answer yet for: cat, owl" in screen_text(app))
        text = screen_text(app)
        assert not re.search(r"(cat|owl) ━", text)
        assert re.search(r" 2 ━", text)
        assert "~79" not in text
        assert "Expected accuracy" not in text
        assert "nother round" not in text


async def test_answers_corrected_in_the_history_change_the_figures() -> None:
    session = FinishedSession()
    session.classes = ClassList.from_names(("cat", "owl", *map(str, range(2, 10))))
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "cat ━" in screen_text(app))
        app.open_history()
        await wait_until(pilot, lambda: not isinstance(app.screen, SummaryScreen))
        session.unanswered_class_ids = (0,)
        session.answer_counts = lambda: (0, *[1] * 9)  # type: ignore[method-assign]
        app.close_overlay()
        await wait_for_screen(pilot, SummaryScreen)
        await wait_until(pilot, lambda: "No answer yet for: cat" in screen_text(app))
        assert "cat ━" not in screen_text(app)


async def test_one_round_and_one_answer_are_singular() -> None:
    session = FinishedSession(rounds=1, answers=1)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        assert "finished: 1 round, 2 epochs" in screen_text(app)
        assert "1 answer ·" in screen_text(app)


async def test_long_class_names_leave_room_for_the_bars() -> None:
    session = FinishedSession()
    session.classes = ClassList.from_names(tuple(f"{index}-{'long' * 12}-{index}" for index in range(10)))
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "…" in screen_text(app))
        assert re.search(r"3-\S+…\S+-3 ━+", screen_text(app))


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
        assert "ground truth, %" in text
        assert "test accuracy" not in text.lower()
        for words in (
            "● expected - ~70 ~74 ~77 ~78 ~79",
            "▲ stable - - 95.0 96.7 97.5 98.0",
            "◆ pixels 90.0 90.0 90.0 90.0 90.0 90.0",
        ):
            # At 80 columns there is no room for decimals.
            expected = words if size[0] > 80 else re.sub(r"\d+\.\d", lambda match: f"{float(match[0]):.0f}", words)
            assert expected in " ".join(text.split())
        assert_snapshot(app, f"summary-without-test-labels-{size[0]}x{size[1]}")


async def test_help_without_test_labels_explains_those_metrics() -> None:
    app = VaetuiApp(create_session_without_test_labels())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert "classified as in the previous epoch" in screen_text(app)
        assert "test accuracy" not in screen_text(app).lower()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_audit_of_these_labels_stands_in_place_of_the_expected_accuracy(size: tuple[int, int]) -> None:
    session = create_session_without_test_labels()
    list(session.audits.start("quick"))
    while (view := session.audits.view) is not None and view.part != "done":
        session.audits.record([(item.position, ClassAnswer(item.shown_class_id or 0)) for item in view.items])
    (result,) = session.audits.results
    session.audits.results = (replace(result, epoch=6),)
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "% of the labels are right" in screen_text(app))
        assert "Expected accuracy" not in screen_text(app)
        assert app.screen.max_scroll_y == 0
        session.audits.results = (replace(result, epoch=5, round=4),)
        app.open_history()
        await wait_until(pilot, lambda: not isinstance(app.screen, SummaryScreen))
        app.close_overlay()
        await wait_until(pilot, lambda: "Expected accuracy about 79 % (not audited)" in screen_text(app))
        assert ("Audited after round 4" in screen_text(app)) is (size[0] > 80)


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
            "agreement of your answers with the classifier: round 3 75 % (confidence 80 %), round 4 80 %, "
            "round 5 85 % (90 %), round 6 90 % (95 %)"
        ) in " ".join(screen_text(app).split())
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: "round 5" not in screen_text(app))
        assert "agreement of your answers with the classifier: round 6 90 % (confidence 95 %)" in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    app = VaetuiApp(FinishedSession())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_loaded(app) and "●" in screen_text(app))
        assert_snapshot(app, f"summary-{size[0]}x{size[1]}")
