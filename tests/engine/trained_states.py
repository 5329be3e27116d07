"""Small networks trained on digits for tests."""

from __future__ import annotations

import numpy as np
import torch

from tests.idx import MNIST_DIRECTORY
from vaetui.engine.config import Config, NetworkConfig, TrainingConfig
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.train_state import TrainState, create_train_state, to_checkpoint_arrays
from vaetui.engine.training import train_epoch

IMAGE_COUNT = 1_300
"""Images of an epoch: 21 batches of 64, the last one not full."""
NETWORK = NetworkConfig(z_dim=6, channels=(8, 16), hidden_units=24)
CONFIG = Config(network=NETWORK, training=TrainingConfig(learning_rate=5e-3))


def load_digits() -> DeviceImages:
    pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:IMAGE_COUNT]
    return DeviceImages(images_from_array(pixels), torch.device("cpu"))


def random_labels() -> PseudoLabels:
    generator = np.random.default_rng(0)
    return PseudoLabels(generator.integers(0, 10, IMAGE_COUNT), generator.random(IMAGE_COUNT).astype(np.float32))


def train_new_state(
    images: DeviceImages, config: Config = CONFIG, pseudo_labels: PseudoLabels | None = None
) -> tuple[TrainState, list[BatchesTrained]]:
    state = create_train_state(config, (28, 28))
    return state, list(train_epoch(state, images, pseudo_labels, config, epoch=1))


def to_bits(state: TrainState) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in to_checkpoint_arrays(state).items()}
