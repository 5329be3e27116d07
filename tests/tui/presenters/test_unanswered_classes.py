"""Tests of the text about classes without an answer."""

from __future__ import annotations

import pytest

from vaetui.tui.presenters.unanswered_classes import format_unanswered_classes


@pytest.mark.parametrize(
    ("names", "max_cells", "text"),
    [
        ((), 40, ""),
        (("cat",), 40, "No answer yet for: cat"),
        (("cat", "owl"), 40, "No answer yet for: cat, owl"),
        (("cat", "owl", "fox"), 30, "No answer yet for 3 classes"),
        (("cat", "owl", "tortoise"), 34, "No answer yet for: cat and 2 more"),
        (tuple("abcdefg"), 72, "No answer yet for: a, b, c, d, e and 2 more"),
        (("\u732b\u732b\u732b\u732b\u732b\u732b",), 30, "No answer yet for 1 class"),
    ],
)
def test_names_that_do_not_fit_are_counted(names: tuple[str, ...], max_cells: int, text: str) -> None:
    assert format_unanswered_classes(names, max_cells) == text
