"""What is known of a tile, in words that fit beside its picture; it does not know where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from vaetui.engine.answers import ClassAnswer, Unreadable, format_path
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.session.views import MAX_DIGIT_KEYS, ClusterView, RoundView

MAX_CLASS_NAME_CELLS = 80
"""Cells of the longest name of a class: 40 letters of which each may take two."""


def format_answer(cluster: ClusterView) -> str:
    """Say what stands: ·3 a class, .8 its confidence when not 1, – unreadable, ⟨2/4⟩ parts, ? open."""
    if cluster.leaf_counts is not None:
        return f"⟨{cluster.leaf_counts[0]}/{cluster.leaf_counts[1]}⟩"
    match cluster.answer:
        case ClassAnswer(label, confidence):
            return f"·{label}" + ("" if confidence >= 1 else f" .{round(confidence * 10)}")
        case Unreadable():
            return "–"
    return "?"


def format_cluster_name(cluster: ClusterView) -> str:
    """Say which tile it is, as a person reads its path."""
    return format_path(cluster.path)


def format_cluster_size(cluster: ClusterView) -> str:
    """Say how large a cluster is and how far its members lie from its centre."""
    images = "1 image" if cluster.size == 1 else f"{cluster.size:,} images"
    return f"{images}, spread {cluster.mean_distance:.1f}"


def format_digit_keys(classes: ClassList, digit_keys: Sequence[int | None], max_cells: int | None = None) -> str:
    """Say which digit stands for which class; nothing where they are the digits themselves.

    Where that takes more cells than there is room for, the longest names are cut, so that each can be told.
    """
    there = [(digit, classes.names[kind]) for digit, kind in enumerate(digit_keys) if kind in classes.active]
    names = {digit: name for digit, name in there if name != str(digit)}
    most = max(map(cell_len, names.values()), default=0)
    others = ["/ others"] if len(there) < len(classes.active) else []
    while True:
        words = "  ".join([*others, *(f"{digit} {truncate_name(name, most)}" for digit, name in names.items())])
        if max_cells is None or cell_len(words) <= max_cells or most <= 2:
            return words
        most -= 1


def truncate_name(name: str, max_cells: int) -> str:
    """Give so many cells of a name: its ends, as names that begin alike must be told apart."""
    if cell_len(name) <= max_cells:
        return name
    tail = max((max_cells - 1) // 2, 1)
    head = set_cell_size(name, max(max_cells - 1 - tail, 0)).rstrip()
    return f"{head}…{set_cell_size(name[::-1], tail).rstrip()[::-1]}"


def format_digit_ranges(digits: Sequence[int]) -> str:
    """Name digits, ascending, in a few letters: 0-3, 5."""
    runs: list[list[int]] = []
    for digit in digits:
        if not 0 <= digit < MAX_DIGIT_KEYS:
            continue
        if runs and runs[-1][-1] == digit - 1:
            runs[-1].append(digit)
        else:
            runs.append([digit])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def format_class_digit(round_view: RoundView, class_id: int) -> str:
    """Give the digit that names a class in this round; nothing where none does."""
    return str(round_view.digit_keys.index(class_id)) if class_id in round_view.digit_keys else ""


def describe_class_edit(edit: ClassEdit, previous_classes: ClassList, round_view: RoundView) -> str:
    """Say what was done to the classes, which were those before, and how it is taken back."""
    match edit:
        case AddClass(label, name):
            digit = format_class_digit(round_view, label)
            done = f"{name} is a class now, {f'with digit {digit}' if digit else 'by / and its letters'}"
        case RenameClass(label, name):
            done = f"{previous_classes.names[label]} is called {name} now"
        case MergeClass(label, into):
            done = f"{previous_classes.names[label]} counts as {previous_classes.names[into]} from now on"
    return f"{done}; u takes it back"


def format_votes(
    cluster: ClusterView, classes: ClassList, max_votes: int = 3, max_cells: int = MAX_CLASS_NAME_CELLS
) -> str:
    """Say what the classifier calls the members: so many classes at most, in so many cells each."""
    if not cluster.class_shares:
        return "the classifier knows no class yet"
    names = [
        (truncate_name(classes.names[label], max_cells), share) for label, share in cluster.class_shares[:max_votes]
    ]
    calls = ", ".join(f"{name} ({share:.0%})".replace("%", " %") for name, share in names)
    return f"the classifier says {calls}"


def format_weight(cluster: ClusterView) -> str:
    """Say what a confidence does: the share of a full vote that an image of this cluster gets on average."""
    if isinstance(cluster.answer, ClassAnswer) and cluster.leaf_counts is None:
        confidence = cluster.answer.confidence
        return f"{format_answer(cluster)} weighs {confidence * cluster.mean_weight:.0%}".replace("%", " %")
    return f"sure weighs {cluster.mean_weight:.0%}".replace("%", " %")


def format_saved_answer(cluster: ClusterView, classes: ClassList) -> str:
    """Say that an answer is kept."""
    match cluster.answer:
        case ClassAnswer(label, confidence):
            return f"saved: {format_cluster_name(cluster)} is {classes.names[label]}" + (
                "" if confidence >= 1 else f" at {confidence:.1f}"
            )
        case Unreadable():
            return f"saved: {format_cluster_name(cluster)} is unreadable"
    return ""


def format_round_progress(round_view: RoundView, width: int = 80) -> str:
    """Say how far the round is; the same width as long as the numbers have the same digits."""
    total = str(round_view.leaf_count)
    if width < 80:
        return (
            f"round {round_view.round_number}/{round_view.rounds}  done {round_view.answered_leaf_count:>{len(total)}}/{total}"
            f"  covered {round_view.label_coverage * 100:3.0f} %  answers {round_view.answer_count:>3}"
        )
    return (
        f"round {round_view.round_number} of {round_view.rounds}  answered {round_view.answered_leaf_count:>{len(total)}} / {total}"
        f"  covered {round_view.label_coverage * 100:3.0f} %  answers {round_view.answer_count:>3}"
    )
