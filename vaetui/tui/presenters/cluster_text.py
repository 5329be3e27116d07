"""Texts about clusters, classes and rounds that fit beside images or on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from rich.cells import cell_len, set_cell_size

from vaetui.engine.answers import Answer, ClassAnswer, NearestImageAnswer, Split, Unreadable, format_path
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config, decodes_centres
from vaetui.errors import format_count
from vaetui.session.digit_keys import is_digit, list_active_digits
from vaetui.session.views import MAX_DIGIT_KEYS, MEAN_MEMBERS, ClusterView, DigitKeys, RoundView

MIN_LEGEND_NAME_CELLS = 8
"""Cells of the names of the digit keys for which the legend rather takes another row."""
NEAREST_IMAGE_HEADING = "nearest image"
"""Names the picture of a cluster that has no decoded centre."""
MAX_CLASS_NAME_CELLS = 80
"""Cells of a line to which a class name, and the predicted classes of a cluster, are truncated by default."""


def describe_answer(answer: Answer | None, classes: ClassList) -> str:
    """Return an answer in words, such as "owl, confidence 0.8"."""
    match answer:
        case ClassAnswer(class_id, confidence):
            return classes.names[class_id] + ("" if confidence >= 1 else f", confidence {confidence:.1f}")
        case NearestImageAnswer(class_id):
            return f"{classes.names[class_id]}, nearest image alone"
        case Unreadable():
            return "unreadable"
        case Split():
            return "split"
    return "no answer"


def describe_cluster(cluster: ClusterView, classes: ClassList) -> str:
    """Return size and answer of a cluster, such as "312 images, no answer"."""
    size = format_count(cluster.size, "image")
    if cluster.leaf_counts is not None:
        answered, total = cluster.leaf_counts
        return f"{size}, split, {answered} of {format_count(total, 'part')} answered"
    return f"{size}, {describe_answer(cluster.answer, classes)}"


def format_confidence(confidence: float) -> str:
    """Return a confidence below 1 as it stands behind a class name, such as " .8", else ""."""
    return "" if confidence >= 1 else f" .{round(confidence * 10)}"


def shows_nearest_images(config: Config) -> bool:
    """Return whether the picture of a cluster is its nearest image, because no centre can be decoded."""
    return not decodes_centres(config.network)


def format_mean_heading(size: int) -> str:
    """Return the name of the mean of the nearest members of a cluster with `size` images."""
    return f"mean of {MEAN_MEMBERS}" if size >= MEAN_MEMBERS else "mean image"


def format_open_clusters(count: int) -> str:
    """Return the number of clusters without an answer, such as "1 cluster has no answer"."""
    return f"{format_count(count, 'cluster')} {'has' if count == 1 else 'have'} no answer"


def format_cluster_name(cluster: ClusterView) -> str:
    """Return the path of the cluster, such as "3.1"."""
    return format_path(cluster.path)


def format_cluster_size(cluster: ClusterView) -> str:
    """Return the number of images and their mean distance from the centre."""
    return f"{format_count(cluster.size, 'image')}, mean distance {cluster.mean_distance:.1f}"


def format_digit_keys(
    classes: ClassList, digit_keys: DigitKeys, max_cells: int | None = None, others: str = "/ others"
) -> str:
    """Return each digit key with its class name, or the digit alone if the class has the same name.

    The text begins with `others` if a class has no digit. It is empty, apart from that, if all classes are named like
    their digits. If it is longer than `max_cells`, the longest names are truncated.
    """
    return wrap_digit_keys(classes, digit_keys, None if max_cells is None else [max_cells], others)[0]


def wrap_digit_keys(
    classes: ClassList, digit_keys: DigitKeys, row_cells: Sequence[int] | None = None, others: str = "/ others"
) -> list[str]:
    """Return the text of `format_digit_keys` in at most as many rows as `row_cells` holds widths, at least one.

    It has no more rows than names of `MIN_LEGEND_NAME_CELLS` need; with all rows in use, names get shorter than that.
    """
    names = {digit: classes.names[cast(int, digit_keys[digit])] for digit in list_active_digits(digit_keys, classes)}
    prefix = [others] if not set(classes.active_ids) <= set(digit_keys) else []
    if all(name == str(digit) for digit, name in names.items()):
        return ["".join(prefix)]
    longest_name = max(map(cell_len, names.values()))
    for row_count in range(1, len(row_cells or [0]) + 1):
        is_last_try = row_cells is None or row_count == len(row_cells)
        min_name_cells = 2 if is_last_try else min(longest_name, MIN_LEGEND_NAME_CELLS)
        for name_cells in range(longest_name, min(min_name_cells, longest_name) - 1, -1):
            entries = [
                f"{digit}" if name == str(digit) else f"{digit} {truncate_name(name, name_cells)}"
                for digit, name in names.items()
            ]
            rows = _fill_rows([*prefix, *entries], None if row_cells is None else row_cells[:row_count])
            if rows is not None:
                return rows
    return ["  ".join([*prefix, *entries])]


def _fill_rows(entries: Sequence[str], row_cells: Sequence[int] | None) -> list[str] | None:
    """Return the entries in rows of these widths, in one row without widths; None if they do not fit."""
    if row_cells is None:
        return ["  ".join(entries)]
    rows, remaining = [], list(entries)
    for cells in row_cells:
        row: list[str] = []
        while remaining and cell_len("  ".join([*row, remaining[0]])) <= cells:
            row.append(remaining.pop(0))
        rows.append("  ".join(row))
    return None if remaining else rows


def format_key_line(classes: ClassList, digit_keys: DigitKeys) -> str:
    """Return the digit keys for the plain dialogue, such as "Keys: 0 cat  1 dog" or "Keys: 1-3"."""
    text = format_digit_keys(classes, digit_keys, others="")
    others = "" if set(classes.active_ids) <= set(digit_keys) else "  others by name"
    return f"Keys: {text.strip() or format_digit_ranges(list_active_digits(digit_keys, classes))}{others}"


def truncate_name(name: str, max_cells: int) -> str:
    """Return the name, with its middle replaced by "…" if it is too long; names often share their beginning."""
    if cell_len(name) <= max_cells:
        return name
    tail_cells = max((max_cells - 1) // 2, 1)
    head = set_cell_size(name, max(max_cells - 1 - tail_cells, 0)).rstrip()
    return f"{head}…{set_cell_size(name[::-1], tail_cells).rstrip()[::-1]}"


def truncate_class_name(class_id: int, classes: ClassList, max_cells: int) -> str:
    """Return the name of a class like `truncate_name`, but with what tells it from names that look the same."""
    name, active_ids = classes.names[class_id], classes.active_ids
    text = truncate_name(name, max_cells)
    if text == name:
        return text
    others = [classes.names[other] for other in active_ids if other != class_id]
    alike = [other for other in others if truncate_name(other, max_cells) == text]
    if not alike:
        return text
    start = max(_count_shared_characters(name, other) for other in alike)
    head = set_cell_size(name, max(max_cells // 3, 1)).rstrip()
    room = max(max_cells - cell_len(head) - 1, 1)
    rest = name[start:] if cell_len(name[start:]) >= room else name[-room:]
    return f"{head}…{set_cell_size(rest, min(room, cell_len(rest))).rstrip()}"


def _count_shared_characters(first: str, second: str) -> int:
    """Return the length of the beginning that two texts share."""
    pairs = zip(first, second, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def format_class_counts(counts: Sequence[tuple[str, int]], max_cells: int) -> str:
    """Return classes with their numbers, such as "cat: 5, owl: 1"; the last ones are replaced by "…" if need be."""
    parts = [f"{name}: {count}" for name, count in counts]
    for shown in range(len(parts), 0, -1):
        text = ", ".join([*parts[:shown], "…"] if shown < len(parts) else parts)
        if cell_len(text) <= max_cells:
            return text
    if not counts:
        return ""
    (name, count), end = counts[0], ", …" if len(counts) > 1 else ""
    end = f": {count}{end}"
    return f"{truncate_name(name, max(max_cells - cell_len(end), 1))}{end}"


def format_digit_ranges(digits: Sequence[int]) -> str:
    """Return ascending digits as ranges, such as "0-3, 5"; numbers that are not digits are left out."""
    runs: list[list[int]] = []
    for digit in digits:
        if not 0 <= digit < MAX_DIGIT_KEYS:
            continue
        if runs and runs[-1][-1] == digit - 1:
            runs[-1].append(digit)
        else:
            runs.append([digit])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def format_unassigned_digit(digit: int | str, digits: Sequence[int]) -> str:
    """Return the hint for a digit without a class; `digits` have one."""
    return f"Digit {digit} has no class (use {format_digit_ranges(digits)})"


def format_class_digit(round_view: RoundView, class_id: int) -> str:
    """Return the digit key of a class in this round, or "" if it has none."""
    return str(round_view.digit_keys.index(class_id)) if class_id in round_view.digit_keys else ""


def describe_class_edit(
    edit: ClassEdit, previous_classes: ClassList, round_view: RoundView, undo_key: str = "u"
) -> str:
    """Return a message that confirms the edit; `previous_classes` holds the names before it."""
    names = previous_classes.names
    match edit:
        case AddClass(class_id, name):
            digit = format_class_digit(round_view, class_id)
            message = f'Added class "{name}" ({f"digit {digit}" if digit else "choose it by name"})'
        case RenameClass(class_id, name):
            message = f'Renamed class "{names[class_id]}" to "{name}"'
            if is_digit(name) and round_view.digit_keys[int(name) : int(name) + 1] != (class_id,):
                digit = format_class_digit(round_view, class_id)
                message += f" ({f'digit {digit}' if digit else 'choose it by name'} in this round)"
        case MergeClass(class_id, into):
            message = f'Merged class "{names[class_id]}" into "{names[into]}"'
    return f"{message}. {undo_key}: undo"


def format_class_shares(
    cluster: ClusterView, classes: ClassList, max_classes: int = 3, max_cells: int = MAX_CLASS_NAME_CELLS
) -> str:
    """Return the `max_classes` most frequently predicted classes of the members, with names of up to `max_cells`."""
    if not cluster.class_shares:
        return "no predictions yet"
    shares_text = ", ".join(
        f"{truncate_class_name(class_id, classes, max_cells)} ({format_share(share)})"
        for class_id, share in cluster.class_shares[:max_classes]
    )
    return f"predicted: {shares_text}"


def format_share(share: float) -> str:
    """Return the share of the members predicted as a class; rounded down, so that only unanimous ones show 100 %."""
    return f"{int(share * 100 + 1e-9)} %"


def format_guess(cluster: ClusterView, classes: ClassList, max_cells: int = MAX_CLASS_NAME_CELLS) -> str:
    """Return the most frequently predicted class of the members and its share, such as "9 · 63 %", or "" without one.

    A long class name is truncated.
    """
    if not cluster.class_shares:
        return ""
    class_id, share = cluster.class_shares[0]
    suffix = f" · {format_share(share)}"
    return truncate_class_name(class_id, classes, max(max_cells - cell_len(suffix), 1)) + suffix


def format_training_weight(cluster: ClusterView, classes: ClassList, max_cells: int = 80) -> str:
    """Return the mean training weight of the members (equation 2), in percent of an image on the centre.

    A cluster without a class shows the weight that an answer of confidence 1 would have.
    """
    if isinstance(cluster.answer, ClassAnswer) and cluster.leaf_counts is None:
        answer = cluster.answer
        weight = _format_percent(answer.confidence * cluster.mean_weight)
        suffix = "" if answer.confidence >= 1 else f" at {answer.confidence:.1f}"
        name = truncate_class_name(answer.class_id, classes, max(max_cells - len(suffix) - 17, 1))
        text = f"weight of {name}{suffix}: {weight}"
    else:
        weight = _format_percent(cluster.mean_weight)
        text = f"weight when certain: {weight}"
    return text if cell_len(text) <= max_cells else f"weight: {weight}"


def format_answer_confirmation(
    cluster: ClusterView, classes: ClassList, max_name_cells: int = MAX_CLASS_NAME_CELLS
) -> str:
    """Return a message that confirms the answer, or "" if the cluster has none; a long class name is truncated."""
    name = format_cluster_name(cluster)
    prefix = f"Saved: cluster {name} = "
    match cluster.answer:
        case ClassAnswer(class_id, confidence):
            suffix = "" if confidence >= 1 else f", confidence {confidence:.1f}"
            return f'{prefix}"{truncate_class_name(class_id, classes, max_name_cells)}"{suffix}'
        case NearestImageAnswer(class_id):
            class_name = truncate_class_name(class_id, classes, max_name_cells)
            return f'Saved: nearest image of cluster {name} = "{class_name}"'
        case Unreadable():
            return f"{prefix}unreadable"
    return ""


def format_round_progress(round_view: RoundView, width: int = 80) -> str:
    """Return the progress of the round; the length changes only with the number of digits."""
    total = str(round_view.leaf_count)
    answered = f"{round_view.answered_leaf_count:>{len(total)}}"
    answers = f"answers {round_view.answer_count:>3}"
    if width < 80:
        return f"round {round_view.round_number}/{round_view.round_count}  done {answered}/{total}  {answers}"
    return f"round {round_view.round_number} of {round_view.round_count}  answered {answered} / {total}  {answers}"


def _format_percent(share: float) -> str:
    return f"{share * 100:.0f} %"
