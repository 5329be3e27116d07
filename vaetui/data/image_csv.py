"""Pictures named in a CSV file; it reads none of them."""

from __future__ import annotations

import csv
from pathlib import Path

from vaetui.data.image_folder import FileList
from vaetui.errors import UserError

PATH_COLUMNS = ("path", "file", "filename", "file_name", "image", "image_path")
"""Usual heads of the column of paths; without any of them, it is the first one."""
LABEL_COLUMNS = ("label", "class", "category", "target", "y")
"""Usual heads of the column of labels."""
DELIMITERS = ",;\t"


def list_csv(path: Path, with_labels: bool, label_column: str | None) -> FileList:
    """List the pictures that a CSV file with a head names, in its order; paths are relative to its directory.

    Raises Trouble for what is no such file, and for a column that there is not.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            delimiter = max(DELIMITERS, key=head.count)
            rows = list(csv.DictReader(file, delimiter=delimiter, restval=""))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV file in UTF-8 ({error}).") from error
    if not rows:
        raise UserError(f"{path} has no rows; a head with a column of paths, and a row for each picture, are needed.")
    heads = [head for head in rows[0] if head is not None]
    paths = next((head for head in heads if head.strip().lower() in PATH_COLUMNS), heads[0])
    told = label_column or next((head for head in heads if head.strip().lower() in LABEL_COLUMNS), None)
    if with_labels and told not in heads:
        raise UserError(
            f"{path} has no column {label_column or 'of labels'}; its columns are {', '.join(heads)}: "
            "name one with --label-column."
        )
    names, kinds, skipped = [], [], []
    for number, row in enumerate(rows, start=2):
        name = row[paths].strip()
        if not name or "\0" in name:
            skipped.append((f"line {number}", "names no file"))
            continue
        names.append(name)
        kinds.append(row[told].strip() if with_labels and told else "")
    if not names:
        raise UserError(f"{path} names no file in its column {paths}; one for each picture is needed.")
    return FileList(path.parent, tuple(names), tuple(kinds) if with_labels else None, tuple(skipped))
