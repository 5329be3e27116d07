"""Networks and optimiser state as safetensors files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vaetui.errors import UserError


def encode_safetensors(arrays: dict[str, NDArray[np.float32]]) -> bytes:
    """Return named arrays as a safetensors file; equal arrays result in equal bytes."""
    from safetensors.numpy import save

    return save(arrays)


def decode_safetensors(content: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a safetensors file; raises UserError unless all values are finite float32."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("values that are not finite float32 numbers")
        return arrays
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"A checkpoint is damaged ({error}).") from error
