"""Draws the paper's figures from the committed results: python -m tests.benchmarks.figures."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tests.benchmarks import published
from tests.benchmarks.results import RESULTS

ASSETS = Path(__file__).parents[2] / "assets"
OURS, OTHER, PAPER, GREY = "#0072b2", "#e69f00", "#000000", "#777777"
"""Colours that also those tell apart who see few."""


def accuracy() -> None:
    """Figure 4: test accuracy by epoch."""
    axes = _axes("epoch", "test accuracy in %")
    epochs = np.arange(1, 7)
    axes.plot(epochs, published.TEST_ACCURACY, "k--o", label="paper")
    for unit, colour, words in (("members", OURS, "vaetui, members"), ("centre", OTHER, "vaetui, centre")):
        _band(axes, epochs, published.column(unit, "test_accuracy"), colour, words)
    _band(axes, epochs, published.column("labels", "test_accuracy"), GREY, "every label given")
    known = published.named("pca", 80)
    axes.axhline(known.mean(), color=GREY, linestyle=":", label="PCA-50 and 80 clusters named")
    axes.set_ylim(0, 100)
    _save(axes, "figure-4")


def size() -> None:
    """Figure 5: reading accuracy by the size of the latent vector."""
    axes = _axes("z_dim", "reconstructions read right in %")
    axes.plot(list(published.BY_SIZE), list(published.BY_SIZE.values()), "k--o", label="paper (a person)")
    found = published.read_by_size()
    values = np.array([[each.mean(), each.min(), each.max()] for each in found.values()])
    axes.plot(list(found), values[:, 0], "-o", color=OURS, label="vaetui (a network reads)")
    axes.fill_between(list(found), values[:, 1], values[:, 2], color=OURS, alpha=0.2)
    axes.set_xticks(list(found))
    axes.set_ylim(0, 100)
    _save(axes, "figure-5")


def reading() -> None:
    """Figure 6: reading accuracy with and without the classification loss."""
    axes = _axes("epochs trained", "reconstructions read right in %")
    checks = np.arange(1, 19) / 3
    _band(axes, checks, published.column("members", "reading_checks"), OURS, "with classification loss")
    _band(axes, checks, published.column("plain", "reading_checks"), OTHER, "without")
    axes.set_ylim(40, 100)
    _save(axes, "figure-6")


def centres() -> None:
    """Figures 2 and 3: the decoded centres after the first and the last epoch."""
    kept = np.load(RESULTS / "centres.npz", allow_pickle=False)
    for name, pictures in (("figure-2", kept["first"]), ("figure-3", kept["last"])):
        gap = np.full((28, 2), 255, np.uint8)
        row = np.hstack([part for picture in pictures for part in (picture, gap)][:-1])
        plt.imsave(ASSETS / f"{name}.png", np.kron(row, np.ones((2, 2), np.uint8)), cmap="gray", vmin=0, vmax=255)


def _axes(across: str, up: str) -> Axes:
    _, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3)
    return axes


def _band(axes: Axes, across: NDArray[np.float64], values: NDArray[np.float64], colour: str, words: str) -> None:
    """Draw the mean over the seeds as a line and from the least to the most as a band; values are [seeds, points]."""
    axes.plot(across, values.mean(axis=0), "-o", color=colour, label=words, markersize=4)
    axes.fill_between(across, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2)


def _save(axes: Axes, name: str) -> None:
    axes.legend(fontsize=8, loc="lower right")
    assert axes.figure is not None
    axes.figure.savefig(ASSETS / f"{name}.svg", metadata={"Date": None})
    plt.close()


def main() -> None:
    mpl.rcParams.update({"svg.hashsalt": "vaetui", "svg.fonttype": "none", "font.family": "sans-serif"})
    for draw in (accuracy, size, reading, centres):
        draw()


if __name__ == "__main__":
    main()
