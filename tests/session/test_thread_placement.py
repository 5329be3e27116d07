"""Threads spin on a free machine; beside busy processes they wait passively, and share CPUs while they train."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from vaetui.session.thread_placement import (
    BREAK_S,
    MIN_DIFFERING_SAMPLES,
    TRIAL_S,
    SharingTrial,
    choose_shared_cpus,
    count_idle_teams,
    count_shared_cpus,
)

linux_only = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two CPUs"
)


@pytest.mark.parametrize(
    ("threads", "foreign_load", "is_sharing", "count"),
    [
        (2, [0.0, 0.0], False, 2),
        (2, [0.3, 0.0], False, 2),
        (2, [0.3, 0.0], True, 1),  # goes on until the others need less than a fifth of a CPU
        (2, [0.1, 0.05], True, 2),
        (2, [0.6, 0.1], False, 1),  # one busy process, while the team spins
        (2, [1.0, 0.0], True, 1),
        (2, [0.9, 0.9], False, 1),
        (4, [1.0, 0.0, 0.0, 0.0], False, 2),  # three CPUs take as many turns as two
        (4, [1.0, 1.0, 1.0, 0.0], False, 1),
        (8, [0.5] + [0.0] * 7, False, 4),
        (8, [1.0] * 5 + [0.0] * 3, False, 3),
        (2, [1.0] * 6 + [0.0] * 2, False, 2),  # two CPUs are free
        (2, [1.0] * 7 + [0.0], False, 1),
        (3, [1.0, 1.0, 1.0], False, 1),
    ],
)
def test_threads_share_as_many_cpus_as_are_free(
    threads: int, foreign_load: list[float], is_sharing: bool, count: int
) -> None:
    assert count_shared_cpus(threads, dict(enumerate(foreign_load)), is_sharing) == count


def test_shared_cpus_are_the_freest_but_change_only_for_a_clear_gain() -> None:
    assert choose_shared_cpus(1, {0: 0.9, 1: 0.2}, set()) == {1}
    assert choose_shared_cpus(1, {0: 0.5, 1: 0.4}, {0}) == {0}
    assert choose_shared_cpus(1, {0: 0.9, 1: 0.1}, {0}) == {1}
    assert choose_shared_cpus(1, {0: 0.0, 1: 0.0}, {1}) == {1}
    assert choose_shared_cpus(2, {0: 0.0, 1: 0.5, 2: 0.1, 3: 0.9}, {1}) == {0, 2}
    assert choose_shared_cpus(1, {0: 0.0, 1: 0.0}, {7}) == {0}


def test_two_sessions_move_to_cpus_of_their_own() -> None:
    first, second = {0}, {0}
    first = choose_shared_cpus(1, {0: 0.5, 1: 0.0}, first)
    assert first == {1}
    assert choose_shared_cpus(1, {0: 0.0, 1: 1.0}, second) == {0}


@pytest.mark.parametrize(("threads", "cpus", "count"), [(2, 2, 1), (8, 8, 1), (4, 8, 2), (2, 64, 63), (64, 64, 1)])
def test_idle_teams_make_more_threads_than_cpus(threads: int, cpus: int, count: int) -> None:
    assert count_idle_teams(threads, cpus) == count
    assert 1 + (threads - 1) * (1 + count) > cpus


def test_shared_cpus_that_slow_training_are_given_up_for_a_while() -> None:
    trial, batches = SharingTrial(), 0
    for _ in range(2):
        batches += 100
        assert trial.judge(batches, 1.0, False)
    for _ in range(int(TRIAL_S) - 1):
        batches += 50
        assert trial.judge(batches, 1.0, True)
    assert not trial.judge(batches + 50, 1.0, True)
    assert not trial.judge(batches + 90, BREAK_S / 2, False)
    assert trial.judge(batches + 130, BREAK_S / 2, False)


def test_shared_cpus_that_speed_training_up_are_kept() -> None:
    trial, batches = SharingTrial(), 0
    for is_sharing, rate in [(False, 50)] * 2 + [(True, 80)] * 7 + [(True, 10)] * 20:
        batches += rate
        assert trial.judge(batches, 1.0, is_sharing)


def test_slow_batches_do_not_end_sharing() -> None:
    """Large images report once in several samples, so that a sample may contain no batch or many."""
    trial, batches = SharingTrial(), 0
    for tick in range(40):
        batches += 8 * (tick % 5 == 1)
        assert trial.judge(batches, 1.0, tick > 1)


MAX_RUNS = 20
"""Most runs of the program until threads have spun before others come and after they have left, and never between."""
REAL_PROGRAM = """
import contextlib, os, sys, threading, time
import torch
from vaetui.session import thread_placement
from vaetui.session.thread_placement import ThreadPlacement

