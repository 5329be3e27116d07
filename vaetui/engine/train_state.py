"""The state of training: networks, optimiser and device, and their checkpoint as named arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import Config
from vaetui.engine.devices import require_precision, select_device
from vaetui.engine.networks import Networks, build_networks
from vaetui.errors import UserError

NamedArrays: TypeAlias = dict[str, NDArray[np.float32]]
"""Arrays of a checkpoint: "network.<parameter>", "optimiser.<key>.<parameter>" and "running.<buffer>"."""

FUSED_DEVICES = ("cpu", "cuda", "mps")
"""Devices for which PyTorch has a fused Adam: one kernel in place of seven per parameter."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainState:
    """The networks, their optimiser and their device."""

    vae: Networks
    """The networks."""
    optimiser: torch.optim.Adam
    """Its state continues from round to round."""
    device: torch.device
    """Device of networks and optimiser."""


def create_train_state(config: Config, shape: tuple[int, ...], image_shape: tuple[int, ...] = ()) -> TrainState:
    """Return untrained networks, with optimiser; raises UserError as `select_device` and `require_precision`.

    `shape` is that of one input: (H, W) or (H, W, 3) of an image, (D,) of a vector; for the latter, an image decoder
    needs the `image_shape`.
    """
    device = select_device(config.device)
    require_precision(config.precision, device)
    vae = build_networks(config.network, shape, rng.derive_seed(config.seed, "network"), image_shape).to(device)
    if device.type == "mps":
        # In many versions of PyTorch, its gradients of channels-last activations fail (pytorch/pytorch#188371).
        vae.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    is_fused = device.type in FUSED_DEVICES
    return TrainState(vae, torch.optim.Adam(vae.parameters(), config.training.learning_rate, fused=is_fused), device)


def to_checkpoint_arrays(state: TrainState) -> NamedArrays:
    """Return copies of all parameters, optimiser moments and running statistics: all that the next step depends on."""
    tensors = {}
    for name, parameter in state.vae.named_parameters():
        tensors[f"network.{name}"] = parameter.detach()
        for key, value in state.optimiser.state.get(parameter, {}).items():
            tensors[f"optimiser.{key}.{name}"] = value
    tensors |= {f"running.{name}": buffer for name, buffer in _get_running_statistics(state.vae).items()}
    return {name: np.array(tensor.cpu().numpy(), order="C") for name, tensor in tensors.items()}


def bound_checkpoint_bytes(state: TrainState) -> int:
    """Return an upper bound for the file size of a checkpoint, in bytes."""
    # A parameter and its two moments take 12 bytes per number; the header describes four arrays per parameter.
    tensors = [*state.vae.parameters(), *_get_running_statistics(state.vae).values()]
    return 16 * sum(tensor.numel() for tensor in tensors) + 4_096 * (1 + len(tensors))


def expand_classifier(
    state: TrainState, config: Config, shape: tuple[int, ...], image_shape: tuple[int, ...] = ()
) -> TrainState:
    """Return a state whose classifier has as many classes as the configuration, at least as many as now.

    Everything else is copied; the logits of new classes are 0.
    """
    if state.vae.classifier.out_features == config.network.classes:
        return state
    expanded = create_train_state(config, shape, image_shape)
    load_checkpoint_arrays(expanded, to_checkpoint_arrays(state))
    return expanded


@torch.no_grad()
def load_checkpoint_arrays(state: TrainState, arrays: NamedArrays) -> None:
    """Load what `to_checkpoint_arrays` returned; a classifier of fewer classes is padded with rows of 0.

    Raises UserError, before it changes anything, if other names or shapes do not match the networks.
    """
    arrays = _pad_classes(arrays, state.vae.classifier.out_features)
    parameters = dict(state.vae.named_parameters())
    moments = {name: _get_moments(arrays, name) for name in parameters}
    for name, parameter in parameters.items():
        _require_shape(arrays, f"network.{name}", name, tuple(parameter.shape))
        for key in moments[name]:
            _require_shape(arrays, f"optimiser.{key}.{name}", name, () if key == "step" else tuple(parameter.shape))
    statistics = _get_running_statistics(state.vae)
    for name, buffer in statistics.items():
        _require_shape(arrays, f"running.{name}", name, tuple(buffer.shape))
    for name, buffer in statistics.items():
        buffer.copy_(torch.from_numpy(arrays[f"running.{name}"]))
    # Like Adam itself: moments in the memory format of the parameter, and the step on its device only if fused.
    is_fused = state.optimiser.defaults["fused"]
    for name, parameter in parameters.items():
        parameter.copy_(torch.from_numpy(arrays[f"network.{name}"]))
        step_device = parameter.device if is_fused else torch.device("cpu")
        state.optimiser.state[parameter] = {
            key: torch.tensor(array, device=step_device)
            if key == "step"
            else torch.empty_like(parameter).copy_(torch.from_numpy(array))
            for key, array in moments[name].items()
        }


def _require_shape(arrays: NamedArrays, array_name: str, name: str, shape: tuple[int, ...]) -> None:
    if array_name not in arrays or arrays[array_name].shape != shape:
        raise UserError(f"The checkpoint does not match the networks of the session (at {name}).")


def _pad_classes(arrays: NamedArrays, class_count: int) -> NamedArrays:
    """Add rows of 0 to the arrays of a classifier that has fewer classes."""
    weight = arrays.get("network.classifier.weight")
    stored_count = class_count if weight is None or not weight.ndim else len(weight)

    def pad_rows(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
        if ".classifier." not in name or not array.ndim or len(array) != stored_count:
            return array
        return np.concatenate([array, np.zeros((class_count - stored_count, *array.shape[1:]), np.float32)])

    return {name: pad_rows(name, array) for name, array in arrays.items()} if stored_count < class_count else arrays


def _get_running_statistics(vae: Networks) -> dict[str, Tensor]:
    """Return the running means and variances of the batch normalisation, and what vectors are standardised by."""
    return {name: buffer for name, buffer in vae.named_buffers() if buffer.is_floating_point()}


def _get_moments(arrays: NamedArrays, name: str) -> NamedArrays:
    """Return the optimiser's state of a parameter: all of it, or nothing if the parameter was never trained."""
    array_names = {key: f"optimiser.{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
    moments = {key: arrays[array_name] for key, array_name in array_names.items() if array_name in arrays}
    if moments and len(moments) < len(array_names):
        raise UserError(f"The checkpoint has only a part of the optimiser's state (at {name}).")
    return moments
