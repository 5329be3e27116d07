"""Classes that were merged are read as one."""

from __future__ import annotations

import numpy as np
import torch

from tests.idx import MNIST_DIRECTORY
from vaetui.runtime.runner import drain
from vaetui.engine.config import Config
from vaetui.engine.images import read_idx
from vaetui.engine.inference import predict
from vaetui.engine.train_state import create_train_state


def test_the_probabilities_of_merged_classes_are_summed() -> None:
    pixels = torch.tensor(read_idx(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:300])
    vae = create_train_state(Config(), (28, 28)).vae
    plain = drain(predict(vae, pixels, Config(), "test", 1))
    same = drain(predict(vae, pixels, Config(), "test", 1, canonical=range(12)))
    assert np.array_equal(plain.confidences, same.confidences)
    roots = (0, 0, 2, 3, 4, 11, 11, 7, 8, 9, 10, 11)  # the networks know no 10 and no 11
    merged = drain(predict(vae, pixels, Config(), "test", 1, canonical=roots))
    with torch.no_grad():
        latents = torch.from_numpy(plain.latents)
        chances = vae.classify(latents, latents).softmax(dim=1).numpy()
    summed = np.zeros((300, 12), np.float32)
    for label in range(10):
        summed[:, roots[label]] += chances[:, label]
    assert np.array_equal(merged.class_ids, summed.argmax(axis=1))
    assert np.allclose(merged.confidences, summed.max(axis=1), atol=1e-5)
    assert {1, 5, 6}.isdisjoint(merged.class_ids.tolist())
    assert np.array_equal(merged.latents, plain.latents)