thread_placement.INTERVAL_S = 0.2
threads = len(os.sched_getaffinity(0))
torch.set_num_threads(threads)
values = torch.zeros(threads << 17)
placement = ThreadPlacement.start(threads)

def idle_seconds():
    # The CPU time that the team uses after an operation, while the main thread sleeps: what it spins.
    seconds = []
    for _ in range(9):
        values.add_(1)
        before = time.process_time()
        time.sleep(0.02)
        seconds.append(time.process_time() - before)
    return sorted(seconds)[4]

def describe():
    used = set()
    for name in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):  # the thread has ended
            used.add(len(os.sched_getaffinity(int(name))))
    return placement.is_contended, len(placement.shared_cpus), min(used), max(used), idle_seconds()

with placement.training():
    placement.adapt({0: 0.0, 1: 0.0}, 1.0)
    print(describe())
    for _ in range(%(samples)d):
        placement.adapt({cpu: 1.0 for cpu in placement.cpus}, 1.0)
    print(describe())
print(describe())  # passive, but anywhere
for _ in range(%(samples)d):
    placement.adapt({cpu: 0.0 for cpu in placement.cpus}, 1.0)
print(describe())
"""


def run_program(program: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    process = subprocess.run(
        [sys.executable, "-c", program], env=environment | variables, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@linux_only
def test_threads_wait_passively_and_share_cpus_only_while_others_need_them() -> None:
    program = REAL_PROGRAM % {"samples": MIN_DIFFERING_SAMPLES}
    program = program.replace(
        "torch.zeros(threads << 17)\n", "torch.zeros(threads << 17)\nThreadPlacement._watch = lambda self: 0\n"
    )
    cpus, spins_alone = len(os.sched_getaffinity(0)), False
    most_idle_s = np.zeros(4)
    # In some runs the threads wait passively throughout: on a busy machine, or because OpenMP counts teams that ended.
    for _ in range(MAX_RUNS):
        alone, training, clustering, alone_again = (eval(line) for line in run_program(program).splitlines())
        assert alone[:4] == (False, 0, cpus, cpus)
        assert training[:4] == (True, 1, 1, cpus)
        assert clustering[:4] == (True, 0, cpus, cpus)
        assert alone_again[:4] == (False, 0, cpus, cpus)
        most_idle_s = np.maximum(most_idle_s, [alone[4], training[4], clustering[4], alone_again[4]])
        # Threads that spin do so for 3 to 8 ms, depending on the CPU's present speed.
        if spins_alone := most_idle_s[1:3].max() < 0.5 * min(most_idle_s[0], most_idle_s[3]):
            break
    assert spins_alone, most_idle_s


BUSY_PROGRAM = """
import os, subprocess, sys, time
import torch
from vaetui.session import thread_placement
from vaetui.session.thread_placement import ThreadPlacement

thread_placement.INTERVAL_S = 0.3
threads = len(os.sched_getaffinity(0))
torch.set_num_threads(threads)
values = torch.zeros(threads << 17)

def compute_until(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        values.add_(1)
    return condition()

neighbours = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in os.sched_getaffinity(0)]
try:
    placement = ThreadPlacement.start(threads)
    with placement.training():
        print(compute_until(lambda: 0 < len(placement.shared_cpus) < threads))
        if not os.fork():
            os._exit(len(os.sched_getaffinity(0)) + 100 * (ThreadPlacement._running is None))
        print(os.waitstatus_to_exitcode(os.wait()[1]))
    print(len(placement.shared_cpus), len(os.sched_getaffinity(0)))
