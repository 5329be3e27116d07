"""What a screen needs to see of a session, as frozen values; it does not know any screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from vaetui.engine.answers import Answer, ClusterPath
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import EpochEnded, Losses

if TYPE_CHECKING:
    from vaetui.engine.metrics import Agreement  # needs NumPy, which a first frame does not wait for

Phase: TypeAlias = Literal["training", "labelling", "finished"]
MemberOrder: TypeAlias = Literal["nearest", "random", "farthest"]
DigitKeys: TypeAlias = tuple[int | None, ...]
"""The class that each digit stands for, 0 first; None where it stands for none."""
MAX_DIGIT_KEYS = 10
"""Classes that a digit can stand for."""
SHOWN_MEMBERS = 8
"""Members of a cluster that a person sees beside its centre: as many as an answer needs; a key stays under 15 kB."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterView:
    """One cluster of a round, as it is asked."""

    path: ClusterPath
    """Its place in the tree; the depth is the length."""
    picture: Pixels
    """The decoded centre, [H, W]."""
    size: int
    """Images in it."""
    mean_distance: float
    """Mean distance of a member from the centre, in units of the latent space."""
    answer: Answer | None
    """What stands of it; None while it is open. A Split has its parts as the tiles that follow."""
    leaf_counts: tuple[int, int] | None
    """Of a split cluster: how many of its unsplit parts, at any depth, are answered, and how many there are."""
    class_shares: tuple[tuple[int, float], ...]
    """What the classifier calls its members: class and share, most frequent first; empty before any labels."""
    mean_weight: float
    """Mean weight exp(-a d) of a member at confidence 1 (equation 2), from 0 to 1."""


@dataclass(frozen=True, slots=True)
class RoundView:
    """The state of a round of answers."""

    round_number: int
    """The round, from 1."""
    rounds: int
    """Rounds in the run."""
    clusters: tuple[ClusterView, ...]
    """All clusters in reading order, each before its parts."""
    answered_leaf_count: int
    """Unsplit clusters with an answer."""
    leaf_count: int
    """Unsplit clusters."""
    label_coverage: float
    """Share of training images that have a label with weight above 0."""
    answer_count: int
    """Answers given in the session so far: labels, unreadables and splits; what was undone is not counted."""
    digit_keys: DigitKeys
    """All classes up to ten, of more those that were named most before this round; what was merged in it keeps its
    digit until the next one."""
    undo_description: str | None
    """What the next undo takes back, in a few words; None when there is nothing."""
    redo_description: str | None
    """What the next redo brings back, likewise."""


@dataclass(frozen=True, slots=True)
class TrainingCurves:
    """What was measured so far."""

    loss_points: tuple[tuple[int, Losses], ...]
    """Losses by step over the whole run, in order."""
    finished_epochs: tuple[EpochEnded, ...]
    """The finished epochs, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadingTest:
    """The reading test of an epoch: what a person reads in the reconstructions of the held-out images."""

    epoch: int
    """The epoch that they were reconstructed after, from 1."""
    reconstructions: Pixels
    """The reconstructions, in the order that they are read, [N, H, W]."""
    class_ids: tuple[int | None, ...]
    """The class read in each of the first pictures, None for one that is unreadable; at most N."""
    accuracy: float | None
    """Share of all N read right, an unreadable one being wrong; None before the last one is read."""
    digit_keys: DigitKeys
    """The classes that the digits stand for, as on the board of the next round."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to."""

    class_counts: tuple[tuple[int, int], ...]
    """Class and number of training images: by the answers, else by the classifier as the last round found it."""
    label_coverage: float
    """Share of training images labelled by an answer in the last round."""
    answer_count: int
    """Answers given in all."""
    training_seconds: float
    """Seconds spent in training."""
    labelling_seconds: float
    """Seconds between the first sight of each round and its end, long pauses aside."""
    agreements: tuple[tuple[int, Agreement], ...]
    """Rounds from the second with answers on: what the answers say of the classifier that had not heard them."""
