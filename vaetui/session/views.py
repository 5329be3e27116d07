"""Frozen values that front ends show: rounds, clusters, curves, reading tests and summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, Cleared, ClusterPath, NearestImageAnswer, Split, format_path
from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import EpochEnded, Losses
from vaetui.storage.answer_log import UserAction
from vaetui.storage.answer_rows import AnswerRecord, BorderRecord, ClassEditRecord, ImageAnswerRecord

if TYPE_CHECKING:
    from vaetui.engine.metrics import Agreement  # imports NumPy, which must not delay the first frame

Phase: TypeAlias = Literal["training", "labelling", "finished"]
SessionAccess: TypeAlias = Literal["full", "attached", "watched"]
"""Whether a session is trained and answered here, trained elsewhere until a round is ready, or only watched."""
MemberOrder: TypeAlias = Literal["nearest", "random", "farthest"]
DigitKeys: TypeAlias = tuple[int | None, ...]
"""The class id of each digit key, starting with digit 0; None for an unused digit."""
MAX_DIGIT_KEYS = 10
"""Number of digit keys."""
SHOWN_MEMBERS = 8
"""Members shown beside a centre: enough to decide on an answer, and under 15 kB of terminal output per key press."""
MEAN_MEMBERS = 32
"""Nearest members of a cluster whose mean is shown: more of them blur what they have in common."""

SURE_SHARE = 0.95
"""Share of the members predicted as one class from which on guesses are accepted together."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One cluster of a round."""

    path: ClusterPath
    """Path in the cluster tree; its length is the depth."""
    picture: Pixels
    """The decoded centre, or the nearest image if centres are not decoded, [H, W] or [H, W, 3]."""
    size: int
    """Number of images in the cluster."""
    mean_distance: float
    """Mean distance of the members from the centre, in the space that k-means clustered."""
    answer: Answer | None
    """The current answer; None without one. The parts of a Split follow as the next views."""
    leaf_counts: tuple[int, int] | None
    """Answered leaves and all leaves below a split cluster; None if the cluster is not split."""
    class_shares: tuple[tuple[int, float], ...]
    """Predicted classes as (class id, share of the members), most frequent first.

    They are classes that the networks had learned when the round began and that have an answer; members that are
    predicted as another class are in no share. Empty if fewer than two classes were learned.
    """
    mean_weight: float
    """Mean weight exp(-a d) of a member at confidence 1 (equation 2), from 0 to 1."""
    mean_picture: Pixels | None = None
    """The mean of the nearest members where `picture` is the nearest image; None where it is decoded."""

    @property
    def guess(self) -> tuple[int, float] | None:
        """The most frequent predicted class and its share; None without predictions."""
        return self.class_shares[0] if self.class_shares else None


@dataclass(frozen=True, slots=True)
class RoundView:
    """The state of a labelling round."""

    round_number: int
    """The round, from 1."""
    round_count: int
    """Number of rounds in the run."""
    clusters: tuple[ClusterView, ...]
    """All clusters in reading order, each followed by its parts."""
    answered_leaf_count: int
    """Number of unsplit clusters with an answer."""
    leaf_count: int
    """Number of unsplit clusters."""
    unanswered_class_ids: tuple[int, ...]
    """Active classes that no answer of any round names with a confidence above 0, ascending."""
    answer_count: int
    """Answers in force in the session: classes, those of nearest images, unreadable marks and splits of all rounds."""
    digit_keys: DigitKeys
    """Up to ten active classes, the most frequent ones before this round; a merged class keeps its digit until the
    next round."""
    undo_description: str | None
    """Short description of the step that undo removes; None if there is none."""
    redo_description: str | None
    """Short description of the step that redo restores; None if there is none."""

    @property
    def sure_answers(self) -> list[tuple[ClusterView, ClassAnswer]]:
        """The answers that accept the guesses of all open clusters from `SURE_SHARE` on."""
        return [
            (cluster, ClassAnswer(cluster.guess[0]))
            for cluster in self.clusters
            if cluster.answer is None and cluster.guess is not None and cluster.guess[1] >= SURE_SHARE
        ]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """On how many training images classifier and neighbour graph name different classes."""

    share: float
    """Share of the images, from 0 to 1."""
    pairs: tuple[tuple[int, int, int], ...]
    """(smaller class id, larger class id, number of images) of the two classes, the largest number first."""


