"""A device that computes on the CPU and refuses what a graphics card refuses, so that its code runs on any machine.

Its tensors report the device "meta" and cannot be mixed with tensors of the CPU. Operations that wait for a real device
and transfers to it are counted. It checks no kernel: tests marked `gpu` do that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
"""Has no kernels of its own, and autograd runs for it without a driver."""
COPY_OPERATIONS = {"aten::copy_", "aten::_to_copy", "aten::to", "aten::cpu"}
"""Operations that may have operands on two devices."""
WAITING_OPERATIONS = {
    "aten::_local_scalar_dense",
    "aten::equal",
    "aten::masked_select",
    "aten::nonzero",
    "aten::_unique2",
    "aten::unique_dim",
}
"""Operations whose result or its shape the CPU needs, so that it waits for the device."""
METADATA_OPERATIONS = {
    "aten::alias",
    "aten::as_strided",
    "aten::chunk",
    "aten::detach",
    "aten::empty.memory_format",
    "aten::empty_like",
    "aten::expand",
    "aten::permute",
    "aten::select.int",
    "aten::slice.Tensor",
    "aten::split.Tensor",
    "aten::squeeze.dim",
    "aten::t",
    "aten::transpose.int",
    "aten::unsqueeze",
    "aten::view",
    "aten::view.dtype",
    "aten::_unsafe_view",
}
"""Operations without a kernel."""
NONDETERMINISTIC_OPERATIONS = {
    "aten::_adaptive_avg_pool2d_backward",
    "aten::bincount",
    "aten::grid_sampler_2d_backward",
    "aten::grid_sampler_2d_backward_cuda",
    "aten::histc",
    "aten::kthvalue",
    "aten::max_pool2d_with_indices_backward",
    "aten::nll_loss2d_forward",
    "aten::reflection_pad2d_backward",
    "aten::replication_pad2d_backward",
    "aten::scatter_add",
    "aten::scatter_add_",
    "aten::upsample_bicubic2d_backward",
    "aten::upsample_bilinear2d_backward",
    "aten::index_add",
    "aten::index_add_",
}
"""Operations whose result on CUDA differs between runs, by the documentation of `use_deterministic_algorithms`."""


class SimulatedTensor(Tensor):
    """A tensor on the simulated device."""

    content: Tensor

    @staticmethod
    def __new__(cls, content: Tensor) -> SimulatedTensor:
        return Tensor._make_wrapper_subclass(  # type: ignore[attr-defined,no-any-return]
            cls,
            content.shape,
            strides=content.stride(),
            storage_offset=content.storage_offset(),
            dtype=content.dtype,
            layout=content.layout,
            device=DEVICE,
            requires_grad=content.requires_grad,
        )

    def __init__(self, content: Tensor) -> None:
        self.content = content

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"SimulatedTensor({self.content})"

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{operation.name()} of a tensor on the simulated device runs outside of it")


class SimulatedAccelerator(TorchDispatchMode):
    """Runs operations on the CPU; see the module."""

    def __init__(self, *, has_float64: bool = True) -> None:
        super().__init__()
        self.has_float64 = has_float64
        """Whether the device computes with 64-bit numbers; those of Apple do not."""
        self.launches = Counter[str]()
        """Kernels by operation."""
        self.transfers = 0
        """Copies from the CPU to the device."""
        self.waits = Counter[str]()
        """Operations for which the CPU waits for the device."""

    def reset(self) -> None:
        self.launches.clear()
        self.waits.clear()
        self.transfers = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = operation.name()
        base_name = name.partition(".")[0]
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        is_simulated = any(isinstance(tensor, SimulatedTensor) for tensor in tensors)
        goes_to_device = is_simulated
        devices = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.device)]
        if devices:
            goes_to_device = devices[0].type == DEVICE.type
            args, kwargs = tree_map(_replace_device, (args, kwargs))
        if base_name == "aten::copy_":
            goes_to_device = isinstance(args[0], SimulatedTensor)
        if base_name in COPY_OPERATIONS:
            if goes_to_device and not all(isinstance(tensor, SimulatedTensor) for tensor in tensors):
                self.transfers += 1
            if is_simulated and not goes_to_device:
                self.waits[name] += 1
        elif is_simulated:
            self._check_operands(name, tensors)
        if goes_to_device or is_simulated:
            if base_name in WAITING_OPERATIONS:
                self.waits[name] += 1
            if base_name in NONDETERMINISTIC_OPERATIONS:
                raise RuntimeError(f"{name} is not deterministic on a graphics card")
            if name not in METADATA_OPERATIONS:
                self.launches[name] += 1
        originals = {id(_get_content(tensor)): tensor for tensor in tensors}
        output = operation(*tree_map(_get_content, args), **tree_map(_get_content, kwargs))

        def wrap(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            if id(value) in originals:
                return originals[id(value)]  # changed in place
            if goes_to_device and value.dtype == torch.float64 and not self.has_float64:
                raise TypeError(f"{name}: the device has no float64")
            return SimulatedTensor(value) if goes_to_device else value

        return tree_map(wrap, output)

    def _check_operands(self, name: str, tensors: list[Tensor]) -> None:
        """Refuse operands of the CPU, but for single numbers, as CUDA does; indices are refused, too."""
        for tensor in tensors:
            if not isinstance(tensor, SimulatedTensor) and tensor.dim() > 0:
                raise RuntimeError(f"{name}: expected all tensors to be on the same device, but one is on the CPU")


class _Conversions(TorchFunctionMode):
    """Conversions to Python objects, which subclasses of tensors do not support."""

    def __init__(self, accelerator: SimulatedAccelerator) -> None:
        super().__init__()
        self._accelerator = accelerator

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is Tensor.tolist and isinstance(args[0], SimulatedTensor):
            self._accelerator.waits["tolist"] += 1
            return args[0].content.tolist()
        return function(*args, **(kwargs or {}))


def _replace_device(value: Any) -> Any:
    return torch.device("cpu") if isinstance(value, torch.device) else value


def _get_content(value: Any) -> Any:
    return value.content if isinstance(value, SimulatedTensor) else value


@contextmanager
def simulate_accelerator(*, has_float64: bool = True) -> Iterator[SimulatedAccelerator]:
    """Let tensors with the device DEVICE compute on the simulated device within the block."""
    accelerator = SimulatedAccelerator(has_float64=has_float64)
    # Subclasses of tensors created before cannot be sliced in inference mode.
    with (
        mock.patch.object(torch.inference_mode, "__enter__", _enter_no_grad),
        mock.patch.object(torch.inference_mode, "__exit__", _exit_no_grad),
        accelerator,
        _Conversions(accelerator),
    ):
        yield accelerator


def _enter_no_grad(mode: Any) -> None:
    mode.no_grad = torch.no_grad()
    mode.no_grad.__enter__()


def _exit_no_grad(mode: Any, *error: Any) -> None:
    mode.no_grad.__exit__(*error)
