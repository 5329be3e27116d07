"""Adapt the threads of PyTorch to the load of the machine while they compute, without any effect on results.

The threads of a team wait for each other thousands of times per second. GNU OpenMP lets them spin meanwhile, which is
best if each thread has a CPU of its own. If other processes need the CPUs, a thread spins until its time slice ends
while the one it waits for has no CPU, and the rate drops to less than half. Two measures apply while that lasts:

* An idle team is kept beside the one that computes. OpenMP documents that threads wait passively after few turns of
  the waiting loop if there are more of its threads than CPUs (libgomp manual, GOMP_SPINCOUNT).
* While networks are trained, the threads of the team share as many CPUs as other processes leave free. They take
  turns there, in place of waiting until all of them have got a CPU.
"""

from __future__ import annotations

import math
import os
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import Any, ClassVar

import torch

from vaetui.cpu_threads import adapts_waiting, count_allowed_cpus
from vaetui.engine.events import BatchesTrained
from vaetui.session.cpu_load import measure_foreign_load, read_cpu_sample

INTERVAL_S = 1.0
"""Seconds between two samples of the load; varied by a fifth, so that two sessions do not react in step."""
MAX_READ_SHARE = 0.005
"""Largest share of the time that sampling may take, which is slow on machines with hundreds of CPUs."""
MIN_LOST_CPUS, MIN_LOST_SHARED_CPUS = 0.4, 0.2
"""CPUs that other processes take from the team from which on its threads begin, and continue, to share CPUs.

Two threads on one CPU reach 0.6 to 0.7 of their rate on two, so sharing does not pay where others need less.
"""
MIN_GAINED_CPUS = 0.3
"""CPUs by which other ones must be freer before they replace the shared ones."""
MAX_IDLE_TEAMS = 8
"""Most idle teams; more are needed if a session uses few of many CPUs, where contention is rare."""
ELEMENTS_PER_THREAD = 1 << 16
"""Elements of an operation for which PyTorch uses another thread, with a margin."""
MIN_DIFFERING_SAMPLES = 2
"""Samples in a row that must agree before threads are adapted or released: short loads do not repay it."""
TRIAL_S, BREAK_S = 6.0, 120.0
"""Seconds after which shared CPUs are given up if they made training slower, and seconds until they are tried again."""
MIN_RELATIVE_RATE = 0.9
"""Fewest batches per second on shared CPUs, relative to the slower of the two samples before."""


def count_shared_cpus(threads: int, foreign_load: dict[int, float], is_sharing: bool) -> int:
    """Return on how many CPUs a team of threads computes best; `threads` if each should have its own.

    With fewer free CPUs than threads, some CPUs run two threads one after the other, and the rest would wait for them:
    the fewest CPUs are used that take as many turns.
    """
    free = len(foreign_load) - sum(foreign_load.values())
    if threads - free < (MIN_LOST_SHARED_CPUS if is_sharing else MIN_LOST_CPUS):
        return threads
    turns = math.ceil(threads / max(1, int(free + 0.5)))
    return math.ceil(threads / max(2, turns))


def choose_shared_cpus(count: int, foreign_load: dict[int, float], present: set[int]) -> set[int]:
    """Return the CPUs with the least foreign load; the present ones unless others are clearly freer."""
    best = set(sorted(foreign_load, key=lambda cpu: (foreign_load[cpu], cpu not in present))[:count])
    if len(present) != count or not present <= set(foreign_load):
        return best
    gain = sum(foreign_load[cpu] for cpu in present) - sum(foreign_load[cpu] for cpu in best)
    return best if gain > MIN_GAINED_CPUS else present


def count_idle_teams(threads: int, cpus: int) -> int:
    """Return how many more teams of that size are needed for more threads than CPUs in OpenMP's count."""
    return max(1, math.ceil(cpus / (threads - 1)) - 1)


