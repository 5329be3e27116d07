"""How long a person waits between an epoch and the first question, for a split and for an answer."""

from __future__ import annotations

import statistics
import time

import torch

from vaetui.engine.answers import ClassAnswer
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered, Saved
from vaetui.engine.images import Images
from vaetui.engine.inference import BATCH_IMAGES
from vaetui.engine.training import create_train_state
from vaetui.engine.vae import to_float_images
from vaetui.session import lifecycle


def epoch_to_round() -> tuple[float, float]:
    """Give the seconds from the end of an epoch to the round, and those of one forward pass of the encoder.

    The epoch is real, on all of MNIST; its figures are those after training ended: the test images, the
    training images, the elbow, k-means and the decoded centres.
    """
    session = lifecycle.create("rounds", "mnist", Config())
    done = begun = 0.0
    for event in session.advance():
        if isinstance(event, Saved):
            begun = time.perf_counter()
        elif isinstance(event, Clustered):
            done = time.perf_counter()
    data = session._resources.images
    assert data is not None
    forward = _forward(data.train)
    session.close()
    return done - begun, forward


def _forward(images: Images) -> float:
    vae = create_train_state(Config(), images.shape).vae
    pixels = torch.from_numpy(images[:])
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        with torch.inference_mode():
            for start in range(0, len(pixels), BATCH_IMAGES):
                vae.encode(to_float_images(pixels[start : start + BATCH_IMAGES]))
        times.append(time.perf_counter() - begun)
    return min(times)


def split_and_answer() -> tuple[float, float, str]:
    """Give the seconds of a split of about 6,000 images and the median of an answer, in the session just made."""
    session = lifecycle.resume("rounds")
    list(session.advance())
    tile = min(session.round_view().clusters, key=lambda tile: abs(tile.size - 6_000))
    begun = time.perf_counter()
    list(session.split(tile.path, 4))
    split = time.perf_counter() - begun
    answers = []
    for at in range(40):
        begun = time.perf_counter()
        session.answer((0,) if tile.path != (0,) else (1,), ClassAnswer(at % 10))
        answers.append(time.perf_counter() - begun)
    session.close()
    return split, statistics.median(answers), f"{tile.size:,} images in 4 parts; {len(answers)} answers"
