"""Test the layout of the labelling screen in terminals of many sizes."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.tui.harness import SIZES, assert_snapshot, focused_path, open_labelling, screen_text, settle
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split
from vaetui.engine.config import Config, NetworkConfig
from vaetui.tui.widgets.cluster_details import ClusterDetails
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import TextLine

pytestmark = pytest.mark.usefixtures("fast_keys")

LONG_NAMES = (*("trousers and others", "猫" * 20, "x", "Donaudampfschifffahrtsgesellschaft"), *map(str, range(4, 10)))


@pytest.mark.parametrize("size", SIZES)
async def test_screen_matches_its_snapshot(size: tuple[int, int]) -> None:
    async with open_labelling(ScriptedSession(), size) as (pilot, _):
        assert_snapshot(pilot.app, f"labelling-{size[0]}x{size[1]}")
        await pilot.press("0", "enter", "1", "8", "x", "s", "enter")
        await settle(pilot)
        await pilot.press("3", "enter", "right", "9")
        await settle(pilot)
        assert_snapshot(pilot.app, f"labelling-answers-{size[0]}x{size[1]}")


@pytest.mark.parametrize(
    "size",
    [
        (80, 24),
        (60, 18),
        *(pytest.param(size, marks=pytest.mark.slow) for size in [(100, 30), (120, 40), (160, 50)]),
    ],
)
async def test_every_cluster_and_prompt_is_visible(size: tuple[int, int]) -> None:
    async with open_labelling(ScriptedSession(clusters=16), size) as (pilot, screen):
        text = screen_text(pilot.app)
        assert "Cluster 0: class?" in text
        assert "s split" in text
        assert "? keys" in text
        assert "answers   0" in text
        for index in range(16):
            assert focused_path(screen) == (index,)
            assert f"{index} ?" in screen_text(pilot.app)
            await pilot.press("5", "9")
            assert screen.presenter.round_view.answered_leaf_count == index + 1


@pytest.mark.parametrize(
    "sizes",
    [
        [(60, 24), (80, 24), (160, 50)],
        pytest.param([(99, 37), (100, 37), (101, 37), (114, 37), (115, 37)], marks=pytest.mark.slow),
    ],
    ids=["common", "breakpoints"],
)
@pytest.mark.parametrize("names", [LONG_NAMES, None], ids=["long names", "digits"])
async def test_facts_and_digit_keys_fit_at_every_width(
    names: tuple[str, ...] | None, sizes: list[tuple[int, int]]
) -> None:
    session = ScriptedSession(config=Config(network=NetworkConfig(classes=10)), classes=names)
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("right", "right", "right")
        for size in sizes:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            facts, text = screen.query_one(ClusterDetails), screen_text(pilot.app)
            room, lines = facts.content_size, facts.text.splitlines()
            assert facts.text.startswith("2,411 images")
            assert len(lines) <= room.height
            for line in lines:
                assert cell_len(line) <= room.width
                assert line.strip() in text
            rule = screen.query_one("#rule", TextLine)
            assert cell_len(rule.text) <= rule.content_size.width
            for digit in range(4 if names else 0):
                assert f" {digit} " in rule.text


async def test_pages_follow_the_focus() -> None:
    session = ScriptedSession()
    session.answer_log = [((index,), Split(4)) for index in range(16)]
    async with open_labelling(session) as (pilot, screen):
        assert "of 80" in screen_text(pilot.app)
        await pilot.press("down", "down")
        for _ in range(8):
            name = ".".join(map(str, screen.presenter.focused_cluster.path))
            assert f" {name} ?" in screen_text(pilot.app) or f"[{name} ?" in screen_text(pilot.app)
            await pilot.press("x")


async def test_resize_switches_between_list_and_thumbnails() -> None:
    session = ScriptedSession()
    async with open_labelling(session) as (pilot, screen):
        await pilot.press("1", "enter", "9")
        small_screen = screen_text(pilot.app)
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert "┗ 1 ? ━" in screen_text(pilot.app)
        assert len(screen.query(Picture)) == 16 + 8 + 1
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert screen_text(pilot.app) == small_screen
        await pilot.press("enter")
        assert session.answer_log[-1] == ((1,), ClassAnswer(9))


async def test_images_of_another_size_are_shown() -> None:
    async with open_labelling(ScriptedSession(side=32), (120, 40)) as (pilot, _):
        assert screen_text(pilot.app).count("▀") > 100
