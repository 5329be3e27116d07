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
from vaetui.engine.ground_truth import TrueLabels
from vaetui.engine.metrics import CalibrationBin, accuracy_above_weight, calibration_curve, expected_calibration_error
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.export.label_table import LabelTable

PACKAGES = ("torch", "scikit-learn", "numpy")
"""Packages on which the bits depend."""


@dataclass(frozen=True, slots=True)
class PseudoLabelQuality:
    """How good the labels are that a round spread to the training images."""

    round: int
    """The round, from 1."""
    label_coverage: float
    """Share of the training images that have one."""
    overall: float | None
    """Share of those that are right; None where there is none."""
    by_weight: tuple[dict[str, float | None], ...]
    """For each least weight 0.0, 0.1, ...: `above` it, the `share` of all images there, and their `accuracy`."""


@dataclass(frozen=True, slots=True)
class ExportQuality:
    """How good the labels are that a person takes away: one for each training image, those held out among them."""

    accuracy: float
    """Share that is right."""
    expected: float
    """Their mean confidence."""
    calibration_error: float
    """The mean gap between confidence and accuracy."""
    bins: tuple[CalibrationBin, ...]
    """Labels by their confidence."""


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """Everything measured in a run; shares go from 0 to 1."""

    test_accuracy: tuple[float | None, ...]
    """After each epoch."""
    reading_accuracy: tuple[float | None, ...]
    """After each epoch: share of the held-out images' reconstructions that the reader reads right."""
    reading_accuracy_by_eval: tuple[float | None, ...]
    """The same at every check within the epochs; None where an epoch is too short for it."""
    answers: int
    """Labels, unreadables and splits."""
    answers_by_round: tuple[int, ...]
    """The same by round."""
    pictures_shown: int
    """Centres and members that the annotator looked at."""
    label_accuracy: dict[str, Any]
    """Of the labels spread in the last round `overall`, `by_weight`, and of all `rounds`."""
    exported: ExportQuality | None
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
        return dataclasses.asdict(self) | {
            "peak_rss_mb": round(_measure_peak_rss() / 2**20, 1),
            "versions": _collect_versions(),
        }


def evaluate_pseudo_labels(
    round_number: int, pseudo_labels: PseudoLabels, true_labels: TrueLabels
) -> PseudoLabelQuality:
    """Compare the labels that a round spread with the true ones."""
    rows = []
    for tenth in range(10):
        share, accuracy = accuracy_above_weight(pseudo_labels, true_labels, tenth / 10)
        rows.append({"above": tenth / 10, "share": share, "accuracy": accuracy})
    return PseudoLabelQuality(round_number, pseudo_labels.label_coverage, rows[0]["accuracy"], tuple(rows))


def evaluate_export(label_table: LabelTable, true_labels: TrueLabels) -> ExportQuality:
    """Compare the labels of all training images with the true ones, and with what their confidence promises."""
    right = label_table.class_ids == true_labels.class_ids
    bins = calibration_curve(label_table.confidences, right)
    return ExportQuality(
        float(right.mean()), float(label_table.confidences.mean()), expected_calibration_error(bins), bins
    )


def summarise_label_accuracy(qualities: list[PseudoLabelQuality]) -> dict[str, Any]:
    """Lay out what became of the labels: of the last round, and of all."""
    last = qualities[-1] if qualities else PseudoLabelQuality(0, 0.0, None, ())
    return {
        "overall": last.overall,
        "by_weight": last.by_weight,
        "rounds": [dataclasses.asdict(it) for it in qualities],
    }


def _measure_peak_rss() -> int:
    """Give the most memory that this process ever held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _collect_versions() -> dict[str, str]:
    versions = {"vaetui": vaetui.__version__, "python": platform.python_version()}
    return versions | {package: metadata.version(package) for package in PACKAGES}
