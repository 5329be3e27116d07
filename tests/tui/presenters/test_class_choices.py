"""Test the classes as choices of a line."""

from __future__ import annotations

from vaetui.engine.classes import ClassList
from vaetui.tui.presenters.class_choices import create_class_choices


def test_predicted_classes_come_first_with_their_share() -> None:
    classes = ClassList.from_names(("cat", "dog", "owl"))
    choices = create_class_choices(classes, (0, 1, 2), (1, 0), ((2, 0.619), (0, 0.2), (7, 0.1)))
    assert [(choice.label, choice.value, choice.detail) for choice in choices] == [
        ("owl", 2, "predicted 61 %"),
        ("cat", 0, "key 1, predicted 20 %"),
        ("dog", 1, "key 0"),
    ]


def test_digit_of_a_class_named_like_it_is_not_repeated() -> None:
    choices = create_class_choices(ClassList.from_names(("0", "1")), (0, 1), (0, 1))
    assert [choice.detail for choice in choices] == ["", ""]
