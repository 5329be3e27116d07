"""The round being asked, as a person answers it: the quick verbs; it does not know what is learned from it.

Nothing heavy is imported before it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaetui.engine.answers import Label, Path, Unreadable
from vaetui.engine.classes import Naming
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config
from vaetui.errors import Trouble
from vaetui.session.digit_keys import counted
from vaetui.session.resources import Workshop
from vaetui.session.standing import Standing
from vaetui.session.views import Board, Which
from vaetui.storage.artifact_store import Vault
from vaetui.storage.repository import LAST, Facts

if TYPE_CHECKING:
    from vaetui.session.labelling_round import Labelling


class Asking(Standing):
    """What a person says of clusters and does to classes; every verb that records has it on the disk on return."""

    def __init__(self, vault: Vault, facts: Facts, config: Config, workshop: Workshop) -> None:
        """Begin between two rounds."""
        super().__init__(facts, config)
        self._vault, self._workshop = vault, workshop
        self._labelling: Labelling | None = None

    def asked(self) -> Labelling:
        """Give the round being asked."""
        if self._labelling is None:
            raise Trouble("No round is being asked now.")
        return self._labelling

    def board(self) -> Board:
        """Show the round being asked."""
        return self.asked().board()

    def answer(self, path: Path, answer: Label | Unreadable) -> None:
        """Record what a person says of a cluster."""
        self.asked().say(path, answer)

    def amend(self, naming: Naming) -> None:
        """Record what a person does to the classes, from now on and for all that was said and predicted before."""
        self.asked().amend(naming)
        self.classes = self.asked().classes

    def undo(self) -> Path | None:
        """Take back the last act of the round, and give its cluster, () for one on the classes; None for no act."""
        path = self.asked().undo()
        self.classes = self.asked().classes
        return path

    def redo(self) -> Path | None:
        """Bring back what was taken back last, and give its cluster, likewise."""
        path = self.asked().redo()
        self.classes = self.asked().classes
        return path

    def members(self, path: Path, which: Which, count: int) -> Pixels:
        """Give pictures of some members of a cluster, [<= count, H, W]; none before the images are loaded."""
        return self._workshop.pictures(self.asked().members(path, which, count))

    def tally(self) -> tuple[int, ...]:
        """Count how often each class was named so far and stands, those that were merged into it among them."""
        return counted(self.classes, self._facts.tally(LAST))

    def _round(self, number: int, last: int = LAST) -> Labelling:
        """Read a round, with the classes as they are or as they were at the end of the round `last`."""
        from vaetui.session.labelling_round import Labelling

        return Labelling(self._vault, self._facts, self.config, number, last)
