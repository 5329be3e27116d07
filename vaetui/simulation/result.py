"""What a simulated run came to, as one JSON object; it does not know how the run was driven."""

from __future__ import annotations

import dataclasses
import platform
import resource
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import vaetui
from vaetui.engine.ground_truth import Truth
from vaetui.engine.metrics import Bin, accuracy_by_weight, calibration, calibration_error
from vaetui.engine.pseudo_labels import Weights
from vaetui.export.label_table import Labels

PACKAGES = ("torch", "scikit-learn", "numpy")
"""Packages on which the bits depend."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the labels are that a round spread to the training images."""

    round: int
    """The round, from 1."""
    covered: float
    """Share of the training images that have one."""
    overall: float | None
    """Share of those that are right; None where there is none."""
    by_weight: tuple[dict[str, float | None], ...]
    """For each least weight 0.0, 0.1, ...: `above` it, the `share` of all images there, and their `accuracy`."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How good the labels are that a person takes away: one for each training image, those held out among them."""

    accuracy: float
    """Share that is right."""
    expected: float
    """Their mean confidence."""
    calibration_error: float
    """The mean gap between confidence and accuracy."""
    bins: tuple[Bin, ...]
    """Labels by their confidence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything measured in a run; shares go from 0 to 1."""

    test_accuracy: tuple[float | None, ...]
    """After each epoch."""
    reading_accuracy: tuple[float | None, ...]
    """After each epoch: share of the held-out images' reconstructions that the reader reads right."""
    reading_checks: tuple[float | None, ...]
    """The same at every check within the epochs; None where an epoch is too short for it."""
    answers: int
    """Labels, unreadables and splits."""
    answers_by_round: tuple[int, ...]
    """The same by round."""
    pictures_shown: int
    """Centres and members that the annotator looked at."""
    label_accuracy: dict[str, Any]
    """Of the labels spread in the last round `overall`, `by_weight`, and of all `rounds`."""
    exported: Exported | None
    """What `export` would write; None where nothing was answered."""
    seconds: dict[str, float]
    """By part, and `total`, without the reader's own training."""
    recipe: str
    """The recipe."""
    annotator: str
    """Who answered."""
    error_rate: float
    """Probability of a wrong key."""
    reader_accuracy: float
    """Share of sharp images, of the test where there is one, that the reader reads right."""
    seed: int
    """Where every random draw came from."""
    config: dict[str, Any]
    """Every knob."""

    def to_dict(self) -> dict[str, Any]:
        """Flatten it for JSON, with memory and versions of this process."""
        return dataclasses.asdict(self) | {"peak_rss_mb": round(_peak_rss() / 2**20, 1), "versions": _versions()}


def judge(round: int, weights: Weights, truth: Truth) -> Quality:
    """Compare the labels that a round spread with the true ones."""
    rows = []
    for tenth in range(10):
        share, accuracy = accuracy_by_weight(weights, truth, tenth / 10)
        rows.append({"above": tenth / 10, "share": share, "accuracy": accuracy})
    return Quality(round, weights.covered, rows[0]["accuracy"], tuple(rows))


def judge_export(labels: Labels, truth: Truth) -> Exported:
    """Compare the labels of all training images with the true ones, and with what their confidence promises."""
    right = labels.labels == truth.classes
    bins = calibration(labels.confidences, right)
    return Exported(float(right.mean()), float(labels.confidences.mean()), calibration_error(bins), bins)


def label_accuracy(qualities: list[Quality]) -> dict[str, Any]:
    """Lay out what became of the labels: of the last round, and of all."""
    last = qualities[-1] if qualities else Quality(0, 0.0, None, ())
    return {
        "overall": last.overall,
        "by_weight": last.by_weight,
        "rounds": [dataclasses.asdict(it) for it in qualities],
    }


def _peak_rss() -> int:
    """Give the most memory that this process ever held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _versions() -> dict[str, str]:
    versions = {"vaetui": vaetui.__version__, "python": platform.python_version()}
    return versions | {package: metadata.version(package) for package in PACKAGES}
