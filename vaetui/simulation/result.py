"""The result of a simulated run, as printed by `simulate --json`."""

from __future__ import annotations

import dataclasses
import platform
import resource
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import vaetui
from vaetui.engine.metrics import (
    CalibrationBin,
    calibration_curve,
    compute_coverage_and_accuracy,
    expected_calibration_error,
)
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.true_labels import TrueLabels
from vaetui.export.label_table import LabelTable


@dataclass(frozen=True, slots=True)
class PseudoLabelQuality:
    """Accuracy of the pseudo-labels of one round. The field names are keys of the JSON output."""

    round: int
    """The round, from 1."""
    label_coverage: float
    """Fraction of the training images with a pseudo-label."""
    overall: float | None
    """Accuracy of these; None if there are none."""
    by_weight: tuple[dict[str, float | None], ...]
    """For each `min_weight` 0.0, 0.1, ..., 0.9: the `coverage` of all training images by pseudo-labels with a larger
    weight, and their `accuracy`."""


@dataclass(frozen=True, slots=True)
class ExportQuality:
    """Accuracy and calibration of the exported labels. The field names are keys of the JSON output."""

    accuracy: float
    """Fraction of correct labels, over the training and the held-out images that have a true label."""
    expected: float
    """Mean confidence of these labels: the accuracy to expect if they are calibrated."""
    calibration_error: float
    """Expected calibration error: the mean gap between confidence and accuracy."""
    bins: tuple[CalibrationBin, ...]
    """The labels binned by confidence."""


@dataclass
class AnswerCounts:
    """Number of answers by kind. The field names are keys of the JSON output."""

    clusters: int = 0
    """Labels, splits and "unreadable" of clusters."""
    nearest: int = 0
    """Answers that named the nearest image of a mixed cluster alone."""
    pages: int = 0
    """Accepted pages."""
    corrections: int = 0
    """Images on pages that were labelled with another class."""
    images: int = 0
    """Single images that were labelled without a page."""

    @property
    def total(self) -> int:
        """Number of all answers."""
        return self.clusters + self.nearest + self.pages + self.corrections + self.images


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """Measurements of a run; fractions are from 0 to 1. The field names are keys of the JSON output."""

    test_accuracy: tuple[float | None, ...]
    """Test accuracy after each epoch; None without test labels."""
    reading_accuracy: tuple[float | None, ...]
    """Fraction of the held-out reconstructions that the reader classifies correctly, after each epoch; None if no
    held-out image has a true label."""
    reading_accuracy_by_eval: tuple[float | None, ...]
    """The same at every evaluation within the epochs; None also where an epoch has too few steps for it."""
    answers: int
    """Number of answers: labels, splits and "unreadable" of clusters, nearest images, accepted pages, corrections and
    single images."""
    answers_by_round: tuple[int, ...]
    """Number of answers in each round."""
    answers_by_kind: AnswerCounts
    """The same by what was answered."""
    pictures_shown: int
    """Number of centres, members and reviewed images that the annotator has seen."""
    label_accuracy: dict[str, Any]
    """`overall` and `by_weight` of the last round's pseudo-labels, and a list of all `rounds`."""
    exported: ExportQuality | None
    """Quality of the labels that `export` would write; None without answers, and if no image with a true label gets
    one."""
    audit: dict[str, Any] | None
    """What the audit measured; None without one. `exported` is then computed from the labels that were not checked."""
    seconds: dict[str, float]
    """Seconds by part, and in `total`; the training of the reader is excluded."""
    recipe: str
    """Name of the recipe."""
    annotator: str
    """Name of the annotator."""
    error_rate: float
    """Probability that an answer, or a check of a single image, names a wrong class."""
    review_answers: int
    """Answers of each round from the second on that are spent on review."""
    review_kind: str
    """What they are spent on; see `AnnotatorConfig`."""
    mixed: str
    """What became of mixed clusters; see `AnnotatorConfig`."""
    reader_accuracy: float | None
    """Accuracy of the reader on the labelled test images, or on the labelled training images if there are none; None
    where nothing needs a reader."""
    seed: int
    """The random seed."""
    config: dict[str, Any]
    """The whole configuration."""
    advice: str | None = None
    """Which vectors to train on, if most clusters of the first round mixed classes."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values, with the peak memory and the package versions of this process."""
        peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_rss_bytes = peak_rss if sys.platform == "darwin" else peak_rss * 1024  # Linux reports KiB.
        versions = {"vaetui": vaetui.__version__, "python": platform.python_version()}
        versions |= {package: metadata.version(package) for package in ("torch", "scikit-learn", "numpy")}
        return dataclasses.asdict(self) | {"peak_rss_mb": round(peak_rss_bytes / 2**20, 1), "versions": versions}


def evaluate_pseudo_labels(
    round_number: int, pseudo_labels: PseudoLabels, true_labels: TrueLabels
) -> PseudoLabelQuality:
    """Compare the pseudo-labels of a round with the true labels."""
    rows = []
    for tenths in range(10):
        coverage, accuracy = compute_coverage_and_accuracy(pseudo_labels, true_labels, tenths / 10)
        rows.append({"min_weight": tenths / 10, "coverage": coverage, "accuracy": accuracy})
    return PseudoLabelQuality(round_number, pseudo_labels.label_coverage, rows[0]["accuracy"], tuple(rows))


def evaluate_export(label_table: LabelTable, true_labels: TrueLabels) -> ExportQuality | None:
    """Compare the exported labels with the true labels and with their confidences.

    Returns None if no image has both.
    """
    is_rated = (label_table.class_ids >= 0) & true_labels.is_labelled[label_table.indices]
    if not is_rated.any():
        return None
    rated_labels = label_table.select_rows(is_rated)
    is_correct = rated_labels.class_ids == true_labels.class_ids[rated_labels.indices]
    bins = calibration_curve(rated_labels.confidences, is_correct)
    mean_confidence = float(rated_labels.confidences.mean())
    return ExportQuality(float(is_correct.mean()), mean_confidence, expected_calibration_error(bins), bins)


def summarise_label_accuracy(qualities: list[PseudoLabelQuality]) -> dict[str, Any]:
    """Return the accuracy of the last round's pseudo-labels, and of all rounds."""
    last = qualities[-1] if qualities else PseudoLabelQuality(0, 0.0, None, ())
    return {
        "overall": last.overall,
        "by_weight": last.by_weight,
        "rounds": [dataclasses.asdict(quality) for quality in qualities],
    }
