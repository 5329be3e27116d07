"""The text of an import report."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaetui.data.image_folder import list_folder_images
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.data.report_text import MAX_LISTED_REASONS, MAX_PATH_CHARS, describe_reasons
from vaetui.errors import UserError


def test_reasons_are_counted_from_the_most_frequent_to_the_rarest_with_the_first_path_each() -> None:
    skipped = [("b.txt", "is not an image (.txt)"), (".c.png", "is hidden"), (".d.png", "is hidden")]
    assert describe_reasons(skipped) == ["2, the first: .c.png is hidden", "1: b.txt is not an image (.txt)"]


def test_rare_reasons_are_counted_together() -> None:
    skipped = [(f"{number}.png", f"has no page {number}") for number in range(MAX_LISTED_REASONS + 3)]
    texts = describe_reasons([*skipped, ("0.png", "has no page 0")])
    assert texts[0] == "2, the first: 0.png has no page 0"
    assert texts[1:] == [*(f"1: {n}.png has no page {n}" for n in range(1, MAX_LISTED_REASONS)), "3 for other reasons"]


def test_an_absolute_path_is_shown_by_its_name_and_a_long_one_by_its_end() -> None:
    assert describe_reasons([("/photos/a.npy#5", "is empty")]) == ["1: a.npy#5 is empty"]
    (text,) = describe_reasons([("deep/" * 50 + "a.png", "is empty")])
    assert text.removeprefix("1: ").removesuffix(" is empty") == ("…" + ("deep/" * 50 + "a.png")[1 - MAX_PATH_CHARS :])


def test_a_directory_without_images_is_refused_with_the_entries_that_it_has(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"contains no images.*Not taken: 1 entry \(1: notes.txt is not an image"):
        list(import_dataset(tmp_path, ImportOptions()))
    assert dict(list_folder_images(tmp_path, False).skipped) == {"notes.txt": "is not an image (.txt)"}
