"""Simulates whole runs on small data, with small networks and a reader that needs no training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from tests.session.scripted_run import SMALL_CONFIG, create_session
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config
from vaetui.runtime.session_runner import drain_events
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.reader_network import ReaderNetwork, ReaderPredictions
from vaetui.simulation.result import SimulationResult
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch

EPOCH_COUNT = 4
CLUSTER_COUNT = 6
CONFIG = replace(
    SMALL_CONFIG,
    network=replace(SMALL_CONFIG.network, channels=(8, 16)),
    loss=replace(SMALL_CONFIG.loss, beta=0.5),
    cluster=replace(SMALL_CONFIG.cluster, clusters=CLUSTER_COUNT),
    training=replace(SMALL_CONFIG.training, batch_size=8, warmup_epochs=EPOCH_COUNT - 2),
)
"""Four epochs and two rounds of six clusters."""
ANNOTATOR_CONFIG = AnnotatorConfig("members", answers_per_round=9, error_rate=0.1)


class BrightnessReader(ReaderNetwork):
    """Predicts a class from the mean brightness of an image, with confidences on both sides of the threshold."""

    def __init__(self) -> None:
        """Create no layers."""
        nn.Module.__init__(self)

    def predict(self, images: Pixels) -> ReaderPredictions:
        """Predict the classes of images [N, H, W]."""
        brightness = images.reshape(len(images), -1).mean(axis=1).round().astype(np.int64)
        return ReaderPredictions(brightness % 10, (0.4 + 0.05 * (brightness % 13)).astype(np.float32))


READER = TrainedReader(BrightnessReader(), accuracy=0.5)


def simulate_session(
    name: str, data: Path, annotator_config: AnnotatorConfig = ANNOTATOR_CONFIG, config: Config = CONFIG
) -> SimulationResult:
    """Create a session, simulate its whole run and close it."""
    session = create_session(name, data, config)
    result = drain_events(Simulation(session, READER, annotator_config, Stopwatch()).run_to_end())
    session.close()
    return result
