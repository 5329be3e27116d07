"""Run the program with a checkpoint at every report, so that the short epochs of the tests contain some.

python -m tests.soak.fast_checkpoints resume NAME --plain
"""

from __future__ import annotations

from vaetui.cli.main import main
from vaetui.session import trainer

assert hasattr(trainer, "CHECKPOINT_INTERVAL_S")
trainer.CHECKPOINT_INTERVAL_S = 0.0
main()
