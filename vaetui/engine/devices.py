"""The device of the networks: its choice and settings, and transfers to it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine.config import Device, Precision
from vaetui.errors import UserError

ALIGNMENT_BYTES = 16
"""Each array of a common transfer begins at a multiple of it, as a view of another type requires."""


def select_device(name: str) -> torch.device:
    """Return the device called auto, cpu, cuda or mps; raises UserError if it is not available."""
    available = _list_available_names()
    if name == "auto":
        name = available[0]
    if name not in available:
        raise UserError(f"Device {name} is not available. Pass --device with one of: auto, {', '.join(available)}.")
    if name == "cuda":
        _make_cuda_deterministic()
    return torch.device(name)


def replace_unavailable(name: Device) -> Device:
    """Return the name of a device, or "auto" where this machine lacks it: sessions may be read on other machines."""
    return name if name in _list_available_names() else "auto"


def _list_available_names() -> list[str]:
    """Return the names of the devices of this machine, the fastest first."""
    is_available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name in is_available if is_available[name]]


def _make_cuda_deterministic() -> None:
    """Make results on CUDA depend on the seed alone, and convolutions compute with all bits of float32."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the first product of matrices is computed
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    convolutions: Any = getattr(torch.backends.cudnn, "conv", None)
    if convolutions is None:  # before PyTorch 2.9, which warns of this attribute
        torch.backends.cudnn.allow_tf32 = False
    else:
        convolutions.fp32_precision = "ieee"


def require_precision(precision: Precision, device: torch.device) -> None:
    """Raise UserError if a device does not compute with numbers of a precision."""
    if precision == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise UserError("This graphics card does not compute with bfloat16. Create a session with --precision float32.")


def compute_with(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which convolutions and matrix products compute with numbers of a precision."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, torch.bfloat16)


def compute_with_all_bits(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context that computes with float32 also within `compute_with`."""
    is_reduced = device.type in ("cpu", "cuda", "mps") and torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if is_reduced else nullcontext()


@contextmanager
def explain_lack_of_memory() -> Iterator[None]:
    """Raise UserError if an accelerator runs out of memory in the block."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError of CUDA; that of MPS has no class of its own
        if "out of memory" not in str(error).lower():
            raise
        raise UserError(
            "The graphics card has too little free memory. End other programs that use it, or continue with "
            "--device cpu."
        ) from error


def measure_free_bytes(device: torch.device) -> float:
    """Return the bytes of free memory of an accelerator; infinity where PyTorch does not report them."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info()[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    return math.inf


def send(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Return tensors of the CPU on a device, in one transfer for which neither CPU nor GPU waits."""
    if device.type in ("cpu", "mps"):
        # Apple's GPUs share the memory of the CPU, so there is nothing to gain.
        return [tensor.to(device) for tensor in tensors]
    starts, total = list[int](), 0
    for tensor in tensors:
        starts.append(total)
        total += -(-tensor.numel() * tensor.element_size() // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    # Without pinned memory, the CPU would wait for all earlier work of the GPU.
    buffer = torch.empty(total, dtype=torch.uint8, pin_memory=device.type == "cuda")
    for start, tensor in zip(starts, tensors, strict=True):
        piece = buffer[start : start + tensor.numel() * tensor.element_size()]
        piece.view(tensor.dtype).view(tensor.shape).copy_(tensor)
    sent = buffer.to(device, non_blocking=True)
    return [
        sent[start : start + tensor.numel() * tensor.element_size()].view(tensor.dtype).view(tensor.shape)
        for start, tensor in zip(starts, tensors, strict=True)
    ]


def send_array(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return an array on a device, as `send` does."""
    (tensor,) = send([torch.from_numpy(array)], device)
    return tensor
