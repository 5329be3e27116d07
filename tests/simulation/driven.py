"""Simulated runs on small data, driven to their end; it does not know what is asked of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.session.scripted_run import SMALL_CONFIG, create_session
from vaetui.cli.simulate_command import drain
from vaetui.engine.config import Config
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.result import SimulationResult
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch

HABITS = AnnotatorConfig("members", answers_per_round=16, error_rate=0.1)
SHORT = replace(
    SMALL_CONFIG,
    loss=replace(SMALL_CONFIG.loss, beta=0.5),
    cluster=replace(SMALL_CONFIG.cluster, clusters=12),
    training=replace(SMALL_CONFIG.training, batch_size=16, warmup_epochs=4),
)
"""Six epochs on 640 images after which some centres are readable, and two rounds of twelve clusters."""


def simulated(
    name: str, data: Path, shelved: TrainedReader, habits: AnnotatorConfig = HABITS, config: Config = SHORT
) -> SimulationResult:
    """Simulate a whole run of a new session and close it."""
    session = create_session(name, data, config)
    outcome = drain(Simulation(session, shelved, habits, Stopwatch()).run())
    session.close()
    return outcome
