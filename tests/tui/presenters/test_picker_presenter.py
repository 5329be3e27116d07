"""Test the list of sessions: states and ages in words, columns, selection, and the question for images."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from vaetui.session.session_catalogue import SessionEntry
from vaetui.tui.presenters.picker_presenter import (
    NewSessionDialogue,
    PickerPresenter,
    format_age,
    format_deletion_question,
    format_state,
)

NOW = 1_000_000_000.0
LABELLING = SessionEntry("cats", NOW - 7200, "labelling", 2, 5, 2, 4, 12, (3, 16))
TRAINING = SessionEntry("owls", NOW - 3 * 86400, "training", 3, 5, 2, 4, 1234)
FINISHED = SessionEntry("birds", NOW - 300, "finished", 5, 5, None, 4, 64)
UNREAD = SessionEntry("new", NOW)
HOLDER = "process 12 of ann on far"
RUN = "2 processes of ann on far"


@pytest.mark.parametrize(
    ("entry", "max_cells", "text"),
    [
        (LABELLING, 60, "labelling, round 2 of 4, 3 of 16 clusters"),
        (LABELLING, 30, "labelling, round 2 of 4"),
        (LABELLING, 10, "labelling"),
        (TRAINING, 60, "training, epoch 3 of 5, next: round 2 of 4"),
        (TRAINING, 38, "training, epoch 3 of 5"),
        (replace(TRAINING, holder=HOLDER, is_detached=True), 38, "training in background, epoch 3 of 5"),
        (replace(TRAINING, training_run=RUN), 38, "training elsewhere, epoch 3 of 5"),
        (replace(LABELLING, training_run=RUN), 30, "labelling, round 2 of 4"),
        (replace(LABELLING, holder=HOLDER), 60, "open elsewhere: labelling, round 2 of 4, 3 of 16 clusters"),
        (replace(LABELLING, holder=HOLDER), 20, "open elsewhere"),
        (replace(TRAINING, failure="The disk is full."), 38, "background failed: epoch 3 of 5"),
        (FINISHED, 38, "finished, 4 rounds, 5 epochs"),
        (UNREAD, 38, "…"),
        (SessionEntry("old", 0, problem="Too old."), 38, "cannot be read"),
        (SessionEntry("old", 0, problem="Too old."), 8, "cann…ead"),
    ],
)
def test_state_is_in_words_and_leaves_out_what_does_not_fit(entry: SessionEntry, max_cells: int, text: str) -> None:
    assert format_state(entry, max_cells) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "now"), (59, "now"), (60, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"), (86399, "23 h ago")),
        *((86400, "1 day ago"), (3 * 86400, "3 days ago"), (99 * 86400, "99 days ago")),
    ],
)
def test_age_is_in_words(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


def test_age_of_a_hundred_days_is_a_date() -> None:
    assert len(format_age(100 * 86400).split("-")) == 3


@pytest.mark.parametrize("cells", [60, 80, 120, 200])
def test_lines_have_the_width_of_the_list_and_mark_the_selected_session(cells: int) -> None:
    names = ["漢字" * 20, "a-very-long-name-of-a-session-that-does-not-fit-at-all-2026-11-26"]
    entries = [LABELLING, TRAINING, FINISHED, UNREAD, *(replace(LABELLING, name=name) for name in names)]
    presenter = PickerPresenter(entries)
    lines = presenter.list_lines(20, cells, NOW)
    texts = ["".join(text for text, _ in line) for line in lines]
    assert len(lines) == 7
    assert {cell_len(text) for text in texts} == {min(cells, 165)}
    assert [text.startswith("› ") for text in texts] == [False, True, *[False] * 5]
    assert texts[1].endswith("     12     2 h ago")
    assert texts[2].endswith("  1,234  3 days ago")
    assert texts[4].endswith("      …         now")


def test_titles_are_whole_above_short_names() -> None:
    titles, *_ = PickerPresenter([replace(LABELLING, name="a")]).list_lines(5, 60, NOW)
    assert "".join(text for text, _ in titles).split() == ["session", "state", "answers", "last", "used"]


def test_list_scrolls_with_the_selection() -> None:
    presenter = PickerPresenter([replace(LABELLING, name=f"session-{number:02}") for number in range(30)])

    def list_names() -> list[str]:
        return [line[1][0].split()[0] for line in presenter.list_lines(6, 80, NOW)[1:]]

    assert list_names() == [f"session-{number:02}" for number in range(5)]
    presenter.move_focus("page_down", 5)
    assert presenter.focus_index == 5
    assert list_names() == [f"session-{number:02}" for number in range(3, 8)]
    for key, index in (("last", 29), ("down", 29), ("up", 28), ("page_up", 23), ("first", 0), ("up", 0)):
        presenter.move_focus(key, 5)
        assert presenter.focus_index == index
        assert f"session-{index:02}" in list_names()


def test_selection_stays_at_its_session_when_another_one_is_deleted() -> None:
    presenter = PickerPresenter([LABELLING, TRAINING, FINISHED])
    presenter.focus_name("owls")
    presenter.remove_entry("cats")
    assert presenter.focused_entry is TRAINING
    presenter.remove_entry("owls")
    assert presenter.focused_entry is FINISHED
    presenter.update_entry(LABELLING)  # read just before it was deleted
    assert presenter.entries == [FINISHED]
    presenter.remove_entry("birds")
    assert presenter.focused_entry is None
    assert presenter.header_text == "0 sessions"


def test_note_says_what_keeps_a_session_from_being_resumed() -> None:
    entries = [
        (LABELLING, ""),
        (replace(LABELLING, holder=HOLDER), "Open in process 12 of ann on far. Close it there first."),
        (
            replace(TRAINING, holder=HOLDER, is_detached=True),
            "Process 12 of ann on far trains it. Enter stops that training and goes on here.",
        ),
        (replace(TRAINING, training_run=RUN), "Trained by 2 processes of ann on far. Enter attaches."),
        (replace(LABELLING, training_run=RUN), "Trained by 2 processes of ann on far. Enter answers its round."),
        (replace(TRAINING, failure="The disk is full."), "Training in the background failed: The disk is full."),
        (SessionEntry("old", 0, problem="Too old."), "Too old."),
    ]
    for entry, note in entries:
        assert PickerPresenter([entry]).describe_focus()[2] == note


@pytest.mark.parametrize(
    ("answer_count", "loss"),
    [(0, "its 0 answers"), (1, "its 1 answer"), (2000, "its 2,000 answers"), (None, "what is in it")],
)
def test_deletion_question_names_what_will_be_lost(answer_count: int | None, loss: str) -> None:
    assert format_deletion_question("cats", answer_count) == f"Delete cats and {loss}? y/n"
    assert cell_len(format_deletion_question("x" * 64, answer_count)) < 68


def test_new_session_line_takes_a_path_or_nothing_and_refuses_a_wrong_path() -> None:
    paths: list[str] = []
    dialogue = NewSessionDialogue(paths.append, lambda path: "" if path == "ok" else "absent", "bad", "Too few images.")
    assert (dialogue.text, dialogue.hint) == ("bad", "Too few images.")
    assert not dialogue.handle_key("enter", None)
    assert (dialogue.text, dialogue.hint) == ("bad", "absent")
    dialogue.handle_key("ctrl+u", None)
    dialogue.paste("ok")
    assert dialogue.handle_key("enter", None)
    dialogue.finish()
    empty_dialogue = NewSessionDialogue(paths.append, str)
    assert empty_dialogue.handle_key("enter", None)
    empty_dialogue.finish()
    cancelled_dialogue = NewSessionDialogue(paths.append, str)
    assert cancelled_dialogue.handle_key("escape", None)
    cancelled_dialogue.finish()
    assert paths == ["ok", ""]
