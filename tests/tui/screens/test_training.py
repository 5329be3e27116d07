"""The training screen: its keys, its figures, its layout."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Sparkline, Static
from textual_plot import PlotWidget

from tests.tui.harness import assert_snapshot, screen_text, wait_until
from tests.tui.scripted_session import EndlessSession, ScriptedSession, create_labelled_epoch, create_training_events
from vaetui.engine.events import Clustered, Loading, Progress, Saved
from vaetui.engine.recipes import get_recipe
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.picture import Picture

SIZES = [(80, 24), (120, 40)]


def header(app: VaetuiApp) -> str:
    return screen_text(app).splitlines()[0]


def screen(app: VaetuiApp) -> TrainingScreen:
    assert isinstance(app.screen, TrainingScreen)
    return app.screen


def paused(app: VaetuiApp) -> bool:
    return isinstance(app.screen, TrainingScreen) and app.screen.is_paused


async def test_space_pauses_and_space_goes_on() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("space")
        await wait_until(pilot, lambda: paused(app))
        assert session.stop_count == 1
        assert "paused: space goes on" in screen_text(app)
        await pilot.press("space")
        await wait_until(pilot, lambda: app.event_worker.is_busy and not screen(app).is_paused)
        assert session.calls == ["advance", "advance"]
        assert "paused" not in screen_text(app)


async def test_a_second_space_while_stopping_changes_nothing() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("space", "space")
        await wait_until(pilot, lambda: paused(app) or len(session.calls) > 1)
        assert session.stop_count == 1


async def test_q_saves_before_it_leaves() -> None:
    session = EndlessSession()
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches)
        await pilot.press("q")
        assert app.is_leaving
        await wait_until(pilot, lambda: not app.is_running)
    assert session.stop_count == 1
    assert app.failure is None


async def test_question_mark_explains_the_keys_and_the_figures() -> None:
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        await pilot.press("question_mark")
        await pilot.pause()
        shown = screen_text(app)
        assert "space" in shown
        assert "Stop training at the next step and save" in shown
        assert "nats an image" in shown
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_loading_is_shown_before_anything_is_loaded() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        shown = screen(app)
        shown._apply_event(Loading("PyTorch"))
        await pilot.pause()
        assert "loading PyTorch …" in header(app)
        shown._apply_event(Progress("encoding", 3, 4))
        await pilot.pause()
        assert "encoding …" in header(app)
        assert "75 %" in header(app)
        shown._apply_event(Clustered(1, 16, ((3, 9.0), (16, 1.0))))
        await pilot.pause()
        assert "round 1: 16 clusters of k 3-16" in screen_text(app)


async def test_the_header_tells_epoch_share_and_time_left() -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events()))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        line = header(app)
        assert "epoch 3 of 6" in line
        assert " 56 %" in line
        assert "0:09" in line
        assert "run" in line
        assert " 43 %" in line


async def test_the_status_tells_speed_machine_and_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("vaetui.tui.screens.training.monotonic", lambda: now)
    app = VaetuiApp(EndlessSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.event_worker.latest_batches and screen(app).throughput.images_per_s)
        screen(app)._apply_event(Saved())
        now = 104.0
        screen(app).poll_metrics()
        await pilot.pause()
        status = screen_text(app).splitlines()[-2]
        assert "2,870 img/s" in status
        assert "saved 4 s ago" in status
        assert "round 1 of 5 next" in status


async def test_the_pictures_show_images_above_what_is_remembered_of_them() -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events()))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        seen = list(screen(app).query(".seen").results(Picture))
        remembered = list(screen(app).query(".remembered").results(Picture))
        assert len(seen) == len(remembered) == 5
        assert seen[0].region.bottom <= remembered[0].region.y
        assert seen[0].region.size == (12, 6)
        assert seen[0]._image.max() > remembered[0]._image.max() > 0


def untested(recipe_name: str = "propagation", epochs: int = 3) -> ScriptedSession:
    """Stand in a run without true labels after so many epochs."""
    session = ScriptedSession("training", events=[], config=get_recipe(recipe_name), has_test_labels=False)
    spreads = recipe_name == "propagation"
    for epoch in range(1, epochs + 1):
        one = replace(
            create_labelled_epoch(epoch, has_test_labels=False),
            mean_confidence=0.52 if epoch == 1 else 0.9 + epoch / 100,
        )
        one = replace(one, prediction_churn=0.04 if epoch > 2 else None)
        session.finished_epochs.append(one if spreads else replace(one, mean_confidence=None, prediction_churn=None))
    return session


def legend(app: VaetuiApp) -> str:
    return str(screen(app).query_one("#accuracy .legend", Static).content)


@pytest.mark.parametrize("size", SIZES)
async def test_without_truth_the_pane_shows_what_is_known_with_a_mark_for_each(size: tuple[int, int]) -> None:
    app = VaetuiApp(untested())
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: paused(app) and "▲" in screen_text(app))
        shown = screen_text(app)
        assert "known without labels" in shown
        assert "accuracy" not in shown
        upper, lower = legend(app).splitlines()
        assert upper == " ▲ agreed    96.0 %  ● expected  93.0 %"
        assert lower == " ◆ pixels    90.0 %  ■ covered   88.0 %"
        assert upper in shown
        assert lower in shown
        assert_snapshot(app, f"training-untested-{size[0]}x{size[1]}")


async def test_certainty_before_any_label_is_not_told() -> None:
    app = VaetuiApp(untested(epochs=1))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        assert "● expected     - %" in legend(app)
        assert "52" not in legend(app)


@pytest.mark.parametrize("size", SIZES)
async def test_before_the_first_epoch_ends_the_pane_says_what_will_be_known_and_when(size: tuple[int, int]) -> None:
    app = VaetuiApp(untested(epochs=0))
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: paused(app) and "◆" in screen_text(app))
        shown = screen_text(app)
        for line in ("◆ pixels   from epoch 1", "● expected from epoch 2", "■ covered  from epoch 2"):
            assert f"{line} on" in shown
        assert "▲ agreed   from epoch 3 on" in shown
        assert "measured after each epoch" in legend(app)


async def test_a_recipe_that_classifies_nothing_leaves_those_figures_out() -> None:
    app = VaetuiApp(untested("paper"))
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: paused(app) and "■" in screen_text(app))
        assert legend(app).splitlines() == [" ◆ pixels    90.0 %", " ■ covered   88.0 %"]
        assert "expected" not in screen_text(app)


@pytest.mark.parametrize(
    ("tested", "there", "missing"), [(False, ("agreed %", "expected %"), "test %"), (True, ("test %",), "agreed %")]
)
async def test_the_table_has_columns_for_what_is_known(tested: bool, there: tuple[str, ...], missing: str) -> None:
    session = untested()
    session.has_test_labels = tested
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        shown = screen_text(app)
        assert all(column in shown for column in there)
        assert missing not in shown


@pytest.mark.parametrize(("tested", "words"), [(False, "as it did an epoch before"), (True, "test images that the")])
async def test_the_help_explains_the_figures_that_are_shown(tested: bool, words: str) -> None:
    session = untested()
    session.has_test_labels = tested
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert ("as it did an epoch before" in screen_text(app)) is not tested
        assert words in screen_text(app)


async def test_what_was_read_is_shown_also_without_test_images() -> None:
    session = untested()
    session.finished_epochs[0] = replace(session.finished_epochs[0], reading_accuracy=0.815)
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        assert "read %" in screen_text(app)
        assert "81.5" in screen_text(app)


async def test_the_curves_take_neither_keys_nor_focus() -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events()))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        for plot in screen(app).query(PlotWidget):
            assert not plot.can_focus
            assert not list(plot._bindings)


async def test_the_run_going_back_to_its_last_save_is_drawn_anew() -> None:
    session = ScriptedSession("training", events=create_training_events())
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        pane = screen(app).query_one("#loss")
        del session.loss_points[10:]
        screen(app)._tick = 0
        screen(app).poll_metrics()
        assert pane._known == session.loss_points  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(60, 18), (64, 20), (80, 24), (100, 30), (120, 40), (200, 60)])
async def test_nothing_is_cut_off_at_any_size(size: tuple[int, int]) -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events()))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        await pilot.resize_terminal(*size)
        await pilot.pause()
        whole = app.screen.region
        for picture in screen(app).query(Picture):
            assert whole.contains_region(picture.region)
            assert picture.region.area > 0
        pane = screen(app).query_one("#loss")
        assert pane.size.height >= 7
        status, keys = screen_text(app).splitlines()[-2:]
        assert "round 1 of 5 next" in status
        assert "q leave" in keys


async def test_where_there_is_no_room_one_sentence_asks_for_it() -> None:
    app = VaetuiApp(ScriptedSession("training", events=[]))
    async with app.run_test(size=(50, 16)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        shown = " ".join(screen_text(app).split())
        assert shown == "vaetui needs at least 60 columns and 18 rows. Enlarge the terminal."


async def test_a_pane_without_room_for_axes_shows_a_sparkline() -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events()))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        screen(app).query_one("#curves").styles.height = 6
        await pilot.pause()
        screen(app)._loss_plot_state = ()
        screen(app).poll_metrics()
        await pilot.pause()
        spark = screen(app).query_one("#loss Sparkline", Sparkline)
        assert spark.region.area > 0
        assert spark.data


async def test_foreign_names_are_not_read_as_markup() -> None:
    session = ScriptedSession("training", events=[], name="[red]x[/red]")
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        assert "[red]x[/red]" in header(app)


async def test_a_long_name_is_cut_and_not_the_figures() -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events(), name="n" * 90))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: paused(app))
        assert "epoch 3 of 6" in header(app)
        assert "56 %   0:09" in header(app)
        assert "…" in header(app)
        assert screen(app).query_one(Header).size.height == 1


@pytest.mark.parametrize("size", SIZES)
async def test_the_screen_looks_as_before(size: tuple[int, int]) -> None:
    app = VaetuiApp(ScriptedSession("training", events=create_training_events()))
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: paused(app))
        await wait_until(pilot, lambda: "⠒" in screen_text(app))
        assert_snapshot(app, f"training-{size[0]}x{size[1]}")
