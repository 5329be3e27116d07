"""The export formats by name, and the format that the name of an output stands for."""

from __future__ import annotations

import pytest

from vaetui.errors import UserError
from vaetui.export import format_names, formats
from vaetui.export.format_names import choose_format


def test_every_format_has_an_encoder_or_a_writer() -> None:
    assert (*formats.FILE_ENCODERS, *formats.DIRECTORY_WRITERS) == format_names.EXPORT_FORMATS
    assert tuple(formats.DIRECTORY_WRITERS) == format_names.DIRECTORY_FORMATS


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        *(("a.csv", "csv"), ("a.CSV", "csv"), ("a.txt", "csv"), ("labels", "csv"), ("/dev/stdout", "csv")),
        *(("a.jsonl", "jsonl"), ("a.b.JSONL", "jsonl"), ("a.ndjson", "jsonl"), ("a.npz", "npz"), ("x/", "folders")),
        *(("a.parquet", "parquet"), ("a.idx", "idx"), ("train-labels-idx1-ubyte", "idx"), ("x.idx1-ubyte", "idx")),
    ],
)
def test_the_name_of_the_output_stands_for_a_format(name: str, format_name: str) -> None:
    assert choose_format(name, None) == format_name
    assert choose_format(name, "huggingface") == "huggingface", "a format that the user names counts"


@pytest.mark.parametrize("name", ["a.tsv", "a.json", "a.xlsx", "a.csv.gz", "a.png", "a.b/labels.v2"])
def test_a_suffix_that_stands_for_no_format_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"stands for no format here. Use .csv, .idx, .jsonl, .npz or .parquet, or"):
        choose_format(name, None)


def test_a_format_that_the_command_does_not_write_is_refused() -> None:
    with pytest.raises(UserError, match=r"x.npz ends in .npz, which stands for no format here. Use .csv or .jsonl, or"):
        choose_format("x.npz", None, ("csv", "jsonl"))
    with pytest.raises(UserError, match=r"x/ stands for folders\. Use \.csv or \.jsonl, or choose with --format"):
        choose_format("x/", None, ("csv", "jsonl"))
