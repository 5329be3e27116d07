"""Read the image paths and labels of a table: a CSV or TSV file, or a list of paths, with or without a header."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vaetui.data.image_folder import FileList
from vaetui.data.image_formats import COMPANION_SUFFIXES, FORMATS_BY_SUFFIX, get_suffix
from vaetui.data.image_paths import explain_missing_path, resolve_image_path
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError

PATH_COLUMNS = frozenset(
    (
        *("path", "paths", "file", "files", "filename", "filenames", "filepath", "filepaths", "fname", "fullpath"),
        *("image", "images", "img", "imagepath", "imgpath", "imagename", "imgname", "imagefile", "imgfile"),
        *("imagefilename", "imagefilepath", "imagefilepaths", "imageuri", "imageurl", "imgurl", "uri", "url"),
        *("location", "src", "source", "picture", "photo", "relpath", "relativepath", "abspath", "absolutepath"),
        *("localpath", "sourcefile"),
    )
)
"""Usual names of the path column: lower case, without other characters than letters and digits."""
LABEL_COLUMNS = frozenset(
    (
        *("label", "labels", "labelname", "class", "classes", "classname", "classlabel", "category", "categories"),
        *("categoryname", "target", "targets", "y", "species", "tag", "choice", "groundtruth"),
    )
)
"""Usual names of the label column, in the same form."""
EXPORTED_COLUMNS = {"index", "path", "label", "class", "source", "cluster"}
"""Columns of tables that vaetui exported, where `class` is the name and `label` its index."""
DELIMITERS = (",", ";", "\t", "|")
SPACE_DELIMITER = " "
"""In lists of paths and labels without other delimiters, the last space of a line is between path and label."""
LIST_SUFFIXES = (".txt", ".lst")
SAMPLE_ROWS = 20
"""Number of rows by which delimiter and columns are found."""
MAX_PATH_COLUMNS = 100
"""A table with more columns contains numbers: looking for a file of each cell would take long."""
RARE_SUFFIXES = frozenset((".im", ".bw", ".rgb", ".rgba", ".ras", ".msp", ".cur", ".icb", ".vda", ".vst"))
"""Endings of images that names of columns may have as well."""
MAX_CLASSES_OF_SINGLE_IMAGES = 10
"""Most rows that may all have different labels, such as one image of each digit."""
PIXEL_COLUMN = re.compile(r"(pixel|pix|px|p|x|v|f|feature)?[ _.-]?\d+([x_]\d+)?", re.IGNORECASE)
PIXEL_CELL = re.compile(r"[\[(]?\s*(\d+[\s,;]+){15,}\d+\s*[\])]?")
"""All pixels of an image in one cell."""
MIN_PIXEL_COLUMNS = 16
"""Number of columns with such names from which a table contains the pixels themselves."""
SEPARATOR_LINE = re.compile(r"sep=(.)\s*")
"""First line that spreadsheets write to define the delimiter."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The text of a table, and how it is divided into cells."""

    path: Path
    """The path of the file."""
    text: str
    """Its content."""
    delimiter: str
    """What separates cells."""
    has_header: bool
    """Whether the first row names the columns."""
    columns: tuple[str, ...]
    """The names of the columns, or their numbers from 1 without a header."""

    def iter_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the cells of each row that is not blank, without the header."""
        rows = _iter_rows(self.path, self.text, self.delimiter)
        return itertools.islice(rows, 1, None) if self.has_header else rows


def list_csv_images(path: Path, options: ImportOptions) -> FileList:
    """List the image files of a table in its order; relative paths start at its directory, or the working directory.

    `options.image_key` and `options.label_key` name the columns. Raises UserError if the file is unreadable, empty or
    lacks such a column, or it is not clear which one is meant.
    """
    table, base = _read_table(path), os.fspath(path.parent)
    path_index = _find_path_column(table, options.image_key)
    label_index = _find_label_column(table, path_index, options.label_key) if options.labels else None
    paths: list[str] = []
    labels: list[str] = []
    skipped: list[tuple[str, str]] = []
    first_rows: dict[str, tuple[int, str]] = {}
    directory = os.path.join(os.path.abspath(base), "")
    for line, cells in table.iter_rows():
        row_name = f"{path.name} line {line}"
        cell = cells[path_index].strip() if path_index < len(cells) else ""
        if not cell:
            skipped.append((row_name, "has no path"))
            continue
        image_path = resolve_image_path(cells[path_index], base)
        extra_count = len(cells) - len(table.columns)
        if extra_count > 0 and any(cells[-extra_count:]) and (label_index is not None or image_path is None):
            skipped.append((row_name, f"has {len(cells)} fields instead of {len(table.columns)}"))
            continue
        image_path = image_path or cell
        label = cells[label_index].strip() if label_index is not None and label_index < len(cells) else ""
        key = os.path.normpath(image_path) if "./" in image_path or "//" in image_path else image_path
        key = key.removeprefix(directory)  # the same file may be listed by its relative and its absolute path
        if key in first_rows:
            first_line, first_label = first_rows[key]
            if label == first_label:
                skipped.append((f"{row_name} ({image_path}, as line {first_line})", "repeats the path of another line"))
            else:
                details = f'{image_path}, label "{label}"; line {first_line} has "{first_label}"'
                skipped.append((f"{row_name} ({details})", "repeats the path of another line with another label"))
            continue
        first_rows[key] = (line, label)
        paths.append(image_path)
        labels.append(label)
    if not paths:
        raise UserError(f"{path} has no paths in its column {table.columns[path_index]}. Each row needs one.")
    source = f"column {table.columns[path_index]} of {path.name}"
    if label_index is not None:
        source += f", labels from column {table.columns[label_index]}"
    return FileList(path.parent, tuple(paths), tuple(labels) if options.labels else None, tuple(skipped), source)


def _read_table(path: Path) -> _Table:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:64]:
        raise UserError(f"{path} is not a CSV file in UTF-8 (it looks like UTF-16). Save it in UTF-8.")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise UserError(f"{path} is not a CSV file: line {line} contains a zero byte. Save the table as CSV in UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a CSV file in UTF-8 ({error}). Save it in UTF-8.") from error
    separator_line = SEPARATOR_LINE.match(text)
    delimiters: Sequence[str] = DELIMITERS
    if separator_line:
        delimiters = separator_line[1]
        text = "\n" + text[separator_line.end() :].lstrip("\r\n")  # keeps the numbers of the lines
    elif path.suffix.lower() in LIST_SUFFIXES:
        delimiters = (*DELIMITERS, SPACE_DELIMITER)
    first_line = text.lstrip("\r\n").partition("\n")[0]
    samples = {delimiter: _sample_rows(path, text, delimiter) for delimiter in delimiters}

    def rate(delimiter: str) -> tuple[int, int]:
        hits = sum(any(_names_file(cell, path.parent) for cell in row) for row in samples[delimiter])
        return hits, first_line.count(delimiter) if delimiter != SPACE_DELIMITER else -1

    delimiter = max(delimiters, key=rate)
    sample = samples[delimiter] or [cells for _, cells in _iter_rows(path, text, delimiter)]
    if not sample:
        raise UserError(f"{path} has no rows. It needs a column of paths, and one row per image.")
    has_header = not any(_looks_like_image_path(cell, path.parent) for cell in sample[0])
    if not has_header:
        return _Table(path, text, delimiter, False, tuple(str(number + 1) for number in range(max(map(len, sample)))))
    if len(sample) == 1:
        raise UserError(f"{path} has no rows. It needs a column of paths, and one row per image.")
    return _Table(path, text, delimiter, True, tuple(cell.strip() for cell in sample[0]))


def _sample_rows(path: Path, text: str, delimiter: str) -> list[list[str]]:
    """Return the first rows, up to one with invalid quotation marks: the delimiter may be wrong."""
    rows: list[list[str]] = []
    with suppress(UserError):
        for _, cells in itertools.islice(_iter_rows(path, text, delimiter), SAMPLE_ROWS + 1):
            rows.append(cells)
    return rows


def _iter_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line, and the cells, of each row that is not blank."""
    lines = io.StringIO(text, newline="")
    if delimiter == SPACE_DELIMITER:
        yield from ((line, row.strip().rsplit(None, 1)) for line, row in enumerate(lines, 1) if row.strip())
        return
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path} is not a valid CSV file: line {line}: {error}. Check its quotation marks.") from error


