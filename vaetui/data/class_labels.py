"""Read class names, and encode labels as class ids; -1, NaN and empty labels mean that an image has no label."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import (
    MAX_CLASS_NAME_CHARS,
    MAX_CLASSES,
    NO_LABEL,
    require_valid_class_name,
    require_valid_class_names,
)
from vaetui.errors import UserError

DIGIT_NAMES = tuple("0123456789")
MAX_LISTED_NAMES = 6
"""Most class names in a message."""
FILE_SUFFIX = re.compile(r"\.(?=.*[a-z])\w{1,10}", re.IGNORECASE)
"""Suffix by which the name of a missing file is recognised, unlike the decimals of a number."""
WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0*")
"""A whole number as pandas writes it if a column of integers has missing values."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Number of images of each class, and without a label."""

    by_class: dict[str, int]
    """Number of images by class name, for all classes in order."""
    unlabelled: int
    """Number of images without a label."""

    @property
    def total(self) -> int:
        """Number of images."""
        return sum(self.by_class.values()) + self.unlabelled


def read_class_names(text_or_path: str) -> tuple[str, ...]:
    """Return the class names of a comma-separated list, or of a file with one name per line.

    Raises UserError if the file is missing or unreadable, or the names are too few, too many, or invalid.
    """
    try:
        is_file = os.path.isfile(text_or_path)  # unlike Path.is_file, False also for a text that is too long
        items = Path(text_or_path).read_text("utf-8-sig").splitlines() if is_file else text_or_path.split(",")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{text_or_path} cannot be read as a list of class names ({error}).") from error
    names = tuple(item.strip() for item in items if item.strip())
    if not is_file and len(names) == 1 and _looks_like_file_name(names[0]):
        raise UserError(
            f"There is no file {names[0]}. Pass --classes a text file with one name per line, or names separated by "
            "commas."
        )
    return require_valid_class_names(names, "--classes")


def format_labels(values: NDArray[Any], is_idx: bool = False) -> list[str]:
    """Return array values as labels, [N]: whole numbers without decimals, and "" for NaN.

    In IDX files, 255 means that an image has no label, as in those that `export` writes.
    """
    if values.dtype.kind == "f":
        is_whole = bool((np.isnan(values) | (np.isfinite(values) & (values == values.round()))).all())
        texts = (str(int(value)) if is_whole and not np.isnan(value) else str(value) for value in values)
        return ["" if text == "nan" else text for text in texts]
    if is_idx:
        return ["" if value == NO_LABEL else str(value) for value in values.tolist()]
    # Bytes that are not UTF-8 become surrogates, which no class name may contain.
    return [
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
        for value in values.tolist()
    ]


