"""Test the training screen: pause, events, figures with and without true labels, and layout."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.widgets import Sparkline, Static
from textual_plot import PlotWidget

from tests.tui.harness import SIZES, assert_snapshot, header_text, screen_text, wait_for_screen, wait_until
from tests.tui.scripted_session import (
    EndlessSession,
    ScriptedSession,
    create_labelled_epoch,
    create_training_events,
)
from vaetui.engine.events import Clustered, Event, Loading, Progress, Saved
from vaetui.engine.recipes import get_recipe
from vaetui.tui.app import VaetuiApp
from vaetui.tui.event_worker import EventReported
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.curve_panes import LossPane
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.picture import Picture

pytestmark = pytest.mark.usefixtures("fast_keys")


def training_screen(app: VaetuiApp) -> TrainingScreen:
    assert isinstance(app.screen, TrainingScreen)
    return app.screen


def is_paused(app: VaetuiApp) -> bool:
    return isinstance(app.screen, TrainingScreen) and app.screen.is_paused


def legend_text(app: VaetuiApp) -> str:
    return str(training_screen(app).query_one("#accuracy .legend", Static).content)


def create_interrupted_session(name: str = "demo-mnist") -> ScriptedSession:
    """Create a session that stops in the middle of its third epoch."""
    return ScriptedSession("training", events=create_training_events(), name=name)


def create_session_without_test_labels(recipe_name: str = "propagation", epochs: int = 3) -> ScriptedSession:
    """Create a session without true labels after so many epochs."""
    session = ScriptedSession("training", events=[], config=get_recipe(recipe_name), has_test_labels=False)
    for number in range(1, epochs + 1):
        epoch = create_labelled_epoch(number, has_test_labels=False)
        if recipe_name == "propagation":
            epoch = replace(
                epoch,
                mean_confidence=0.52 if number == 1 else 0.9 + number / 100,
                prediction_churn=0.04 if number > 2 else None,
            )
        session.finished_epochs.append(epoch)
    return session


async def test_space_pauses_and_resumes() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("space")
        await wait_until(pilot, lambda: is_paused(app))
        assert session.stop_count == 1
        assert "paused · space: resume" in screen_text(app)
        await pilot.press("space")
        await wait_until(pilot, lambda: app.event_worker.is_busy and not is_paused(app))
        assert session.calls == ["advance", "advance"]
        assert "paused" not in screen_text(app)


async def test_second_space_while_stopping_changes_nothing() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("space", "space")
        await wait_until(pilot, lambda: is_paused(app) or len(session.calls) > 1)
        assert session.stop_count == 1


async def test_q_saves_and_exits() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("q")
        assert app.is_leaving
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1
    assert app.failure is None


async def test_help_explains_keys_and_losses() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        text = screen_text(app)
        assert "space" in text
        assert "Pause and save, or resume training" in text
        assert "Reconstruction loss (nats per image)" in text
        await pilot.press("escape")
        await wait_for_screen(pilot, TrainingScreen)


async def test_events_are_shown_in_header_and_status_line() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        screen = training_screen(app)
        screen.handle_event(EventReported(Loading("PyTorch")))
        await pilot.pause()
        assert "loading PyTorch …" in header_text(app)
        screen.handle_event(EventReported(Progress("encoding", 3, 4)))
        await pilot.pause()
        assert "encoding …" in header_text(app)
        assert "75 %" in header_text(app)
        screen.handle_event(EventReported(Clustered(1, 16, ((3, 9.0), (16, 1.0)))))
        await pilot.pause()
        assert "round 1: 16 clusters (k = 3-16 tried)" in screen_text(app)


async def test_header_shows_epoch_progress_and_remaining_time() -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        for text in ("epoch 3 of 6", " 56 %", "0:09", "run", " 43 %"):
            assert text in header_text(app)


async def test_status_line_shows_speed_save_time_and_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("vaetui.tui.screens.training.monotonic", lambda: now)
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(
            pilot, lambda: app.event_worker.latest_batches and training_screen(app).throughput.images_per_s
        )
        training_screen(app).handle_event(EventReported(Saved()))
        now = 104.0
        training_screen(app).show_latest_metrics()
        await pilot.pause()
        status = screen_text(app).splitlines()[-2]
        assert "2,870 img/s" in status
        assert "saved 4 s ago" in status
        assert "next: round 1 of 5" in status


async def test_originals_are_shown_above_their_reconstructions() -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        originals = list(training_screen(app).query(".original").results(Picture))
        reconstructions = list(training_screen(app).query(".reconstruction").results(Picture))
        assert len(originals) == len(reconstructions) == 5
        assert originals[0].region.bottom <= reconstructions[0].region.y
        assert originals[0].region.size == (12, 6)
        assert originals[0]._image.max() > reconstructions[0]._image.max() > 0


@pytest.mark.parametrize("size", SIZES)
async def test_pane_without_test_labels_shows_a_marker_for_each_metric(size: tuple[int, int]) -> None:
    app = VaetuiApp(create_session_without_test_labels())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "▲" in screen_text(app))
        text = screen_text(app)
        assert "Progress without ground truth" in text
        assert "accuracy" not in text.lower()
        upper, lower = legend_text(app).splitlines()
        assert upper == " ▲ agreed    96.0 %  ● expected  93.0 %"
        assert lower == " ◆ pixels    90.0 %  ■ covered   88.0 %"
        assert upper in text
        assert lower in text
        assert_snapshot(app, f"training-without-test-labels-{size[0]}x{size[1]}")


async def test_confidence_before_the_first_label_is_not_shown() -> None:
    app = VaetuiApp(create_session_without_test_labels(epochs=1))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        assert "● expected     - %" in legend_text(app)
        assert "52" not in legend_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_pane_before_the_first_epoch_lists_the_coming_metrics(size: tuple[int, int]) -> None:
    app = VaetuiApp(create_session_without_test_labels(epochs=0))
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "◆" in screen_text(app))
        text = screen_text(app)
        for line in (
            "◆ pixels   from epoch 1",
            "● expected from epoch 2",
            "■ covered  from epoch 2",
            "▲ agreed   from epoch 3",
        ):
            assert line in text
        assert "measured after each epoch" in legend_text(app)


async def test_recipe_without_predictions_leaves_their_metrics_out() -> None:
    app = VaetuiApp(create_session_without_test_labels("paper"))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "■" in screen_text(app))
        assert legend_text(app).splitlines() == [" ◆ pixels    90.0 %", " ■ covered   88.0 %"]
        assert "expected" not in screen_text(app)


@pytest.mark.parametrize(
    ("has_test_labels", "columns", "missing_column", "explanation"),
    [
        (False, ("agreed %", "expected %"), "test %", "classified as in the previous epoch"),
        (True, ("test %",), "agreed %", "Test images classified correctly"),
    ],
)
async def test_epoch_table_and_help_match_the_known_metrics(
    has_test_labels: bool, columns: tuple[str, ...], missing_column: str, explanation: str
) -> None:
    session = create_session_without_test_labels()
    session.has_test_labels = has_test_labels
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        assert all(column in screen_text(app) for column in columns)
        assert missing_column not in screen_text(app)
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        assert ("classified as in the previous epoch" in screen_text(app)) is not has_test_labels
        assert explanation in screen_text(app)


async def test_reading_accuracy_is_shown_without_test_labels() -> None:
    session = create_session_without_test_labels()
    session.finished_epochs[0] = replace(session.finished_epochs[0], reading_accuracy=0.815)
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        assert "read %" in screen_text(app)
        assert "81.5" in screen_text(app)


async def test_plots_take_neither_keys_nor_focus() -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        for plot in training_screen(app).query(PlotWidget):
            assert not plot.can_focus
            assert not list(plot._bindings)


async def test_losses_that_were_dropped_are_removed_from_the_plot() -> None:
    session = create_interrupted_session()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        pane = training_screen(app).query_one(LossPane)
        del session.loss_points[10:]
        training_screen(app)._tick = 0
        training_screen(app).show_latest_metrics()
        assert pane._points == session.loss_points


async def test_pictures_and_texts_are_visible_at_every_size() -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        for size in [(60, 18), (64, 20), (80, 24), (100, 30), (120, 40), (200, 60)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for picture in training_screen(app).query(Picture):
                assert training_screen(app).region.contains_region(picture.region)
                assert picture.region.area > 0
            assert training_screen(app).query_one(LossPane).size.height >= 7
            status, footer = screen_text(app).splitlines()[-2:]
            assert "next: round 1 of 5" in status, size
            assert "q leave" in footer, size


async def test_too_small_terminal_shows_only_the_size_notice() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    async with app.run_test(size=(50, 16)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        text = " ".join(screen_text(app).split())
        assert text == "vaetui needs at least 60 columns and 18 rows. Enlarge the terminal."


async def test_pane_without_room_for_axes_shows_a_sparkline() -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        training_screen(app).query_one("#curves").styles.height = 6
        await pilot.pause()
        training_screen(app)._loss_plot_state = ()
        training_screen(app).show_latest_metrics()
        await pilot.pause()
        sparkline = training_screen(app).query_one("#loss Sparkline", Sparkline)
        assert sparkline.region.area > 0
        assert sparkline.data


async def test_session_name_is_not_parsed_as_markup() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[], name="[red]x[/red]"))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        assert "[red]x[/red]" in header_text(app)


async def test_long_session_name_is_cut_and_figures_are_not() -> None:
    app = VaetuiApp(create_interrupted_session(name="n" * 90))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        assert "epoch 3 of 6" in header_text(app)
        assert "56 %   0:09" in header_text(app)
        assert "…" in header_text(app)
        assert training_screen(app).query_one(Header).size.height == 1


@pytest.mark.parametrize("size", SIZES)
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "⠒" in screen_text(app))
        assert_snapshot(app, f"training-{size[0]}x{size[1]}")


class SlowlyLoadingSession(EndlessSession):
    """A session that loads until `loaded` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded = threading.Event()

    def advance(self) -> Iterator[Event]:
        yield Loading("PyTorch")
        self.loaded.wait(30)
        yield from super().advance()


@pytest.mark.parametrize("size", SIZES)
async def test_a_new_run_shows_what_was_imported_until_it_trains_and_the_help_repeats_it(size: tuple[int, int]) -> None:
    session = SlowlyLoadingSession()
    session.import_lines = {
        "range": "values 0-4095 shown as black to white",
        "not taken": "3 entries\n2, the first: .git/ is hidden\n1: a.txt is not an image (.txt)",
    }
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        await wait_until(pilot, lambda: "values 0-4095 shown as black to white" in screen_text(app))
        assert "loading PyTorch" in screen_text(app)
        session.loaded.set()
        await wait_until(pilot, lambda: "values 0-4095" not in screen_text(app))
        assert training_screen(app).query_one("#curves").display
        await pilot.press("question_mark")
        await wait_for_screen(pilot, HelpScreen)
        app.screen.query_one("#keys").scroll_end(animate=False)
        await wait_until(pilot, lambda: "1: a.txt is not an image (.txt)" in screen_text(app))
