"""Connects the processes that train together, and notices when one of them is lost."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

from vaetui.engine.distributed import World
from vaetui.errors import UserError

CONNECTION_TIMEOUT_S = 120
"""Seconds to wait until all ranks have started: machines of a cluster may take a minute."""
COLLECTIVE_TIMEOUT = timedelta(minutes=10)
"""Time limit of an exchange during training, in which all ranks take part at once."""
COMMAND_TIMEOUT = timedelta(days=365)
"""Time limit for a command of rank 0, which may wait long for answers; `RankMonitor` notices if it is lost."""
HEARTBEAT_INTERVAL_S = 0.5
"""Seconds between two reports of a rank to the others."""
MAX_MISSED_HEARTBEATS = 20
"""Reports of a rank that may fail to appear before it counts as lost: a busy machine delays them."""
MAX_MISSED_AFTER_ERROR = 6
"""The same after an exchange has failed, which a lost rank explains."""
MISSED_PER_STORE_FAILURE = 5
"""Missed reports that a failed access to the store counts for: the store usually ends with rank 0."""
END_MARK = "end"
"""The last report of a rank, after which it is not missed."""


def connect(rank: int, size: int, local_rank: int, local_size: int, description: dict[str, str]) -> RankConnection:
    """Connect this process to the others, which call this, too; MASTER_ADDR and MASTER_PORT name the meeting place.

    Raises UserError if not all ranks arrive within CONNECTION_TIMEOUT_S.
    """
    address = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    timeout = timedelta(seconds=CONNECTION_TIMEOUT_S)
    gpu_count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpu_count:
        torch.cuda.set_device(local_rank % gpu_count)
    # NCCL needs a GPU for each rank; Gloo also connects several ranks on one GPU.
    backend = "cpu:gloo,cuda:nccl" if 0 < local_size <= gpu_count else "gloo"
    try:
        store, _, _ = next(iter(rendezvous("env://", timeout=timeout)))
        store.set_timeout(timeout)
        prefix = "vaetui/" + os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = PrefixStore(prefix, store)
        description = {**description, "torch": torch.__version__.partition("+")[0]}  # without the kind of build
        store.set(f"description/{rank}", json.dumps(description))
        descriptions = [json.loads(store.get(f"description/{other}")) for other in range(size)]
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=COLLECTIVE_TIMEOUT)
        command_group = dist.new_group(backend="gloo", timeout=COMMAND_TIMEOUT)
        # A second connection: the first one may be waiting in another thread.
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        monitor_store = PrefixStore(prefix, TCPStore(host, port, None, is_master=False, timeout=timedelta(seconds=10)))
    except (RuntimeError, ValueError, OSError) as error:  # torch.distributed raises many kinds
        raise UserError(
            f"Rank {rank} of {size} could not connect to the others at {address} within {CONNECTION_TIMEOUT_S} "
            "seconds. Check that all of them were started, and MASTER_ADDR and MASTER_PORT."
        ) from error
    return RankConnection(World(rank, size, local_size, command_group), descriptions, monitor_store)


class RankConnection:
    """The connection of this rank to the others, with a thread that notices when one of them is lost."""

    def __init__(self, world: World, descriptions: list[dict[str, str]], store: Store) -> None:
        """Hold the connection; `descriptions` are those of all ranks."""
        self.world = world
        """The ranks."""
        self.descriptions = descriptions
        """What every rank said about itself when it connected."""
        self._store = store
        self._missed_limit = MAX_MISSED_HEARTBEATS
        self._is_ended = threading.Event()
        self._stop_requested = threading.Event()

    def watch(self, on_lost: Callable[[int], None]) -> None:
        """Call a function, in another thread, with the number of a rank that is lost; rank 0 watches all."""
        threading.Thread(target=self._watch, args=(on_lost,), name="vaetui-ranks", daemon=True).start()

    def wait_for_lost_rank(self) -> None:
        """Give the thread time to find the lost rank that explains a failed exchange, and to end the process."""
        self._missed_limit = MAX_MISSED_AFTER_ERROR
        time.sleep(4 * MAX_MISSED_AFTER_ERROR * HEARTBEAT_INTERVAL_S)

    def request_stop(self) -> None:
        """Ask rank 0 to stop, as a signal to this rank does."""
        self._stop_requested.set()

    @property
    def is_stop_requested(self) -> bool:
        """Whether this or, on rank 0, another rank was asked to stop."""
        return self._stop_requested.is_set()

    def announce_loss(self, rank: int) -> None:
        """Let the other ranks, which watch only rank 0, know which rank was lost; called by rank 0."""
        with suppress(RuntimeError):
            self._store.set("lost", str(rank))
            time.sleep(2 * HEARTBEAT_INTERVAL_S)  # the store may end with this process

    def end(self) -> None:
        """Leave the others in good order; returns when all have done so."""
        self._is_ended.set()
        with suppress(RuntimeError):  # a rank that is lost at the end changes nothing
            self._store.set(f"beat/{self.world.rank}", END_MARK)
            dist.barrier(self.world.command_group)

    def _watch(self, on_lost: Callable[[int], None]) -> None:
        """Report that this rank is alive, and call `on_lost` once the reports of another one fail to appear."""
        others = range(1, self.world.size) if self.world.rank == 0 else range(1)
        last_beats, missed_counts = dict.fromkeys(others, ""), dict.fromkeys(others, 0)
        own_beat = 0
        while not self._is_ended.wait(HEARTBEAT_INTERVAL_S):
            own_beat += 1
            try:
                self._store.set(f"beat/{self.world.rank}", str(own_beat))
                self._exchange_stop_request()
                if self.world.rank and (lost_rank := self._read("lost")):
                    on_lost(int(lost_rank))
                    return
                beats = {other: self._read(f"beat/{other}") for other in others}
            except RuntimeError:  # the store ends with rank 0 or with the launcher on its machine
                if self.world.rank == 0:
                    continue  # nothing is known about the others
                beats = last_beats
                missed_counts[0] += MISSED_PER_STORE_FAILURE - 1
            for other in others:
                is_missing = beats[other] == last_beats[other] != END_MARK
                missed_counts[other] = missed_counts[other] + 1 if is_missing else 0
                if missed_counts[other] >= self._missed_limit and not self._is_ended.is_set():
                    on_lost(other)
                    return
            last_beats = beats

    def _exchange_stop_request(self) -> None:
        if self.world.rank == 0:
            if self._store.check(["stop"]):
                self._stop_requested.set()
        elif self._stop_requested.is_set():
            self._store.set("stop", "1")

    def _read(self, key: str) -> str:
        return self._store.get(key).decode() if self._store.check([key]) else ""
