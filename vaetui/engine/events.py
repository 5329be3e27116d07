"""The facts that the slow verbs report, as frozen values; they do not know who listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from vaetui.engine.clusters import Pixels


class Losses(NamedTuple):
    """The named parts of the loss, each a mean per image."""

    reconstruction: float
    """Binary cross-entropy summed over the pixels, in nats."""
    divergence: float
    """KL divergence to the prior, summed over the latent dimensions, in nats."""
    classification: float
    """Weighted cross-entropy of the labelled images, in nats."""


@dataclass(frozen=True, slots=True)
class Loading:
    """Something is being loaded."""

    component: str
    """A few words for a person, such as "PyTorch"."""


@dataclass(frozen=True, slots=True)
class BatchesTrained:
    """Training went some batches further."""

    epoch: int
    """The epoch, from 1."""
    step: int
    """Batches done in this epoch."""
    steps_per_epoch: int
    """Batches in an epoch."""
    losses: Losses
    """Means over the batches since the last report."""
    images_per_second: float
    """Images a second since the last report."""
    seconds: float
    """Training time since the last report."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructed:
    """The held-out images were sent through the network."""

    originals: Pixels
    """The images, [N, H, W]."""
    reconstructions: Pixels
    """As the network remembers them, [N, H, W]."""
    eval_number: int | None = None
    """Which check of all held-out images this is, 1, 2, ... over the whole run; None for a glance at a few."""


@dataclass(frozen=True, slots=True, eq=False)
class SamplesGenerated:
    """New pictures were drawn from the latent space."""

    images: Pixels
    """[N, H, W]."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A slow verb went further."""

    activity: str
    """A few words for a person, such as "encoding"."""
    completed: int
    """Parts done."""
    total: int
    """Parts in all."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Everything up to here is on the disk."""


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """An epoch was trained and measured."""

    epoch: int
    """The epoch, from 1."""
    losses: Losses
    """Means over the epoch."""
    test_accuracy: float | None
    """Share of test images classified right; None where no true labels exist."""
    pixel_accuracy: float
    """Share of pixels of the validation reconstructions on the right side of one half."""
    label_coverage: float
    """Share of training images that trained with a label in this epoch."""
    answer_count: int
    """Answers given in the session so far: labels, unreadables and splits."""
    seconds: float
    """Training time of the epoch."""
    reading_accuracy: float | None = None
    """Share of the reconstructions that somebody read right since, in the reading test; None without one."""
    prediction_churn: float | None = None
    """Share of the training images that the classifier calls otherwise than an epoch before; None if nobody looked."""
    mean_confidence: float | None = None
    """Share of them that it expects to have called right: the mean of its certainty; None likewise."""

    @property
    def prediction_agreement(self) -> float | None:
        """Share of them that it calls as it did an epoch before."""
        return None if self.prediction_churn is None else 1 - self.prediction_churn

    @property
    def reliable_confidence(self) -> float | None:
        """Share that it expects to have called right, once it trained with a label; before that it means nothing."""
        return self.mean_confidence if self.label_coverage else None


@dataclass(frozen=True, slots=True)
class Clustered:
    """The latent vectors were clustered: a round of answers begins."""

    round_number: int
    """The round, from 1."""
    clusters: int
    """Clusters made."""
    inertias: tuple[tuple[int, float], ...]
    """What the elbow saw: k and the sum of squared distances of its sample; empty when k was given."""


@dataclass(frozen=True, slots=True)
class ClusterSplit:
    """A cluster was split."""

    path: tuple[int, ...]
    """The cluster."""
    parts: int
    """The clusters that it became."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last epoch of the run was trained and measured."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that was to be loaded is there."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something was noticed that a person should know: a file that was damaged, images that changed."""

    message: str
    """What, and what was done, as a sentence."""


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
    | Finished
)