def _find_path_column(table: _Table, key: str | None) -> int:
    """Return the index of the column of paths: the one that is named, or whose cells name files."""
    if key is not None:
        return _find_named_column(table, key, "--images")
    sample = [cells for _, cells in itertools.islice(table.iter_rows(), SAMPLE_ROWS)]
    usual = [index for index, name in enumerate(table.columns) if _simplify(name) in PATH_COLUMNS]
    indices = range(len(table.columns)) if len(table.columns) <= MAX_PATH_COLUMNS else usual
    hits = [index for index in indices if _count_files(table, sample, index)]
    if not hits:  # the first files may be missing
        rows = [cells for _, cells in table.iter_rows()]
        hits = [index for index in usual or list(indices) if _count_files(table, rows, index, limit=1)]
    candidates = [index for index in hits if index in usual] or hits
    if len(candidates) > 1 and not _name_same_files(table, sample, candidates):
        names = " and ".join(table.columns[index] for index in candidates)
        raise UserError(f"{table.path} names files in its columns {names}. Choose one with --images COLUMN.")
    if candidates:
        return candidates[0]
    pixel_columns = sum(PIXEL_COLUMN.fullmatch(column) is not None for column in table.columns)
    has_pixel_cells = any(PIXEL_CELL.fullmatch(cell.strip()) for cells in sample[:1] for cell in cells)
    if has_pixel_cells or (table.has_header and pixel_columns >= MIN_PIXEL_COLUMNS):
        raise UserError(f"{table.path} names no image files; it is a table of pixel values. Save the pixels as .npy.")
    tried = usual[0] if usual else _guess_path_column(sample)
    cell = next((cells[tried] for cells in sample if tried < len(cells) and cells[tried].strip()), "")
    if not cell:
        raise UserError(f"{table.path} has no paths in its column {table.columns[tried]}. Each row needs one.")
    columns = ", ".join(table.columns[:20]) + (", …" if len(table.columns) > 20 else "")
    problem = explain_missing_path(cell, table.path.parent)
    raise UserError(
        f'{table.path} names no image files: its column {table.columns[tried]} contains "{cell.strip()[:200]}", which '
        f"{problem}. Correct the paths, or choose a column with --images: {columns}."
    )