@dataclass(frozen=True, slots=True)
class TrainingCurves:
    """Metrics measured so far."""

    loss_points: tuple[tuple[int, Losses], ...]
    """(global step, losses) over the whole run, in order."""
    finished_epochs: tuple[EpochEnded, ...]
    """The finished epochs, in order; only epochs that learned every active class have a mean confidence."""
    unanswered_class_ids: tuple[int, ...] = ()
    """Active classes that no answer names with a confidence above 0, ascending; as of the last step of the run."""
    disagreement: Disagreement | None = None
    """Disagreement of classifier and graph after the last epoch; None if it is not measured."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadingTest:
    """The reading test of an epoch: the classes that a person reads in the validation reconstructions."""

    epoch: int
    """The epoch of the reconstructions, from 1."""
    reconstructions: Pixels
    """The reconstructions in reading order, [N, H, W]."""
    class_ids: tuple[int | None, ...]
    """The class read in each of the first images, None for an unreadable image; at most N."""
    accuracy: float | None
    """Share of all N read correctly, unreadable images counting as errors; None until the test is complete."""
    digit_keys: DigitKeys
    """The digit keys, as in the next round."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a run."""

    class_counts: tuple[tuple[int, int], ...]
    """(class id, number of training images): by the answers, else by the latest predictions of a learned class."""
    unanswered_class_ids: tuple[int, ...]
    """Active classes that no answer names with a confidence above 0, ascending."""
    answer_count: int
    """Number of answers in force in the session."""
    training_seconds: float
    """Seconds spent training."""
    labelling_seconds: float
    """Seconds between the start and the end of each round, without long pauses."""
    agreements: tuple[tuple[int, Agreement], ...]
    """(round, agreement of its answers with the earlier classifier), from the second round with answers on."""
    advice: str | None = None
    """Which vectors to train on, if most clusters of the first round mixed classes."""


def describe_step(step: Sequence[UserAction], classes: ClassList, round_number: int) -> str:
    """Return a short description of a step made in a round, as undo and redo show it."""
    class_edits = [action.class_edit for action in step if isinstance(action, ClassEditRecord)]
    descriptions = [_describe_class_edit(class_edit, classes) for class_edit in class_edits]
    answers = [action for action in step if isinstance(action, AnswerRecord)]
    clusters = {(action.round_number, action.path) for action in answers}
    if len(clusters) > 1:
        descriptions.append(f"answers for {len(clusters)} clusters")
    elif answers:
        descriptions.append(_describe_answer(answers[-1], round_number))
    images = {action.image.image_index: action for action in step if isinstance(action, ImageAnswerRecord)}
    if images:
        descriptions.append(_describe_images(list(images.values())))
    borders = [action for action in step if isinstance(action, BorderRecord)]
    descriptions += [f"border of class {classes.names[border.class_id]}" for border in borders]
    return " and ".join(descriptions)


def _describe_answer(record: AnswerRecord, round_number: int) -> str:
    cluster = f"cluster {format_path(record.path)}"
    if record.round_number != round_number:
        cluster += f" of round {record.round_number}"
    match record.answer:
        case ClassAnswer():
            return f"answer for {cluster}"
        case NearestImageAnswer():
            return f"answer for the nearest image of {cluster}"
        case Split():
            return f"split of {cluster}"
        case Cleared():
            return f"clearing of {cluster}"
        case _:
            return f"unreadable mark of {cluster}"


def _describe_images(records: Sequence[ImageAnswerRecord]) -> str:
    if len(records) > 1:
        name = "answers for" if records[0].origin == "audit" else "page of"
        return f"{name} {len(records):,} images"
    image = f"image {records[0].image.image_index:,}"
    match records[0].image.answer:
        case ClassAnswer():
            return f"answer for {image}"
        case Cleared():
            return f"clearing of {image}"
        case _:
            return f"unreadable mark of {image}"


def _describe_class_edit(class_edit: ClassEdit, classes: ClassList) -> str:
    match class_edit:
        case AddClass(_, name):
            return f"new class {name}"
        case RenameClass(_, name):
            return f"new name {name}"
        case MergeClass(class_id, target_id):
            return f"merge of {classes.names[class_id]} into {classes.names[target_id]}"
