"""What is known of a tile, in words that fit beside its picture; it does not know where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from vaetui.engine.answers import Label, Unreadable, written
from vaetui.engine.classes import Added, Classes, Merged, Naming, Renamed
from vaetui.session.views import DIGITS, Board, Tile

LONGEST = 80
"""Cells of the longest name of a class: 40 letters of which each may take two."""


def answer_of(tile: Tile) -> str:
    """Say what stands: ·3 a class, .8 its confidence when not 1, – unreadable, ⟨2/4⟩ parts, ? open."""
    if tile.parts is not None:
        return f"⟨{tile.parts[0]}/{tile.parts[1]}⟩"
    match tile.answer:
        case Label(label, confidence):
            return f"·{label}" + ("" if confidence >= 1 else f" .{round(confidence * 10)}")
        case Unreadable():
            return "–"
    return "?"


def name_of(tile: Tile) -> str:
    """Say which tile it is, as a person reads its path."""
    return written(tile.path)


def size_of(tile: Tile) -> str:
    """Say how large a cluster is and how far its members lie from its centre."""
    images = "1 image" if tile.size == 1 else f"{tile.size:,} images"
    return f"{images}, spread {tile.spread:.1f}"


def keyed(classes: Classes, favourites: Sequence[int | None], room: int | None = None) -> str:
    """Say which digit stands for which class; nothing where they are the digits themselves.

    Where that takes more cells than there is room for, the longest names are cut, so that each can be told.
    """
    there = [(digit, classes.names[kind]) for digit, kind in enumerate(favourites) if kind in classes.offered]
    names = {digit: name for digit, name in there if name != str(digit)}
    most = max(map(cell_len, names.values()), default=0)
    others = ["/ others"] if len(there) < len(classes.offered) else []
    while True:
        words = "  ".join([*others, *(f"{digit} {cut(name, most)}" for digit, name in names.items())])
        if room is None or cell_len(words) <= room or most <= 2:
            return words
        most -= 1


def cut(name: str, most: int) -> str:
    """Give so many cells of a name: its ends, as names that begin alike must be told apart."""
    if cell_len(name) <= most:
        return name
    tail = max((most - 1) // 2, 1)
    head = set_cell_size(name, max(most - 1 - tail, 0)).rstrip()
    return f"{head}…{set_cell_size(name[::-1], tail).rstrip()[::-1]}"


def digits(there: Sequence[int]) -> str:
    """Name digits, ascending, in a few letters: 0-3, 5."""
    runs: list[list[int]] = []
    for digit in there:
        if not 0 <= digit < DIGITS:
            continue
        if runs and runs[-1][-1] == digit - 1:
            runs[-1].append(digit)
        else:
            runs.append([digit])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def digit_of(board: Board, label: int) -> str:
    """Give the digit that names a class in this round; nothing where none does."""
    return str(board.favourites.index(label)) if label in board.favourites else ""


def done_of(naming: Naming, before: Classes, board: Board) -> str:
    """Say what was done to the classes, which were those before, and how it is taken back."""
    match naming:
        case Added(label, name):
            digit = digit_of(board, label)
            done = f"{name} is a class now, {f'with digit {digit}' if digit else 'by / and its letters'}"
        case Renamed(label, name):
            done = f"{before.names[label]} is called {name} now"
        case Merged(label, into):
            done = f"{before.names[label]} counts as {before.names[into]} from now on"
    return f"{done}; u takes it back"


def votes_of(tile: Tile, classes: Classes, most: int = 3, longest: int = LONGEST) -> str:
    """Say what the classifier calls the members: so many classes at most, in so many cells each."""
    if not tile.votes:
        return "the classifier knows no class yet"
    names = [(cut(classes.names[label], longest), share) for label, share in tile.votes[:most]]
    calls = ", ".join(f"{name} ({share:.0%})".replace("%", " %") for name, share in names)
    return f"the classifier says {calls}"


def weight_of(tile: Tile) -> str:
    """Say what a confidence does: the share of a full vote that an image of this cluster gets on average."""
    if isinstance(tile.answer, Label) and tile.parts is None:
        confidence = tile.answer.confidence
        return f"{answer_of(tile)} weighs {confidence * tile.weight:.0%}".replace("%", " %")
    return f"sure weighs {tile.weight:.0%}".replace("%", " %")


def said_of(tile: Tile, classes: Classes) -> str:
    """Say that an answer is kept."""
    match tile.answer:
        case Label(label, confidence):
            return f"saved: {name_of(tile)} is {classes.names[label]}" + (
                "" if confidence >= 1 else f" at {confidence:.1f}"
            )
        case Unreadable():
            return f"saved: {name_of(tile)} is unreadable"
    return ""


def progress_of(board: Board, width: int = 80) -> str:
    """Say how far the round is; the same width as long as the numbers have the same digits."""
    total = str(board.total)
    if width < 80:
        return (
            f"round {board.round}/{board.rounds}  done {board.answered:>{len(total)}}/{total}"
            f"  covered {board.covered * 100:3.0f} %  answers {board.answers:>3}"
        )
    return (
        f"round {board.round} of {board.rounds}  answered {board.answered:>{len(total)}} / {total}"
        f"  covered {board.covered * 100:3.0f} %  answers {board.answers:>3}"
    )
