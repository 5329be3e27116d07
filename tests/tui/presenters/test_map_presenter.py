"""Tests of the state of the map: cursor, zoom, nearest cluster, filter, letters, legend, and the rows it shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from rich.cells import cell_len

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, NearestImageAnswer, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.engine.events import ImageMap, MapCluster, MapComputed
from vaetui.tui.presenters import map_presenter
from vaetui.tui.presenters.class_colours import get_class_style
from vaetui.tui.presenters.map_presenter import MapPresenter, assign_letters, build_lines
from vaetui.tui.presenters.styled_text import Piece

NAMES = ("cat", "cow", "owl", "dog")
CLASSES = ClassList.from_names(NAMES)
COLUMNS, ROWS = 62, 21


def create_map(
    clusters: Sequence[MapCluster] = (), class_ids: Sequence[int] = (0, 1, 2, 3), image_count: int | None = None
) -> ImageMap:
    """Create a map with 50 equal points for each class; class 0 is at the left, the last one at the right."""
    xs = np.linspace(0.1, 0.9, len(class_ids))
    points = np.repeat(np.stack([xs, np.full(len(xs), 0.5)], axis=1), 50, axis=0).astype(np.float32)
    ids = np.repeat(class_ids, 50)
    return ImageMap(2, image_count or len(ids), points, ids, tuple(clusters), (0, 1, 2, 3), ((2, 3, 9), (0, 3, 4)))


def create_presenter(image_map: ImageMap, *, can_label: bool = True, classes: ClassList = CLASSES) -> MapPresenter:
    presenter = MapPresenter(classes, can_label)
    presenter.resize(COLUMNS, ROWS)
    presenter.show_map(image_map)
    return presenter


def create_clusters() -> list[MapCluster]:
    return [
        MapCluster((0,), (0.1, 0.5), None, 30, 0),
        MapCluster((1,), (0.4, 0.5), ClassAnswer(1), 40, 1),
        MapCluster((2, 0), (0.9, 0.9), Unreadable(), 5, 3),
        MapCluster((2, 1), (0.9, 0.1), None, 6, 3),
    ]


def to_texts(lines: Sequence[Sequence[Piece]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def read_rows(presenter: MapPresenter) -> list[str]:
    letters = presenter.letters if presenter.draws_letters else None
    return to_texts(build_lines(presenter.build_frame(), letters))


def read_legend(presenter: MapPresenter, rows: int = 21, cells: int = 18) -> list[str]:
    return to_texts(presenter.list_legend(presenter.build_frame(), rows, cells))


def find_nearest(presenter: MapPresenter) -> tuple[int, ...]:
    assert presenter.nearest_cluster is not None
    return presenter.nearest_cluster.path


def test_the_nearest_cluster_follows_the_cursor() -> None:
    presenter = create_presenter(create_map(create_clusters()))
    assert find_nearest(presenter) == (1,)
    for key, path in [("left_far", (0,)), ("right_far", (1,)), ("right_far", (2, 0))]:
        presenter.handle_key(key)
        assert find_nearest(presenter) == path
    for _ in range(3):
        presenter.handle_key("down")
    assert find_nearest(presenter) == (2, 1)


def test_cursor_moves_by_cells_and_scrolls_at_the_edge_of_an_enlarged_map() -> None:
    presenter = create_presenter(create_map())
    column, row = presenter.build_frame().cursor_cell
    presenter.handle_key("right")
    presenter.handle_key("up")
    assert presenter.build_frame().cursor_cell == (column + 2, row - 1)
    for _ in range(2):
        presenter.handle_key("zoom_in")
    viewport = presenter.viewport
    for _ in range(20):
        presenter.handle_key("right")
    assert presenter.viewport.x > viewport.x
    assert presenter.build_frame().cursor_cell[0] in (COLUMNS - 2, COLUMNS - 1)


@pytest.mark.parametrize("key", ["left_far", "right_far", "up_far", "down_far"])
def test_cursor_stays_where_points_are_and_inside_of_the_screen(key: str) -> None:
    presenter = create_presenter(create_map())
    for zoom in ("zoom_in", "zoom_in", "zoom_out", "zoom_out", "zoom_out"):
        for _ in range(30):
            presenter.handle_key(key)
        column, row = presenter.build_frame().cursor_cell
        assert 0 <= column < COLUMNS
        assert 0 <= row < ROWS
        assert -0.1 <= min(presenter.cursor) <= max(presenter.cursor) <= 1.1
        presenter.handle_key(zoom)


def test_an_outlier_can_be_reached() -> None:
    image_map = create_map()
    image_map.points[0] = (3, 0.5)
    presenter = create_presenter(image_map)
    for _ in range(40):
        presenter.handle_key("right_far")
    assert presenter.cursor[0] == pytest.approx(3)


def test_zoom_stops_at_its_limits_with_a_hint_and_home_shows_the_whole_map() -> None:
    presenter = create_presenter(create_map())
    for key in ("zoom_in", "zoom_out"):
        for _ in range(20):
            presenter.handle_key(key)
        assert "further" in presenter.hint
    presenter.handle_key("zoom_in")
    assert presenter.hint == ""
    presenter.handle_key("left_far")
    presenter.handle_key("reset")
    assert (presenter.viewport.zoom, presenter.cursor) == (1, (0.5, 0.5))
    assert "zoom" not in presenter.describe_view()


def test_next_and_previous_visit_the_clusters_without_an_answer_in_their_order() -> None:
    presenter = create_presenter(create_map(create_clusters()))
    presenter.handle_key("next")
    assert find_nearest(presenter) == (2, 1)
    presenter.handle_key("next")
    assert find_nearest(presenter) == (0,)
    presenter.handle_key("next")
    assert find_nearest(presenter) == (2, 1)
    presenter.handle_key("previous")
    assert find_nearest(presenter) == (0,)
    presenter.handle_key("right")
    presenter.handle_key("next")
    assert presenter.cursor == (0.1, 0.5)


def test_next_visits_all_clusters_if_all_have_an_answer() -> None:
    clusters = [MapCluster((index,), (0.2 * index, 0.5), Unreadable(), 5, 0) for index in range(3)]
    presenter = create_presenter(create_map(clusters))
    visited = []
    for _ in range(4):
        presenter.handle_key("next")
        visited.append(find_nearest(presenter))
    assert visited == [(0,), (1,), (2,), (0,)]


@pytest.mark.parametrize(
    ("focus", "cursor"), [((2, 1), (0.9, 0.1)), ((2,), (0.9, 0.9)), ((7,), (0.5, 0.5)), ((), (0.5, 0.5))]
)
def test_map_opens_with_the_cursor_at_the_focused_cluster_or_its_first_part(
    focus: tuple[int, ...], cursor: tuple[float, float]
) -> None:
    presenter = MapPresenter(CLASSES, can_label=True)
    presenter.resize(COLUMNS, ROWS)
    presenter.show_map(create_map(create_clusters()), focus=focus)
    assert presenter.cursor == cursor


def test_enter_jumps_only_while_a_round_waits_for_answers() -> None:
    presenter = create_presenter(create_map(create_clusters()))
    assert presenter.handle_key("jump") == "jump"
    finished_presenter = create_presenter(create_map(create_clusters()), can_label=False)
    assert finished_presenter.handle_key("jump") is None
    assert finished_presenter.hint == map_presenter.NO_LABELLING_HINT
    without_clusters = create_presenter(create_map())
    assert without_clusters.handle_key("jump") is None
    assert without_clusters.hint == map_presenter.NO_CLUSTER_HINT


def test_keys_before_the_map_is_computed_do_nothing() -> None:
    presenter = MapPresenter(CLASSES, can_label=True)
    for key in ("left", "zoom_in", "jump", "next", "reset", "letters"):
        assert presenter.handle_key(key) is None
    assert presenter.handle_key("close") == "close"
    assert presenter.nearest_cluster is None
    assert presenter.describe_view() == "map"


def test_chosen_classes_are_shown_alone_with_their_clusters_and_escape_shows_all() -> None:
    image_map = create_map(create_clusters())
    presenter = create_presenter(image_map)
    rows = read_rows(presenter)
    assert all(any(f" {name} " in row for row in rows) for name in NAMES)
    presenter.show_map(image_map, (2, 3))
    rows = read_rows(presenter)
    assert [name for name in NAMES if any(f" {name} " in row for row in rows)] == ["owl", "dog"]
    assert [cluster.path for cluster in presenter.shown_clusters] == [(2, 0), (2, 1)]
    middle = presenter.build_frame().raster.class_ids[ROWS // 2]
    assert {*middle.tolist()} == {-3, 2, 3}
    assert read_legend(presenter)[:3] == ["w owl           50", "d dog           50", "hidden 100"]
    assert presenter.describe_filter() == "owl and dog alone"
    presenter.show_map(image_map, (2,))
    assert presenter.describe_cursor() == map_presenter.NO_CLUSTER_TEXT
    assert presenter.handle_key("close") == "show_all"
    presenter.show_map(image_map)
    assert presenter.handle_key("close") == "close"


def test_filter_offers_the_most_confused_pair_first_then_all_pairs_and_single_classes() -> None:
    presenter = create_presenter(create_map())
    choices = presenter.list_filter_choices()
    assert [choice.label for choice in choices[:2]] == ["owl and dog", "cat and dog"]
    assert choices[0].detail == "9 images of one nearer to the other"
    assert choices[0].value == (2, 3)
    assert len(choices) == 6 + 4
    assert [choice.value for choice in choices[-4:]] == [(0,), (1,), (2,), (3,)]
    presenter.show_map(create_map(), (2, 3))
    assert presenter.list_filter_choices()[0].value == ()


def test_filter_of_many_classes_offers_only_confused_pairs() -> None:
    names = tuple(f"class {index}" for index in range(60))
    presenter = create_presenter(create_map(class_ids=range(60)), classes=ClassList.from_names(names))
    assert len(presenter.list_filter_choices()) == 2 + 60


def test_letters_are_unique_and_from_the_names() -> None:
    assert assign_letters(CLASSES, [0, 1, 2, 3]) == {0: "c", 1: "o", 2: "w", 3: "d"}
    digits = ClassList.from_names(tuple(map(str, range(12))))
    letters = assign_letters(digits, range(12))
    assert [letters[class_id] for class_id in range(10)] == [*"0123456789"]
    assert len({*letters.values()}) == 12
    many = ClassList.from_names(tuple(f"猫{index}" for index in range(100)))
    letters = assign_letters(many, range(100))
    assert all(cell_len(letter) == 1 for letter in letters.values())
    assert letters[99] == map_presenter.UNNAMED_LETTER


def test_letters_in_place_of_dots_show_the_class_of_each_cell() -> None:
    presenter = create_presenter(create_map())
    presenter.handle_key("clusters")
    dot_rows = read_rows(presenter)
    presenter.handle_key("letters")
    letter_rows = read_rows(presenter)
    assert [cell_len(row) for row in letter_rows] == [COLUMNS] * ROWS == [cell_len(row) for row in dot_rows]
    class_ids = presenter.build_frame().raster.class_ids
    presenter._class_positions = {}  # without the names over the points
    letter_rows = read_rows(presenter)
    for row, column in np.argwhere(class_ids >= 0):
        if abs(column - presenter.build_frame().cursor_cell[0]) > 1:
            assert letter_rows[row][column] == presenter.letters[int(class_ids[row, column])]


def test_cells_of_several_classes_and_without_a_class_have_signs_of_their_own() -> None:
    image_map = create_map(class_ids=(0, 1, -1))
    image_map.points[:100] = (0.1, 0.5)
    presenter = create_presenter(image_map)
    presenter._class_positions = {}
    presenter.draws_letters = True
    text = "".join(read_rows(presenter))
    assert (text.count("+"), text.count("·")) == (1, 1)
    legend = read_legend(presenter)
    assert "+ several" in legend
    assert "· no class 50" in legend
    presenter.draws_letters = False
    assert "⣿ several" in read_legend(presenter)


def test_every_row_has_the_width_of_the_map_with_wide_names_and_the_cursor_on_them() -> None:
    classes = ClassList.from_names(("猫猫猫猫", "e\u0301e\u0301", "owl", "dog"))
    presenter = create_presenter(create_map(create_clusters()), classes=classes)
    for _ in range(20):
        presenter.handle_key("left")
        assert [cell_len(row) for row in read_rows(presenter)] == [COLUMNS] * ROWS


def test_styles_are_those_of_the_classes_and_the_nearest_cluster_is_reversed() -> None:
    presenter = create_presenter(create_map(create_clusters()))
    pieces = [piece for line in build_lines(presenter.build_frame(), None) for piece in line]
    styles_by_text = {text.strip(): style for text, style in pieces}
    assert styles_by_text["#1=o"] == "bold reverse"
    assert styles_by_text["#0"] == "bold"
    assert styles_by_text["#2.0–"] == "bold"
    assert get_class_style(3) in styles_by_text["dog"]
    assert styles_by_text["["] == styles_by_text["]"] == map_presenter.CURSOR_STYLE


def test_answer_for_the_nearest_image_has_a_sign_of_its_own_and_is_described() -> None:
    clusters = [MapCluster((3,), (0.4, 0.5), NearestImageAnswer(1), 40, 2)]
    presenter = create_presenter(create_map(clusters))
    pieces = [text.strip() for line in build_lines(presenter.build_frame(), None) for text, _ in line]
    assert "#3~o" in pieces
    assert "#1~a nearest" in read_legend(presenter)
    assert presenter.describe_cursor() == "Cluster 3 = cow, nearest image alone, 40 images"
    assert "#1~a nearest" not in read_legend(create_presenter(create_map(create_clusters())))


def test_cluster_numbers_can_be_hidden_and_those_without_room_are_counted() -> None:
    crowd = [MapCluster((index,), (0.5, 0.5), None, 5, 0) for index in range(60)]
    presenter = create_presenter(create_map(crowd))
    frame = presenter.build_frame()
    shown_count = sum(label.text.startswith("#") for label in frame.labels)
    assert shown_count + frame.hidden_label_count == 60
    assert f"{frame.hidden_label_count} # hidden" in read_legend(presenter)
    presenter.handle_key("clusters")
    assert not any(label.text.startswith("#") for label in presenter.build_frame().labels)


def test_legend_names_classes_with_counts_and_leaves_out_the_smallest_without_room() -> None:
    presenter = create_presenter(create_map(create_clusters()))
    assert read_legend(presenter)[:4] == [
        "c cat           50",
        "o cow           50",
        "w owl           50",
        "d dog           50",
    ]
    names = tuple(f"a long name {index}" for index in range(40))
    image_map = create_map(create_clusters(), class_ids=range(40))
    image_map.class_ids[:30] = 7  # the largest class
    presenter = create_presenter(image_map, classes=ClassList.from_names(names))
    legend = read_legend(presenter, rows=12)
    assert len(legend) == 12
    assert all(cell_len(line) <= 18 for line in legend)
    assert any("e 7" in line and line.endswith("80") for line in legend)
    assert any("more" in line for line in legend)


def test_header_names_round_and_images_and_a_sample() -> None:
    assert create_presenter(create_map()).describe_view() == "map of round 2   200 images"
    presenter = create_presenter(create_map(image_count=1_000_000))
    presenter.handle_key("zoom_in")
    assert presenter.describe_view() == "map of round 2   200 of 1,000,000 images   zoom 2x"


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (0, "Cluster 0 open, mostly cat, 30 images"),
        (1, "Cluster 1 = cow, 40 images"),
        (2, "Cluster 2.0 unreadable, 5 images"),
    ],
)
def test_prompt_describes_the_nearest_cluster(index: int, text: str) -> None:
    presenter = create_presenter(create_map([create_clusters()[index]]))
    assert presenter.describe_cursor() == text


def test_points_of_one_cell_of_the_scripted_session_have_the_colour_of_their_class() -> None:
    *_, event = ScriptedSession().map_images()
    assert isinstance(event, MapComputed)
    presenter = create_presenter(event.image_map, classes=ScriptedSession().classes)
    class_ids = presenter.build_frame().raster.class_ids
    cells = presenter.viewport.find_cells(event.image_map.points, COLUMNS, ROWS)
    for (column, row), class_id in zip(cells.tolist(), event.image_map.class_ids.tolist(), strict=True):
        assert class_ids[row, column] == class_id
