"""Every knob of the method, as frozen values; it does not know what turns a knob. The defaults are the paper's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
DistanceMetric: TypeAlias = Literal["place", "direction"]
"""What makes latent vectors near: their Euclidean distance, or the angle between them."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a knob may be turned to: what fits memory, a screen and a lifetime."""

    minimum: int | float
    """The least."""
    maximum: int | float
    """The most."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of the networks (paper, section 3.3 and figure 1)."""

    z_dim: Annotated[int, Bounds(1, 256)] = 10
    """Numbers in a latent vector."""
    channels: tuple[Annotated[int, Bounds(1, 256)], Annotated[int, Bounds(1, 256)]] = (64, 128)
    """Channels after the first and the second convolution."""
    hidden_units: Annotated[int, Bounds(1, 512)] = 32
    """Units between the convolutions and the latent vector."""
    classes: Annotated[int, Bounds(2, 250)] = 10
    """Classes that the classifier tells apart."""
    negative_slope: Annotated[float, Bounds(0.0, 1.0)] = 0.2
    """Slope of the leaky rectifier below zero."""
    weight_init: Literal["glorot", "normal"] = "glorot"
    """Initial weights: Glorot uniform, or normal with standard deviation 0.02."""
    latent: Literal["sample", "mean"] = "sample"
    """Which latent vector is clustered and classified: the sampled one (the paper's) or its mean."""
    classifier_input: Literal["latent", "hidden"] = "latent"
    """What the classifier reads: the latent vector, or the units before it."""
    batch_norm: bool = False
    """Whether the encoder normalises by batch (Ioffe and Szegedy 2015)."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The factors of the loss (paper, equations 1 and 3), and of what two views of an image add to it."""

    beta: Annotated[float, Bounds(0.0, 1e6)] = 5.0
    """Factor of the divergence."""
    gamma: Annotated[float, Bounds(0.0, 1e6)] = 150.0
    """Factor of the classification loss."""
    contrastive_weight: Annotated[float, Bounds(0.0, 1e6)] = 0.0
    """Factor of the contrast between two views of one image and all other images (Chen et al. 2020)."""
    temperature: Annotated[float, Bounds(0.01, 10.0)] = 0.3
    """Temperature of the contrast."""
    consistency_weight: Annotated[float, Bounds(0.0, 1e6)] = 0.0
    """Factor of the loss that asks of a warped view the class that the plain one is sure of (Sohn et al. 2020)."""
    consistency_threshold: Annotated[float, Bounds(0.0, 1.0)] = 0.9
    """The probability from which on a plain view is sure."""


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How far the second view of an image is warped: what leaves its class as it is. All 0: there is no second view."""

    strength: Annotated[float, Bounds(0.0, 3.0)] = 1.0
    """Factor of all of these; with 0 there is no second view."""
    rotate: Annotated[float, Bounds(0.0, 180.0)] = 0.0
    """Degrees that it is turned, at most, either way."""
    translate: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Share of the side that it is shifted, at most, in each direction."""
    scale: Annotated[float, Bounds(0.0, 0.9)] = 0.0
    """Share that it is stretched or shrunk, at most, along each side."""
    shear: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Share of the height that it is sheared, at most, either way."""
    elastic: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Share of half the side that its parts are pushed about, at most, as if it were of rubber."""

    colour_jitter: Annotated[float, Bounds(0.0, 1.0)] = 0.0
    """Of images in colour, the share of red, green and blue that goes over into each other and is shifted, at most."""

    @property
    def is_enabled(self) -> bool:
        """Whether there is a second view."""
        return self.strength > 0 and any(
            (self.rotate, self.translate, self.scale, self.shear, self.elastic, self.colour_jitter)
        )


