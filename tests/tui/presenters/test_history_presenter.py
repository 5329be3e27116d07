"""Tests of the state of the history: order, corrections, undo, filter, and the lines of the list."""

from __future__ import annotations

import time

import pytest
from rich.cells import cell_len

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, NearestImageAnswer, Unreadable, format_path
from vaetui.engine.events import HistoryLoaded
from vaetui.tui.presenters import history_presenter
from vaetui.tui.presenters.history_presenter import HistoryPresenter, format_time

NAMES = ("cat", "cow", "owl", "dog")
ROWS = 20
CONFIDENCE_HINT = "Enter: certain · 1-9: confidence 0.1-0.9 · Esc: cancel"


def create_session(phase: str = "labelling") -> ScriptedSession:
    """Create a session with three answers of round 1, and two answers and a split of round 2."""
    session = ScriptedSession(classes=NAMES)
    session.record_answer((0,), ClassAnswer(0))
    session.record_answer((1,), ClassAnswer(1, 0.8))
    session.record_answer((2,), Unreadable())
    session.close_round()
    session.current_phase = "labelling"
    session.record_answer((0,), ClassAnswer(2))
    list(session.split_cluster((5,), 2))
    session.record_answer((5, 1), ClassAnswer(0, 0.5))
    if phase == "finished":
        session.close_round()
        session.current_phase = "finished"
    return session


def reload(presenter: HistoryPresenter, session: ScriptedSession) -> None:
    *_, event = session.load_history()
    assert isinstance(event, HistoryLoaded)
    presenter.show_entries(event.entries)


def create_presenter(session: ScriptedSession) -> HistoryPresenter:
    presenter = HistoryPresenter(session)
    reload(presenter, session)
    return presenter


def press(presenter: HistoryPresenter, session: ScriptedSession, *keys: str) -> str | None:
    action = None
    for key in keys:
        action = presenter.handle_key(key, ROWS)
        if action == "reload":
            reload(presenter, session)
    return action


def list_names(presenter: HistoryPresenter) -> list[str]:
    return [f"{entry.round_number}:{format_path(entry.path)}" for entry in presenter.visible_entries]


def read_lines(presenter: HistoryPresenter, rows: int = 21, cells: int = 50) -> list[str]:
    return ["".join(text for text, _ in line) for line in presenter.list_lines(rows, cells)]


def find_answer(session: ScriptedSession, round_number: int, *path: int) -> object:
    *_, event = session.load_history()
    assert isinstance(event, HistoryLoaded)
    return {(entry.round_number, entry.path): entry.answer for entry in event.entries}.get((round_number, path))


def test_answers_of_all_rounds_are_listed_with_the_newest_first() -> None:
    presenter = create_presenter(create_session())
    assert list_names(presenter) == ["2:5.1", "2:5", "2:0", "1:2", "1:1", "1:0"]
    assert presenter.describe_entries() == "history   6 answers of 2 rounds"
    assert presenter.describe_focus() == "Round 2, cluster 5.1"
    lines = read_lines(presenter)
    assert lines[0].split() == ["round", "cluster", "answer", "images", "time"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["›", "2", "5.1", "■"],
        ["2", "5", "⟨2⟩", "split"],
        ["2", "0", "■", "owl"],
        ["1", "2", "–", "unreadable"],
        ["1", "1", "■", "cow"],
        ["1", "0", "■", "cat"],
    ]
    assert "■ cat .5" in lines[1]
    assert "■ cow .8" in lines[5]


def test_a_class_and_a_confidence_correct_an_answer_of_an_earlier_round() -> None:
    session = create_session()
    presenter = create_presenter(session)
    press(presenter, session, "last", "up", "3")
    assert presenter.describe_focus() == "Round 1, cluster 1 = dog"
    assert presenter.describe_keys() == CONFIDENCE_HINT
    press(presenter, session, "7")
    assert find_answer(session, 1, 1) == ClassAnswer(3, 0.7)
    assert presenter.status_text == "Saved: round 1, cluster 1 = dog .7, for the next training. u: undo"


def test_a_corrected_answer_keeps_its_place_and_stays_selected() -> None:
    session = create_session()
    presenter = create_presenter(session)
    names = list_names(presenter)
    press(presenter, session, "last", "up", "3", "accept")
    assert list_names(presenter) == names
    assert presenter.focus_index == 4
    assert find_answer(session, 1, 1) == ClassAnswer(3)
    assert list_names(create_presenter(session))[0] == "1:1"


def test_an_answer_of_the_current_round_is_corrected_without_a_remark_on_training() -> None:
    session = create_session()
    presenter = create_presenter(session)
    press(presenter, session, "down", "down", "unreadable")
    assert presenter.status_text == "Saved: round 2, cluster 0 unreadable. u: undo"
    assert find_answer(session, 2, 0) == Unreadable()


