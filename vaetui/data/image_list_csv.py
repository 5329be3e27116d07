"""Read the image paths and labels of a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

from vaetui.data.image_folder import FileList
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError

PATH_COLUMNS = ("path", "file", "filename", "file_name", "image", "image_path")
"""Usual names of the path column; without any of them, the first column is used."""
LABEL_COLUMNS = ("label", "class", "category", "target", "y")
"""Usual names of the label column."""


def list_csv_images(path: Path, options: ImportOptions) -> FileList:
    """List the image files of a CSV file with a header, in its order; paths are relative to its directory.

    Raises UserError if the file is unreadable, empty or lacks the label column.
    """
    with_labels, label_column = options.labels, options.label_key
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=header.count)
            rows = list(csv.DictReader(file, delimiter=delimiter, restval=""))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV file in UTF-8 ({error}).") from error
    if not rows:
        raise UserError(f"{path} has no rows. It needs a header with a path column, and one row per image.")
    columns = [column for column in rows[0] if column is not None]
    path_column = next((column for column in columns if column.strip().lower() in PATH_COLUMNS), columns[0])
    usual_column = next((column for column in columns if column.strip().lower() in LABEL_COLUMNS), None)
    label_key = label_column or usual_column
    if with_labels and label_key not in columns:
        description = f"column {label_column}" if label_column else "label column"
        raise UserError(f"{path} has no {description}. Choose one with --label-column: {', '.join(columns)}.")
    image_paths, labels, skipped = [], [], []
    for line_number, row in enumerate(rows, start=2):
        image_path = row[path_column].strip()
        if not image_path or "\0" in image_path:
            skipped.append((f"line {line_number}", "has no path"))
            continue
        image_paths.append(image_path)
        labels.append(row[label_key].strip() if with_labels and label_key else "")
    if not image_paths:
        raise UserError(f"{path} has no paths in its column {path_column}. Each row needs the path of an image.")
    return FileList(path.parent, tuple(image_paths), tuple(labels) if with_labels else None, tuple(skipped))
