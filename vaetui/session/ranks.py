"""What the ranks of a distributed run do together: rank 0 owns the session and commands, the others do their part."""

from __future__ import annotations

import platform
import zlib
from collections.abc import Collection, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaetui.engine import config_text, devices, train_state, training
from vaetui.engine.config import Config, decodes_images
from vaetui.engine.device_inputs import DeviceImages, DeviceInputs, put_on_device
from vaetui.engine.distributed import World
from vaetui.engine.events import BatchesTrained, Progress
from vaetui.engine.image_views import ViewComponents
from vaetui.engine.inference import Predictions, encode_and_classify
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.slow_calls import exhaust
from vaetui.engine.train_state import NamedArrays, TrainState
from vaetui.errors import UserError
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.thread_placement import ThreadPlacement, adapt_threads
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import TrainValSplit


def limit_threads(config: Config, world: World) -> int:
    """Let this process use its share of the configured threads, which the ranks on a machine divide; return it."""
    thread_count = max(config.threads // world.local_size, 1)
    torch.set_num_threads(thread_count)
    ThreadPlacement.start(thread_count)
    return thread_count


class RankCommands:
    """Runs training and inference on all ranks; created by rank 0. Alone, it only calls the functions."""

    def __init__(self, world: World) -> None:
        """Command the other ranks of the `world`."""
        self._world = world

    def open_data(self, repository: SessionRepository, config: Config, device: str, split: TrainValSplit) -> None:
        """Let every rank open the images of the session and build its networks.

        Raises UserError, which names the rank and its machine, if one of them cannot.
        """
        if self._world.size == 1:
            return
        config_json = config_text.to_json(replace(config, device=device))  # type: ignore[arg-type]
        self._world.share(["open_data", repository.created_at, compute_checksum(split), config_json])
        _raise_failures(self._world.gather_texts(""))

    def train_epoch(
        self,
        state: TrainState,
        inputs: DeviceInputs,
        pseudo_labels: PseudoLabels | None,
        config: Config,
        epoch: int,
        start_step: int,
        images: DeviceImages | None,
    ) -> Generator[BatchesTrained, None, None]:
        """Train as `training.train_epoch`; closing the iterator stops every rank at the same step."""
        if self._world.size > 1:
            arrays = to_arrays(state, pseudo_labels)
            self._world.share(["train_epoch", state.vae.classifier.out_features, epoch, start_step], arrays)
        epoch_events = training.train_epoch(
            state, inputs, pseudo_labels, config, epoch, start_step, images, self._world
        )
        yield from self._world.follow(epoch_events)

    def encode_and_classify(
        self,
        state: TrainState,
        inputs: DeviceInputs,
        config: Config,
        subset_name: str,
        epoch: int,
        canonical: Sequence[int],
        allowed_class_ids: Collection[int] | None,
        view_components: ViewComponents | None,
    ) -> Generator[Progress, None, Predictions]:
        """Encode and classify as `inference.encode_and_classify`, with the batches divided among the ranks."""
        if self._world.size > 1:
            allowed = None if allowed_class_ids is None else list(allowed_class_ids)
            parameters = [state.vae.classifier.out_features, subset_name, epoch, list(canonical), allowed]
            components = {} if view_components is None else view_components._asdict()
            self._world.share(["encode_and_classify", *parameters], {**components, **to_arrays(state)})
        predictions = yield from self._world.follow(
            encode_and_classify(
                state.vae,
                inputs,
                config,
                subset_name,
                epoch,
                canonical=canonical,
                allowed_class_ids=allowed_class_ids,
                view_components=view_components,
                world=self._world,
            )
        )
        assert predictions is not None  # only the other ranks are stopped
        return predictions


def end_ranks(world: World, status: int) -> None:
    """End the other ranks, which wait for a command, with an exit status; called by rank 0."""
    if world.size > 1:
        world.share(["end", status])


class FollowingRank:
    """A rank other than the first: it reads the images, trains a copy of the networks, and writes nothing."""

    def __init__(self, directory: Path, world: World) -> None:
        """Follow rank 0 of the `world`; the directory is that of the session as this machine sees it."""
        self._directory = directory
        self._world = world
        self._images: SessionImages | None = None
        self._config = Config()
        self._shapes: tuple[tuple[int, ...], tuple[int, ...]] = (), ()  # of an input, and of an image
        self._state: TrainState | None = None
        self._inputs: dict[str, DeviceInputs] = {}
        self._decoded_images: DeviceImages | None = None

    def run(self) -> int:
        """Do what rank 0 commands until it ends; return the exit status that it chose."""
        while True:
            command, arrays = self._world.share()
            match command:
                case ["open_data", created_at, checksum, config_json]:
                    self._open_data(created_at, checksum, config_json)
                case ["train_epoch", class_count, epoch, start_step]:
                    self._train_epoch(class_count, epoch, start_step, arrays)
                case ["encode_and_classify", *parameters]:
                    self._encode_and_classify(arrays, *parameters)
                case ["end", int(status)]:
                    return status
                case _:
                    raise ValueError(f"rank 0 sent an unknown command: {command}")

    def _open_data(self, created_at: float, checksum: int, config_json: str) -> None:
        failure = ""
        try:
            self._load(created_at, checksum, config_text.from_json(config_json))
        except UserError as error:
            failure = f"Rank {self._world.rank} on {platform.node()} cannot train: {error}"
        self._world.gather_texts(failure)  # rank 0 reports it and ends all

    def _load(self, created_at: float, checksum: int, config: Config) -> None:
        limit_threads(config, self._world)
        with closing(SessionRepository(self._directory)) as repository:
            if repository.created_at != created_at:
                raise UserError(f"{self._directory} is another session there.")
            if self._images is None:
                self._images = exhaust(load_images(ArtifactStore(self._directory, repository), repository))
            images = self._images
            if compute_checksum(images.train_val_split) != checksum:
                raise UserError(f"The images of {self._directory} are divided in another way there.")
            self._config, self._state = config, None
            self._shapes = repository.input_shape, repository.shape[1:]
        device = devices.select_device(config.device)
        inputs = images.network_inputs
        subsets = {"training": inputs.train, "held-out": inputs.validation, "test": inputs.test}
        self._inputs = {
            name: put_on_device(subset, device, config.network)
            for name, subset in subsets.items()
            if subset is not None
        }
        self._decoded_images = None
        if decodes_images(config.network) and images.vectors is not None:
            self._decoded_images = DeviceImages(images.train, device)

    def _train_epoch(self, class_count: int, epoch: int, start_step: int, arrays: NamedArrays) -> None:
        pseudo_labels = None
        if "class_ids" in arrays:
            pseudo_labels = PseudoLabels(arrays.pop("class_ids"), arrays.pop("weights"))  # type: ignore[arg-type]
        state = self._restore_state(class_count, arrays)
        reports = training.train_epoch(
            *(state, self._inputs["training"], pseudo_labels, self._config, epoch, start_step),
            *(self._decoded_images, self._world),
        )
        with suppress(UserError):  # of the loss, which rank 0 raises and reports, too
            exhaust(adapt_threads(self._world.follow(reports), state.device))

    def _encode_and_classify(
        self,
        arrays: NamedArrays,
        class_count: int,
        subset_name: str,
        epoch: int,
        canonical: list[int],
        allowed_class_ids: list[int] | None,
    ) -> None:
        components = {name: arrays.pop(name) for name in ViewComponents._fields if name in arrays}
        steps = encode_and_classify(
            self._restore_state(class_count, arrays).vae,
            self._inputs[subset_name],
            self._config,
            subset_name,
            epoch,
            canonical=canonical,
            allowed_class_ids=allowed_class_ids,
            view_components=ViewComponents(**components) if components else None,
            world=self._world,
        )
        exhaust(self._world.follow(steps))

    def _restore_state(self, class_count: int, arrays: NamedArrays) -> TrainState:
        """Return the networks of rank 0."""
        if self._state is None or self._state.vae.classifier.out_features != class_count:
            network = replace(self._config.network, classes=class_count)
            self._state = train_state.create_train_state(replace(self._config, network=network), *self._shapes)
        train_state.load_checkpoint_arrays(self._state, arrays)
        return self._state


def compute_checksum(split: TrainValSplit) -> int:
    """Return a checksum of the images and their division, by which ranks see that they have the same."""
    arrays: list[Any] = [split.image_digest, split.train_indices, split.validation_indices]
    return zlib.crc32(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays))


def to_arrays(state: TrainState, pseudo_labels: PseudoLabels | None = None) -> dict[str, Any]:
    """Return the networks, their optimiser and the pseudo-labels as arrays."""
    arrays: dict[str, Any] = dict(train_state.to_checkpoint_arrays(state))
    if pseudo_labels is not None:
        arrays |= {"class_ids": pseudo_labels.class_ids, "weights": pseudo_labels.weights}
    return arrays


def _raise_failures(failures: list[str]) -> None:
    for failure in filter(None, failures):
        raise UserError(failure)
