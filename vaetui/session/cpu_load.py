"""Measure how much of each CPU other processes use, from what Linux reports of the CPU time of processes."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CpuSample:
    """CPU seconds used so far."""

    time: float
    """Monotonic time of the sample."""
    busy: dict[int, float]
    """Of each CPU, by all processes that compete with this one."""
    own: float
    """By this process."""
    own_by_thread: dict[int, tuple[float, int]]
    """By each present thread of this process, with the CPU that ran it last."""


def read_cpu_sample() -> CpuSample | None:
    """Return the CPU seconds used so far, or None if the system does not report them."""
    try:
        tick = os.sysconf("SC_CLK_TCK")
        with open("/proc/stat", encoding="ascii", errors="replace") as file:
            busy = parse_busy_ticks(file.read(), counts_niced=os.nice(0) > 0)
        own_by_thread = {}
        for name in os.listdir("/proc/self/task"):
            with suppress(OSError, ValueError, IndexError), open(f"/proc/self/task/{name}/stat", "rb") as stat_file:
                fields = stat_file.read().rpartition(b") ")[2].split()  # the third field of proc_pid_stat(5) is first
                own_by_thread[int(name)] = ((int(fields[11]) + int(fields[12])) / tick, int(fields[36]))
    except (OSError, ValueError):
        return None
    seconds = {cpu: ticks / tick for cpu, ticks in busy.items()}
    return CpuSample(time.monotonic(), seconds, time.process_time(), own_by_thread)


def parse_busy_ticks(text: str, counts_niced: bool = False) -> dict[int, int]:
    """Return the busy ticks of each CPU from /proc/stat; malformed lines are left out.

    Processes of low priority hardly compete, unless this process is one of them.
    """
    busy = {}
    for line in text.splitlines():
        name, *fields = line.split() or [""]
        if name.startswith("cpu") and name[3:].isdecimal():
            with suppress(ValueError, IndexError):
                user, niced, system, _, _, interrupts, soft_interrupts = (int(field) for field in fields[:7])
                busy[int(name[3:])] = user + system + interrupts + soft_interrupts + niced * counts_niced
    return busy


def measure_foreign_load(before: CpuSample, after: CpuSample, cpus: set[int]) -> dict[int, float]:
    """Return the share of each CPU that other processes used between two samples; the sum is exact."""
    seconds = max(after.time - before.time, 1e-3)
    load = {cpu: (after.busy.get(cpu, 0.0) - before.busy.get(cpu, 0.0)) / seconds for cpu in cpus}
    own = (after.own - before.own) / seconds
    foreign_sum = max(0.0, sum(load.values()) - own)
    for thread, (used, cpu) in after.own_by_thread.items():
        if cpu in load:
            load[cpu] -= (used - before.own_by_thread.get(thread, (0.0, 0))[0]) / seconds
    load = {cpu: max(0.0, value) for cpu, value in load.items()}
    scale = foreign_sum / total if (total := sum(load.values())) else 0.0
    return {cpu: value * scale for cpu, value in load.items()}
