"""Baselines for the paper's method: clusters named correctly, and networks that are given every label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from tests.benchmarks.datasets import load_subset
from tests.idx import MNIST_DIRECTORY
from vaetui.engine.config import Config, count_epochs
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.train_state import TrainState, create_train_state, load_checkpoint_arrays
from vaetui.engine.training import train_epoch
from vaetui.runtime.session_runner import drain_events
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.dataset_location import locate_session_files
from vaetui.session.session_true_labels import SessionTrueLabels
from vaetui.storage import file_names, tensors
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

CLUSTER_COUNTS = (16, 50, 64, 80, 100)
"""Each cluster costs one answer: the answers of one round, of other methods, and of a whole run."""


def score_pca_clusters(seed: int, directory: Path = MNIST_DIRECTORY) -> dict[int, float]:
    """Name clusters of 50 principal components of the pixels; return the test accuracy by number of clusters."""
    (train_images, train_labels), (test_images, test_labels) = (
        load_subset(directory, subset) for subset in ("train", "t10k")
    )
    pca = PCA(50, random_state=seed).fit(train_images.reshape(len(train_images), -1) / 255)
    train_vectors, test_vectors = (
        pca.transform(images.reshape(len(images), -1) / 255) for images in (train_images, test_images)
    )
    return _score_named_clusters(train_vectors, train_labels, test_vectors, test_labels, seed)


def score_latent_clusters(directory: Path) -> dict[int, float]:
    """Name clusters of a session's last latent vectors; return the test accuracy by number of clusters."""
    repository = SessionRepository(directory)
    config, newest = repository.config, repository.list_checkpoints()[0]
    images = drain_events(load_images(ArtifactStore(directory, repository), repository))
    labels = SessionTrueLabels(locate_session_files(repository), images, repository.load_class_list)
    train_labels, test_labels = labels.train_labels, labels.test_labels
    repository.close()
    assert train_labels is not None
    assert test_labels is not None
    state = create_train_state(config, images.train.shape)
    arrays = tensors.decode_safetensors((directory / file_names.checkpoint_name(*newest)).read_bytes())
    load_checkpoint_arrays(state, arrays)
    train_latents = _encode(state, images.train[:], config)
    test_latents = _encode(state, _require_test_images(images)[:], config)
    return _score_named_clusters(
        train_latents, train_labels.class_ids, test_latents, test_labels.class_ids, config.seed
    )


def train_with_all_labels(config: Config, directory: Path = MNIST_DIRECTORY) -> list[float]:
    """Train as the recipe does, with every label at weight 1 after the warm-up; return the accuracy by epoch."""
    (train_images, train_labels), (test_images, test_labels) = (
        load_subset(directory, subset) for subset in ("train", "t10k")
    )
    state = create_train_state(config, (train_images.shape[1], train_images.shape[2]))
    true_labels = PseudoLabels(train_labels.astype(np.int64), np.ones(len(train_images), np.float32))
    accuracies = []
    for epoch in range(1, count_epochs(config.training) + 1):
        labels = true_labels if epoch > config.training.warmup_epochs else None
        for _ in train_epoch(
            state, DeviceImages(images_from_array(train_images), state.device), labels, config, epoch, 0
        ):
            pass
        test_data = DeviceImages(images_from_array(test_images), state.device)
        predictions = drain_events(encode_and_classify(state.vae, test_data, config, "test", epoch))
        accuracies.append(float(np.mean(predictions.class_ids == test_labels)))
    return accuracies


def _score_named_clusters(
    train_vectors: NDArray[np.float32],
    train_labels: NDArray[np.uint8],
    test_vectors: NDArray[np.float32],
    test_labels: NDArray[np.uint8],
    seed: int,
) -> dict[int, float]:
    """Name every cluster after the majority class of its members; test images get the name of the nearest."""
    accuracies = {}
    for count in CLUSTER_COUNTS:
        kmeans = KMeans(count, n_init=3, random_state=seed).fit(train_vectors)
        names = np.array(
            [np.bincount(train_labels[kmeans.labels_ == cluster], minlength=10).argmax() for cluster in range(count)]
        )
        accuracies[count] = float(np.mean(names[kmeans.predict(test_vectors)] == test_labels))
    return accuracies


def _encode(state: TrainState, pixels: NDArray[np.uint8], config: Config) -> NDArray[np.float32]:
    data = DeviceImages(images_from_array(pixels), state.device)
    return drain_events(encode_and_classify(state.vae, data, config, "clusters", 0)).latents


def _require_test_images(images: SessionImages):
    assert images.test is not None
    return images.test