def _find_label_column(table: _Table, path_index: int, key: str | None) -> int:
    """Return the index of the label column."""
    if key is not None:
        return _find_named_column(table, key, "--labels")
    others = [index for index in range(len(table.columns)) if index != path_index]
    if not table.has_header:
        candidates = others if len(others) == 1 else []
        if candidates and _has_distinct_cells(table, candidates[0]):
            raise UserError(
                f"{table.path} has no header, and each row has another value in its column "
                f"{table.columns[candidates[0]]}, which is probably a number or name of the row. Pass --labels "
                f"{table.columns[candidates[0]]} if it contains labels."
            )
    else:
        candidates = [index for index in others if _simplify(table.columns[index]) in LABEL_COLUMNS]
    if len(candidates) == 1:
        return candidates[0]
    if set(table.columns) >= EXPORTED_COLUMNS:
        return table.columns.index("class")
    names = [table.columns[index] for index in candidates or others]
    if candidates:
        raise UserError(f"{table.path} has several label columns. Choose one with --labels: {', '.join(names)}.")
    if not others:
        raise UserError(f"{table.path} has no label column. Add one, or omit --labels.")
    reason = "has no label column" if table.has_header else "has no header and several columns that may be labels"
    raise UserError(f"{table.path} {reason}. Choose one with --labels: {', '.join(names)}.")


def _find_named_column(table: _Table, key: str, option: str) -> int:
    for form in (str, str.lower, _simplify):
        matches = [index for index, name in enumerate(table.columns) if form(name) == form(key)]
        if len(matches) > 1:
            positions = ", ".join(f"{table.columns[index]} (column {index + 1})" for index in matches)
            raise UserError(f"{table.path} has several columns with the name {key}: {positions}. Rename all but one.")
        if matches:
            return matches[0]
    raise UserError(f"{table.path} has no column {key}. Choose one with {option}: {', '.join(table.columns)}.")


def _has_distinct_cells(table: _Table, index: int) -> bool:
    """Return whether a column has different values in all rows, as row numbers do."""
    cells: set[str] = set()
    count = 0
    for count, (_, row) in enumerate(table.iter_rows(), 1):
        cells.add(row[index].strip() if index < len(row) else "")
        if len(cells) < count:
            return False
    return count > MAX_CLASSES_OF_SINGLE_IMAGES


def _simplify(name: str) -> str:
    """Return the letters and digits of a name in lower case."""
    return "".join(filter(str.isalnum, name.lower()))


def _names_file(cell: str, base: Path) -> bool:
    """Return whether a cell names a file that may be an image."""
    cell = cell.strip()
    return bool(cell) and get_suffix(cell) not in COMPANION_SUFFIXES and resolve_image_path(cell, base) is not None


def _looks_like_image_path(cell: str, base: Path) -> bool:
    suffix = get_suffix(cell.strip())
    return (suffix in FORMATS_BY_SUFFIX and suffix not in RARE_SUFFIXES) or _names_file(cell, base)


def _count_files(table: _Table, rows: Sequence[Sequence[str]], index: int, limit: int = SAMPLE_ROWS) -> int:
    cells = (row[index] for row in rows if index < len(row))
    return sum(1 for _ in itertools.islice((cell for cell in cells if _names_file(cell, table.path.parent)), limit))


def _name_same_files(table: _Table, rows: Sequence[Sequence[str]], indices: Sequence[int]) -> bool:
    base = table.path.parent
    files = [
        [os.path.normpath(resolve_image_path(row[index], base) or "") for row in rows if index < len(row)]
        for index in indices
    ]
    return all(other == files[0] for other in files)


def _guess_path_column(rows: Sequence[Sequence[str]]) -> int:
    """Return the first column whose cell looks like a path, to be shown in a message."""
    cells = rows[0] if rows else []
    likely = (index for index, cell in enumerate(cells) if re.search(r"[/\\]|\.[a-z]\w{1,4}$", cell.strip().lower()))
    return next(likely, 0)
