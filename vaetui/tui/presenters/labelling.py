"""The round before a person: the tiles, the focus, the keys so far; it does not know how they are drawn."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.answers import Label, Path, Unreadable, written
from vaetui.engine.classes import Naming
from vaetui.errors import Trouble
from vaetui.session.views import Board, Tile, Which
from vaetui.tui.presenters.cluster_text import done_of, name_of, said_of, weight_of
from vaetui.tui.presenters.focus import moved, next_open, place
from vaetui.tui.presenters.key_parser import Deed, Entry, Spot
from vaetui.tui.session_protocol import Session

AFTER: dict[Which, Which] = {"nearest": "random", "random": "farthest", "farthest": "nearest"}
"""Which members are shown next."""


class Desk:
    """Takes keys by name, tells the session what they come to, and keeps the focus where work is left."""

    def __init__(self, session: Session) -> None:
        """Lay out the round of that session, with the focus on the first open tile."""
        self.session = session
        """The one door to everything below."""
        self.board: Board = session.board()
        """The round as it stands."""
        self.at = next_open(self.board.tiles, -1) or 0
        """The place of the focused tile."""
        self.which: Which = "nearest"
        """The members that are looked at."""
        self.entry = Entry(session.classes, self.board.favourites, session.config.cluster.parts)
        """The keys pressed so far."""
        self.note = ""
        """What the last key did, in a few words."""

    @property
    def tile(self) -> Tile:
        """Give the focused tile."""
        return self.board.tiles[self.at]

    @property
    def spot(self) -> Spot:
        """Tell what the entry must know of the focused tile."""
        return Spot(name_of(self.tile), self.tile.size, self.board.total - self.board.answered)

    def press(self, key: str, columns: int) -> Deed | None:
        """Take a key, and give back what only the app can do: a split or one of the other names.

        `columns` tells how many tiles lie in a row.
        """
        self.note = ""
        self.entry, deed = self.entry.press(key, self.spot)
        try:
            return None if deed is None else self._do(deed, columns)
        except Trouble as trouble:
            self.note = str(trouble)
            return None

    def choose(self, label: int) -> None:
        """Take a class that was named by its letters."""
        self.note = ""
        self.entry, deed = self.entry.choose(label)
        try:
            if deed is not None:
                self._do(deed, 1)
        except Trouble as trouble:
            self.note = str(trouble)

    def amend(self, naming: Naming) -> bool:
        """Do that to the classes, and tell whether it could be done."""
        before = self.session.classes
        try:
            self.session.amend(naming)
        except Trouble as trouble:
            self.note = str(trouble)
            return False
        self.look(self.tile.path)
        self.note = done_of(naming, before, self.board)
        return True

    def look(self, path: Path) -> None:
        """Read the round and its classes again and focus that cluster, or the nearest one above it."""
        self.board = self.session.board()
        self.at = place(self.board.tiles, path)
        self.entry = replace(self.entry, classes=self.session.classes, favourites=self.board.favourites)

    def _do(self, deed: Deed, columns: int) -> Deed | None:
        match deed:
            case Label() | Unreadable():
                self._answer(deed)
                self._go_to_open(1)
            case "undo" | "redo":
                self._step(deed)
            case "lower" | "raise":
                self._weigh(-1 if deed == "lower" else 1)
            case "members":
                self.which = AFTER[self.which]
            case "next" | "previous":
                self._go_to_open(1 if deed == "next" else -1)
            case "left" | "right" | "up" | "down":
                self.at = moved(self.at, deed, columns, len(self.board.tiles))
            case _:
                return deed
        return None

    def _answer(self, answer: Label | Unreadable) -> None:
        path = self.tile.path
        self.session.answer(path, answer)
        self.look(path)
        self.note = said_of(self.tile, self.session.classes)

    def _go_to_open(self, step: int) -> None:
        found = next_open(self.board.tiles, self.at, step)
        if found is not None:
            self.at = found

    def _step(self, which: str) -> None:
        back = which == "undo"
        words = self.board.undoable if back else self.board.redoable
        path = self.session.undo() if back else self.session.redo()
        if path is None:
            self.note = f"nothing to {which}"
        else:
            self.look(path or self.tile.path)
            self.note = f"{'taken back' if back else 'brought back'}: {words or written(path)}"

    def _weigh(self, tenths: int) -> None:
        answer = self.tile.answer
        if not isinstance(answer, Label):
            self.note = f"{name_of(self.tile)} has no class yet whose confidence could change"
            return
        confidence = min(max(round(answer.confidence * 10) + tenths, 1), 10) / 10
        if confidence == answer.confidence:
            self.note = "sure is the most" if tenths > 0 else "0.1 is the least; x means no class"
            return
        self._answer(Label(answer.label, confidence))
        self.note += f", {weight_of(self.tile).split(' weighs ')[1]} of full weight"
