"""What a screen needs to see of a session, as frozen values; it does not know any screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from vaetui.engine.answers import Answer, Path
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import EpochEnded, Losses

if TYPE_CHECKING:
    from vaetui.engine.metrics import Agreement  # needs NumPy, which a first frame does not wait for

Phase: TypeAlias = Literal["training", "labelling", "finished"]
Which: TypeAlias = Literal["nearest", "random", "farthest"]
Favourites: TypeAlias = tuple[int | None, ...]
"""The class that each digit stands for, 0 first; None where it stands for none."""
DIGITS = 10
"""Classes that a digit can stand for."""
SHOWN = 8
"""Members of a cluster that a person sees beside its centre: as many as an answer needs; a key stays under 15 kB."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One cluster of a round, as it is asked."""

    path: Path
    """Its place in the tree; the depth is the length."""
    picture: Pixels
    """The decoded centre, [H, W]."""
    size: int
    """Images in it."""
    spread: float
    """Mean distance of a member from the centre, in units of the latent space."""
    answer: Answer | None
    """What stands of it; None while it is open. A Split has its parts as the tiles that follow."""
    parts: tuple[int, int] | None
    """Of a split cluster: how many of its unsplit parts, at any depth, are answered, and how many there are."""
    votes: tuple[tuple[int, float], ...]
    """What the classifier calls its members: class and share, most frequent first; empty before any labels."""
    weight: float
    """Mean weight exp(-a d) of a member at confidence 1 (equation 2), from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Board:
    """The state of a round of answers."""

    round: int
    """The round, from 1."""
    rounds: int
    """Rounds in the run."""
    tiles: tuple[Tile, ...]
    """All clusters in reading order, each before its parts."""
    answered: int
    """Unsplit clusters with an answer."""
    total: int
    """Unsplit clusters."""
    covered: float
    """Share of training images that have a label with weight above 0."""
    answers: int
    """Answers given in the session so far: labels, unreadables and splits; what was undone is not counted."""
    favourites: Favourites
    """All classes up to ten, of more those that were named most before this round; what was merged in it keeps its
    digit until the next one."""
    undoable: str | None
    """What the next undo takes back, in a few words; None when there is nothing."""
    redoable: str | None
    """What the next redo brings back, likewise."""


@dataclass(frozen=True, slots=True)
class Curves:
    """What was measured so far."""

    points: tuple[tuple[int, Losses], ...]
    """Losses by step over the whole run, in order."""
    epochs: tuple[EpochEnded, ...]
    """The finished epochs, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The reading test of an epoch: what a person reads in the reconstructions of the held-out images."""

    epoch: int
    """The epoch that they were reconstructed after, from 1."""
    pictures: Pixels
    """The reconstructions, in the order that they are read, [N, H, W]."""
    read: tuple[int | None, ...]
    """The class read in each of the first pictures, None for one that is unreadable; at most N."""
    accuracy: float | None
    """Share of all N read right, an unreadable one being wrong; None before the last one is read."""
    favourites: Favourites
    """The classes that the digits stand for, as on the board of the next round."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to."""

    classes: tuple[tuple[int, int], ...]
    """Class and number of training images: by the answers, else by the classifier as the last round found it."""
    covered: float
    """Share of training images labelled by an answer in the last round."""
    answers: int
    """Answers given in all."""
    training_seconds: float
    """Seconds spent in training."""
    labelling_seconds: float
    """Seconds between the first sight of each round and its end, long pauses aside."""
    agreements: tuple[tuple[int, Agreement], ...]
    """Rounds from the second with answers on: what the answers say of the classifier that had not heard them."""
