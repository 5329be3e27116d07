"""Every knob of the method, as frozen values, and the recipes; it does not know what turns a knob."""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass, field

from vaetui.trouble import Trouble

T = typing.TypeVar("T")


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of the networks (paper, section 3.3 and figure 1)."""

    z_dim: int = 10
    """Numbers in a latent vector."""
    channels: tuple[int, int] = (64, 128)
    """Channels after the first and the second convolution."""
    hidden: int = 32
    """Units between the convolutions and the latent vector."""
    classes: int = 10
    """Classes that the classifier tells apart."""
    slope: float = 0.2
    """Slope of the leaky rectifier below zero."""
    initial: typing.Literal["glorot", "normal"] = "glorot"
    """Initial weights: Glorot uniform, or normal with standard deviation 0.02."""
    used: typing.Literal["sample", "mean"] = "sample"
    """Which latent vector is clustered and classified: the sampled one (the paper's) or its mean."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The factors of the loss (paper, equations 1 and 3)."""

    beta: float = 5.0
    """Factor of the divergence."""
    gamma: float = 150.0
    """Factor of the classification loss."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """How latent vectors are clustered (paper, section 3.3)."""

    clusters: int | None = None
    """Clusters in a round; None lets the elbow decide."""
    least: int = 3
    """The smallest k that the elbow looks at."""
    floor: int = 10
    """The smallest k that the elbow may choose."""
    cap: int = 16
    """The largest k that the elbow looks at and may choose."""
    sample: int = 6_000
    """Latent vectors that the elbow looks at."""
    parts: int = 4
    """Sub-clusters that a split proposes."""
    decay: float = 0.2
    """a of equation 2, per unit of Euclidean distance in the latent space."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The schedule and the optimiser (paper, section 4)."""

    warmup: int = 1
    """Epochs without labels before the first round."""
    rounds: int = 5
    """Rounds of answers."""
    epochs: int = 1
    """Epochs after each round."""
    batch: int = 64
    """Images in a batch."""
    rate: float = 1e-3
    """Learning rate of Adam."""
    validation: int = 128
    """Images held out for the reconstructions."""
    checks: int = 3
    """Times in an epoch that all of them are reconstructed (paper, figure 6)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides the bits of a session, the answers and the data aside."""

    recipe: str = "paper"
    """The recipe that the knobs were taken from."""
    seed: int = 0
    """Every random draw follows from this and from its own place in the run."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    threads: int = 0
    """Threads that the networks use on the CPU; 0 is all that there are."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """The networks."""
    loss: LossConfig = field(default_factory=LossConfig)
    """The loss."""
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    """The clustering."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The schedule."""


RECIPES: dict[str, Config] = {"paper": Config()}


def recipe(name: str) -> Config:
    """Give the recipe of that name.

    Raises Trouble for an unknown one.
    """
    if name not in RECIPES:
        raise Trouble(f"There is no recipe {name!r}; choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]


def total_epochs(config: TrainingConfig) -> int:
    """Count the epochs of a whole run: the unsupervised ones and those that follow each round."""
    return config.warmup + config.rounds * config.epochs


def round_after(config: TrainingConfig, epoch: int) -> int | None:
    """Tell which round (1, 2, ...) is asked after that epoch (1, 2, ...), None where training just goes on."""
    since, rest = divmod(epoch - config.warmup, config.epochs)
    return since + 1 if rest == 0 and 0 <= since < config.rounds else None


def round_before(config: TrainingConfig, epoch: int) -> int | None:
    """Tell with which round's answers that epoch trains, None for one without labels."""
    return None if epoch <= config.warmup else (epoch - config.warmup - 1) // config.epochs + 1


def held_out(config: TrainingConfig, count: int) -> int:
    """Tell how many of `count` images are held out: at most a tenth."""
    return min(config.validation, count // 10)


def to_json(config: Config) -> str:
    """Write a configuration as one JSON object."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def from_json(text: str) -> Config:
    """Read what `to_json` wrote; knobs that an older version did not know keep their defaults."""
    return _restore(Config, json.loads(text))


def _restore(kind: type[T], values: dict[str, typing.Any]) -> T:
    hints = typing.get_type_hints(kind)
    known = {}
    for name, value in values.items():
        if name not in hints:
            continue
        hint = hints[name]
        if dataclasses.is_dataclass(hint):
            value = _restore(typing.cast(type, hint), value)
        elif isinstance(value, list):
            value = tuple(value)
        known[name] = value
    return kind(**known)
