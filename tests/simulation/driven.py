"""Simulated runs on small data, driven to their end; it does not know what is asked of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.session.scripts import SMALL, made
from vaetui.cli.simulate_command import drain
from vaetui.engine.config import Config
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.result import SimulationResult
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch

HABITS = AnnotatorConfig("members", answers_per_round=16, error_rate=0.1)
SHORT = replace(
    SMALL,
    loss=replace(SMALL.loss, beta=0.5),
    cluster=replace(SMALL.cluster, clusters=12),
    training=replace(SMALL.training, batch_size=16, warmup_epochs=4),
)
"""Six epochs on 640 images after which some centres are readable, and two rounds of twelve clusters."""


def simulated(
    name: str, data: Path, shelved: TrainedReader, habits: AnnotatorConfig = HABITS, config: Config = SHORT
) -> SimulationResult:
    """Simulate a whole run of a new session and close it."""
    session = made(name, data, config)
    outcome = drain(Simulation(session, shelved, habits, Stopwatch()).run())
    session.close()
    return outcome
