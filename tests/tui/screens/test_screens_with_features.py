"""Test the screens of sessions with features: real images in place of decoded centres, and no reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.tui.harness import (
    assert_snapshot,
    open_labelling,
    open_over_labelling,
    prompt_text,
    screen_text,
    settle,
    wait_for_screen,
    wait_until,
)
from tests.tui.scripted_session import EndlessSession, ScriptedSession, create_labelled_epoch, create_training_events
from vaetui.engine.answers import ClassAnswer, ClusterPath, NearestImageAnswer
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, NetworkConfig, PropagationConfig
from vaetui.engine.events import EpochEnded, Event, Reconstructed
from vaetui.engine.recipes import get_recipe
from vaetui.session.views import MemberOrder, RoundView
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.help import HelpScreen
from vaetui.tui.screens.history import HistoryScreen
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.screens.vaetui_screen import NO_DECODER_NOTICE
from vaetui.tui.widgets.answer_preview import AnswerPreview
from vaetui.tui.widgets.cluster_grid import ClusterGrid
from vaetui.tui.widgets.epoch_table import EpochTable
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.member_grid import MemberGrid

VECTORS = Config(network=NetworkConfig(inputs="vectors"))
SIZES = [(80, 24), (120, 40), pytest.param((200, 60), marks=pytest.mark.slow)]


class PhotoSession(ScriptedSession):
    """A session with features of colour images: the nearest image of cluster k is red, of level 100 + k."""

    def __init__(self) -> None:
        super().__init__(config=VECTORS)

    def round_view(self) -> RoundView:
        view = super().round_view()
        mean = np.full((64, 64, 3), 50, np.uint8)
        clusters = (
            replace(cluster, picture=create_photo(100 + sum(cluster.path)), mean_picture=mean)
            for cluster in view.clusters
        )
        return replace(view, clusters=tuple(clusters))

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        if not len(super().member_images(path, order, count)):
            return np.zeros((0, 64, 64, 3), np.uint8)
        first = {"nearest": 100 + sum(path), "random": 150, "farthest": 200}[order]
        return np.stack([create_photo(first + index) for index in range(count)])


def create_photo(level: int) -> Pixels:
    return np.broadcast_to(np.array([level, 0, 0], np.uint8), (64, 64, 3)).copy()


def create_events() -> list[Event]:
    """Create the events of a run up to the middle of its third epoch, without reconstructions."""
    return [
        replace(event, pixel_accuracy=None) if isinstance(event, EpochEnded) else event
        for event in create_training_events()
        if not isinstance(event, Reconstructed)
    ]


def find_levels(images: Sequence[Pixels | None], count: int) -> list[int]:
    return [int(image[0, 0, 0]) for image in images[:count] if image is not None]


@pytest.mark.parametrize("size", SIZES)
async def test_nearest_image_is_large_and_the_mean_stands_before_the_other_members(size: tuple[int, int]) -> None:
    async with open_labelling(PhotoSession(), size) as (pilot, screen):
        frame, members = screen.query_one(FramedImage), screen.query_one(MemberGrid)
        assert frame.text.startswith("┏ cluster 0 · nearest image ━")
        assert find_levels(frame.shown_images, 1) == [100]
        assert find_levels(members.shown_images, 4) == [50, 101, 102, 103], "the mean, and the second nearest on"
        assert members.text.split() == ["mean", "of", "32", "nearest", "members"]
        await pilot.press("m", "right")
        await pilot.pause()
        assert find_levels(frame.shown_images, 1) == [101], "the nearest image stays large in every order"
        assert find_levels(members.shown_images, 3) == [50, 150, 151]
        if size != (80, 24):
            levels = find_levels(screen.query_one(ClusterGrid).shown_images, 16)
            assert levels == list(range(100, 116))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_labelling_screen_with_features_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_labelling(ScriptedSession(config=VECTORS), size) as (pilot, _):
        await pilot.press("3", "o", "o", "7", "5", "enter")
        await settle(pilot)
        assert_snapshot(pilot.app, f"labelling-features-{size[0]}x{size[1]}")


async def test_line_that_finds_a_class_tells_whether_it_names_the_nearest_image() -> None:
    session = ScriptedSession(config=VECTORS)
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("slash")
        assert "Cluster 0: class?" in prompt_text(screen)
        await pilot.press("escape", "o", "slash")
        assert "Cluster 0, nearest image: class?" in prompt_text(screen)
        await pilot.press("7", "enter")
        await settle(pilot)
        assert isinstance(screen.presenter.round_view.clusters[0].answer, NearestImageAnswer)


async def test_small_cluster_has_a_mean_image_without_a_number() -> None:
    session = ScriptedSession(config=VECTORS)
    async with open_labelling(session) as (pilot, screen):
        for _ in range(3):
            await pilot.press("s", "9", "enter")
            await settle(pilot)
        assert screen.presenter.focused_cluster.size < 32
        assert "mean image" in screen.query_one(MemberGrid).text
        assert screen.query_one(FramedImage).text.startswith("┏ 0.0.0.0 · nearest image ━")


async def test_pictures_and_terms_of_the_history_and_the_help_are_about_the_nearest_image() -> None:
    session = ScriptedSession(config=VECTORS)
    session.record_answer((0,), NearestImageAnswer(3))
    async with open_over_labelling(session, "H", HistoryScreen) as (pilot, screen):
        assert "nearest image" in screen.query_one(AnswerPreview).text
        assert "decoded" not in screen_text(pilot.app)
        assert "□ 3" in screen_text(pilot.app)
    async with open_over_labelling(session, "question_mark", HelpScreen, (120, 60)) as (pilot, _):
        await pilot.press("end")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert "mean of 32" in text
        assert "decoded" not in text


@pytest.mark.parametrize("has_test_labels", [True, False])
async def test_training_screen_without_reconstructions_shows_larger_curves_and_the_epochs(
    has_test_labels: bool,
) -> None:
    config = replace(VECTORS, propagation=PropagationConfig(method="graph"))
    session = EndlessSession(create_events(), config)
    session.has_test_labels = has_test_labels
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        await wait_until(pilot, lambda: len(session.finished_epochs) == 2 and "1,800" not in screen_text(app))
        await wait_until(pilot, lambda: " 100.9" in screen_text(app))
        text = screen_text(app)
        assert app.screen.query_one("#loss").region.height >= 12
        assert app.screen.query_one(EpochTable).display
        assert "pixels" not in text
        assert "original" not in text
        assert ("test %" in text) == has_test_labels
        assert "reading test" not in text
        await pilot.press("t")
        assert isinstance(app.screen, TrainingScreen)
        await pilot.press("d")
        await pilot.pause()
        assert NO_DECODER_NOTICE in screen_text(app)
        app.action_leave()


async def test_no_heading_or_time_of_the_epochs_is_cut_in_80_columns() -> None:
    session = EndlessSession(create_events(), replace(get_recipe("features"), seed=0))
    session.has_test_labels = False
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, TrainingScreen)
        await wait_until(pilot, lambda: len(session.finished_epochs) == 2 and "1,800" not in screen_text(app))
        heading = next(line for line in screen_text(app).splitlines() if "expected %" in line)
        headings = "epoch recon. KL div. class. contr. consist. expected % stable % answers time"
        assert " ".join(heading.split()) == headings
        app.action_leave()


async def test_round_of_a_short_training_opens_directly() -> None:
    session = ScriptedSession("training", config=VECTORS, rounds=1)
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, LabellingScreen)
        assert session.finished_epochs[0].pixel_accuracy is None
        await settle(pilot)
        await pilot.press("1", "enter")
        assert session.answer_log == [((0,), ClassAnswer(1))]


@pytest.mark.parametrize("has_test_labels", [True, False])
@pytest.mark.parametrize("method", ["graph", "cluster"])
async def test_summary_without_a_decoder_has_no_reading_test_and_says_what_samples_need(
    has_test_labels: bool, method: str
) -> None:
    config = replace(VECTORS, propagation=PropagationConfig(method=method))
    session = ScriptedSession("finished", config=config, has_test_labels=has_test_labels)
    session.finished_epochs = [
        replace(create_labelled_epoch(epoch, has_test_labels), pixel_accuracy=None) for epoch in range(1, 7)
    ]
    app = VaetuiApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        text = screen_text(app)
        assert "pixels" not in text
        assert "reading test" not in text
        await pilot.press("t")
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, SummaryScreen)
        assert NO_DECODER_NOTICE in screen_text(app)


async def test_help_line_names_the_answer_for_the_nearest_image_where_members_disagree() -> None:
    async with open_labelling(ScriptedSession(config=VECTORS)) as (pilot, screen):
        assert "o: nearest image alone" in prompt_text(screen)
        await pilot.press("3", "o")
        assert 'Saved: nearest image of cluster 0 = "3"' in prompt_text(screen)