class IdleTeams:
    """Teams of OpenMP threads that sleep; while they exist, computing threads wait passively."""

    def __init__(self, threads: int, count: int) -> None:
        """Start the teams; raises RuntimeError if the system allows no more threads."""
        self._end = threading.Event()
        # OpenMP would end the process if it could not start its threads, so others are started for a moment before.
        self._run(count * threads, self._end.wait)
        self.close()
        self._end = threading.Event()
        self._run(count, lambda: self._hold(threads))

    def close(self) -> None:
        """End the teams."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self, count: int, function: Callable[[], object]) -> None:
        self._threads = list[threading.Thread]()
        try:
            for _ in range(count):
                thread = threading.Thread(target=function, name="idle-team", daemon=True)
                thread.start()
                self._threads.append(thread)
        except RuntimeError:
            self.close()
            raise

    def _hold(self, threads: int) -> None:
        with suppress(RuntimeError):  # lack of memory
            torch.zeros(ELEMENTS_PER_THREAD * threads).add_(1)  # the first parallel operation of a thread starts a team
        self._end.wait()


class SharingTrial:
    """Measures whether shared CPUs make training slower, which the rules for sharing do not exclude everywhere."""

    def __init__(self) -> None:
        """Measure nothing yet."""
        self._last_batches = 0
        self._rates = [0.0, 0.0]
        self._shared_batches, self._shared_seconds, self._break_seconds = 0, 0.0, 0.0

    def judge(self, batches: int, seconds: float, is_sharing: bool) -> bool:
        """Return whether CPUs may be shared, from the batches trained so far and the seconds since the last call."""
        new_batches, self._last_batches = batches - self._last_batches, batches
        self._break_seconds = max(0.0, self._break_seconds - seconds)
        if not is_sharing:
            self._rates = [self._rates[1], new_batches / seconds]
            self._shared_batches, self._shared_seconds = 0, 0.0
            return not self._break_seconds
        self._shared_batches += new_batches
        self._shared_seconds += seconds
        if self._shared_seconds < TRIAL_S:
            return True
        if self._shared_batches / self._shared_seconds < MIN_RELATIVE_RATE * min(self._rates):
            self._break_seconds = BREAK_S
            return False
        self._rates = [0.0, 0.0]  # the trial is passed; later rates depend on other things
        return True


class ThreadPlacement:
    """Watches the load in a thread of its own, and adapts the threads of PyTorch to it."""

    _running: ClassVar[ThreadPlacement | None] = None

    @classmethod
    def start(cls, threads: int) -> ThreadPlacement:
        """Adapt the threads of this process from now on; a team has `threads` of them."""
        if cls._running is None:
            cls._running = cls()
            os.register_at_fork(after_in_child=cls._forget_after_fork)
        cls._running.set_threads(threads)
        return cls._running

    @classmethod
    def _forget_after_fork(cls) -> None:
        """Let a forked process, which has none of the other threads, run on all CPUs and begin anew."""
        if cls._running is not None and cls._running.shared_cpus:
            with suppress(OSError):
                os.sched_setaffinity(0, cls._running.cpus)
            cls._running.shared_cpus = set()
        if cls._running is not None:
            cls._running._lock = threading.Lock()  # another thread may have held it
        cls._running = None

    def __init__(self) -> None:
        """Watch nothing yet."""
        self.cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        """The CPUs that this process may use."""
        self.is_contended = False
        """Whether other processes need CPUs of the team."""
        self.shared_cpus: set[int] = set()
        """The CPUs that the team shares; empty if its threads may run on all."""
        self._threads, self._is_adaptable = 1, False
        self._is_training, self._batches, self._thread_id = False, 0, 0
        self._idle_teams: IdleTeams | None = None
        self._watcher: threading.Thread | None = None
        self._lock = threading.Lock()
        self._differing_samples = 0
        self._trial = SharingTrial()

    def set_threads(self, threads: int) -> None:
        """Set the number of threads in a team, and watch the load if that number can be adapted to it."""
        with self._lock:
            if threads != self._threads:
                self._close_idle_teams()
            self._threads = threads
            self._is_adaptable = (
                1 < threads <= len(self.cpus)
                and count_idle_teams(threads, count_allowed_cpus()) <= MAX_IDLE_TEAMS
                and adapts_waiting(os.environ)
                and uses_gnu_openmp()
            )
            if self._is_adaptable and self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="cpu-load", daemon=True)
                self._watcher.start()

    @contextmanager
    def training(self) -> Iterator[None]:
        """Let the threads share CPUs if that helps, until the block ends."""
        self._thread_id, self._is_training = threading.get_native_id(), True
        try:
            yield
        finally:
            with self._lock:
                self._is_training = False
                self._share(set())

    def record_batches(self, count: int) -> None:
        """Record that the calling thread has trained on a number of batches."""
        self._thread_id = threading.get_native_id()
        self._batches += count

    def adapt(self, foreign_load: dict[int, float], seconds: float) -> None:
        """Adapt the threads to the load by other processes during the last seconds."""
        with self._lock:
            if not self._is_adaptable:
                self._close_idle_teams()
                self._share(set())
                return
            count = count_shared_cpus(self._threads, foreign_load, self.is_contended)
            self._differing_samples = self._differing_samples + 1 if self.is_contended != (count < self._threads) else 0
            if self._differing_samples >= MIN_DIFFERING_SAMPLES:
                self.is_contended, self._differing_samples = not self.is_contended, 0
            if not self.is_contended:
                self._close_idle_teams()
            elif self._idle_teams is None:
                try:
                    self._idle_teams = IdleTeams(self._threads, count_idle_teams(self._threads, len(self.cpus)))
                except RuntimeError:
                    self._is_adaptable = False  # threads that spin must not share CPUs
                    return
            is_worthwhile = self._trial.judge(self._batches, seconds, bool(self.shared_cpus))
            if not (self.is_contended and self._is_training and is_worthwhile):
                self._share(set())
            elif count < self._threads:
                self._share(choose_shared_cpus(count, foreign_load, self.shared_cpus))

    def _watch(self) -> None:
        before, read_seconds = read_cpu_sample(), 0.0
        while before is not None:
            time.sleep(max(INTERVAL_S * random.uniform(0.8, 1.2), read_seconds / MAX_READ_SHARE))
            start = time.monotonic()
            after = read_cpu_sample()
            read_seconds = time.monotonic() - start
            if after is not None:
                self.adapt(measure_foreign_load(before, after, self.cpus), after.time - before.time)
            before = after
        with self._lock:
            self._is_adaptable = False
            self._close_idle_teams()
            self._share(set())

    def _share(self, cpus: set[int]) -> None:
        """Bind the training thread and the threads of libraries to some CPUs, or release them."""
        if cpus or self.shared_cpus:
            python_ids = {thread.native_id for thread in threading.enumerate()} - {self._thread_id}
            with suppress(OSError):
                for name in os.listdir("/proc/self/task"):
                    with suppress(OSError):  # the thread has ended, or a CPU is out of reach now
                        os.sched_setaffinity(
                            int(name), (cpus or self.cpus) if int(name) not in python_ids else self.cpus
                        )
        self.shared_cpus = cpus

    def _close_idle_teams(self) -> None:
        if self._idle_teams is not None:
            self._idle_teams.close()
            self._idle_teams = None


def adapt_threads(
    events: Generator[BatchesTrained, None, Any], device: torch.device
) -> Generator[BatchesTrained, None, None]:
    """Yield the events of training, while the threads that train on the CPU share CPUs if that helps."""
    placement = ThreadPlacement.start(torch.get_num_threads())
    last_step: int | None = None
    with closing(events), placement.training() if device.type == "cpu" else nullcontext():
        for event in events:
            placement.record_batches(0 if last_step is None else event.step - last_step)
            last_step = event.step
            yield event


def uses_gnu_openmp() -> bool:
    """Return whether the only OpenMP libraries of this process are GNU's; the idle teams have no effect on others."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            names = {line.rpartition("/")[2] for line in file}
    except OSError:
        return False
    return any(name.startswith("libgomp") for name in names) and not any(
        name.startswith(("libomp", "libiomp")) for name in names
    )
