"""A thin layer over torch.distributed: the processes ("ranks") that train one model together.

With one process every operation returns its argument, so that training reads the same for any number of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    """The number of this process, from 0."""
    size: int = 1
    """The number of processes."""

    @staticmethod
    def single() -> World:
        """Return the world of one process."""
        return SINGLE

    @property
    def position(self) -> tuple[int, ...]:
        """What this rank adds to a position in the run (`rng`), so that it draws its own random numbers.

        The first rank adds nothing: alone, it draws those of one process.
        """
        return (self.rank,) if self.rank else ()

    def part(self, count: int) -> slice:
        """Return this rank's part of a batch of `count`; the sizes of the parts differ by at most 1."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over the ranks, with its gradient."""
        return _SumOverRanks.apply(values) if self.size > 1 else values  # type: ignore[no-untyped-call]

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the ranks, with its gradient."""
        return self.sum(values) / self.size if self.size > 1 else values

    def gather_rows(self, rows: Tensor, start: int, total: int) -> Tensor:
        """Return the rows of all ranks, [total, ...], with their gradient; those of this rank begin at `start`."""
        if self.size == 1:
            return rows
        before, after = (
            rows.new_zeros(start, *rows.shape[1:]),
            rows.new_zeros(total - start - len(rows), *rows.shape[1:]),
        )
        return self.sum(torch.cat([before, rows, after]))  # adding zeros changes no bits

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return the module such that `backward` averages its gradients over the ranks."""
        if self.size == 1:
            return module
        # The classifier is unused before the first labels. Without rebuilt buckets, which exclude unused parameters,
        # the order of summation is the same after a restart.
        return DistributedDataParallel(module, broadcast_buffers=False, find_unused_parameters=True)


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