def encode_labels(
    labels: Sequence[str], class_names: tuple[str, ...] | None, source: str
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Return the class names, and the class id of each label, [N]; see `encode_label_sets`."""
    class_names, (class_ids,) = encode_label_sets([(labels, source)], class_names)
    return class_names, class_ids


def encode_label_sets(
    label_sets: Sequence[tuple[Sequence[str], str]], class_names: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[NDArray[np.uint8]]]:
    """Return the class names, and for each set of labels the class ids, [N], NO_LABEL for images without a label.

    Each set comes with the name of its source for messages; the first one, of the training images, defines the
    classes. Without class names, labels that are all digits mean the classes 0 to 9; other labels become the class
    names. With class names, labels may also be indices of them, in all sets alike. Labels that differ only in
    surrounding spaces or in the Unicode form of their characters are equal. Raises UserError if a label is not among
    the classes, no image has a label, there is only one label, or there are too many different ones.
    """
    plain_forms = _find_plain_forms({label for labels, _ in label_sets for label in labels}, class_names or ())
    plain_sets = [([plain_forms[label] for label in labels], source) for labels, source in label_sets]
    train_labels, train_source = plain_sets[0]
    distinct_labels = sorted(set(train_labels) - {""}, key=_sort_key)
    if not distinct_labels:
        raise UserError(f"No image of {train_source} has a label: -1, NaN and empty mean no label. Omit --labels.")
    if class_names is None:
        class_names = _derive_class_names(distinct_labels, len(train_labels) - train_labels.count(""), train_source)
    ids_by_label = _assign_ids(set(plain_forms.values()) - {""}, class_names)
    for labels, source in plain_sets:
        _require_known_labels(set(labels) - {""}, ids_by_label, class_names, source)
    ids_by_label[""] = NO_LABEL
    return class_names, [np.array([ids_by_label[label] for label in labels], np.uint8) for labels, _ in plain_sets]


def count_labels(class_names: Sequence[str], class_ids: NDArray[np.uint8]) -> LabelCounts:
    """Return the number of images of each class among class ids [N], and of those without a label."""
    counts = np.bincount(class_ids, minlength=NO_LABEL + 1).tolist()
    return LabelCounts(dict(zip(class_names, counts, strict=False)), counts[NO_LABEL])


def _looks_like_file_name(text: str) -> bool:
    return os.sep in text or "\\" in text or FILE_SUFFIX.fullmatch(Path(text).suffix) is not None


def _find_plain_forms(labels: Iterable[str], class_names: tuple[str, ...]) -> dict[str, str]:
    """Map each label to its plain form: trimmed, in one Unicode form, and "" if it means that there is no label.

    A label that is literally one of the class names stays as it is.
    """
    trimmed_labels = {label: label.strip() for label in labels}
    names = {text for text in trimmed_labels.values() if text in class_names or not means_no_label(text)}
    has_missing = not names >= set(trimmed_labels.values())
    if has_missing and all(WHOLE_NUMBER.fullmatch(name) and name not in class_names for name in names):
        plain_forms = {name: name.partition(".")[0] for name in names}
    else:
        names_by_form = {unicodedata.normalize("NFC", name): name for name in [*sorted(names), *class_names]}
        plain_forms = {
            name: name if name in class_names else names_by_form[unicodedata.normalize("NFC", name)] for name in names
        }
    return {label: plain_forms.get(text, "") for label, text in trimmed_labels.items()}


def means_no_label(text: str) -> bool:
    """Return whether a label without surrounding spaces is empty, NaN, <NA> or -1."""
    if not text or text.upper() == "<NA>":  # as pandas prints a missing value
        return True
    try:
        number = float(text)
    except ValueError:
        return False
    return math.isnan(number) or number == -1


def _derive_class_names(distinct_labels: Sequence[str], labelled_count: int, source: str) -> tuple[str, ...]:
    if len(distinct_labels) == 1:
        raise UserError(
            f"All {labelled_count:,} labels of {source} are {distinct_labels[0][:MAX_CLASS_NAME_CHARS]}: -1, NaN and "
            "empty mean no label. At least 2 classes are needed: name them with --classes, or omit --labels."
        )
    if set(distinct_labels) <= set(DIGIT_NAMES):
        return DIGIT_NAMES
    if len(distinct_labels) > MAX_CLASSES:
        raise UserError(
            f"{source} has {len(distinct_labels):,} different labels; at most {MAX_CLASSES} classes are supported. "
            "Choose another column or array, or omit --labels."
        )
    for label in distinct_labels:
        try:
            require_valid_class_name(label)
        except UserError as error:
            raise UserError(f"{source} contains an invalid label: {error}") from error
    return tuple(distinct_labels)


def _assign_ids(distinct_labels: set[str], class_names: Sequence[str]) -> dict[str, int]:
    """Return the class id by label; labels are class names, or indices if none of them is a name as well.

    With the classes 1 to 3 and labels 0 to 2, the label 1 may be the first class or the second one.
    """
    ids_by_name = {name: class_id for class_id, name in enumerate(class_names)}
    ids_by_index = {str(class_id): class_id for class_id in range(len(class_names))}
    is_index = distinct_labels <= set(ids_by_index) and distinct_labels.isdisjoint(ids_by_name)
    return ids_by_index if is_index else ids_by_name


def _require_known_labels(
    distinct_labels: set[str], ids_by_label: dict[str, int], class_names: Sequence[str], source: str
) -> None:
    if unknown_labels := distinct_labels - ids_by_label.keys():
        other_count = len(class_names) - MAX_LISTED_NAMES
        listed = ", ".join(class_names[:MAX_LISTED_NAMES]) + (f" and {other_count} others" if other_count > 0 else "")
        raise UserError(
            f"{source} contains the label '{min(unknown_labels)[:MAX_CLASS_NAME_CHARS]}', which is not among the "
            f"classes {listed}. Add it to --classes, or omit --labels."
        )


def _sort_key(label: str) -> tuple[int, str]:
    is_number = label.isdecimal() and len(label) <= MAX_CLASS_NAME_CHARS  # longer ones are refused later
    return int(label) if is_number else -1, label
