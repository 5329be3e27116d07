"""Recording of answers, splits, borders and class edits while a session waits for them, with undo and redo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vaetui.engine.answers import (
    UNKNOWN_IMAGE,
    Answer,
    AnsweredImage,
    ClassAnswer,
    Cleared,
    ClusterPath,
    ImageAnswerOrigin,
    NearestImageAnswer,
    Split,
    find_answer_class,
    format_path,
)
from vaetui.engine.classes import ClassEdit
from vaetui.errors import UserError
from vaetui.session.undo_stack import UndoStack
from vaetui.storage import file_names
from vaetui.storage.answer_log import RoundAnswer, UserAction
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.storage.stored_arrays import SplitSnapshot, TrainValSplit


class AnswerRecorder:
    """Records what a person does in a round, or after the last one; each change is on the disk on return."""

    def __init__(
        self,
        store: ArtifactStore,
        repository: SessionRepository,
        made_in_round: int,
        current_round: LabellingRound | None,
        load_split: Callable[[], TrainValSplit],
        on_change: Callable[[], None],
    ) -> None:
        """Continue with the steps made in a round so far; `current_round` is None after the last one.

        `load_split` returns which images are copies. `on_change` is called after each change, when the current round is
        up to date.
        """
        self.undo_stack = UndoStack(repository, made_in_round)
        """The steps."""
        self._store = store
        self._repository = repository
        self._current_round = current_round
        self._on_change = on_change
        self._load_split = load_split
        self._lock = threading.RLock()  # a worker records splits, the screen answers

    def record(
        self,
        labelling_round: LabellingRound,
        answers: Sequence[tuple[ClusterPath, Answer]] = (),
        class_edits: Sequence[ClassEdit] = (),
        extends_last_step: bool = False,
    ) -> None:
        """Record class edits and then answers for clusters of one round, as a step or as part of the last one.

        Clearing a cluster without an answer changes nothing and is left out. Raises UserError, and records nothing, for
        an unknown cluster, an unknown or merged class, an image that is not the nearest one of its cluster, and an
        impossible edit.
        """
        with self._lock:
            classes = self._repository.load_class_list()
            for edit in class_edits:
                classes = classes.with_edit(edit)
            for path, answer in answers:
                labelling_round.find_cluster(path)
                if (class_id := find_answer_class(answer)) is not None:
                    classes.require_active(class_id)
            round_answers: list[RoundAnswer] = [
                (labelling_round.round_number, path, self._add_nearest_image(labelling_round, path, answer))
                for path, answer in answers
                if not isinstance(answer, Cleared) or labelling_round.has_answer(path)
            ]
            if round_answers or class_edits:
                self._reload(self.undo_stack.record(round_answers, class_edits, extends_last_step=extends_last_step))

    def record_split(self, labelling_round: LabellingRound, path: ClusterPath, split_snapshot: SplitSnapshot) -> None:
        """Save the parts of a cluster, then record the split that refers to them."""
        from vaetui.storage import stored_arrays

        with self._lock:
            name = file_names.split_snapshot_name(self._repository.next_action_id())
            fingerprint = stored_arrays.save_arrays(self._store, name, split_snapshot)
            answer = labelling_round.round_number, path, Split(len(split_snapshot.centres))
            self._reload(self.undo_stack.record([answer], fingerprints=[fingerprint]))

    def record_images(self, answers: Sequence[AnsweredImage], origin: ImageAnswerOrigin) -> None:
        """Record answers about single images as a step.

        Clearing an image without an answer changes nothing and is left out; of several answers about an image, the last
        one is recorded. Raises UserError, and records nothing, for an unknown image and an unknown or merged class.
        """
        from vaetui.session.image_answers import normalise_indices

        with self._lock:
            classes = self._repository.load_class_list()
            for item in answers:
                if isinstance(item.answer, ClassAnswer):
                    classes.require_active(item.answer.class_id)
                if item.shown_class_id is not None and not 0 <= item.shown_class_id < len(classes):
                    classes.require_active(item.shown_class_id)
            indices = normalise_indices([item.image_index for item in answers], self._load_split().first_copies)
            images = {index: _store_as(item, index) for index, item in zip(indices, answers, strict=True)}
            if any(isinstance(item.answer, Cleared) for item in answers):
                answered = {record.image.image_index for record in self._repository.list_image_answers()}
                images = {
                    index: item
                    for index, item in images.items()
                    if not isinstance(item.answer, Cleared) or index in answered
                }
            if images:
                records = [(item, origin) for item in images.values()]
                self._reload(self.undo_stack.record(images=records))

    def record_border(self, class_id: int, image_indices: Sequence[int]) -> None:
        """Save the images beyond the border of a class, then record the border; without images, nothing changes.

        Raises UserError, and records nothing, for an unknown image and an unknown or merged class.
        """
        import numpy as np

        from vaetui.session.image_answers import normalise_indices
        from vaetui.storage import stored_arrays

        with self._lock:
            self._repository.load_class_list().require_active(class_id)
            indices = np.unique(np.array(normalise_indices(image_indices, self._load_split().first_copies), np.int64))
            if len(indices):
                name = file_names.border_name(self._repository.next_action_id())
                fingerprint = stored_arrays.save_arrays(self._store, name, stored_arrays.BorderImages(indices))
                borders = [(int(class_id), len(indices))]
                self._reload(self.undo_stack.record(borders=borders, fingerprints=[fingerprint]))

    def undo(self) -> ClusterPath | None:
        """Undo the last step.

        Return the cluster of its last answer for the current round, () without such an answer, None if there is no
        step.
        """
        with self._lock:
            return self._apply_step(self.undo_stack.undo())

    def redo(self) -> ClusterPath | None:
        """Redo the step undone last; return as `undo`."""
        with self._lock:
            return self._apply_step(self.undo_stack.redo())

    def _apply_step(self, step: Sequence[UserAction]) -> ClusterPath | None:
        if not step:
            return None
        self._reload(step)
        paths = [action.path for action in step if isinstance(action, AnswerRecord) and self._is_current(action)]
        return paths[-1] if paths else ()

    def _add_nearest_image(self, labelling_round: LabellingRound, path: ClusterPath, answer: Answer) -> Answer:
        """Return an answer, with the nearest image of the cluster if it is about that."""
        if not isinstance(answer, NearestImageAnswer):
            return answer
        split = self._load_split()
        training_index = int(split.train_indices[labelling_round.find_nearest_image(path)])
        image_index = int(split.first_copies[training_index])
        if answer.image_index not in (UNKNOWN_IMAGE, image_index):
            raise UserError(
                f"Image {answer.image_index:,} is not the nearest one of cluster {format_path(path)}. "
                f"That is image {image_index:,}."
            )
        return NearestImageAnswer(int(answer.class_id), image_index)

    def _reload(self, changed_actions: Sequence[UserAction]) -> None:
        if self._current_round is not None:
            if any(isinstance(action, AnswerRecord) and not self._is_current(action) for action in changed_actions):
                self._current_round.forget_earlier_answers()
            self._current_round.reload([answer for answer in self.undo_stack.answers if self._is_current(answer)])
        self._on_change()

    def _is_current(self, answer: AnswerRecord) -> bool:
        return self._current_round is not None and answer.round_number == self._current_round.round_number


def _store_as(item: AnsweredImage, image_index: int) -> AnsweredImage:
    """Return the answer about another image, with plain numbers, which the database needs."""
    answer, shown_class_id = item.answer, item.shown_class_id
    if isinstance(answer, ClassAnswer):
        answer = ClassAnswer(int(answer.class_id))
    return AnsweredImage(image_index, answer, None if shown_class_id is None else int(shown_class_id))