finally:
    for neighbour in neighbours:
        neighbour.kill()
"""


@linux_only
def test_busy_neighbours_are_seen_and_a_child_process_may_use_all_cpus() -> None:
    cpus = len(os.sched_getaffinity(0))
    assert run_program(BUSY_PROGRAM).split() == ["True", str(100 + cpus), "0", str(cpus)]


@linux_only
def test_a_wait_policy_of_the_user_ends_the_adaptation() -> None:
    program = (
        "import threading; from vaetui.session.thread_placement import ThreadPlacement; ThreadPlacement.start(2); "
        "print([thread.name for thread in threading.enumerate()])"
    )
    assert run_program(program, OMP_WAIT_POLICY="passive").split() == ["['MainThread']"]


@linux_only
def test_one_thread_is_not_watched() -> None:
    program = (
        "import threading; from vaetui.session.thread_placement import ThreadPlacement; ThreadPlacement.start(1); "
        "print(len(threading.enumerate())); ThreadPlacement.start(2); print(len(threading.enumerate()))"
    )
    assert run_program(program).split() == ["1", "2"]


@linux_only
def test_threads_are_released_if_the_system_allows_no_more() -> None:
    """GNU OpenMP would end the process if it could not start a thread."""
    program = """
import os, threading
import torch
from vaetui.session.thread_placement import MIN_DIFFERING_SAMPLES, ThreadPlacement

threads = len(os.sched_getaffinity(0))
torch.set_num_threads(threads)
torch.zeros(threads << 17).add_(1)
ThreadPlacement._watch = lambda self: None
placement = ThreadPlacement.start(threads)
start, started = threading.Thread.start, []

def start_few(thread):
    if len(started) == threads:
        raise RuntimeError("can't start new thread")
    started.append(thread)
    start(thread)

threading.Thread.start = start_few
with placement.training():
    for _ in range(MIN_DIFFERING_SAMPLES + 3):
        placement.adapt({cpu: 1.0 for cpu in placement.cpus}, 1.0)
    print(len(placement.shared_cpus), len(os.sched_getaffinity(0)), any(thread.is_alive() for thread in started))
"""
    assert run_program(program).split() == ["0", str(len(os.sched_getaffinity(0))), "False"]


BITS_PROGRAM = """
import hashlib, os
import numpy as np
import torch
from vaetui.engine.config import Config
from vaetui.engine.device_inputs import put_on_device
from vaetui.engine.images import images_from_array
from vaetui.engine.train_state import create_train_state
from vaetui.engine.training import train_epoch
from vaetui.session.thread_placement import MIN_DIFFERING_SAMPLES, ThreadPlacement

ThreadPlacement._watch = lambda self: None
threads = len(os.sched_getaffinity(0))
torch.set_num_threads(threads)
placement = ThreadPlacement.start(threads)
pixels = np.random.default_rng(0).integers(0, 256, (192, 28, 28), np.uint8)

def train():
    state = create_train_state(Config(), (28, 28))
    inputs = put_on_device(images_from_array(pixels), state.device)
    for _ in train_epoch(state, inputs, None, Config(), epoch=1):
        pass
    product = torch.from_numpy(pixels[:, 0].astype(np.float32)).T @ torch.from_numpy(pixels[:, 1].astype(np.float32))
    arrays = [*state.vae.state_dict().values(), product]
    return hashlib.sha256(b"".join(array.detach().numpy().tobytes() for array in arrays)).hexdigest()

spinning = train()
with placement.training():
    for _ in range(MIN_DIFFERING_SAMPLES):
        placement.adapt({cpu: 1.0 for cpu in placement.cpus}, 1.0)
    sharing = train()
    print(spinning == sharing, len(placement.shared_cpus))
"""


@linux_only
def test_results_do_not_depend_on_how_threads_wait_and_where_they_run() -> None:
    assert run_program(BITS_PROGRAM).split() == ["True", "1"]
