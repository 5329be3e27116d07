"""Tests of the progress of the whole run."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.config import TrainingConfig
from vaetui.engine.events import BatchesTrained, Losses
from vaetui.tui.presenters.training_progress import format_training_progress

TRAINING = TrainingConfig(rounds=2, batch_size=100, min_batches=200, min_warmup_batches=100)
LOSSES = Losses(1.0, 1.0, 1.0)


def test_progress_of_the_run_counts_the_batches_of_a_shorter_warmup() -> None:
    # 100 batches of warm-up and twice 200: after 50 of them a tenth is done and 450 batches are left.
    event = BatchesTrained(1, 50, 100, LOSSES, 1000.0, 0.1)
    text = format_training_progress(event, replace(TRAINING, validation_size=1), 1_001, 1000.0, 200).plain
    assert text.split() == ["epoch", "1", "of", "3", *text.split()[4:5], "50", "%", "0:05", "left", *text.split()[9:]]
    assert text.endswith(" 10 %     0:45 left")
