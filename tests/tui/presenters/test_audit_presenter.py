"""Test which image of an audit each key judges, and the texts beside the images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.scripted_audits import ScriptedAudits
from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.session.digit_keys import assign_digit_keys
from vaetui.tui.presenters.audit_presenter import AuditPresenter, is_marked
from vaetui.tui.presenters.styled_text import Piece

PETS = ClassList.from_names(("cat", "dog", "owl"))


def create_presenter(classes: ClassList = PETS, plan: str = "quick") -> tuple[AuditPresenter, ScriptedAudits]:
    audits = ScriptedAudits(lambda: classes)
    list(audits.start(plan))
    presenter = AuditPresenter(audits, classes, assign_digit_keys(classes, {}))
    presenter.set_grid(8, 4)
    return presenter, audits


def create_page_presenter(classes: ClassList = PETS) -> tuple[AuditPresenter, ScriptedAudits]:
    """Return a presenter at the first page, of class cat."""
    presenter, audits = create_presenter(classes)
    for _ in range(30):
        presenter.judge(0)
    audits.calls.clear()
    return presenter, audits


def list_records(audits: ScriptedAudits) -> list[str]:
    return [call.removeprefix("record ") for call in audits.calls if call.startswith("record")]


def join(pieces: tuple[Piece, ...]) -> str:
    return "".join(text for text, _ in pieces)


def test_header_of_an_audit_without_pages_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    audits = ScriptedAudits(lambda: PETS)
    list(audits.start("quick"))
    view = audits.view
    assert view is not None
    monkeypatch.setattr(ScriptedAudits, "view", replace(view, page_count=0))
    assert AuditPresenter(audits, PETS, (0, 1, 2)).header_text == "quick audit   image 1 of 30"


def test_keys_answer_single_images_and_moves_do_nothing() -> None:
    presenter, audits = create_presenter()
    for key in ("1", "right", "accept", "clear", "unreadable", "9"):
        presenter.handle_key(key)
    assert list_records(audits) == [str([(0, ClassAnswer(1))]), str([(1, Unreadable())])]
    assert presenter.header_text == "quick audit   image 3 of 30, then 3 pages"
    assert presenter.format_question()[0] == "Image 3: which class?"
    assert presenter.status_text == ""


def test_no_text_of_the_blind_part_names_a_class_but_that_of_the_last_key() -> None:
    presenter, _ = create_presenter()
    texts = [presenter.header_text, *presenter.format_question(), presenter.status_text, presenter.hint]
    assert not any(name in text for text in texts for name in PETS.names)
    presenter.judge(2)
    assert presenter.status_text == 'Saved: image 1 = "owl"'


def test_class_key_marks_the_selected_image_and_moves_on() -> None:
    presenter, audits = create_page_presenter()
    for key in ("right", "1", "unreadable", "down", "left", "2"):
        presenter.handle_key(key)
    assert list_records(audits) == [
        str([(31, ClassAnswer(1))]), str([(32, Unreadable())]), str([(40, ClassAnswer(2))])
    ]  # fmt: skip
    items = presenter.view.items
    assert [index for index, item in enumerate(items) if is_marked(item)] == [1, 2, 10]
    captions = [join(presenter.format_caption(items[index], 13)) for index in (0, 1, 2, 10)]
    assert captions == ["", "■ dog", "– unreadable", "■ owl"]
    assert presenter.selection.index == 11
    question, keys = presenter.format_question()
    assert question == 'Are these all "cat"?'
    assert keys.startswith("Enter: yes, but 3 marked · ")


def test_enter_accepts_the_images_without_a_mark_and_shows_the_next_page() -> None:
    presenter, audits = create_page_presenter()
    presenter.handle_key("1")
    presenter.handle_key("accept")
    accepted = [(position, ClassAnswer(0)) for position in range(31, 62)]
    assert list_records(audits)[1:] == [str(accepted)]
    assert presenter.status_text == "Saved: 31 right, 1 not"
    assert presenter.header_text == "quick audit   page 2 of 3"
    assert presenter.shown_class_id == 1
    assert presenter.selection.index == 0


@pytest.mark.parametrize("key", ["clear", "0"])
def test_space_and_the_shown_class_take_a_mark_back(key: str) -> None:
    presenter, audits = create_page_presenter()
    for name in ("1", "left", key):
        presenter.handle_key(name)
    assert list_records(audits) == [str([(30, ClassAnswer(1))]), str([(30, Cleared())])]
    assert not any(map(is_marked, presenter.view.items))
    assert presenter.status_text == "Saved: image 1 is not marked"
    presenter.handle_key("clear")
    presenter.handle_key("0")
    assert len(list_records(audits)) == 2, "nothing to take back"


def test_page_is_accepted_in_the_parts_that_a_small_terminal_shows() -> None:
    presenter, audits = create_page_presenter()
    presenter.set_grid(4, 3)
    assert presenter.header_text == "quick audit   page 1 of 3   images 1-12 of 32"
    presenter.handle_key("accept")
    assert list_records(audits)[-1] == str([(position, ClassAnswer(0)) for position in range(30, 42)])
    assert presenter.selection.index == 12
    presenter.handle_key("1")
    presenter.set_grid(8, 4)
    assert presenter.header_text == "quick audit   page 1 of 3", "the terminal was enlarged"
    assert [join(presenter.format_caption(item, 13)) for item in presenter.shown_items[11:14]] == ["✓", "■ dog", ""]
    presenter.handle_key("accept")
    assert list_records(audits)[-1] == str([(position, ClassAnswer(0)) for position in range(43, 62)])
    assert presenter.view.page_number == 2


def test_mark_at_the_end_of_a_part_stays_in_it() -> None:
    presenter, _ = create_page_presenter()
    presenter.set_grid(4, 2)
    for key in ("right",) * 7:
        presenter.handle_key(key)
    presenter.handle_key("1")
    assert presenter.selection.index == 7
    presenter.handle_key("page_down")
    assert presenter.selection.page_bounds == (8, 16)
    presenter.handle_key("accept")
    assert presenter.selection.index == 0, "the first part has images without a check"
    presenter.handle_key("accept")
    assert presenter.selection.page_bounds == (16, 24)


def test_accepted_image_can_still_be_marked() -> None:
    presenter, audits = create_page_presenter()
    presenter.set_grid(4, 2)
    presenter.handle_key("accept")
    presenter.handle_key("page_up")
    presenter.handle_key("2")
    assert list_records(audits)[-1] == str([(30, ClassAnswer(2))])
    presenter.handle_key("accept")
    assert presenter.selection.index == 8
    assert len(list_records(audits)) == 2, "no image of the part was without a check"


def test_undo_goes_back_over_pages_to_single_images_and_redo_forward() -> None:
    presenter, _ = create_page_presenter()
    presenter.handle_key("1")
    presenter.handle_key("accept")
    presenter.handle_key("undo")
    assert presenter.status_text == "Undid: page 1 accepted"
    assert [index for index, item in enumerate(presenter.view.items) if item.check is not None] == [0]
    presenter.handle_key("undo")
    assert presenter.status_text == "Undid: image 1"
    assert presenter.selection.index == 0
    presenter.handle_key("undo")
    assert presenter.header_text == "quick audit   image 30 of 30, then 3 pages"
    assert presenter.status_text == "Undid: image 30"
    for _ in range(3):
        presenter.handle_key("redo")
    assert presenter.view.page_number == 2
    presenter.handle_key("redo")
    assert presenter.hint == "Nothing to redo in this audit"
    for _ in range(33):
        presenter.handle_key("undo")
    assert presenter.hint == "Nothing to undo in this audit"
    assert presenter.view.position == 1


def test_enter_in_full_size_shows_all_images_and_accepts_none() -> None:
    presenter, audits = create_page_presenter()
    presenter.handle_key("zoom")
    assert presenter.format_question()[0] == 'Is this "cat"?'
    presenter.handle_key("1")
    assert presenter.is_zoomed
    assert presenter.selection.index == 1
    presenter.handle_key("accept")
    assert not presenter.is_zoomed
    assert len(list_records(audits)) == 1


def test_last_page_ends_the_audit() -> None:
    presenter, audits = create_page_presenter()
    for _ in range(3):
        presenter.handle_key("accept")
    assert presenter.is_done
    assert audits.results[0].wrong == 20


def test_images_of_several_classes_are_named_below() -> None:
    classes = ClassList.from_names(tuple(f"kind of animal {number}" for number in range(60)))
    presenter, audits = create_page_presenter(classes)
    assert presenter.shown_class_id is None
    assert presenter.format_question()[0] == "Is each as named below it?"
    captions = [join(presenter.format_caption(item, 13)) for item in presenter.view.items]
    assert captions[0] != captions[-1]
    assert all(0 < len(caption) <= 13 for caption in captions)
    _, keys = presenter.format_question()
    assert "0-9 or /: not this one" in keys
    presenter.judge(presenter.view.items[0].shown_class_id)
    presenter.judge(59)
    assert list_records(audits) == [str([(31, ClassAnswer(59))])]
