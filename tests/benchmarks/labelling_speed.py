"""Measure the waiting times of a person: from an epoch to the first question, for a split, and for an answer."""

from __future__ import annotations

import statistics
import time

import torch

from vaetui.engine.answers import ClassAnswer
from vaetui.engine.config import Config
from vaetui.engine.device_inputs import BATCH_IMAGES
from vaetui.engine.events import Clustered, Saved
from vaetui.engine.images import Images
from vaetui.engine.train_state import create_train_state
from vaetui.engine.vae import to_float_images
from vaetui.session import lifecycle

SESSION = "rounds"
SPLIT_IMAGES = 6_000
ANSWERS = 40


def measure_epoch_to_round() -> tuple[float, float]:
    """Return the seconds from the end of an epoch to the round, and those of one forward pass of the encoder.

    The epoch is real, on all of MNIST. After it follow the test images, the training images, the elbow, k-means and the
    decoded centres.
    """
    session = lifecycle.create(SESSION, "mnist", Config())
    start = end = 0.0
    for event in session.advance():
        if isinstance(event, Saved):
            start = time.perf_counter()
        elif isinstance(event, Clustered):
            end = time.perf_counter()
    images = session._resources.images
    assert images is not None
    forward = _measure_forward_pass(images.train)
    session.close()
    return end - start, forward


def _measure_forward_pass(images: Images) -> float:
    vae = create_train_state(Config(), images.shape).vae
    pixels = torch.from_numpy(images[:])
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        with torch.inference_mode():
            for first in range(0, len(pixels), BATCH_IMAGES):
                vae.encode(to_float_images(pixels[first : first + BATCH_IMAGES]))
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def measure_split_and_answers() -> tuple[float, float, str]:
    """Return the seconds of a split of about 6,000 images and the median of an answer, in the same session."""
    session = lifecycle.resume(SESSION)
    list(session.advance())
    cluster = min(session.round_view().clusters, key=lambda cluster: abs(cluster.size - SPLIT_IMAGES))
    start = time.perf_counter()
    list(session.split_cluster(cluster.path, 4))
    split = time.perf_counter() - start
    answers = []
    for number in range(ANSWERS):
        start = time.perf_counter()
        session.record_answer((0,) if cluster.path != (0,) else (1,), ClassAnswer(number % 10))
        answers.append(time.perf_counter() - start)
    session.close()
    return split, statistics.median(answers), f"{cluster.size:,} images in 4 parts; {len(answers)} answers"
