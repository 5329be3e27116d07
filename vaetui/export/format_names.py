"""The names of the export formats, and the format that the name of an output stands for."""

from __future__ import annotations

from pathlib import PurePath

from vaetui.errors import UserError

DIRECTORY_FORMATS = ("folders", "label-studio", "fiftyone", "huggingface")
"""Formats that are a directory with images."""
EXPORT_FORMATS = ("csv", "jsonl", "npz", "idx", "parquet", *DIRECTORY_FORMATS)
"""Formats of exported labels."""
UNCALIBRATED_COLUMN, CALIBRATED_COLUMN = "uncalibrated_confidence", "confidence"
"""Names of the column of confidences: before an audit of the networks behind the labels, and after one."""
FORMATS_BY_SUFFIX = {
    **{".csv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npz": "npz", ".parquet": "parquet"},
    **{".idx": "idx", ".idx1-ubyte": "idx"},
}
"""The format of an output whose name ends in this suffix."""
IDX_NAME_END = "-idx1-ubyte"
"""The end of the usual names of IDX files with labels, which have no suffix."""


def find_format(output_name: str, without_suffix: str = "csv") -> str | None:
    """Return the format that the name of an output stands for; None if its suffix stands for none.

    A name that ends in a slash stands for "folders", and one without a suffix for `without_suffix`.
    """
    if output_name.endswith("/"):
        return "folders"
    if output_name.lower().endswith(IDX_NAME_END):
        return "idx"
    suffix = PurePath(output_name).suffix.lower()
    return FORMATS_BY_SUFFIX.get(suffix) if suffix else without_suffix


def choose_format(output_name: str, format_name: str | None, formats: tuple[str, ...] = EXPORT_FORMATS) -> str:
    """Return the given format, else the one of `formats` that the name of the output stands for.

    Raises UserError if it stands for none of them.
    """
    format_name = format_name or find_format(output_name)
    if format_name not in formats:
        suffix = PurePath(output_name).suffix
        reason = f"ends in {suffix}, which stands for no format here" if suffix else f"stands for {format_name}"
        raise UserError(f"{output_name} {reason}. Use {_list_suffixes(formats)}, or choose with --format.")
    return format_name


def _list_suffixes(formats: tuple[str, ...]) -> str:
    """Return one suffix for each of some formats as text, such as ".csv, .jsonl or .npz"."""
    suffixes = {name: suffix for suffix, name in reversed(FORMATS_BY_SUFFIX.items()) if name in formats}
    *others, last = sorted(suffixes.values())
    return f"{', '.join(others)} or {last}"
