"""The load by other processes is what all CPUs report, less what this process uses."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from vaetui.session.cpu_load import CpuSample, measure_foreign_load, parse_busy_ticks, read_cpu_sample

STAT = """cpu  300 40 50 600 70 8 9 10 2 1
cpu0 100 10 20 300 30 4 5 6 1 0
cpu1 200 30 30 300 40 4 4 4 1 1
cpu12 1 1 1 1
cpux 1 2 3 4 5 6 7
cpu3 a b c d e f g
intr 1 2 3
"""


def test_busy_ticks_leave_out_idle_stolen_and_niced_time() -> None:
    assert parse_busy_ticks(STAT) == {0: 100 + 20 + 4 + 5, 1: 200 + 30 + 4 + 4}


def test_busy_ticks_of_a_niced_process_include_niced_time() -> None:
    assert parse_busy_ticks(STAT, counts_niced=True) == {0: 139, 1: 268}


@pytest.mark.parametrize("text", ["", "\n\n", "cpu", "cpu0", "cpu0 1 2", "\x00\xff", "cpu0 " + "x " * 9])
def test_malformed_statistics_have_no_cpus(text: str) -> None:
    assert parse_busy_ticks(text) == {}


def test_foreign_load_is_divided_among_the_cpus_that_others_use() -> None:
    before = CpuSample(10.0, {0: 5.0, 1: 5.0, 2: 1.0}, 1.0, {7: (1.0, 0)})
    # CPU 0 runs thread 7 for 1.8 of 2 s, CPU 1 another process for 1.5 s; thread 8 is new; CPU 2 is out of reach.
    after = CpuSample(12.0, {0: 6.9, 1: 6.6, 2: 3.0}, 3.0, {7: (2.8, 0), 8: (0.1, 1)})
    load = measure_foreign_load(before, after, {0, 1})
    assert load == pytest.approx({0: 0.05 * 0.75 / 0.8, 1: 0.75 * 0.75 / 0.8}, abs=0.01)
    assert sum(load.values()) == pytest.approx((1.9 + 1.6 - 2.0) / 2)


def test_foreign_load_is_never_negative() -> None:
    before = CpuSample(10.0, {0: 5.0, 1: 5.0}, 1.0, {7: (1.0, 0)})
    after = CpuSample(10.0, {0: 4.0}, 4.0, {7: (4.0, 0), 8: (1.0, 5)})
    assert measure_foreign_load(before, after, {0, 1}) == {0: 0.0, 1: 0.0}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_busy_process_counts_as_foreign_and_this_one_does_not() -> None:
    cpus = os.sched_getaffinity(0)

    def measure(seconds: float) -> float:
        before = read_cpu_sample()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(1000))
        after = read_cpu_sample()
        assert before is not None
        assert after is not None
        return sum(measure_foreign_load(before, after, cpus).values())

    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        started_at = time.monotonic()
        ticks = os.sysconf("SC_CLK_TCK")
        foreign = measure(1.5) * (time.monotonic() - started_at)
        with open(f"/proc/{neighbour.pid}/stat", "rb") as file:
            neighbour_seconds = int(file.read().split()[13]) / ticks
    finally:
        neighbour.kill()
        neighbour.wait()
    assert neighbour_seconds > 0.1
    assert foreign > 0.8 * neighbour_seconds - 0.1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_missing_files_end_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = read_cpu_sample()
    assert sample is not None
    assert sample.busy
    assert os.getpid() in sample.own_by_thread

    def fail(path: str) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr(os, "listdir", fail)
    assert read_cpu_sample() is None
