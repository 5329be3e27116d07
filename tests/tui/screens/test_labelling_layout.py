"""Test the layout of the labelling screen in terminals of many sizes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from rich.color import Color
from rich.style import Style

from tests.tui.harness import SIZES, assert_snapshot, focused_path, open_labelling, screen_text, settle
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, ClusterPath, Split, Unreadable
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config, NetworkConfig
from vaetui.session.views import MemberOrder, RoundView
from vaetui.tui.presenters.class_colours import get_class_style
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.widgets.cluster_details import ClusterDetails
from vaetui.tui.widgets.cluster_grid import ClusterGrid
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.labelling_view import LabellingView
from vaetui.tui.widgets.member_grid import MemberGrid
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import TextLine

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
            legend = f"{rule.text}\n{screen.query_one('#digits', TextLine).text}"
            assert max(map(cell_len, legend.split("\n"))) <= rule.content_size.width
            for digit in range(4 if names else 0):
                assert re.search(rf"(^|\s){digit} ", legend, re.MULTILINE)


SIGNS = tuple(
    f"{kind} {number}" for kind in ("speed limit of", "end of limit", "no lorries over") for number in range(15)
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_names_of_digits_stay_readable_with_45_classes_and_64_clusters(size: tuple[int, int]) -> None:
    config = Config(network=NetworkConfig(classes=len(SIGNS)))
    async with open_labelling(ScriptedSession(config=config, classes=SIGNS, clusters=64), size) as (pilot, screen):
        text = screen_text(pilot.app)
        legend = f"{screen.query_one('#rule', TextLine).text}\n{screen.query_one('#digits', TextLine).text}"
        assert "/ others" in legend
        names = re.findall(r"(\d) (\S*…\S* ?\d+|speed limit of \d+)", legend)
        assert [(digit, name.split()[-1].lstrip("…f")) for digit, name in names] == [
            (str(i), str(i)) for i in range(10)
        ]
        assert min(cell_len(name) for _, name in names) >= 7
        assert all(row.strip() in text for row in legend.split("\n"))
        assert screen.query_one(LabellingView).page_size >= 16
        for index in range(64):
            assert focused_path(screen) == (index,)
            assert re.search(rf"\b{index} \?", screen_text(pilot.app))
            await pilot.press("right")


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
        assert "┗ 1 ?  ━" in screen_text(pilot.app)
        assert len(screen.query_one(ClusterGrid).places) == 16
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert screen_text(pilot.app) == small_screen
        await pilot.press("enter")
        assert session.answer_log[-1] == ((1,), ClassAnswer(9))


THUMBNAIL_SIZES = [
    (100, 30),
    *(pytest.param(size, marks=pytest.mark.slow) for size in [(100, 37), (120, 40), (160, 50), (200, 60)]),
]
ALL_SIZES = [(60, 18), pytest.param((80, 24), marks=pytest.mark.slow), *THUMBNAIL_SIZES]


def read_frames(text: str) -> list[tuple[int, int, int, int]]:
    """Return top, left, bottom and right of every complete heavy frame, whatever its sides say."""
    rows, frames = text.splitlines(), []
    for top, row in enumerate(rows):
        for corner in re.finditer("┏[^┏┓]*┓", row):
            left, right = corner.start(), corner.end() - 1
            bottom = next(y for y in range(top + 1, len(rows)) if rows[y][left : left + 1] != "┃")
            if rows[bottom][left] == "┗" and rows[bottom][right] == "┛":
                assert all(rows[y][right] == "┃" for y in range(top + 1, bottom))
                frames.append((top, left, bottom, right))
    return frames


@pytest.mark.parametrize("size", THUMBNAIL_SIZES)
async def test_frame_of_the_focused_thumbnail_is_complete_wherever_the_focus_is(size: tuple[int, int]) -> None:
    async with open_labelling(ScriptedSession(clusters=16), size) as (pilot, screen):
        for index in range(16):
            text = screen_text(pilot.app)
            assert text.count("┏") == text.count("┛") == 2
            _, (top, left, bottom, right) = read_frames(text)
            assert f"┗ {index} ? " in text.splitlines()[bottom]
            grid = screen.query_one(ClusterGrid)
            x, y, cells = grid.places[index % grid.page_size]
            assert (left, top) == (grid.region.x + x - 1, grid.region.y + y - 1)
            assert (right - left - 1, bottom - top - 1) == cells
            await pilot.press("right")
            await pilot.pause()


@pytest.mark.parametrize("cluster_count", [3, 16, pytest.param(20, marks=pytest.mark.slow), 60])
@pytest.mark.parametrize("size", THUMBNAIL_SIZES)
async def test_unused_places_show_nothing_and_other_pages_are_listed_below(
    size: tuple[int, int], cluster_count: int
) -> None:
    async with open_labelling(ScriptedSession(clusters=cluster_count), size) as (pilot, screen):
        grid = screen.query_one(ClusterGrid)
        shown_count = min(cluster_count, grid.page_size)
        assert [image is not None for image in grid.shown_images] == [
            index < shown_count for index in range(grid.page_size)
        ]
        background = screen.background_colors[1].rich_color
        place = grid.places[-1]
        strips = screen._compositor.render_strips()
        row, column = grid.region.y + place.y, place.x
        (segment,) = strips[row].crop(column, column + 1)
        assert segment.style is not None
        assert (segment.style.bgcolor == background) == (shown_count < grid.page_size)
        assert len(screen.query(Picture)) == 0
        last_row = grid.places[-1].y + grid.places[-1].cells[1]
        free_rows = grid.region.height - last_row - 1
        if shown_count < cluster_count and free_rows:
            rows = screen_text(pilot.app).splitlines()[grid.region.y + last_row + 1 : grid.region.bottom]
            assert rows[0].strip().startswith(f"other pages:  {shown_count} ?  {shown_count + 1} ?")


async def test_large_terminal_shows_24_members_and_a_larger_focused_picture() -> None:
    async with open_labelling(ScriptedSession(), (200, 60)) as (_, screen):
        images = screen.query_one(MemberGrid).shown_images
        assert len(images) == 24
        assert all(image is not None for image in images)
        assert screen.query_one(FramedImage).region.size == (58, 30)


NAMED_CLASSES = tuple(f"{animal} {side}" for animal in ("salamander", "ox", "owl") for side in ("left", "right"))


@pytest.mark.parametrize("size", ALL_SIZES)
async def test_answers_show_names_with_a_mark_in_the_colour_of_the_class(size: tuple[int, int]) -> None:
    config = Config(network=NetworkConfig(classes=6))
    session = ScriptedSession(config=config, classes=NAMED_CLASSES, clusters=4)
    session.answer_log = [((0,), ClassAnswer(2)), ((1,), ClassAnswer(1, 0.4)), ((2,), Unreadable())]
    async with open_labelling(session, size) as (pilot, screen):
        await pilot.press("up", "left", "left", "left")
        await pilot.pause()
        text = screen_text(pilot.app)
        overview = [row for row in text.splitlines() if "0 ■" in row][-1]
        assert re.search(r"0 ■ ?ox left", overview)
        assert re.search(r"1 ■ ?sal(\S*…|amander rig)\S*ht .4", overview)
        assert re.search("2 –", overview) or size == (60, 18)
        assert "·" not in overview.replace(" · ", "")
        for class_id, name in ((2, "ox left"), (1, "ht .4")):
            column, row = overview.index(name), text.splitlines().index(overview)
            mark_column = overview.rindex("■", 0, column)
            (segment,) = screen._compositor.render_strips()[row].crop(mark_column, mark_column + 1)
            assert segment.text == "■"
            assert segment.style is not None
            assert segment.style.color == Color.parse(get_class_style(class_id))
        assert "weight of ox left: 64 %" in screen_text(pilot.app) or size == (60, 18)


def read_style(screen: LabellingScreen, text: str) -> Style:
    """Return the style of the first character of the last place that shows the text."""
    for strip in reversed(screen._compositor.render_strips()):
        if text in strip.text:
            column = strip.text.rindex(text)
            (segment,) = strip.crop(column, column + 1)
            assert segment.style is not None
            return segment.style
    raise AssertionError(text)


@pytest.mark.parametrize("size", SIZES)
async def test_open_and_answered_clusters_differ_without_colours(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = ScriptedSession()
    session.answer_log = [((0,), ClassAnswer(2)), ((1,), ClassAnswer(1, 0.4)), ((2,), Unreadable())]
    async with open_labelling(session, size) as (_, screen):
        open_style, answered_style = read_style(screen, "9 ?"), read_style(screen, "0 ■")
        assert open_style.bold
        assert not answered_style.bold
        if size == (120, 40):
            assert open_style.reverse
            assert not answered_style.reverse


class ColourSession(ScriptedSession):
    """A session of colour images: blurred grey centres and red members, the nearest ones brightest."""

    def round_view(self) -> RoundView:
        view = super().round_view()
        centre = np.full((64, 64, 3), 100, np.uint8)
        return replace(view, clusters=tuple(replace(cluster, picture=centre) for cluster in view.clusters))

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        grey = super().member_images(path, order, count)
        if not len(grey):
            return np.zeros((0, 64, 64, 3), np.uint8)
        return np.stack([create_red_image(250 - 5 * index) for index in range(count)])


def create_red_image(level: int) -> Pixels:
    return np.broadcast_to(np.array([level, 0, 0], np.uint8), (64, 64, 3)).copy()


@pytest.mark.parametrize("size", ALL_SIZES)
async def test_nearest_member_of_colour_data_is_large_and_the_centre_stands_beside(size: tuple[int, int]) -> None:
    async with open_labelling(ColourSession(), size) as (pilot, screen):
        frame, grid = screen.query_one(FramedImage), screen.query_one(MemberGrid)
        assert frame.text.startswith("┏ cluster 0 · nearest member ━" if size >= (120, 40) else "┏ cluster 0 ")
        assert np.array_equal(frame.shown_images[0], create_red_image(250))
        assert np.array_equal(grid.shown_images[0], np.full((64, 64, 3), 100))
        assert np.array_equal(grid.shown_images[1], create_red_image(245))
        assert len(grid.shown_images) == len([image for image in grid.shown_images if image is not None])
        assert re.search("centre +nearest", screen_text(pilot.app))
        await pilot.press("m")
        await pilot.pause()
        assert "random" in screen_text(pilot.app)
        await pilot.press("right")
        await pilot.pause()
        assert frame.text.startswith("┏ cluster 1 ")


async def test_thumbnails_of_colour_data_show_the_nearest_members() -> None:
    async with open_labelling(ColourSession(clusters=30), (100, 30)) as (pilot, screen):
        grid = screen.query_one(ClusterGrid)
        assert len(grid.shown_images) == 7
        assert all(np.array_equal(image, create_red_image(250)) for image in grid.shown_images)
        await pilot.press(*["right"] * 7)
        await settle(pilot)
        assert all(np.array_equal(image, create_red_image(250)) for image in grid.shown_images)


async def test_centre_of_colour_data_is_large_until_the_members_are_loaded() -> None:
    session = ColourSession()
    async with open_labelling(session) as (pilot, screen):
        session.is_loaded = False
        await pilot.press("right")
        await pilot.pause()
        assert screen.query_one(FramedImage).text.startswith("┏ cluster 1 ━")
        assert np.array_equal(screen.query_one(FramedImage).shown_images[0], np.full((64, 64, 3), 100))
        assert "loading the images" in screen_text(pilot.app)


async def test_images_of_another_size_are_shown() -> None:
    async with open_labelling(ScriptedSession(side=32), (120, 40)) as (pilot, _):
        assert screen_text(pilot.app).count("▀") > 100
