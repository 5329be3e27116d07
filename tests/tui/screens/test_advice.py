"""Test where the advice after a first round of mixed clusters is shown: once, in lines that cover nothing."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.tui.harness import open_labelling, prompt_text, screen_text, settle, wait_for_screen
from tests.tui.scripted_session import ScriptedSession, create_labelled_epoch
from vaetui.engine.config import Config, NetworkConfig
from vaetui.session.feature_advice import FEATURES_ADVICE, OTHER_FEATURES_ADVICE
from vaetui.tui.app import VaetuiApp
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.screens.training import TrainingScreen
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.prompt import Prompt

ADVICE_WORDS = "clusters of the first round mix classes"
"""Words of all advice."""


def read_notice(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("inputs", "advice"), [("images", FEATURES_ADVICE), ("vectors", OTHER_FEATURES_ADVICE)])
async def test_last_answer_of_a_first_round_of_mixed_clusters_shows_the_whole_advice_once(
    inputs: Literal["images", "vectors"], advice: str
) -> None:
    session = ScriptedSession(clusters=6, config=Config(network=NetworkConfig(inputs=inputs)))
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("x", "3", "o", "x", "4", "o", "5", "enter")
        assert ADVICE_WORDS not in read_notice(prompt_text(screen))
        await pilot.press("6", "enter")
        await pilot.pause()
        assert advice in read_notice(prompt_text(screen))
        assert advice in read_notice(screen_text(pilot.app))
        assert ". g: train. " in read_notice(screen_text(pilot.app))
        assert not screen.query_one(Prompt).region.overlaps(screen.query_one(FramedImage).region)
        await pilot.press("left")
        assert ADVICE_WORDS not in read_notice(prompt_text(screen))
        await pilot.press("7", "enter")
        assert ADVICE_WORDS not in read_notice(prompt_text(screen)), "it was shown already"


async def test_round_of_clear_clusters_gets_no_advice() -> None:
    session = ScriptedSession(clusters=6)
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("x", *["1", "enter"] * 5)
        assert screen.presenter.round_view.answered_leaf_count == 6
        assert ADVICE_WORDS not in read_notice(prompt_text(screen))


def test_words_of_the_advice_are_in_all_of_it() -> None:
    assert ADVICE_WORDS in FEATURES_ADVICE
    assert ADVICE_WORDS in OTHER_FEATURES_ADVICE


async def test_training_shows_the_advice_if_the_round_ends_with_open_clusters() -> None:
    class WaitingSession(ScriptedSession):
        def close_round(self) -> None:
            super().close_round()
            self.current_phase = "training"

        def advance(self):  # type: ignore[no-untyped-def]
            self.is_loaded = True
            yield from ()

    session = WaitingSession()
    async with open_labelling(session) as (pilot, _):
        await pilot.press(*"xxxxxx")
        await pilot.press("g", "g")
        await wait_for_screen(pilot, TrainingScreen)
        await settle(pilot)
        assert FEATURES_ADVICE in read_notice(screen_text(pilot.app))


def test_later_rounds_get_no_advice() -> None:
    session = ScriptedSession(clusters=6)
    session.close_round()
    session.current_phase = "labelling"
    presenter = LabellingPresenter(session)
    for _ in range(6):
        presenter.handle_key("unreadable", 1)
    assert presenter.round_view.answered_leaf_count == 6
    assert ADVICE_WORDS not in presenter.status_text


async def test_summary_shows_the_advice_of_the_first_round() -> None:
    session = ScriptedSession("finished")
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 7)]
    session.advice = FEATURES_ADVICE
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        assert FEATURES_ADVICE in read_notice(screen_text(app))


async def test_advice_of_the_summary_is_wrapped_once_beside_a_scroll_bar() -> None:
    session = ScriptedSession("finished")
    session.finished_epochs = [create_labelled_epoch(epoch) for epoch in range(1, 7)]
    session.advice = OTHER_FEATURES_ADVICE
    app = VaetuiApp(session)
    async with app.run_test(size=(60, 18)) as pilot:
        await wait_for_screen(pilot, SummaryScreen)
        await settle(pilot)
        for _ in range(3):
            lines = [line.strip(" ▁▂▃▄▅▆▇█") for line in screen_text(app).splitlines()]
            assert not {"a", "new"} & set(lines), "a word stands alone"
            await pilot.press("down")
            await pilot.pause()