def test_a_correction_of_a_finished_run_says_what_it_is_good_for() -> None:
    session = create_session("finished")
    presenter = create_presenter(session)
    press(presenter, session, "last", "3", "accept")
    assert find_answer(session, 1, 0) == ClassAnswer(3)
    assert presenter.status_text == "Saved: round 1, cluster 0 = dog, for exports and a further round. u: undo"
    press(presenter, session, "undo")
    assert presenter.status_text == "Undid: last correction"
    assert find_answer(session, 1, 0) == ClassAnswer(0)


def test_deleting_removes_the_answer_and_undo_brings_it_back_to_its_place() -> None:
    session = create_session()
    presenter = create_presenter(session)
    names = list_names(presenter)
    press(presenter, session, "last", "up", "clear")
    assert find_answer(session, 1, 1) is None
    assert list_names(presenter) == [name for name in names if name != "1:1"]
    assert presenter.status_text == "Deleted: answer of round 1, cluster 1, for the next training. u: undo"
    press(presenter, session, "first", "undo")
    assert list_names(presenter) == names
    assert presenter.focus_index == names.index("1:1")
    press(presenter, session, "redo")
    assert "1:1" not in list_names(presenter)


def test_undo_and_redo_without_a_step_say_so() -> None:
    session = ScriptedSession()
    presenter = create_presenter(session)
    press(presenter, session, "undo")
    assert presenter.hint == "Nothing to undo"
    press(presenter, session, "redo")
    assert presenter.hint == "Nothing to redo"


def test_a_split_can_be_gone_to_but_not_corrected() -> None:
    session = create_session()
    presenter = create_presenter(session)
    for key in ("3", "unreadable", "clear", "choose"):
        assert press(presenter, session, "first", "down", key) is None
        assert presenter.hint == history_presenter.SPLIT_HINT
        assert presenter.pending_class_id is None
    assert press(presenter, session, "accept") == "jump"
    assert "correct" not in presenter.describe_keys()


def test_only_clusters_of_the_current_round_can_be_gone_to() -> None:
    session = create_session()
    presenter = create_presenter(session)
    assert press(presenter, session, "accept") == "jump"
    assert press(presenter, session, "last", "accept") is None
    assert presenter.hint == "Its round is over: correct the answer here, with a digit or /"
    finished = create_session("finished")
    presenter = create_presenter(finished)
    assert press(presenter, finished, "accept") is None
    assert "run is finished" in presenter.hint


def test_escape_cancels_a_typed_class_then_the_filter_and_then_closes() -> None:
    session = create_session()
    presenter = create_presenter(session)
    presenter.set_filter(0)
    assert press(presenter, session, "3", "close") is None
    assert presenter.pending_class_id is None
    assert presenter.filter_text
    assert press(presenter, session, "close") is None
    assert not presenter.filter_text
    assert press(presenter, session, "close") == "close"
    assert not [call for call in session.calls if call.startswith("correct")]


@pytest.mark.parametrize("key", ["0", "up", "unreadable", "filter", "undo"])
def test_a_key_other_than_a_confidence_leaves_the_typed_class_and_records_nothing(key: str) -> None:
    session = create_session()
    presenter = create_presenter(session)
    press(presenter, session, "3", key)
    assert presenter.pending_class_id == 3
    assert presenter.hint == CONFIDENCE_HINT
    assert not [call for call in session.calls if call.startswith(("correct", "undo"))]


def test_one_key_mode_corrects_at_once() -> None:
    session = create_session()
    session.set_one_key_mode(True)
    presenter = create_presenter(session)
    press(presenter, session, "last", "3")
    assert find_answer(session, 1, 0) == ClassAnswer(3)


def test_a_digit_without_a_class_shows_the_digits_that_have_one() -> None:
    session = create_session()
    presenter = create_presenter(session)
    press(presenter, session, "7")
    assert presenter.hint == "Digit 7 has no class (use 0-3)"


def test_filter_offers_classes_kinds_and_rounds_with_their_answers() -> None:
    presenter = create_presenter(create_session())
    choices = {choice.label: choice.detail for choice in presenter.list_filter_choices()}
    assert choices == {
        "all answers": "6 answers",
        "cat": "2 answers",
        "cow": "1 answer",
        "owl": "1 answer",
        "unreadable": "1 answer",
        "splits": "1 answer",
        "round 2": "3 answers",
        "round 1": "3 answers",
    }


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("cat", ["2:5.1", "1:0"]),
        ("unreadable", ["1:2"]),
        ("splits", ["2:5"]),
        ("round 1", ["1:2", "1:1", "1:0"]),
        ("all answers", ["2:5.1", "2:5", "2:0", "1:2", "1:1", "1:0"]),
    ],
)
def test_filter_lists_the_chosen_answers(label: str, names: list[str]) -> None:
    presenter = create_presenter(create_session())
    choices = {choice.label: choice.value for choice in presenter.list_filter_choices()}
    presenter.set_filter(choices[label])
    assert list_names(presenter) == names
    if label == "cat":
        assert presenter.describe_entries() == "history   class cat: 2 of 6 answers"


