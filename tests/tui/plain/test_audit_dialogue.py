"""Test the audit by lines: what each typed line records and prints."""

from __future__ import annotations

import io

import pytest

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.config import Config, NetworkConfig
from vaetui.tui.plain.dialogue import PlainDialogue

BLIND = "".join(f"{image % 10}\n" for image in range(30))
"""Lines that answer the single images as the scripted images show."""


def create_session(*names: str) -> ScriptedSession:
    config = Config(network=NetworkConfig(classes=len(names) or 10))
    session = ScriptedSession("finished", config=config, classes=names or None)
    session.is_loaded = True
    return session


def run_audit(session: ScriptedSession, typed: str, plan: str = "quick", shows_pictures: bool = True) -> list[str]:
    lines: list[str] = []
    PlainDialogue(session, io.StringIO(typed), lines.append, shows_pictures).run_audit(plan)
    return lines


def list_checks(session: ScriptedSession) -> list[str]:
    return [call.removeprefix("record ") for call in session.audits.calls if call.startswith("record ")]


def test_single_images_are_answered_by_digit_name_or_as_unreadable() -> None:
    session = create_session("cat", "polar bear", "x")
    lines = run_audit(session, "0\npolar bear\nunreadable\nx\nowl\n5\n\n")
    assert list_checks(session) == [
        str([(position, check)])
        for position, check in enumerate((ClassAnswer(0), ClassAnswer(1), Unreadable(), ClassAnswer(2)))
    ], "a class named x is meant by x"
    assert "Saved: image 2 = polar bear" in lines
    assert "Keys: 0 cat  1 polar bear  2 x" in lines
    assert any("Unknown class 'owl'" in line for line in lines)
    assert any("Type the class of the image" in line for line in lines)
    assert "Image 5 of 30: class? (?: help)" in lines


def test_single_image_is_drawn_without_its_label() -> None:
    lines = run_audit(create_session("cat", "dog"), "")
    start = lines.index("Keys: 0 cat  1 dog")
    assert lines[-1] == "Image 1 of 30: class? (?: help)"
    assert len(lines[start + 1 : -1]) >= 8
    assert not any("cat" in line or "dog" in line for line in lines[start + 1 :])


def test_page_is_accepted_apart_from_the_tiles_that_are_named() -> None:
    session = create_session("cat", "dog")
    typed = "".join(f"{image % 2}\n" for image in range(30))
    lines = run_audit(session, f"{typed}4=dog 7=x\n7=\n5=cat\n33=dog\nnothing\n\n\n")
    first_position = 30
    assert list_checks(session)[30:33] == [
        str([(first_position + 3, ClassAnswer(1)), (first_position + 6, Unreadable())]),
        str([(first_position + 6, Cleared())]),
        str([(first_position + 4, Cleared())]),
    ], "the class that is shown takes a mark back"
    accepted = [(first_position + index, ClassAnswer(0)) for index in range(32) if index != 3]
    assert list_checks(session)[33] == str(accepted)
    assert 'Page 1 of 3: are these all "cat"? Enter: all right, or such as 4=cat 7=dog (?: help)' in lines
    marked = "Marked: 4 = dog, 7 = unreadable. Enter: the others are right"
    assert f'Page 1 of 3: are these all "cat"? {marked} (?: help)' in lines
    assert any("This page has no image 33" in line for line in lines)
    assert any("Unknown line 'nothing'" in line for line in lines)


def test_result_is_printed_after_the_last_page() -> None:
    session = create_session()
    lines = run_audit(session, BLIND + "3=7\n\n\n\n")
    result = session.audits.results[0]
    assert (result.wrong, result.checked) == (1, 124)
    (sentence,) = [line for line in lines if "labels are right" in line]
    assert sentence == "99.2 % of the labels are right (95 % interval 97.2 to 100.0; 124 images checked after round 2)."
    assert "  checked: 124 labels: 1 wrong; 34 keys, quick audit" in lines
    assert "  labelled 0: seen as 7: 1 image" in lines
    assert lines[-1] == "  labelled 0: seen as 7: 1 image"


def test_undo_and_redo_go_over_images_and_pages() -> None:
    session = create_session()
    lines = run_audit(session, f"u\n3\nu\n{BLIND}\nu\nU\nback\n")
    assert "Nothing to undo" in lines
    assert lines.count("Image 1 of 30: class? (?: help)") == 3
    view = session.audits.view
    assert view is not None
    assert (view.part, view.page_number) == ("page", 2)


def test_audit_goes_on_where_it_was_left_and_keeps_its_plan() -> None:
    session = create_session()
    run_audit(session, "1\n2\nback\n", "quick")
    lines = run_audit(session, "q\n", "full")
    assert any(line.startswith("Quick audit: ") for line in lines)
    assert lines[-1] == "Image 3 of 30: class? (?: help)"


def test_abandoning_asks_first() -> None:
    session = create_session()
    lines = run_audit(session, "abandon\n1\nabandon\nabandon\n")
    assert session.audits.calls[-1] == "abandon"
    assert session.audits.calls.count("abandon") == 1
    assert lines[-1] == "The audit ended without a result."


def test_plan_is_asked_for_and_an_empty_line_starts_nothing() -> None:
    session = create_session()
    lines = run_audit(session, "other\n\n", "")
    assert lines.count("Audit: quick or full? (Enter: none)") == 2
    assert session.audits.calls == []
    lines = run_audit(session, "f\n", "")
    assert session.audits.calls == ["start full"]
    assert "  full: 30 single images and 10 pages of 32: about 55 keys" in lines


def test_pictures_can_be_left_out_and_drawn_again() -> None:
    session = create_session()
    lines = run_audit(session, "i\ni\n", shows_pictures=False)
    assert sum("Pictures are left out" in line for line in lines) == 2
    assert any("@" in line or "#" in line for line in lines)


def test_tiles_of_a_page_with_several_classes_are_named() -> None:
    names = tuple(f"kind {number}" for number in range(60))
    session = create_session(*names)
    lines = run_audit(session, "".join(f"kind {image}\n" for image in range(30)))
    assert any(line.startswith("1: kind 0") and "2: kind 0" in line for line in lines)
    assert any("is each as named?" in line for line in lines)


@pytest.mark.parametrize("command", ["v", "audit"])
def test_audit_of_a_round_returns_to_its_clusters(command: str) -> None:
    session = ScriptedSession(clusters=3)
    session.is_loaded = True
    lines: list[str] = []
    typed = f"{command}\n" + "".join(f"{cluster}\n" for cluster in range(3)) + f"g\n{command}\nq\n3\nback\n4\n"
    PlainDialogue(session, io.StringIO(typed), lines.append).run()
    assert any(line.startswith("An audit needs labels") for line in lines), "in round 1"
    assert session.audits.calls[0] == "start quick"
    assert list_checks(session) == [str([(0, ClassAnswer(3))])]
    assert session.answer_log[-1][1] == ClassAnswer(4)
