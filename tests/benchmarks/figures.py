"""Draw the paper's figures from the committed results: python -m tests.benchmarks.figures."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tests.benchmarks import paper_results
from tests.benchmarks.results import RESULTS

ASSETS = Path(__file__).parents[2] / "assets"
BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#777777"
"""Colours that colour-blind readers can tell apart."""


def draw_test_accuracy() -> None:
    """Figure 4: test accuracy by epoch."""
    axes = _create_axes("epoch", "test accuracy in %")
    epochs = np.arange(1, 7)
    axes.plot(epochs, paper_results.TEST_ACCURACY, "k--o", label="paper")
    for unit, colour, label in (("members", BLUE, "vaetui, members"), ("centre", ORANGE, "vaetui, centre")):
        _draw_band(axes, epochs, paper_results.measured(unit, "test_accuracy"), colour, label)
    _draw_band(axes, epochs, paper_results.measured("labels", "test_accuracy"), GREY, "every label given")
    baseline = paper_results.cluster_accuracy("pca", 80)
    axes.axhline(baseline.mean(), color=GREY, linestyle=":", label="PCA-50 and 80 clusters named")
    axes.set_ylim(0, 100)
    _save(axes, "figure-4")


def draw_reading_by_z_dim() -> None:
    """Figure 5: reading accuracy by the size of the latent vector."""
    axes = _create_axes("z_dim", "reconstructions read correctly in %")
    published = paper_results.READING_ACCURACY_BY_Z_DIM
    axes.plot(list(published), list(published.values()), "k--o", label="paper (a person)")
    measured = paper_results.reading_accuracy_by_z_dim()
    ranges = np.array([[values.mean(), values.min(), values.max()] for values in measured.values()])
    axes.plot(list(measured), ranges[:, 0], "-o", color=BLUE, label="vaetui (a network reads)")
    axes.fill_between(list(measured), ranges[:, 1], ranges[:, 2], color=BLUE, alpha=0.2)
    axes.set_xticks(list(measured))
    axes.set_ylim(0, 100)
    _save(axes, "figure-5")


def draw_reading_by_loss() -> None:
    """Figure 6: reading accuracy with and without the classification loss."""
    axes = _create_axes("epochs trained", "reconstructions read correctly in %")
    epochs = np.arange(1, 19) / 3
    with_loss = paper_results.measured("members", "reading_accuracy_by_eval")
    without_loss = paper_results.measured("plain", "reading_accuracy_by_eval")
    _draw_band(axes, epochs, with_loss, BLUE, "with classification loss")
    _draw_band(axes, epochs, without_loss, ORANGE, "without")
    axes.set_ylim(40, 100)
    _save(axes, "figure-6")


def draw_centres() -> None:
    """Figures 2 and 3: the decoded centres after the first and the last epoch."""
    centres = np.load(RESULTS / "centres.npz", allow_pickle=False)
    for name, images in (("figure-2", centres["first"]), ("figure-3", centres["last"])):
        gap = np.full((28, 2), 255, np.uint8)
        row = np.hstack([part for image in images for part in (image, gap)][:-1])
        plt.imsave(ASSETS / f"{name}.png", np.kron(row, np.ones((2, 2), np.uint8)), cmap="gray", vmin=0, vmax=255)


def _create_axes(x_label: str, y_label: str) -> Axes:
    _, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.3)
    return axes


def _draw_band(axes: Axes, x: NDArray[np.float64], values: NDArray[np.float64], colour: str, label: str) -> None:
    """Draw the mean over the seeds as a line and the range as a band; values are [seeds, points]."""
    axes.plot(x, values.mean(axis=0), "-o", color=colour, label=label, markersize=4)
    axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2)


def _save(axes: Axes, name: str) -> None:
    axes.legend(fontsize=8, loc="lower right")
    assert axes.figure is not None
    axes.figure.savefig(ASSETS / f"{name}.svg", metadata={"Date": None})
    plt.close()


def main() -> None:
    mpl.rcParams.update({"svg.hashsalt": "vaetui", "svg.fonttype": "none", "font.family": "sans-serif"})
    for draw in (draw_test_accuracy, draw_reading_by_z_dim, draw_reading_by_loss, draw_centres):
        draw()


if __name__ == "__main__":
    main()