def test_selection_stays_on_its_answer_when_the_filter_changes() -> None:
    session = create_session()
    presenter = create_presenter(session)
    press(presenter, session, "last")
    presenter.set_filter(0)
    assert presenter.describe_focus() == "Round 1, cluster 0"
    presenter.set_filter(None)
    assert presenter.describe_focus() == "Round 1, cluster 0"


def test_answers_for_nearest_images_are_listed_filtered_and_corrected() -> None:
    session = create_session()
    presenter = create_presenter(session)
    press(presenter, session, "last", "0", "nearest")
    assert find_answer(session, 1, 0) == NearestImageAnswer(0)
    assert presenter.status_text.startswith("Saved: round 1, cluster 0, nearest image = cat, for the next training")
    assert "□ cat nearest image" in read_lines(presenter, cells=70)[-1]
    assert "□ cat " in read_lines(presenter)[-1]
    presenter.set_filter(NearestImageAnswer)
    assert (presenter.filter_text, list_names(presenter)) == ("nearest images", ["1:0"])
    presenter.set_filter(0)
    assert list_names(presenter) == ["2:5.1", "1:0"], "a class lists its nearest images too"
    assert [choice.detail for choice in presenter.list_filter_choices() if choice.label == "nearest images"] == [
        "1 answer"
    ]
    press(presenter, session, "last", "nearest")
    assert presenter.describe_focus() == "Round 1, cluster 0, nearest image: class?"
    press(presenter, session, "filter")
    assert presenter.hint == history_presenter.NEAREST_HINT
    press(presenter, session, "nearest", "2")
    assert find_answer(session, 1, 0) == NearestImageAnswer(2)


def test_one_key_mode_asks_whether_a_correction_is_still_about_the_nearest_image() -> None:
    session = create_session()
    session.set_one_key_mode(True)
    presenter = create_presenter(session)
    press(presenter, session, "last", "nearest", "0", "2")
    assert find_answer(session, 1, 0) == NearestImageAnswer(0)
    assert presenter.describe_focus().startswith("Round 1, cluster 0 = ")
    assert presenter.describe_keys() == "o: nearest image · Enter: whole cluster · Esc: cancel"
    press(presenter, session, "nearest")
    assert find_answer(session, 1, 0) == NearestImageAnswer(2)
    press(presenter, session, "1", "accept")
    assert find_answer(session, 1, 0) == ClassAnswer(1)


def test_without_answers_keys_do_nothing_and_say_so() -> None:
    session = ScriptedSession()
    presenter = create_presenter(session)
    for key in ("3", "accept", "clear", "unreadable", "choose", "down"):
        assert press(presenter, session, key) is None
        assert presenter.hint == history_presenter.NO_ENTRY_HINT
    assert presenter.describe_focus() == "No answers yet"
    assert read_lines(presenter)[0].split()[0] == "round"


def test_moves_stop_at_the_ends_and_a_long_list_scrolls_with_the_selection() -> None:
    session = ScriptedSession(clusters=60)
    for index in range(60):
        session.record_answer((index,), ClassAnswer(index % 10))
    presenter = create_presenter(session)
    for key, index in [("up", 0), ("page_down", 20), ("down", 21), ("page_up", 1), ("last", 59), ("down", 59)]:
        press(presenter, session, key)
        assert presenter.focus_index == index
        lines = read_lines(presenter)
        assert len(lines) == 21
        assert sum(line.startswith("›") for line in lines) == 1
    press(presenter, session, "first")
    assert presenter.focus_index == 0


@pytest.mark.parametrize("cells", [38, 50, 64])
def test_every_line_fits_with_long_and_wide_names(cells: int) -> None:
    session = ScriptedSession(classes=("a very long class name indeed, with words", "猫" * 30, "owl", "dog"))
    for index in range(4):
        session.record_answer((index,), ClassAnswer(index, 0.4))
    list(session.split_cluster((9,), 2))
    presenter = create_presenter(session)
    lines = read_lines(presenter, cells=cells)
    assert {cell_len(line) for line in lines} == {cells}


def test_time_of_today_other_days_and_other_years() -> None:
    now = time.mktime((2026, 11, 26, 14, 32, 5, 0, 0, -1))
    assert format_time(now - 60, now) == "14:31"
    assert format_time(now - 3 * 86_400, now) == "Nov 23"
    assert format_time(now - 400 * 86_400, now) == "2025-10-22"
