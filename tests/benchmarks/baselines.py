"""What the paper's method is held against: clusters named right, and networks that are given every label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from tests.benchmarks import datasets
from tests.idx import MNIST
from vaetui.cli.simulate_command import drain
from vaetui.engine import training
from vaetui.engine.config import Config, count_epochs
from vaetui.engine.dataset import Dataset
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import predict
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.session.data_source import locate_session_files
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.session_labels import SessionLabels
from vaetui.storage import file_names, tensors
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

COUNTS = (16, 50, 64, 80, 100)
"""Clusters, of which each costs one answer: a round's, some of the field's, and a whole run's."""


def of_components(seed: int, place: Path = MNIST) -> dict[int, float]:
    """Name clusters of 50 principal components of the pixels; give the test accuracy by their number."""
    (train, known), (test, truth) = (datasets.part(place, stem) for stem in ("train", "t10k"))
    pca = PCA(50, random_state=seed).fit(train.reshape(len(train), -1) / 255)
    reduced = [pca.transform(pixels.reshape(len(pixels), -1) / 255) for pixels in (train, test)]
    return _named(reduced[0], known, reduced[1], truth, seed)


def of_latents(directory: Path) -> dict[int, float]:
    """Name clusters of the latent vectors that a session ends with; give the test accuracy by their number."""
    facts = SessionRepository(directory)
    config, data, newest = (
        facts.config,
        load_images(ArtifactStore(directory, facts), facts),
        facts.list_checkpoints()[0],
    )
    truths = SessionLabels(locate_session_files(facts), data, facts.load_class_list)
    train, test = truths.train, truths.test
    facts.close()
    learner = training.create_train_state(config, data.train.shape)
    arrays = tensors.from_bytes((directory / file_names.checkpoint_name(*newest)).read_bytes())
    training.load_state_dict(learner, arrays)
    latents = [_latents(learner, images[:], config) for images in (data.train, _test(data))]
    assert train is not None
    assert test is not None
    return _named(latents[0], train.class_ids, latents[1], test.class_ids, config.seed)


def with_all_labels(config: Config, place: Path = MNIST) -> list[float]:
    """Train as the recipe does, with every label at weight 1 after the first epoch; give the accuracy by epoch."""
    (train, known), (test, truth) = (datasets.part(place, stem) for stem in ("train", "t10k"))
    learner = training.create_train_state(config, (train.shape[1], train.shape[2]))
    weights = PseudoLabels(known.astype(np.int64), np.ones(len(train), np.float32))
    accuracies = []
    for epoch in range(1, count_epochs(config.training) + 1):
        told = weights if epoch > config.training.warmup_epochs else None
        for _ in training.train(learner, Dataset(images_from_array(train), learner.device), told, config, epoch, 0):
            pass
        reading = drain(predict(learner.vae, Dataset(images_from_array(test), learner.device), config, "test", epoch))
        accuracies.append(float(np.mean(reading.class_ids == truth)))
    return accuracies


def _named(
    train: NDArray[np.float32],
    classes: NDArray[np.uint8],
    test: NDArray[np.float32],
    truth: NDArray[np.uint8],
    seed: int,
) -> dict[int, float]:
    """Name every cluster by the class that most of its members have; test images take the nearest one's name."""
    told = {}
    for count in COUNTS:
        means = KMeans(count, n_init=3, random_state=seed).fit(train)
        names = np.array([np.bincount(classes[means.labels_ == at], minlength=10).argmax() for at in range(count)])
        told[count] = float(np.mean(names[means.predict(test)] == truth))
    return told


def _latents(learner: training.TrainState, pixels: NDArray[np.uint8], config: Config) -> NDArray[np.float32]:
    return drain(
        predict(learner.vae, Dataset(images_from_array(pixels), learner.device), config, "clusters", 0)
    ).latents


def _test(data: SessionImages):
    assert data.test is not None
    return data.test
