"""The processes that decode files."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path


def test_decoding_processes_end_when_the_main_process_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from vaetui.data.parallel_decoding import DecodingPool\n"
        "if __name__ == '__main__':\n"
        "    pool = DecodingPool(2)\n"
        "    assert list(pool.map_batches(len, [['a'], ['b', 'c']])) == [1, 2]\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "program.py").write_text(program)
    # The processes inherit the pipe, which therefore ends only when all of them have ended.
    process = subprocess.run([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, timeout=40, check=False)
    assert process.returncode == -signal.SIGKILL
