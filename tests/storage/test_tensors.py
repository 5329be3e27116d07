"""Tests of checkpoints as safetensors files."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.errors import UserError
from vaetui.storage import tensors


def test_arrays_are_read_back_bit_for_bit_and_written_deterministically() -> None:
    arrays = {"a.b": np.random.default_rng(0).random((3, 4)).astype(np.float32), "step": np.array(7, np.float32)}
    content = tensors.encode_safetensors(arrays)
    assert all(tensors.encode_safetensors(dict(reversed(arrays.items()))) == content for _ in range(20))
    loaded = tensors.decode_safetensors(content)
    assert loaded.keys() == arrays.keys()
    assert all(loaded[name].tobytes() == array.tobytes() for name, array in arrays.items())
    assert all(loaded[name].shape == array.shape for name, array in arrays.items())


@pytest.mark.parametrize("size", [0, 7, 100, 400])
def test_truncated_checkpoint_is_refused(size: int) -> None:
    content = tensors.encode_safetensors({"a": np.zeros(100, np.float32)})
    with pytest.raises(UserError, match="is damaged"):
        tensors.decode_safetensors(content[:size])


@pytest.mark.parametrize("array", [np.zeros(3), np.full(3, np.inf, np.float32), np.zeros(3, np.int64)])
def test_values_that_are_not_finite_float32_are_refused(array: object) -> None:
    with pytest.raises(UserError, match="not finite float32"):
        tensors.decode_safetensors(tensors.encode_safetensors({"a": array}))  # type: ignore[dict-item]
