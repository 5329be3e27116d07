"""Count the CPUs that this process may use, and set the OpenMP variables that PyTorch reads when it is imported.

Only the standard library is imported, because every command does this first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping
from functools import cache

CHOSEN_VARIABLES = "VAETUI_OPENMP_CHOICE"
"""Variable that lists those set by vaetui, so that a child process does not take them for the user's."""
WAIT_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""Set by a user to decide how the threads of GNU OpenMP wait for each other."""
PLACEMENT_VARIABLES = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
"""Set by a user to decide on which CPUs threads run."""
FIXED_SPIN_COUNT = "1000"
"""Turns of the waiting loop, about ten microseconds, where waiting is not adapted to the load. Measured on two cores:
0.92 of the rate of spinning threads alone, and 1.9 times their rate beside one busy process."""
LLVM_BLOCK_TIME_MS = "1"
"""Milliseconds for which a thread of LLVM's OpenMP waits actively; its default is 200."""


def set_openmp_variables(environment: MutableMapping[str, str], root: str = "/") -> None:
    """Limit the threads to the CPUs in reach and choose how they wait; variables of the user stay as they are.

    OpenMP reads the variables once, when PyTorch is imported. They do not change results, except for the number of
    threads. Where `adapts_waiting` holds, threads keep the default, and `session.thread_placement` adapts them to the
    load while they compute.
    """
    for chosen in environment.pop(CHOSEN_VARIABLES, "").split():
        name, _, value = chosen.partition("=")
        if environment.get(name) == value:
            del environment[name]  # set by a parent process, which may have had other CPUs
    choices = {}
    if (count := count_usable_cpus(root)) < count_allowed_cpus():
        choices["OMP_NUM_THREADS"] = str(count)
    if not (adapts_waiting(environment, root) or any(name in environment for name in WAIT_VARIABLES)):
        choices["GOMP_SPINCOUNT"] = FIXED_SPIN_COUNT
    if sys.platform == "darwin" and "OMP_WAIT_POLICY" not in environment:
        choices["KMP_BLOCKTIME"] = LLVM_BLOCK_TIME_MS
    choices = {name: value for name, value in choices.items() if name not in environment}
    environment.update(choices)
    if choices:
        environment[CHOSEN_VARIABLES] = " ".join(f"{name}={value}" for name, value in choices.items())


def adapts_waiting(environment: MutableMapping[str, str], root: str = "/") -> bool:
    """Return whether threads can be adapted to the load of the machine while they run.

    This needs the load of each CPU (Linux). It is not done if the user has decided how threads wait or where they run,
    or if a quota is below the number of CPUs: spinning would use up the quota.
    """
    return (
        hasattr(os, "sched_setaffinity")
        and not any(name in environment for name in (*WAIT_VARIABLES, *PLACEMENT_VARIABLES))
        and count_usable_cpus(root) == count_allowed_cpus()
        and any(
            line[:3] == "cpu" and any(map(_is_positive, line.split()[1:])) for line in _read_lines(f"{root}/proc/stat")
        )
    )


@cache
def count_allowed_cpus() -> int:
    """Return the number of CPUs that this process may run on, as it was when vaetui was imported."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def count_usable_cpus(root: str = "/") -> int:
    """Return the number of CPUs that this process may use: those it may run on, at most its control group's quota.

    A fractional quota is rounded to the nearest number: one thread fewer wastes half a CPU, one more is often stopped.
    """
    quota = read_cpu_quota(root)
    count = count_allowed_cpus()
    return count if quota is None else max(1, min(count, int(quota + 0.5)))


def count_default_threads(torch_thread_count: int) -> int:
    """Return the number of threads for a session that does not set it, from PyTorch's number.

    PyTorch's number is that of OMP_NUM_THREADS if the user has set it. Otherwise it may exceed the CPUs in reach, if
    PyTorch was imported before vaetui.
    """
    chosen = os.environ.get(CHOSEN_VARIABLES, "")
    if "OMP_NUM_THREADS" in os.environ and "OMP_NUM_THREADS=" not in chosen:
        return torch_thread_count
    return min(torch_thread_count, count_usable_cpus())


def read_cpu_quota(root: str = "/") -> float | None:
    """Return the CPUs that the control groups of this process grant, or None without a limit.

    Both versions of control groups are read, from the group of the process up to the one that is mounted; the smallest
    quota counts. Files that are missing, unreadable or malformed set no limit.
    """
    quotas = []
    groups = dict(_list_groups(root))
    for mount_root, mount_point, controllers in _list_mounts(root):
        is_v2 = not controllers
        group = groups.get("" if is_v2 else "cpu")
        if group is None or not (is_v2 or "cpu" in controllers):
            continue
        # A container may see its own group as the root of the file system that it has mounted.
        if mount_root != "/" and (group + "/").startswith(mount_root + "/"):
            group = group[len(mount_root) :]
        path = top = f"{root.rstrip('/')}{mount_point.rstrip('/')}"
        names = [name for name in group.split("/") if name]
        for name in ("", *names) if ".." not in names else ("",):
            path = f"{path}/{name}" if name else top
            quota = _read_group_quota_v2(path) if is_v2 else _read_group_quota_v1(path)
            if quota is not None:
                quotas.append(quota)
    return min(quotas, default=None)


def _list_groups(root: str) -> Iterator[tuple[str, str]]:
    """Yield each controller and the path of the process's group; the controller of version 2 is ""."""
    for line in _read_lines(f"{root}/proc/self/cgroup"):
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        for controller in controllers.split(","):
            yield controller, path


def _list_mounts(root: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield root, mount point and controllers of each mounted hierarchy; version 2 has no controllers here."""
    for line in _read_lines(f"{root}/proc/self/mountinfo"):
        mount, _, file_system = line.partition(" - ")
        mount_fields, type_fields = mount.split(), file_system.split()
        if len(mount_fields) < 5 or len(type_fields) < 3:
            continue
        mount_point = mount_fields[4].replace("\\040", " ")  # proc_pid_mountinfo(5)
        if type_fields[0] == "cgroup2":
            yield mount_fields[3], mount_point, []
        elif type_fields[0] == "cgroup":
            yield mount_fields[3], mount_point, type_fields[2].split(",")


def _read_group_quota_v2(path: str) -> float | None:
    """Read cpu.max: "max 100000", or "150000 100000" for one and a half CPUs."""
    fields = " ".join(_read_lines(f"{path}/cpu.max")).split()
    return _divide(fields[0], fields[1]) if len(fields) == 2 else None


def _read_group_quota_v1(path: str) -> float | None:
    """Read cpu.cfs_quota_us, -1 without a limit, and cpu.cfs_period_us."""
    quota, period = (" ".join(_read_lines(f"{path}/cpu.cfs_{name}_us")) for name in ("quota", "period"))
    return _divide(quota, period)


def _divide(quota: str, period: str) -> float | None:
    try:
        quota_us, period_us = int(quota), int(period)
        return quota_us / period_us if quota_us > 0 and period_us > 0 else None
    except (ValueError, OverflowError):  # "max", a missing file, or no sensible number
        return None


def _is_positive(number: str) -> bool:
    return number.isdecimal() and bool(number.strip("0"))


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except (OSError, ValueError):
        return []
