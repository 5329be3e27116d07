"""The notice after an export from within the app."""

from __future__ import annotations

import pytest

from vaetui.tui.presenters.export_dialogue import format_result


@pytest.mark.parametrize(
    ("message", "notice"),
    [
        ("/a. b/x.csv: 640 labels written; you saw 9 images.", "640 labels written; you saw 9 images: /a. b/x.csv"),
        (
            "/a. b/x.csv: 1 label written, 2 below 0.9 omitted; you saw 9 images. Not audited.",
            "1 label written, 2 below 0.9 omitted; you saw 9 images: /a. b/x.csv. Not audited.",
        ),
    ],
)
def test_the_counts_stand_before_the_path_and_what_was_measured_behind_it(message: str, notice: str) -> None:
    assert format_result(message, "/a. b/x.csv") == notice
