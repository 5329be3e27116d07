"""Measure how well the map of the images shows the true classes apart, and how long a map and a key press take.

`python -m tests.benchmarks.image_map` runs one session on MNIST with a simulated annotator in a directory of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from tests.benchmarks.results import save_results
from vaetui.engine.events import ImageMap, MapComputed
from vaetui.engine.recipes import get_recipe
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.simulation.annotators import LabelNoise, MembersAnnotator
from vaetui.simulation.budgeted_annotator import BudgetedAnnotator
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.tui.presenters.map_presenter import MapPresenter, build_lines

SEED = 0
ANSWERS_PER_ROUND, ERROR_RATE = 16, 0.02
FITTED_IMAGES, SCORED_IMAGES, NEIGHBOURS = 8_000, 4_000, 15
SIZES = {"80x24": (64, 21), "120x40": (104, 37), "200x60": (184, 57)}
"""Cells of the map by size of the terminal."""
REPEATS = 15


def measure_neighbour_accuracy(points: NDArray[np.floating], true_ids: NDArray[np.int64]) -> float:
    """Return the share of images whose nearest neighbours in the plane have their true class, in %."""
    order = np.random.default_rng(SEED).permutation(len(points))
    scaled = points / points.std(axis=0)
    fitted, scored = order[:FITTED_IMAGES], order[FITTED_IMAGES : FITTED_IMAGES + SCORED_IMAGES]
    classifier = KNeighborsClassifier(NEIGHBOURS).fit(scaled[fitted], true_ids[fitted])
    return round(100 * float(classifier.score(scaled[scored], true_ids[scored])), 1)


def measure_seconds(function: Callable[[], object]) -> float:
    """Return the time of the fastest call: other processes on the machine only add to it."""
    seconds = []
    for _ in range(REPEATS):
        start_s = perf_counter()
        function()
        seconds.append(perf_counter() - start_s)
    return min(seconds)


def compute_map(session: Session) -> ImageMap:
    """Return the map of the current or last round."""
    *_, event = session.map_images()
    assert isinstance(event, MapComputed)
    return event.image_map


def measure_round(session: Session, true_ids: NDArray[np.int64]) -> dict[str, float]:
    """Return the accuracies of the map and of two other projections of the same latent vectors."""
    labelling_round = session.require_current_round()
    embeddings, snapshot = labelling_round.embeddings, labelling_round.snapshot
    groups = snapshot.assignments if labelling_round.round_number == 1 else snapshot.predicted_class_ids
    centred = embeddings - embeddings.mean(axis=0)
    principal_components = centred @ np.linalg.svd(centred[:10_000], full_matrices=False)[2][:2].T
    discriminants = LinearDiscriminantAnalysis(n_components=2).fit_transform(embeddings, groups)
    return {
        "map": measure_neighbour_accuracy(compute_map(session).points, true_ids),
        "pca": measure_neighbour_accuracy(principal_components, true_ids),
        "lda": measure_neighbour_accuracy(discriminants, true_ids),
    }


def measure_key_press(session: Session, columns: int, rows: int) -> float:
    """Return the time to draw a map that has moved, in milliseconds, without the terminal."""
    presenter = MapPresenter(session.classes, can_label=True)
    presenter.resize(columns, rows)
    presenter.show_map(compute_map(session))
    keys = iter(["zoom_in", "zoom_out"] * REPEATS)

    def press_key() -> None:
        presenter.handle_key(next(keys))
        frame = presenter.build_frame()
        build_lines(frame, None)
        presenter.list_legend(frame, rows, 18)

    return round(1000 * measure_seconds(press_key), 1)


def main() -> None:
    """Run the session, print and save the figures."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["VAETUI_HOME"] = home
        session = lifecycle.create("map", "mnist", replace(get_recipe("propagation"), seed=SEED))
        noise, stopwatch = LabelNoise(session.config.network.classes, ERROR_RATE, SEED), Stopwatch()
        rounds, seconds = {}, 0.0
        while True:
            list(session.advance())
            if session.phase == "finished":
                break
            assert session.true_labels is not None
            true_labels = session.true_labels.train_labels
            assert true_labels is not None
            rounds[f"round {session.round_number}"] = measure_round(session, true_labels.class_ids.astype(np.int64))
            seconds = measure_seconds(lambda: compute_map(session))
            annotator = BudgetedAnnotator(session, MembersAnnotator(true_labels), noise, ANSWERS_PER_ROUND, stopwatch)
            list(annotator.answer_round())
            session.close_round()
        figures = {
            "images": compute_map(session).image_count,
            "neighbour_accuracy": rounds,
            "seconds_per_map": round(seconds, 3),
            "milliseconds_per_key": {name: measure_key_press(session, *cells) for name, cells in SIZES.items()},
        }
        session.close()
    print(figures)
    save_results("image_map", SEED, figures)


if __name__ == "__main__":
    main()
