"""Events that slow operations yield, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vaetui.engine.answers import Answer, ClusterPath
from vaetui.engine.clusters import Pixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Losses(NamedTuple):
    """Terms of the loss, each a mean per image, in nats."""

    reconstruction: float
    """Binary cross-entropy, summed over the pixels."""
    divergence: float
    """KL divergence to the prior, summed over the latent dimensions."""
    classification: float
    """Weighted cross-entropy of the labelled images."""
    contrastive: float = 0.0
    """Cross-entropy of finding the other view of an image; 0 where unused."""
    consistency: float = 0.0
    """Cross-entropy of the augmented view against the class of the plain view; 0 without labels or where unused."""


@dataclass(frozen=True, slots=True)
class Loading:
    """A component is being loaded."""

    component: str
    """Its name for the user, such as "PyTorch"."""


@dataclass(frozen=True, slots=True)
class BatchesTrained:
    """Training completed some more batches."""

    epoch: int
    """Epoch, from 1."""
    step: int
    """Batches completed in this epoch."""
    steps_per_epoch: int
    """Batches in an epoch."""
    losses: Losses
    """Means over the batches since the last report."""
    images_per_second: float
    """Training speed since the last report."""
    seconds: float
    """Training time since the last report."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructed:
    """Held-out images were encoded and decoded."""

    originals: Pixels
    """Images, [N, H, W]."""
    reconstructions: Pixels
    """Their reconstructions, [N, H, W]."""
    eval_number: int | None = None
    """Number of this evaluation of all held-out images, from 1 over the whole run; None for a preview of a few."""


@dataclass(frozen=True, slots=True, eq=False)
class SamplesGenerated:
    """New images were decoded from random latent vectors."""

    images: Pixels
    """Generated images, [N, H, W]."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A slow operation completed another part."""

    activity: str
    """Its name for the user, such as "encoding the training images"."""
    completed: int
    """Parts completed."""
    total: int
    """Parts in all."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Everything up to here is on the disk."""


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """An epoch was trained and evaluated."""

    epoch: int
    """Epoch, from 1."""
    losses: Losses
    """Means over the epoch."""
    test_accuracy: float | None
    """Share of test images classified correctly; None without true labels."""
    pixel_accuracy: float | None
    """Share of pixels of the validation reconstructions on the correct side of one half; None without them."""
    label_coverage: float
    """Share of training images that had a label in this epoch."""
    answer_count: int
    """Answers in the session so far: classes, unreadable clusters and splits."""
    seconds: float
    """Training time of the epoch."""
    reading_accuracy: float | None = None
    """Share of reconstructions read correctly in the reading test after this epoch; None without a test."""
    prediction_churn: float | None = None
    """Share of training images whose predicted class changed since the epoch before; None if not measured."""
    mean_confidence: float | None = None
    """Mean predicted probability of the classes of the training images, not an accuracy; None if not measured."""
    expected_accuracy: float | None = None
    """Uncalibrated expectation of the share of correct labels, from 0 to 1; None if not measured or without labels."""

    @property
    def prediction_agreement(self) -> float | None:
        """Share of training images whose predicted class did not change since the epoch before."""
        return None if self.prediction_churn is None else 1 - self.prediction_churn

    @property
    def reliable_confidence(self) -> float | None:
        """Mean confidence if the epoch had labels, else None: an untrained classifier's confidence means nothing."""
        return self.mean_confidence if self.label_coverage else None


@dataclass(frozen=True, slots=True)
class Clustered:
    """The latent vectors were clustered; a round of answers begins."""

    round_number: int
    """Round, from 1."""
    clusters: int
    """Number of clusters."""
    inertias: tuple[tuple[int, float], ...]
    """Elbow curve: k and inertia on a sample; empty if k was configured."""


@dataclass(frozen=True, slots=True)
class ClusterSplit:
    """A cluster was split."""

    path: tuple[int, ...]
    """Path of the cluster."""
    parts: int
    """Number of sub-clusters."""


@dataclass(frozen=True, slots=True, eq=False)
class HistoryEntry:
    """An answer in force, of any round."""

    round_number: int
    """The round of the cluster, from 1."""
    path: ClusterPath
    """Path of the cluster."""
    answer: Answer
    """The answer: a class that is not merged, an unreadable mark or a split."""
    size: int
    """Number of images in the cluster."""
    picture: Pixels
    """The decoded centre or the nearest image, [H, W] or [H, W, 3]."""
    created_at: float
    """When the answer was recorded, in seconds since 1970."""


@dataclass(frozen=True, slots=True, eq=False)
class HistoryLoaded:
    """The answers of all rounds were loaded."""

    entries: tuple[HistoryEntry, ...]
    """The answers in force, in the order of entry."""


@dataclass(frozen=True, slots=True)
class LabellingLoaded:
    """The labels were computed as an export would write them now."""

    version: str
    """The version of the labelling."""


@dataclass(frozen=True, slots=True)
class LabelsExported:
    """The labels were written."""

    message: str
    """The path and the counts, as a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class MapCluster:
    """A cluster of a round on the map; a split cluster is represented by its parts."""

    path: ClusterPath
    """Path of the cluster."""
    position: tuple[float, float]
    """Its centre, (x, y)."""
    answer: Answer | None
    """Its answer; None without one."""
    size: int
    """Number of images in the cluster."""
    class_id: int
    """The most frequent class of its images; -1 if most of them have none."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageMap:
    """The training images as points in the plane; most of them lie between 0 and 1."""

    round_number: int
    """The round whose latent vectors are shown, from 1."""
    image_count: int
    """Number of training images; the points may be a random sample of them."""
    points: NDArray[np.float32]
    """The points, as (x, y), [N, 2]; y points up."""
    class_ids: NDArray[np.int64]
    """Their classes by the answers, else as predicted, [N]; -1 without either."""
    clusters: tuple[MapCluster, ...]
    """The clusters of the round."""
    separated_class_ids: tuple[int, ...]
    """The classes that the projection shows apart; empty if it shows the clusters apart, before classes are learned."""
    confusions: tuple[tuple[int, int, int], ...]
    """Pairs of classes, with the number of images of one that lie nearer to the other; the largest number first."""


@dataclass(frozen=True, slots=True, eq=False)
class MapComputed:
    """The map of the images was computed."""

    image_map: ImageMap
    """The map."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last epoch of the run was trained and evaluated."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """All components are loaded."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A problem that the user should see, such as a damaged file or changed images."""

    message: str
    """What happened and what was done about it, as a sentence."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The state of a session that another process may train was read."""

    users: str
    """Which processes have the session open, as a phrase such as "trained by 2 processes of anna on node1"."""
    is_training: bool
    """Whether a process trains it and reports its progress."""
    has_changed: bool
    """Whether anything was recorded since the last event."""


Event: TypeAlias = (
    Loading
    | Loaded
    | Notice
    | Progress
    | BatchesTrained
    | Reconstructed
    | SamplesGenerated
    | Saved
    | EpochEnded
    | Clustered
    | ClusterSplit
    | HistoryLoaded
    | MapComputed
    | LabellingLoaded
    | LabelsExported
    | Finished
    | Watched
)
