"""Every knob of the method, as frozen values; it does not know what turns a knob. The defaults are the paper's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
By: TypeAlias = Literal["place", "direction"]
"""What makes latent vectors near: their Euclidean distance, or the angle between them."""


@dataclass(frozen=True, slots=True)
class Within:
    """The least and the most that a knob may be turned to: what fits memory, a screen and a lifetime."""

    least: int | float
    """The least."""
    most: int | float
    """The most."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of the networks (paper, section 3.3 and figure 1)."""

    z_dim: Annotated[int, Within(1, 256)] = 10
    """Numbers in a latent vector."""
    channels: tuple[Annotated[int, Within(1, 256)], Annotated[int, Within(1, 256)]] = (64, 128)
    """Channels after the first and the second convolution."""
    hidden: Annotated[int, Within(1, 512)] = 32
    """Units between the convolutions and the latent vector."""
    classes: Annotated[int, Within(2, 250)] = 10
    """Classes that the classifier tells apart."""
    slope: Annotated[float, Within(0.0, 1.0)] = 0.2
    """Slope of the leaky rectifier below zero."""
    initial: Literal["glorot", "normal"] = "glorot"
    """Initial weights: Glorot uniform, or normal with standard deviation 0.02."""
    used: Literal["sample", "mean"] = "sample"
    """Which latent vector is clustered and classified: the sampled one (the paper's) or its mean."""
    classified: Literal["latent", "hidden"] = "latent"
    """What the classifier reads: the latent vector, or the units before it."""
    normalised: bool = False
    """Whether the encoder normalises by batch (Ioffe and Szegedy 2015)."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The factors of the loss (paper, equations 1 and 3), and of what two views of an image add to it."""

    beta: Annotated[float, Within(0.0, 1e6)] = 5.0
    """Factor of the divergence."""
    gamma: Annotated[float, Within(0.0, 1e6)] = 150.0
    """Factor of the classification loss."""
    contrast: Annotated[float, Within(0.0, 1e6)] = 0.0
    """Factor of the contrast between two views of one image and all other images (Chen et al. 2020)."""
    temperature: Annotated[float, Within(0.01, 10.0)] = 0.3
    """Temperature of the contrast."""
    consistency: Annotated[float, Within(0.0, 1e6)] = 0.0
    """Factor of the loss that asks of a warped view the class that the plain one is sure of (Sohn et al. 2020)."""
    sure: Annotated[float, Within(0.0, 1.0)] = 0.9
    """The probability from which on a plain view is sure."""


@dataclass(frozen=True, slots=True)
class WarpConfig:
    """How far the second view of an image is warped: what leaves its class as it is. All 0: there is no second view."""

    warps: Annotated[float, Within(0.0, 3.0)] = 1.0
    """Factor of all of these; with 0 there is no second view."""
    turn: Annotated[float, Within(0.0, 180.0)] = 0.0
    """Degrees that it is turned, at most, either way."""
    shift: Annotated[float, Within(0.0, 1.0)] = 0.0
    """Share of the side that it is shifted, at most, in each direction."""
    stretch: Annotated[float, Within(0.0, 0.9)] = 0.0
    """Share that it is stretched or shrunk, at most, along each side."""
    shear: Annotated[float, Within(0.0, 1.0)] = 0.0
    """Share of the height that it is sheared, at most, either way."""
    bend: Annotated[float, Within(0.0, 1.0)] = 0.0
    """Share of half the side that its parts are pushed about, at most, as if it were of rubber."""

    tint: Annotated[float, Within(0.0, 1.0)] = 0.0
    """Of images in colour, the share of red, green and blue that goes over into each other and is shifted, at most."""

    @property
    def any(self) -> bool:
        """Whether there is a second view."""
        return self.warps > 0 and any((self.turn, self.shift, self.stretch, self.shear, self.bend, self.tint))


