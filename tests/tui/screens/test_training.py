"""Test the training screen: pause, events, figures with and without true labels, and layout."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.widgets import Sparkline, Static
from textual_plot import PlotWidget

from tests.tui.harness import SIZES, assert_snapshot, header_text, screen_text, wait_for_screen, wait_until
from tests.tui.scripted_session import (
    EndlessSession,
    ScriptedSession,
    create_epoch,
    create_labelled_epoch,
    create_training_events,
)
from vaetui.engine.classes import ClassList
from vaetui.engine.events import Clustered, Event, Loading, Losses, Progress, Saved
from vaetui.engine.recipes import get_recipe
from vaetui.session.views import Disagreement
from vaetui.tui.app import VaetuiApp
from vaetui.tui.event_worker import EventReported
from vaetui.tui.presenters.loss_terms import select_loss_terms
from vaetui.tui.presenters.number_format import format_duration, format_number
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.curve_panes import LossPane
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.picture import Picture


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
                expected_accuracy=None if number == 1 else 0.7 + number / 100,
                prediction_churn=0.04 if number > 2 else None,
            )
        session.finished_epochs.append(epoch)
    return session


async def test_pause_is_shown_in_place_of_an_older_notice() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        assert isinstance(app.screen, TrainingScreen)
        app.screen.show_notice("A reading test cannot be scored.")
        await pilot.press("space")
        await wait_until(pilot, lambda: is_paused(app))
        assert "paused · Space: resume" in screen_text(app)


async def test_space_pauses_and_resumes() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("space")
        await wait_until(pilot, lambda: is_paused(app))
        assert session.stop_count == 1
        assert "paused · Space: resume" in screen_text(app)
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
        assert "Space" in text
        assert "Pause and save, or resume training" in text
        await pilot.press("end")
        await wait_until(pilot, lambda: "Reconstruction loss (nats" in screen_text(app))
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
        for text in ("epoch 3 of 6", " 56 %", "0:09 left", "run", " 43 %", "1:09 left"):
            assert text in header_text(app)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("seconds", [5, 59, 4_268, 35_999, 359_999, 10**7])
async def test_header_parts_never_run_together(size: tuple[int, int], seconds: int) -> None:
    app = VaetuiApp(create_interrupted_session())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app))
        screen = training_screen(app)
        event = screen.throughput.last_event
        assert event is not None
        remaining_images = (event.steps_per_epoch - event.step) * app.session.config.training.batch_size
        screen.throughput.images_per_s = remaining_images / seconds
        screen.show_latest_metrics()
        await pilot.pause()
        duration = format_duration(seconds).strip()
        pattern = rf"vaetui +\S+ +epoch 3 of 6  ━[━╸─]+  56 % +{duration} left"
        assert re.search(pattern, header_text(app)), header_text(app)
        assert header_text(app).count(" left") == (2 if size[0] >= 110 else 1)


async def test_status_line_shows_speed_save_time_and_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("vaetui.tui.screens.training.monotonic", lambda: now)
    monkeypatch.setattr("vaetui.tui.screens.training.time", lambda: 1000.0)
    session = EndlessSession()
    session.saved_at_s = 1000.0
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
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
        assert re.search(r"Training without labels\. Then you name clusters: in about 0:\d\d$", status.rstrip())
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: re.search(r"name clusters in 0:\d\d", screen_text(app)))
        status = screen_text(app).splitlines()[-2]
        assert re.search(r"Training without labels\. Then you name clusters in 0:\d\d$", status.rstrip())


async def test_a_pause_counts_as_the_last_save() -> None:
    session = EndlessSession()
    session.saved_at_s = time.time() - 63
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: re.search(r"saved [67]\d s ago", screen_text(app)))
        session.saved_at_s = time.time()  # the session saves when it is stopped, without an event
        await pilot.press("space")
        await wait_until(pilot, lambda: is_paused(app))
        await wait_until(pilot, lambda: re.search(r"paused · Space: resume +saved \d s ago", screen_text(app)))


@pytest.mark.parametrize(
    ("round_number", "text"),
    [(2, "next: round 2 of 5 · labelling in 0:"), (6, "next: summary in 0:")],
)
async def test_later_training_says_when_the_next_question_comes(round_number: int, text: str) -> None:
    session = EndlessSession()
    session._round_number = round_number
    session.finished_epochs = [create_epoch(epoch, 16) for epoch in range(1, round_number)]
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: text in screen_text(app))


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
    session = create_session_without_test_labels()
    session.disagreement = Disagreement(0.05, ((4, 9, 300), (3, 5, 20)))
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "▲" in screen_text(app))
        text = screen_text(app)
        assert "ground truth, %" in text
        assert "accuracy" not in text.lower()
        upper, lower, *rest = legend_text(app).splitlines()
        assert upper == " ● expected ~73 %, not audited"
        assert lower == " ▲ stable    96.0 %  ◆ pixels    90.0 %"
        assert rest == ([" Classifier and graph differ on 5 %: 4 and 9"] if size[1] > 34 else [])
        assert all(line in text for line in (upper, lower, *rest))
        assert "93" not in text, "the classifier's own confidence is no estimate of the accuracy"
        assert_snapshot(app, f"training-without-test-labels-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(60, 18), *SIZES])
async def test_classes_without_an_answer_stand_in_place_of_the_estimate(size: tuple[int, int]) -> None:
    session = create_session_without_test_labels()
    session.classes = ClassList.from_names(("cat", "owl", "fox"))
    session.unanswered_class_ids = (0, 1)
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "No answer yet" in screen_text(app))
        assert legend_text(app).splitlines()[0] == " No answer yet for: cat, owl"
        assert "No answer yet for: cat, owl" in screen_text(app)
        assert "~73" not in legend_text(app)
        assert "expected" not in legend_text(app)


async def test_classes_without_an_answer_are_named_beside_the_test_accuracy() -> None:
    session = ScriptedSession("training", events=[])
    session.finished_epochs = [create_epoch(1), create_epoch(2, 16)]
    session.unanswered_class_ids = (2, 3)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "No answer yet for: 2, 3" in screen_text(app))


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("recipe_name", ["propagation", "paper"])
async def test_loss_pane_shows_every_term_in_use(size: tuple[int, int], recipe_name: str) -> None:
    config = get_recipe(recipe_name)
    session = ScriptedSession("training", events=[], config=config)
    values = {"divergence": 11.3, "classification": 0.22, "contrastive": 4.56, "consistency": 0.07}
    session.loss_points = [
        (step, Losses(100.25 + 300 / step, *(value + 5 / step for value in values.values())))
        for step in range(8, 900, 8)
    ]
    last = session.loss_points[-1][1]
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and format_number(last.divergence, 4) in screen_text(app))
        pane = training_screen(app).query_one(LossPane)
        legend = str(pane.query_one(".legend", Static).content)
        for term in select_loss_terms(config)[1:]:
            value = format_number(getattr(last, term.field), 4)
            assert re.search(rf"({term.name}|{re.escape(term.short_name)}) +{value} ", legend + " "), legend
            assert f" {value}" in screen_text(app)
        assert ("contr" in legend) is (recipe_name == "propagation")
        assert all(line.startswith(" ") for line in legend.splitlines()), "nothing touches the edge"
        assert re.search(r"[Rr]econstruction( loss \(nats/image\), now)? 100\.6( nats/image)?", screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_disagreement_of_classifier_and_graph_stands_below_the_test_accuracy(size: tuple[int, int]) -> None:
    session = ScriptedSession("training", events=[])
    session.finished_epochs = [create_epoch(1), create_epoch(2, 16)]
    session.disagreement = Disagreement(0.05, ((4, 9, 300), (3, 5, 20)))
    app = VaetuiApp(session)
    async with app.run_test(size=size) as pilot:
        text = "Classifier and graph differ on 5 %: 4 and 9" if size[0] > 80 else "Graph differs on 5 %: 4 and 9"
        await wait_until(pilot, lambda: is_paused(app) and text in screen_text(app))


async def test_legend_gets_its_third_row_when_the_terminal_grows() -> None:
    session = create_session_without_test_labels()
    session.disagreement = Disagreement(0.05, ((4, 9, 300), (3, 5, 20)))
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "stable" in screen_text(app))
        assert "differ" not in screen_text(app)
        await pilot.resize_terminal(120, 40)
        await wait_until(pilot, lambda: "Classifier and graph differ on 5 %: 4 and 9" in screen_text(app))


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
            "● expected from epoch 3",
            "▲ stable   from epoch 4",
        ):
            assert line in text
        assert "measured after each epoch" in legend_text(app)


async def test_recipe_without_predictions_leaves_their_metrics_out() -> None:
    app = VaetuiApp(create_session_without_test_labels("paper"))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: is_paused(app) and "◆" in screen_text(app))
        assert legend_text(app).splitlines() == [" ◆ pixels    90.0 %"]
        assert "expected" not in screen_text(app)


@pytest.mark.parametrize(
    ("has_test_labels", "columns", "missing_column", "explanation"),
    [
        (False, ("stable %", "expected %"), "test %", "classified as in the previous epoch"),
        (True, ("test %",), "stable %", "Test images classified correctly"),
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
        assert ("~73" in screen_text(app)) is not has_test_labels
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
            assert "Then you name clusters" in status, size
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
        assert "56 %     0:09 left" in header_text(app)
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
        app.screen.query_one("#scroll").scroll_end(animate=False)
        await wait_until(pilot, lambda: "1: a.txt is not an image (.txt)" in screen_text(app))