@dataclass(frozen=True, slots=True)
class PropagationConfig:
    """How answers become labels of all images."""

    method: Literal["cluster", "neighbours"] = "cluster"
    """Over the answered cluster (paper, equation 2), or from neighbour to neighbour, those of all rounds together."""
    neighbours: Annotated[int, Bounds(2, 100)] = 12
    """Neighbours that an image has in the graph."""
    max_graph_images: Annotated[int, Bounds(100, 1_000_000)] = 15_000
    """Images that the graph is made of; the others take what their nearest of these have."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """How latent vectors are clustered (paper, section 3.3)."""

    clusters: Annotated[int, Bounds(2, 256)] | None = None
    """Clusters in a round; None lets the elbow decide."""
    elbow_first_k: Annotated[int, Bounds(1, 256)] = 3
    """The smallest k that the elbow looks at."""
    min_clusters: Annotated[int, Bounds(1, 256)] = 10
    """The smallest k that the elbow may choose."""
    max_clusters: Annotated[int, Bounds(1, 256)] = 16
    """The largest k that the elbow looks at and may choose."""
    elbow_sample_size: Annotated[int, Bounds(10, 1_000_000)] = 6_000
    """Latent vectors that the elbow looks at."""
    split_parts: Annotated[int, Bounds(2, 256)] = 4
    """Sub-clusters that a split proposes."""
    decay: Annotated[float, Bounds(0.0, 100.0)] = 0.2
    """a of equation 2, per unit of Euclidean distance in the latent space."""
    distance_metric: DistanceMetric = "place"
    """What makes latent vectors near."""
    query_strategy: Literal["all", "doubtful"] = "all"
    """Whether every round asks of all images, or the later ones of those in doubt."""
    uncertain_fraction: Annotated[float, Bounds(0.001, 1.0)] = 0.25
    """Share of the images that count as doubtful."""
    oversample: Annotated[int, Bounds(1, 16)] = 1
    """How many times as many clusters are made as are asked: those with the most doubt are."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The schedule and the optimiser (paper, section 4)."""

    warmup_epochs: Annotated[int, Bounds(1, 10**9)] = 1
    """Epochs without labels before the first round."""
    rounds: Annotated[int, Bounds(0, 10**9)] = 5
    """Rounds of answers."""
    epochs_per_round: Annotated[int, Bounds(1, 100_000)] = 1
    """Epochs after each round."""
    batch_size: Annotated[int, Bounds(1, 4_096)] = 64
    """Images in a batch."""
    min_batches: Annotated[int, Bounds(1, 100_000)] = 1
    """Batches in an epoch, at least: few images are gone through several times."""
    learning_rate: Annotated[float, Bounds(0.0, 10.0)] = 1e-3
    """Learning rate of Adam."""
    lr_schedule: Literal["none", "cosine"] = "none"
    """How the rate declines from the beginning of each epoch to its end (Loshchilov and Hutter 2017)."""
    validation_size: Annotated[int, Bounds(1, 100_000)] = 128
    """Images held out for the reconstructions."""
    evals_per_epoch: Annotated[int, Bounds(1, 1_000)] = 3
    """Times in an epoch that all of them are reconstructed (paper, figure 6)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides the bits of a session, the answers and the data aside."""

    recipe: str = "paper"
    """The recipe that the knobs were taken from."""
    seed: Annotated[int, Bounds(0, 10**38)] = 0
    """Every random draw follows from this and from its own place in the run."""
    device: Device = "auto"
    """auto, cpu, cuda or mps."""
    threads: Annotated[int, Bounds(0, 1024)] = 0
    """Threads that the networks use on the CPU; 0 is all that there are."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """The networks."""
    loss: LossConfig = field(default_factory=LossConfig)
    """The loss."""
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    """The clustering."""
    augmentation: AugmentConfig = field(default_factory=AugmentConfig)
    """The second view."""
    propagation: PropagationConfig = field(default_factory=PropagationConfig)
    """What becomes of the answers."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The schedule."""


def count_epochs(config: TrainingConfig) -> int:
    """Count the epochs of a whole run: the unsupervised ones and those that follow each round."""
    return config.warmup_epochs + config.rounds * config.epochs_per_round


def find_round_after_epoch(config: TrainingConfig, epoch: int) -> int | None:
    """Tell which round (1, 2, ...) is asked after that epoch (1, 2, ...), None where training just goes on."""
    since, rest = divmod(epoch - config.warmup_epochs, config.epochs_per_round)
    return since + 1 if rest == 0 and 0 <= since < config.rounds else None


def find_epoch_before_round(config: TrainingConfig, round_number: int) -> int:
    """Tell after which epoch that round is asked."""
    return config.warmup_epochs + (round_number - 1) * config.epochs_per_round


def find_label_round(config: TrainingConfig, epoch: int) -> int | None:
    """Tell with which round's answers that epoch trains, None for one without labels."""
    return None if epoch <= config.warmup_epochs else (epoch - config.warmup_epochs - 1) // config.epochs_per_round + 1


def count_passes(config: TrainingConfig, image_count: int) -> int:
    """Tell how often an epoch goes through `count` images."""
    return max(1, -(-config.min_batches * config.batch_size // image_count))


def count_steps(config: TrainingConfig, image_count: int) -> int:
    """Tell how many batches an epoch of `count` images has."""
    return -(-count_passes(config, image_count) * image_count // config.batch_size)


def count_validation_images(config: TrainingConfig, image_count: int) -> int:
    """Tell how many of `count` images are held out: at most a tenth."""
    return min(config.validation_size, image_count // 10)