@dataclass(frozen=True, slots=True)
class SpreadConfig:
    """How answers become labels of all images."""

    over: Literal["cluster", "neighbours"] = "cluster"
    """Over the answered cluster (paper, equation 2), or from neighbour to neighbour, those of all rounds together."""
    neighbours: Annotated[int, Within(2, 100)] = 12
    """Neighbours that an image has in the graph."""
    sample: Annotated[int, Within(100, 1_000_000)] = 15_000
    """Images that the graph is made of; the others take what their nearest of these have."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """How latent vectors are clustered (paper, section 3.3)."""

    clusters: Annotated[int, Within(2, 256)] | None = None
    """Clusters in a round; None lets the elbow decide."""
    least: Annotated[int, Within(1, 256)] = 3
    """The smallest k that the elbow looks at."""
    floor: Annotated[int, Within(1, 256)] = 10
    """The smallest k that the elbow may choose."""
    cap: Annotated[int, Within(1, 256)] = 16
    """The largest k that the elbow looks at and may choose."""
    sample: Annotated[int, Within(10, 1_000_000)] = 6_000
    """Latent vectors that the elbow looks at."""
    parts: Annotated[int, Within(2, 256)] = 4
    """Sub-clusters that a split proposes."""
    decay: Annotated[float, Within(0.0, 100.0)] = 0.2
    """a of equation 2, per unit of Euclidean distance in the latent space."""
    by: By = "place"
    """What makes latent vectors near."""
    asked: Literal["all", "doubtful"] = "all"
    """Whether every round asks of all images, or the later ones of those in doubt."""
    doubtful: Annotated[float, Within(0.001, 1.0)] = 0.25
    """Share of the images that count as doubtful."""
    finer: Annotated[int, Within(1, 16)] = 1
    """How many times as many clusters are made as are asked: those with the most doubt are."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The schedule and the optimiser (paper, section 4)."""

    warmup: Annotated[int, Within(1, 10**9)] = 1
    """Epochs without labels before the first round."""
    rounds: Annotated[int, Within(0, 10**9)] = 5
    """Rounds of answers."""
    epochs: Annotated[int, Within(1, 100_000)] = 1
    """Epochs after each round."""
    batch: Annotated[int, Within(1, 4_096)] = 64
    """Images in a batch."""
    least: Annotated[int, Within(1, 100_000)] = 1
    """Batches in an epoch, at least: few images are gone through several times."""
    rate: Annotated[float, Within(0.0, 10.0)] = 1e-3
    """Learning rate of Adam."""
    decline: Literal["none", "cosine"] = "none"
    """How the rate declines from the beginning of each epoch to its end (Loshchilov and Hutter 2017)."""
    validation: Annotated[int, Within(1, 100_000)] = 128
    """Images held out for the reconstructions."""
    checks: Annotated[int, Within(1, 1_000)] = 3
    """Times in an epoch that all of them are reconstructed (paper, figure 6)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides the bits of a session, the answers and the data aside."""

    recipe: str = "paper"
    """The recipe that the knobs were taken from."""
    seed: Annotated[int, Within(0, 10**38)] = 0
    """Every random draw follows from this and from its own place in the run."""
    device: Device = "auto"
    """auto, cpu, cuda or mps."""
    threads: Annotated[int, Within(0, 1024)] = 0
    """Threads that the networks use on the CPU; 0 is all that there are."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """The networks."""
    loss: LossConfig = field(default_factory=LossConfig)
    """The loss."""
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    """The clustering."""
    warp: WarpConfig = field(default_factory=WarpConfig)
    """The second view."""
    spread: SpreadConfig = field(default_factory=SpreadConfig)
    """What becomes of the answers."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The schedule."""


def total_epochs(config: TrainingConfig) -> int:
    """Count the epochs of a whole run: the unsupervised ones and those that follow each round."""
    return config.warmup + config.rounds * config.epochs


def round_after(config: TrainingConfig, epoch: int) -> int | None:
    """Tell which round (1, 2, ...) is asked after that epoch (1, 2, ...), None where training just goes on."""
    since, rest = divmod(epoch - config.warmup, config.epochs)
    return since + 1 if rest == 0 and 0 <= since < config.rounds else None


def epoch_before(config: TrainingConfig, round: int) -> int:
    """Tell after which epoch that round is asked."""
    return config.warmup + (round - 1) * config.epochs


def round_before(config: TrainingConfig, epoch: int) -> int | None:
    """Tell with which round's answers that epoch trains, None for one without labels."""
    return None if epoch <= config.warmup else (epoch - config.warmup - 1) // config.epochs + 1


def passes(config: TrainingConfig, count: int) -> int:
    """Tell how often an epoch goes through `count` images."""
    return max(1, -(-config.least * config.batch // count))


def steps(config: TrainingConfig, count: int) -> int:
    """Tell how many batches an epoch of `count` images has."""
    return -(-passes(config, count) * count // config.batch)


def held_out(config: TrainingConfig, count: int) -> int:
    """Tell how many of `count` images are held out: at most a tenth."""
    return min(config.validation, count // 10)
