"""A thin layer over torch.distributed: the processes ("ranks") that train one model together.

With one process every operation returns its argument, so that training reads the same for any number of them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    """The number of this process, from 0."""
    size: int = 1
    """The number of processes."""
    local_size: int = 1
    """The number of processes on this machine, which share its cores."""
    command_group: dist.ProcessGroup | None = None
    """The group in which rank 0 is waited for without a time limit; None for one process."""

    def part(self, count: int) -> slice:
        """Return this rank's part of a batch of `count`; the sizes of the parts differ by at most 1."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over the ranks, with its gradient."""
        return _SumOverRanks.apply(values) if self.size > 1 else values  # type: ignore[no-untyped-call]

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the ranks, with its gradient."""
        return self.sum(values) / self.size

    def gather_rows(self, rows: Tensor, start: int, total: int) -> Tensor:
        """Return the rows of all ranks, [total, ...], with their gradient; those of this rank begin at `start`."""
        if self.size == 1:
            return rows
        before = rows.new_zeros(start, *rows.shape[1:])
        after = rows.new_zeros(total - start - len(rows), *rows.shape[1:])
        return self.sum(torch.cat([before, rows, after]))  # adding zeros changes no bits

    def follow(self, items: Generator[T, None, R]) -> Generator[T, None, R | None]:
        """Yield what all ranks compute together; closing the iterator of rank 0 stops the others at the same item.

        Return the value of the generator; None if it was stopped.
        """
        if self.size == 1:
            return (yield from items)
        with closing(items):
            while True:
                try:
                    item = next(items)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
                try:
                    yield item
                except GeneratorExit:
                    self._share_flag(False)
                    raise
                if not self._share_flag(True):
                    return None

    def share(
        self, message: object = None, arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> tuple[Any, dict[str, NDArray[Any]]]:
        """Return the message, as JSON, and the arrays of rank 0; the others wait for it without a time limit."""
        arrays = {name: np.asarray(array, order="C") for name, array in (arrays or {}).items()}
        header = json.dumps([message, [[name, array.dtype.str, array.shape] for name, array in arrays.items()]])
        content = np.frombuffer(header.encode(), np.uint8)
        length = np.array([len(content)])
        self._share_array(length)
        content = self._share_array(content.copy() if self.rank == 0 else np.empty(length[0], np.uint8))
        message, descriptions = json.loads(content.tobytes())
        shared = {}
        for name, dtype, shape in descriptions:
            shared[name] = self._share_array(arrays[name] if self.rank == 0 else np.empty(shape, dtype))
        return message, shared

    def gather_texts(self, text: str) -> list[str]:
        """Return a text of every rank, each at most MAX_TEXT_BYTES long."""
        if self.size == 1:
            return [text]
        content = text.encode()[:MAX_TEXT_BYTES].ljust(MAX_TEXT_BYTES)
        contents = [torch.empty(MAX_TEXT_BYTES, dtype=torch.uint8) for _ in range(self.size)]
        dist.all_gather(contents, torch.frombuffer(bytearray(content), dtype=torch.uint8), self.command_group)
        return [content.numpy().tobytes().decode(errors="ignore").strip() for content in contents]

    def _share_array(self, array: NDArray[Any]) -> NDArray[Any]:
        """Overwrite the array of every other rank with that of rank 0."""
        if array.size:
            dist.broadcast(torch.from_numpy(array.reshape(-1).view(np.uint8)), 0, self.command_group)
        return array

    def _share_flag(self, flag: bool) -> bool:
        return bool(self._share_array(np.array([flag]))[0])

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return the module such that `backward` averages its gradients over the ranks."""
        if self.size == 1:
            return module
        # The classifier is unused before the first labels. Without rebuilt buckets, which exclude unused parameters,
        # the order of summation is the same after a restart.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PyTorch 2.13 renames a parameter
            return DistributedDataParallel(module, broadcast_buffers=False, find_unused_parameters=True)


MAX_TEXT_BYTES = 1000
"""Bytes of a text that ranks exchange."""
SINGLE = World()
"""The world of one process."""


class _SumOverRanks(torch.autograd.Function):
    """The sum over the ranks. Each rank's loss depends on it, so the gradient is a sum over the ranks, too."""

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def setup_context(ctx: object, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total
