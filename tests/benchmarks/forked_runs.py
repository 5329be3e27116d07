"""Simulated runs that share their first rounds, so that ways of spending the later answers can be compared."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.benchmarks.datasets import find_dataset
from vaetui.engine import rng
from vaetui.engine.answers import AnsweredImage, ClassAnswer
from vaetui.engine.config import Device
from vaetui.engine.images import read_idx_array
from vaetui.engine.recipes import get_recipe
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.annotators import ImageChecker, LabelNoise
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.reader_network import ReaderNetwork, ReaderPredictions
from vaetui.simulation.result import evaluate_export
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch

ANSWERS_PER_ROUND = 16
ERROR_RATE = 0.02
CLUSTERS_ONLY = AnnotatorConfig("members", ANSWERS_PER_ROUND, ERROR_RATE)
"""Spends all answers on clusters."""


class NoReader(ReaderNetwork):
    """Stands in for the network that reads reconstructions, which these runs do not need."""

    def __init__(self) -> None:
        """Create no layers."""
        torch.nn.Module.__init__(self)

    def predict(self, images: NDArray[np.uint8]) -> ReaderPredictions:
        """Predict class 0 without confidence."""
        return ReaderPredictions(np.zeros(len(images), np.int64), np.zeros(len(images), np.float32))


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """Figures of one round. The field names are keys of the JSON output."""

    round: int
    """The round, from 1."""
    answers: int
    """Answers in the session up to it."""
    images: int
    """Images with an answer of their own."""
    exported_before: float
    """Accuracy of the exported labels with the answers of the round, before the training with them."""
    exported: float
    """The same after the training."""
    test_accuracy: float
    """Accuracy on the test images after the training."""


def find_directory(name: str, cache: Path) -> Path:
    """Return the directory of an image set; one that the cache contains under its name comes first."""
    return cache / name if (cache / name).exists() else find_dataset(name, cache)


def start_run(directory: Path, name: str, seed: int, cache: Path, device: Device, round_count: int) -> None:
    """Create a session in a new directory and answer its first rounds, by clusters only."""
    source = find_directory(name, cache)
    recipe, (labels,) = get_recipe("propagation"), source.glob("train-labels*")
    config = replace(
        recipe,
        seed=seed,
        device=device,
        threads=2,
        network=replace(recipe.network, classes=int(read_idx_array(labels, 1).max()) + 1),
        training=replace(recipe.training, rounds=round_count, evals_per_epoch=1),
    )
    directory.mkdir(parents=True)
    lifecycle.create_at(directory, str(source), config)
    with closing(lifecycle.resume_at(directory)) as session:
        drain_events(Simulation(session, TrainedReader(NoReader(), 1.0), CLUSTERS_ONLY, Stopwatch()).run_to_end())


def continue_run(
    source: Path, annotator_config: AnnotatorConfig | None, round_count: int, earlier_rounds: int
) -> Iterator[RoundFigures]:
    """Continue a copy of a finished session for some rounds; without annotator, random images are read one by one."""
    with tempfile.TemporaryDirectory(prefix="vaetui-fork-") as scratch:
        directory = Path(shutil.copytree(source, Path(scratch) / "session"))
        with closing(lifecycle.resume_at(directory)) as session:
            simulation = Simulation(
                session,
                TrainedReader(NoReader(), 1.0),
                annotator_config or CLUSTERS_ONLY,
                Stopwatch(),
                earlier_answers=ANSWERS_PER_ROUND * earlier_rounds,
            )
            for round_number in range(earlier_rounds + 1, earlier_rounds + round_count + 1):
                session.add_round()
                drain_events(_ignore_result(session.advance()))
                if annotator_config is None:
                    read_random_images(session, ANSWERS_PER_ROUND, round_number)
                else:
                    drain_events(_ignore_result(simulation.answer_round()))
                before = measure_export(session)
                session.close_round()
                drain_events(_ignore_result(session.advance()))
                yield RoundFigures(
                    round_number,
                    ANSWERS_PER_ROUND * round_number,
                    sum(item.reviewed_count for item in session.reviews.classes()) if load_reviews(session) else 0,
                    before,
                    measure_export(session),
                    session.training_curves().finished_epochs[-1].test_accuracy or 0.0,
                )


def load_reviews(session: Session) -> bool:
    """Load the labels; return True."""
    drain_events(_ignore_result(session.load_labelling()))
    return True


def read_random_images(session: Session, count: int, round_number: int) -> None:
    """Answer images drawn at random, with the usual error rate."""
    load_reviews(session)
    true_labels = session.true_labels.train_validation_labels if session.true_labels else None
    assert true_labels is not None
    seed = rng.derive_seed(session.config.seed, "random images", round_number)
    checker = ImageChecker(true_labels, LabelNoise(session.config.network.classes, ERROR_RATE, seed))
    images = [image.image_index for image in session.reviews.page(None, session.image_count)]
    chosen = rng.derive_generator(seed, "images").permutation(np.sort(images))[:count].tolist()
    answers = [AnsweredImage(image_index, ClassAnswer(checker.check(image_index))) for image_index in chosen]
    session.record_image_answers(answers, "review")


def measure_export(session: Session) -> float:
    """Return the accuracy of the exported labels."""
    true_labels = session.true_labels.train_validation_labels if session.true_labels else None
    assert true_labels is not None
    quality = evaluate_export(drain_events(session.build_label_table()), true_labels)
    assert quality is not None
    return quality.accuracy


def to_row(name: str, seed: int, strategy: str, figures: RoundFigures) -> dict[str, Any]:
    """Return figures as a row of the JSON output."""
    rounded = {key: round(value, 5) if isinstance(value, float) else value for key, value in asdict(figures).items()}
    return {"set": name, "seed": seed, "strategy": strategy, **rounded}


def _ignore_result(events: Iterator[Any]) -> Any:
    """Return events as a generator without result."""
    yield from events
