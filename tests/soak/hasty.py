"""The program, with a checkpoint at every report: python -m tests.soak.hasty resume NAME --plain."""

from __future__ import annotations

from vaetui.cli.main import main
from vaetui.session import trainer

assert hasattr(trainer, "CHECKPOINT_INTERVAL_S")
trainer.CHECKPOINT_INTERVAL_S = 0.0
main()
