"""Tests of the choice of a device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from vaetui.engine.devices import explain_lack_of_memory, replace_unavailable, require_precision, select_device
from vaetui.errors import UserError


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let CUDA appear to be available, and restore its settings."""
    convolutions: Any = getattr(torch.backends.cudnn, "conv", None)
    precision = convolutions and convolutions.fp32_precision
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    yield
    if convolutions is not None:
        convolutions.fp32_precision = precision


def test_unavailable_device_is_refused() -> None:
    assert select_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.backends.mps.is_available():
        with pytest.raises(UserError, match=r"Device mps is not available\. Pass --device with one of: auto, "):
            select_device("mps")


def test_cuda_is_set_to_repeat_all_bits_of_float32(cuda: None) -> None:
    assert select_device("auto").type == "cuda"
    assert torch.backends.cudnn.deterministic
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    if hasattr(torch.backends.cudnn, "conv"):
        assert torch.backends.cudnn.conv.fp32_precision == "ieee"
    else:
        assert not torch.backends.cudnn.allow_tf32


def test_the_setting_of_cublas_by_the_user_is_kept(cuda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    select_device("cuda")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_graphics_card_without_bfloat16_is_refused(cuda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    require_precision("float32", torch.device("cuda"))
    require_precision("bfloat16", torch.device("cpu"))
    with pytest.raises(UserError, match=r"does not compute with bfloat16\. Create a session with --precision float32"):
        require_precision("bfloat16", torch.device("cuda"))


def test_lack_of_memory_of_a_graphics_card_is_explained() -> None:
    with pytest.raises(UserError, match=r"too little free memory\. .*--device cpu"), explain_lack_of_memory():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    with pytest.raises(UserError), explain_lack_of_memory():
        raise RuntimeError("MPS backend out of memory (MPS allocated: 8 GB).")
    with pytest.raises(RuntimeError, match="shape"), explain_lack_of_memory():
        raise RuntimeError("wrong shape")


def test_device_that_this_machine_lacks_is_replaced() -> None:
    assert replace_unavailable("cpu") == "cpu"
    if not torch.cuda.is_available():
        assert replace_unavailable("cuda") == "auto"
