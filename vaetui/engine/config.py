"""Every knob of the method, as frozen values, and the recipes; it does not know what turns a knob."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from typing import Annotated, Literal

from vaetui.trouble import Trouble

T = typing.TypeVar("T")
Device: typing.TypeAlias = Literal["auto", "cpu", "cuda", "mps"]


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
    classes: Annotated[int, Within(2, 10)] = 10
    """Classes that the classifier tells apart."""
    slope: Annotated[float, Within(0.0, 1.0)] = 0.2
    """Slope of the leaky rectifier below zero."""
    initial: Literal["glorot", "normal"] = "glorot"
    """Initial weights: Glorot uniform, or normal with standard deviation 0.02."""
    used: Literal["sample", "mean"] = "sample"
    """Which latent vector is clustered and classified: the sampled one (the paper's) or its mean."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The factors of the loss (paper, equations 1 and 3)."""

    beta: Annotated[float, Within(0.0, 1e6)] = 5.0
    """Factor of the divergence."""
    gamma: Annotated[float, Within(0.0, 1e6)] = 150.0
    """Factor of the classification loss."""


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
    rate: Annotated[float, Within(0.0, 10.0)] = 1e-3
    """Learning rate of Adam."""
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


def within(part: str, name: str) -> Within:
    """Tell what a number among the knobs may be turned to; `part` is the group that it stands in, "" for the whole."""
    hints = typing.get_type_hints(Config, include_extras=True)
    hint = typing.get_type_hints(hints[part], include_extras=True)[name] if part else hints[name]
    if typing.get_origin(hint) is not Annotated:
        hint = typing.get_args(hint)[0]  # may also be None
    found: Within = typing.get_args(hint)[1]
    return found


def to_json(config: Config) -> str:
    """Write a configuration as one JSON object."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def from_json(text: str) -> Config:
    """Read what `to_json` wrote; knobs that an older version did not know keep their defaults.

    Raises ValueError for what no knob can be turned to: the text may be a stranger's.
    """
    config = _restore(Config, json.loads(text))
    if not config.recipe.replace("-", "").isalnum():
        raise ValueError("a recipe without a name")
    return config


def _restore(kind: type[T], values: typing.Any) -> T:
    if not isinstance(values, dict):
        raise ValueError(f"{kind.__name__} is no object")
    hints = typing.get_type_hints(kind, include_extras=True)
    return kind(**{name: _fitted(name, hints[name], value) for name, value in values.items() if name in hints})


def _fitted(name: str, hint: typing.Any, value: typing.Any) -> typing.Any:
    """Give a value as its type wants it, or raise ValueError."""
    if dataclasses.is_dataclass(hint):
        return _restore(typing.cast(type, hint), value)
    kind, parts = typing.get_origin(hint), typing.get_args(hint)
    if kind is tuple and isinstance(value, list) and len(value) == len(parts):
        return tuple(_fitted(name, part, each) for part, each in zip(parts, value, strict=True))
    if kind is types.UnionType or kind is typing.Union:
        return None if value is None else _fitted(name, parts[0], value)
    if kind is Literal and value in parts:
        return value
    if kind is Annotated:
        number, within = parts
        fits = type(value) in (int, number) and within.least <= value <= within.most
        if fits:
            return number(value)
    if hint is str and isinstance(value, str):
        return value
    raise ValueError(f"{name} cannot be {str(value)[:40]}")
