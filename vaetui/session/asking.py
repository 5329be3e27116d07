"""The round being asked, as a person answers it: the quick verbs; it does not know what is learned from it.

Nothing heavy is imported before it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaetui.engine.answers import ClassAnswer, ClusterPath, Unreadable
from vaetui.engine.classes import ClassEdit
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.session.digit_keys import canonical_counts
from vaetui.session.resources import Resources
from vaetui.session.standing import RunState
from vaetui.session.views import MemberOrder, RoundView
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import MAX_ROUND_NUMBER, SessionRepository

if TYPE_CHECKING:
    from vaetui.session.labelling_round import LabellingRound


class Asking(RunState):
    """What a person says of clusters and does to classes; every verb that records has it on the disk on return."""

    def __init__(
        self, store: ArtifactStore, repository: SessionRepository, config: Config, resources: Resources
    ) -> None:
        """Begin between two rounds."""
        super().__init__(repository, config)
        self._store, self._resources = store, resources
        self._current_round: LabellingRound | None = None

    def current_round(self) -> LabellingRound:
        """Give the round being asked."""
        if self._current_round is None:
            raise UserError("No round is being asked now.")
        return self._current_round

    def round_view(self) -> RoundView:
        """Show the round being asked."""
        return self.current_round().round_view()

    def answer(self, path: ClusterPath, answer: ClassAnswer | Unreadable) -> None:
        """Record what a person says of a cluster."""
        self.current_round().record_answer(path, answer)

    def edit_classes(self, edit: ClassEdit) -> None:
        """Record what a person does to the classes, from now on and for all that was said and predicted before."""
        self.current_round().record_class_edit(edit)
        self.classes = self.current_round().classes

    def undo(self) -> ClusterPath | None:
        """Take back the last act of the round, and give its cluster, () for one on the classes; None for no act."""
        path = self.current_round().undo()
        self.classes = self.current_round().classes
        return path

    def redo(self) -> ClusterPath | None:
        """Bring back what was taken back last, and give its cluster, likewise."""
        path = self.current_round().redo()
        self.classes = self.current_round().classes
        return path

    def members(self, path: ClusterPath, order: MemberOrder, count: int) -> Pixels:
        """Give pictures of some members of a cluster, [<= count, H, W]; none before the images are loaded."""
        return self._resources.select_images(self.current_round().members(path, order, count))

    def answer_counts(self) -> tuple[int, ...]:
        """Count how often each class was named so far and stands, those that were merged into it among them."""
        return canonical_counts(self.classes, self._repository.answer_counts(MAX_ROUND_NUMBER))

    def _load_round(self, round_number: int, last_round: int = MAX_ROUND_NUMBER) -> LabellingRound:
        """Read a round, with the classes as they are or as they were at the end of the round `last`."""
        from vaetui.session.labelling_round import LabellingRound

        return LabellingRound(self._store, self._repository, self.config, round_number, last_round)
