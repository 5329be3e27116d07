"""Describe an import as lines of text and as JSON."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from vaetui.data.value_range import read_value_ranges
from vaetui.errors import make_printable
from vaetui.storage.import_report import ImportReport

MAX_LISTED_CLASSES = 12
"""Most classes that are listed with their counts."""
MAX_LISTED_REASONS = 5
"""Most reasons for skipping that are listed with their counts."""
MAX_PATH_CHARS = 48
"""Most characters of a relative path before its reason; of a longer one, the end is shown."""


def describe_import(report: ImportReport, skipped: Sequence[tuple[str, str]], skipped_list: str = "") -> dict[str, str]:
    """Return text by heading, in one or more lines.

    `skipped` are pairs of path and reason, and `skipped_list` is the file that lists all of them.
    """
    height, width = report.size
    lines = {
        "source": report.source,
        "images": f"{report.image_count:,}, {height}x{width}, {'in colour' if report.in_colour else 'grey'}",
    }
    if report.fit:
        lines["fit"] = report.fit
    lines["range"] = _describe_value_ranges(report.value_ranges)
    if report.class_counts is not None:
        lines["classes"] = _describe_classes(report.class_counts, report.unlabelled_count)
    if report.duplicate_count:
        images = "image is a copy" if report.duplicate_count == 1 else "images are copies"
        lines["duplicates"] = f"{report.duplicate_count:,} {images} of another one; equal images get equal labels"
    if skipped:
        place = f", listed in {skipped_list}" if skipped_list else ""
        lines["not taken"] = "\n".join([f"{count_entries(len(skipped))}{place}", *describe_reasons(skipped)])
    return {heading: "\n".join(map(make_printable, text.split("\n"))) for heading, text in lines.items()}


def describe_reasons(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """Return a text for each reason, the most frequent first: the number of entries, and the first of them."""
    counts = Counter(reason for _, reason in skipped).most_common()
    first_paths = {reason: path for path, reason in reversed(skipped)}
    texts = []
    for reason, count in counts[:MAX_LISTED_REASONS]:
        path = first_paths[reason]
        path = os.path.basename(path) if os.path.isabs(path) else path
        path = path if len(path) <= MAX_PATH_CHARS else f"…{path[1 - MAX_PATH_CHARS :]}"
        texts.append(f"{count:,}{', the first' if count > 1 else ''}: {path} {reason}")
    if len(counts) > MAX_LISTED_REASONS:
        texts.append(f"{sum(count for _, count in counts[MAX_LISTED_REASONS:]):,} for other reasons")
    return texts


def count_entries(count: int) -> str:
    """Return a number of files, directories, pages, rows or arrays as text."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def to_json_fields(report: ImportReport, skipped: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields that `inspect --json` prints."""
    value_range = next(iter(report.value_ranges.values()))
    fields = {
        "images": report.image_count,
        "size": list(report.size),
        "fit": report.fit,
        "colour": report.in_colour,
        "range": [int(value) if value.is_integer() else value for value in value_range],
        "source": report.source,
    }
    if report.class_counts is not None:
        used_classes = {name: count for name, count in report.class_counts.items() if count}
        fields |= {"classes": used_classes, "unlabelled": report.unlabelled_count}
    skipped_fields = [{"path": path, "reason": reason} for path, reason in skipped]
    return {**fields, "duplicates": report.duplicate_count, "skipped": skipped_fields}


def _describe_value_ranges(value_ranges: dict[str, tuple[float, float]]) -> str:
    """Describe the ranges; kinds of values are named only if their ranges differ."""
    texts = {kind: str(value_range) for kind, value_range in read_value_ranges(value_ranges).items()}
    if len(set(texts.values())) == 1:
        return f"values {next(iter(texts.values()))} shown as black to white"
    return "; ".join(f"{kind} values {text}" for kind, text in texts.items()) + " shown as black to white"


def _describe_classes(class_counts: dict[str, int], unlabelled_count: int) -> str:
    used = {name: count for name, count in class_counts.items() if count}
    parts = [f"{name} {count:,}" for name, count in list(used.items())[:MAX_LISTED_CLASSES]]
    if len(used) > MAX_LISTED_CLASSES:
        parts.append(f"{len(used) - MAX_LISTED_CLASSES} more classes")
    total = sum(used.values()) + unlabelled_count
    suffix = f"; {unlabelled_count:,} of {total:,} images have no label" if unlabelled_count else ""
    return ", ".join(parts) + suffix
