"""Test the review by lines."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from tests.tui.review_sessions import ANIMALS, create_review_session
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.config import PropagationConfig
from vaetui.errors import UserError
from vaetui.tui.plain.dialogue import PlainDialogue
from vaetui.tui.plain.review_dialogue import NO_PICTURES_MESSAGE
from vaetui.tui.plain.tiles import list_tile_lines, parse_marks

NO_CHANGES = {index: ClassAnswer(0) for index in range(0, 48, 4)}


def run(session: ScriptedSession, *typed: str, shows_pictures: bool = True) -> list[str]:
    lines: list[str] = []
    text = "".join(f"{line}\n" for line in typed)
    PlainDialogue(session, io.StringIO(text), lines.append, shows_pictures).run()
    return lines


def list_answers(session: ScriptedSession) -> list[dict[int, object]]:
    return [{item.image_index: item.answer for item in page} for page in session.steps.pages]


def test_page_is_shown_with_numbers_and_recorded_with_its_corrections() -> None:
    session = create_review_session()
    lines = run(session, "review", "1=polar bear 3=., 5 = x", "5=", "", "q")
    assert "Review of cat: 200 images, about 20 wrong · page 1 of 17" in lines
    assert "1: or dog          2: or dog          3: or dog          4: or dog" in lines
    assert 'Are these all "cat"? Enter: all right, or such as 4=cat 7=dog (?: help)' in lines
    marks = "1: cat → polar bear, 3: cat → dog, 5: cat → unreadable"
    assert f'Are these all "cat"? Marked: {marks}. Enter: record the page (?: help)' in lines
    assert list_answers(session) == [NO_CHANGES | {0: ClassAnswer(3), 8: ClassAnswer(1)}]
    assert "Saved: 12 images of cat, 2 corrected. u: undo." in lines
    assert any(line.startswith("Last page: 2 of 12 changed · the next page") for line in lines)
    assert "Review of cat: 198 images, hardly any wrong · page 2 of 17" in [
        line.replace("about 8 wrong", "hardly any wrong") for line in lines
    ]


def test_advice_names_what_is_typed() -> None:
    session = create_review_session()
    session.config = replace(session.config, propagation=PropagationConfig(method="graph"))
    lines = run(session, "w", "", "q")
    assert any(line.endswith("· mixed: a mixed page teaches more.") for line in lines)


@pytest.mark.parametrize("end", ["q", "back"])
def test_marks_of_a_page_that_is_not_recorded_are_named_at_the_end(end: str) -> None:
    lines = run(create_review_session(), "w", "3=owl", end, "q")
    assert any(line.startswith("Not recorded yet: 3: cat → owl") for line in lines)


def test_unreadable_and_undone_pages() -> None:
    session = create_review_session()
    run(session, "w", "12=x", "", "u", "U", "q")
    assert list_answers(session) == [NO_CHANGES | {44: Unreadable()}]
    session = create_review_session()
    lines = run(session, "w", "", "u", "u", "q")
    assert list_answers(session) == []
    assert "Undid: page of 12 images of cat." in lines
    assert "Nothing to undo here." in lines


def test_classes_are_listed_and_chosen_by_name_digit_or_order() -> None:
    lines = run(create_review_session(), "w", "classes", "owl", "3", "n", "n", "q")
    assert "  cat: 200 images, about 20 wrong" in lines
    assert [line.split(":")[0] for line in lines if line.startswith("Review of")] == [
        "Review of cat",
        "Review of owl",
        "Review of polar bear",
        "Review of all classes",
        "Review of cat",
    ]


def test_mixed_page_names_the_label_of_each_image() -> None:
    session = create_review_session()
    lines = run(session, "w", "mixed", "8=owl", "", "mixed", "q")
    assert "Review of all classes: images that teach the most · page 1" in lines
    assert "1: cat or dog      2: cat or dog      3: cat or dog      4: cat or dog" in lines
    assert "Is each as named? Marked: 8: cat → owl. Enter: record the page (?: help)" in lines
    (answers,) = list_answers(session)
    assert list(answers.values()).count(ClassAnswer(2)) == 1
    assert "Saved: 12 images of all classes, 1 corrected. u: undo." in lines
    assert lines[-1].startswith('Are these all "cat"?')


def test_wrong_lines_mark_nothing_and_say_what_is_expected() -> None:
    session = create_review_session()
    lines = run(session, "w", "13=dog", "1=dog 2=lion", "hello", "0=dog", "1=dog x", "", "q")
    assert lines.count("This page has no image 13. Its images are 1 to 12.") == 1
    assert lines.count("This page has no image 0. Its images are 1 to 12.") == 1
    assert "Unknown class 'lion'. Type a digit key or the name of a class." in lines
    assert "Unknown class 'dog x'. Type a digit key or the name of a class." in lines
    assert any(line.startswith("Unknown line 'hello'.") for line in lines)
    assert list_answers(session) == [NO_CHANGES]


def test_page_without_pictures_is_not_recorded() -> None:
    session = create_review_session()
    lines = run(session, "w", "", "i", "1=dog", "", "q", shows_pictures=False)
    assert NO_PICTURES_MESSAGE in lines
    assert list_answers(session) == [NO_CHANGES | {0: ClassAnswer(1)}]


def test_marks_are_kept_when_the_review_is_left_and_the_round_goes_on() -> None:
    session = create_review_session()
    lines = run(session, "w", "2=owl", "back", "7", "1", "review", "", "back", "q")
    assert "Not recorded yet: 2: cat → owl. review: go on" in lines
    assert session.answer_log == [((0,), ClassAnswer(1))]
    assert list_answers(session) == [NO_CHANGES | {4: ClassAnswer(2)}]


def test_first_round_has_no_labels_to_review() -> None:
    lines = run(ScriptedSession(classes=ANIMALS), "w", "q")
    assert any(line.startswith("A review needs labels.") for line in lines)


def test_help_lists_what_can_be_typed_and_a_class_may_be_named_like_a_command() -> None:
    lines = run(create_review_session(("back", "n", "u", "x")), "w", "?", '"u"', '"n"', "1=x", "", "back")
    assert any("all images that have no mark are right" in line for line in lines)
    assert "Review of u: 200 images, about 7 wrong · page 1 of 17" in lines
    assert "Review of n: 200 images, about 10 wrong · page 1 of 17" in lines
    assert 'Are these all "n"? Marked: 1: n → x. Enter: record the page (?: help)' in lines


def test_tiles_stand_side_by_side_below_their_titles() -> None:
    pixels = create_review_session().select_images(range(5))
    lines = list_tile_lines(["1: or dog", "2", "3", "4", "5: or " + "long " * 9], pixels)
    assert len(lines) == 2 * 10
    assert max(map(len, lines)) <= 80
    assert lines[0] == "1: or dog          2                  3                  4"
    assert lines[10].startswith("5: or lo")
    assert len(lines[10]) <= 18


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4=cat", [(3, "cat")]),
        ("4=cat 7=dog", [(3, "cat"), (6, "dog")]),
        ("4 = polar bear, 7=", [(3, "polar bear"), (6, "")]),
        ("10=1 2=0", [(9, "1"), (1, "0")]),
    ],
)
def test_marks_are_parsed(text: str, expected: list[tuple[int, str]]) -> None:
    assert parse_marks(text, 12) == expected


@pytest.mark.parametrize("text", ["cat", "4", "=cat", "13=cat", "0=cat", "cat 4=dog"])
def test_other_lines_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_marks(text, 12)
