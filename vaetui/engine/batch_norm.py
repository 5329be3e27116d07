"""Batch normalisation whose statistics are those of all processes that train together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaetui.engine.distributed import SINGLE, World


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of [N, C] or [N, C, H, W]; in one process it is that of PyTorch.

    PyTorch's SyncBatchNorm works on GPUs only.
    """

    world: World = SINGLE
    """The processes whose batches are normalised together."""

    def forward(self, input: Tensor) -> Tensor:
        """Return normalised values; during training, update the running statistics."""
        if self.world.size == 1 or not self.training:
            return super().forward(input)
        input = input.float()  # with --precision bfloat16, statistics are those of float32
        mean, variance = self._compute_batch_statistics(input)
        scale = self.weight * torch.rsqrt(variance + self.eps)  # [C]
        shape = (1, -1, *[1] * (input.dim() - 2))
        return torch.addcmul((self.bias - mean * scale).view(shape), input, scale.view(shape))

    def _compute_batch_statistics(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance over the batches of all processes, 2 x [C], and update the running statistics."""
        dims = [dim for dim in range(values.dim()) if dim != 1]
        variance, mean = torch.var_mean(values, dims, correction=0)
        count = mean.new_tensor([values.numel() / len(mean)])
        statistics = self.world.gather_rows(torch.cat([mean, variance, count])[None], self.world.rank, self.world.size)
        means, variances, counts = statistics.tensor_split([len(mean), 2 * len(mean)], dim=1)
        shares, total = counts / counts.sum(), counts.sum()
        mean = (shares * means).sum(0)
        variance = (shares * (variances + (means - mean).square())).sum(0)
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            self.running_mean.lerp_(mean, self.momentum or 0.0)
            self.running_var.lerp_(variance * (total / (total - 1)), self.momentum or 0.0)
        return mean, variance

    def _check_input_dim(self, input: Tensor) -> None:
        """Accept vectors and images."""
