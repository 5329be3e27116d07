"""Tests of the inputs of networks on an accelerator, which is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.simulated_accelerator import DEVICE, SimulatedAccelerator, simulate_accelerator
from vaetui.engine import device_inputs
from vaetui.engine.device_inputs import DeviceImages, DeviceVectors, put_on_device
from vaetui.engine.devices import send
from vaetui.engine.images import Images
from vaetui.engine.vectors import Vectors

CPU = torch.device("cpu")
SELECTED = np.array([7, 0, 3, 3, 9, 1])
ORDERS: tuple[Any, ...] = (slice(None), slice(2, 5), torch.tensor([5, 0, 0, 2]))
RNG = np.random.default_rng(0)
GREY, COLOUR = (RNG.integers(0, 256, shape, np.uint8) for shape in ((10, 4, 5), (10, 4, 5, 3)))
HALF, SINGLE = (RNG.standard_normal((10, 6)).astype(dtype) for dtype in (np.float16, np.float32))


@pytest.fixture
def accelerator() -> Iterator[SimulatedAccelerator]:
    with simulate_accelerator() as device:
        yield device


@pytest.mark.parametrize("max_bytes", [None, 0])
@pytest.mark.parametrize("pixels", [GREY, COLOUR])
def test_images_on_an_accelerator_are_those_of_the_cpu(
    accelerator: SimulatedAccelerator, pixels: NDArray[np.uint8], max_bytes: int | None
) -> None:
    images = Images(pixels, SELECTED)
    on_device, on_cpu = DeviceImages(images, DEVICE, max_bytes), DeviceImages(images, CPU)
    assert on_device.is_resident == (max_bytes is None)
    assert len(on_device) == len(SELECTED)
    for indices in ORDERS:
        loaded = on_device.load(indices)
        assert loaded.device == DEVICE
        assert torch.equal(loaded.cpu(), on_cpu.load(indices))


@pytest.mark.parametrize("max_bytes", [None, 0])
@pytest.mark.parametrize("numbers", [HALF, SINGLE])
def test_vectors_on_an_accelerator_are_those_of_the_cpu(
    accelerator: SimulatedAccelerator, numbers: NDArray[Any], max_bytes: int | None
) -> None:
    vectors = Vectors(numbers, SELECTED)
    on_device, on_cpu = DeviceVectors(vectors, DEVICE, max_bytes), DeviceVectors(vectors, CPU)
    for indices in ORDERS:
        loaded = on_device.load(indices)
        assert loaded.dtype == torch.float32
        assert torch.equal(loaded.cpu(), on_cpu.load(indices))


def test_images_are_copied_to_an_accelerator_in_blocks(
    accelerator: SimulatedAccelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_inputs, "COPY_BYTES", 2 * GREY[0].nbytes)
    on_device = put_on_device(Images(GREY, SELECTED), DEVICE)
    assert accelerator.transfers == 3
    assert np.array_equal(on_device.load(slice(None)).mul(255).cpu()[:, 0], GREY[SELECTED])


def test_images_that_take_too_much_of_the_free_memory_are_sent_batch_by_batch(
    accelerator: SimulatedAccelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_inputs, "measure_free_bytes", lambda _: 2 * GREY[SELECTED].nbytes)
    assert DeviceImages(Images(GREY, SELECTED), DEVICE).is_resident
    monkeypatch.setattr(device_inputs, "measure_free_bytes", lambda _: 2 * GREY[SELECTED].nbytes - 2)
    on_device = DeviceImages(Images(GREY, SELECTED), DEVICE)
    assert not on_device.is_resident
    assert accelerator.transfers == 1
    on_device.load(torch.tensor([4, 1]))
    assert accelerator.transfers == 2
    assert not accelerator.waits


def test_arrays_are_sent_in_one_transfer(accelerator: SimulatedAccelerator) -> None:
    tensors = [
        torch.arange(3),
        torch.tensor([True, False, True]),
        torch.rand(2, 5).T,
        torch.rand(()),
        torch.empty(0, 4),
        torch.rand(7).half(),
    ]
    sent = send(tensors, DEVICE)
    assert accelerator.transfers == 1
    assert not accelerator.waits
    for tensor, copy in zip(tensors, sent, strict=True):
        assert copy.device == DEVICE
        assert copy.dtype == tensor.dtype
        assert torch.equal(copy.cpu(), tensor)


def test_tensors_of_the_cpu_and_of_an_accelerator_cannot_be_mixed(accelerator: SimulatedAccelerator) -> None:
    with pytest.raises(RuntimeError, match="same device"):
        torch.rand(3).to(DEVICE) + torch.rand(3)
