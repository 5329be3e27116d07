"""Predictions for new images and generated samples by the newest checkpoint of a session, read-only."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from vaetui.data.array_files import ArrayFile
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import parse_import_options
from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors, Pixels
from vaetui.engine.config import decodes_images
from vaetui.engine.device_inputs import BATCH_IMAGES, put_on_device
from vaetui.engine.devices import replace_unavailable, select_device
from vaetui.engine.events import Progress
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import Predictions, decode_latents, encode_and_classify
from vaetui.engine.networks import Networks
from vaetui.engine.vector_vae import VectorVAE
from vaetui.engine.vectors import vectors_from_array
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.session.learned_classes import find_learned_class_ids, find_trained_class_ids
from vaetui.session.new_images import EmbeddingReader, NetworkInputs, NewImageReader, PixelReader, VectorFileReader
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.thread_placement import ThreadPlacement
from vaetui.storage import locations

if TYPE_CHECKING:
    from vaetui.features.vector_arrays import FeatureFile
    from vaetui.storage.feature_record import FeatureRecord, ModelRecord

CANDIDATES_PER_SAMPLE = 50
"""Latent vectors drawn per sample of a given class; the most confident ones are returned."""

NEW_SESSION_ADVICE = "It has no round left to answer; create another session, with: vaetui new"


class Predictor:
    """The networks of a session at its newest intact checkpoint, on the CPU."""

    def __init__(self, name: str, snapshot: SessionSnapshot | None = None) -> None:
        """Load the networks of a session as it is now, or of a snapshot of it; no lock is needed.

        Raises UserError for an unknown name, a session without a checkpoint, and if all checkpoints are damaged.
        """
        with ExitStack() as stack:
            if snapshot is None:
                snapshot = stack.enter_context(closing(SessionSnapshot(locations.find_session(name))))
            repository = snapshot.repository
            self.name = name
            """The session name."""
            ThreadPlacement.start(torch.get_num_threads())
            self.vae, self.config = snapshot.load_networks("cpu")
            """The networks, and the configuration with the classes that they have learned."""
            self._device = snapshot.config.device
            self.image_shape = repository.shape[1:]
            """Height and width of the images in pixels; for colour images also 3."""
            self.classes = snapshot.classes
            """All classes; the networks may not have learned all of them."""
            self.features = repository.data_record.features
            """The vectors that the networks take in; None if they take in images."""
            self.input_shape = repository.input_shape
            """Shape of one input of the networks."""
            origin = repository.data_record.origin
            self._value_ranges = {"8-bit": (0.0, 255.0)} if origin is None else origin.report.value_ranges
            self._import_options = ImportOptions() if origin is None else parse_import_options(origin)
            self._has_later_round = schedule.next_round_number(snapshot.config.training, repository) > 0
            last_epoch = snapshot.last_trained_epoch
            self.trained_class_ids = find_trained_class_ids(snapshot.config, repository, last_epoch)
            """The classes whose answers the networks were trained on."""
            self.learned_class_ids = find_learned_class_ids(snapshot.config, repository, last_epoch)
            """The classes that the networks can tell apart; empty until they were trained on two."""
        self._predicted_count = 0

    def open_reader(
        self,
        value_range: tuple[float, float] | None = None,
        features_path: Path | None = None,
        features_key: str | None = None,
    ) -> NewImageReader:
        """Return a reader of new images, or of their vectors in a file.

        `value_range` overrides the values of black and white of the session, and `features_key` is the array or column
        of the file. Raises UserError for a file that is damaged or does not fit the session, for a missing file of
        vectors that no image model of the session could compute, and if that model cannot be loaded.
        """
        options = self._import_options
        if value_range is not None:
            options = replace(options, value_range=value_range)
        pixel_reader = PixelReader(self.image_shape, self._value_ranges, options)
        if features_path is not None:
            return VectorFileReader(self._open_feature_file(features_path, features_key), pixel_reader)
        if self.features is None:
            return pixel_reader
        if self.features.model is None:
            raise UserError(
                f"{self.name} was trained on vectors from elsewhere ({Path(self.features.path).name}), so new images "
                "need theirs. Pass a file with them: --features FILE"
            )
        from vaetui.features.image_models import load_recorded_model

        device = select_device(replace_unavailable(self._device)).type
        model = load_recorded_model(self.features.model, device)
        return EmbeddingReader(model, self.image_shape, self._value_ranges, options)

    def convert_vectors(self, vectors: NDArray[Any]) -> NetworkInputs:
        """Return an array of vectors [N, D] as input of the networks; raises UserError for any other array."""
        from vaetui.features.feature_checks import read_checked_blocks
        from vaetui.features.vector_arrays import build_array_features

        content = np.ascontiguousarray(vectors)
        array = ArrayFile("The array", content.shape, content.dtype, lambda: io.BytesIO(content.tobytes()))
        feature_file = build_array_features(array, Path())
        self.require_vectors(feature_file.width, feature_file.name)
        return np.concatenate(list(read_checked_blocks(feature_file)))

    def require_vectors(self, width: int, name: str) -> FeatureRecord:
        """Return the vectors of the session; raises UserError if vectors of that width are no input of its networks."""
        if self.features is None:
            raise UserError(f"{self.name} was trained on images, not on vectors. Pass the images alone.")
        if width != self.features.width:
            raise UserError(
                f"{name} has {width:,} numbers per image, but {self.name} was trained on {self.features.width:,}. Pass "
                "vectors that were computed in the same way."
            )
        return self.features

    def predict(self, inputs: NetworkInputs) -> Generator[Progress, None, Predictions]:
        """Classify images or vectors, as `open_reader` returns them, as one of the learned classes; yields progress.

        Raises UserError if fewer than two classes have been learned.
        """
        self.require_two_learned_classes()
        self._predicted_count += len(inputs)
        selection = images_from_array(inputs) if self.features is None else vectors_from_array(np.array(inputs))
        return encode_and_classify(
            self.vae,
            put_on_device(selection, torch.device("cpu"), self.config.network),
            self.config,
            "new",
            self._predicted_count,
            canonical=self.classes.canonical,
            allowed_class_ids=self.learned_class_ids,
        )

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Generator[Progress, None, Pixels]:
        """Decode latent vectors drawn from the prior to images [count, H, W]; yields progress.

        With a class, return the candidates most confidently classified as it. Raises UserError if that class, or
        any, has not been learned, and if the networks do not decode to images.
        """
        self.require_decoder()
        if class_id is not None and class_id >= self.config.network.classes:
            raise UserError(f"Class {self.classes.names[class_id]} is new; the networks learn it in the next epoch.")
        if class_id is not None:
            self._require_learned_class(class_id)
        candidate_count = count if class_id is None else count * CANDIDATES_PER_SAMPLE
        generator = rng.derive_generator(seed, "samples")
        latents = generator.standard_normal((candidate_count, self.config.network.z_dim), np.float32)
        if class_id is None:
            return (yield from self._decode(latents, decode_latents))
        inputs = yield from self._decode(latents, _decode_inputs)
        predictions = yield from self.predict(inputs)
        scores = np.where(predictions.class_ids == class_id, predictions.confidences, -predictions.confidences)
        chosen = np.argsort(-scores, kind="stable")[:count]
        if isinstance(self.vae, VectorVAE):
            return (yield from self._decode(latents[chosen], decode_latents))
        return inputs[chosen]

    def _decode(
        self, latents: LatentVectors, decode: Callable[[Networks, LatentVectors], NetworkInputs]
    ) -> Generator[Progress, None, NetworkInputs]:
        batches = []
        for start in range(0, len(latents), BATCH_IMAGES):
            yield Progress("generating samples", start, len(latents))
            batches.append(decode(self.vae, latents[start : start + BATCH_IMAGES]))
        return np.concatenate(batches)

    def require_decoder(self) -> None:
        """Raise UserError if the networks cannot generate images, because they were trained on vectors alone."""
        if not decodes_images(self.config.network):
            raise UserError(
                f"{self.name} was trained on vectors and has no decoder, so it cannot generate images. Create a "
                "session that has one with --features and --decoder."
            )

    def require_learned_classes(self) -> None:
        """Raise UserError if the networks were not trained on any answer."""
        if not self.trained_class_ids:
            advice = f"Answer a round with: vaetui resume {self.name}" if self._has_later_round else NEW_SESSION_ADVICE
            raise UserError(f"{self.name} has not learned any class yet. {advice}")

    def require_two_learned_classes(self) -> None:
        """Raise UserError if the networks cannot tell two classes apart, so that a prediction would mean nothing."""
        self.require_learned_classes()
        if not self.learned_class_ids:
            class_name = self.classes.names[self.trained_class_ids[0]]
            advice = f"Name a second one with: vaetui resume {self.name}"
            raise UserError(
                f"All answers that {self.name} has learned name one class, {class_name}. "
                f"{advice if self._has_later_round else NEW_SESSION_ADVICE}"
            )

    def _open_feature_file(self, path: Path, key: str | None) -> FeatureFile:
        """Open a file of vectors; raises UserError if the networks cannot take them in."""
        from vaetui.features.feature_files import is_feature_file, open_feature_file

        if self.features is not None and self.features.model is not None and not is_feature_file(str(path)):
            raise UserError(
                f"{path} is not a file of vectors. Leave out --features to use the image model of {self.name}, "
                f"{self.features.model.name}."
            )
        feature_file = open_feature_file(path, key)
        features = self.require_vectors(feature_file.width, feature_file.name)
        file_model = None if feature_file.sidecar is None else feature_file.sidecar.model
        if features.model and file_model and not _compute_equal_vectors(features.model, file_model):
            raise UserError(
                f"{feature_file.name} was computed by {_describe_model(file_model)}, but {self.name} was trained on "
                f"vectors by {_describe_model(features.model)}. Pass vectors by the same model, or the images alone."
            )
        return feature_file

    def _require_learned_class(self, class_id: int) -> None:
        self.require_two_learned_classes()
        if class_id not in self.learned_class_ids:
            learned_names = ", ".join(self.classes.names[learned_id] for learned_id in self.learned_class_ids)
            raise UserError(
                f"The networks have not learned class {self.classes.names[class_id]}. Choose one of: {learned_names}."
            )


def _compute_equal_vectors(first: ModelRecord, second: ModelRecord) -> bool:
    """Return whether two models have the same weights and input; their names may be paths of different computers."""
    from vaetui.features.model_names import ROTATIONS_SUFFIX

    keys = [(model.version, model.size, model.name.endswith(ROTATIONS_SUFFIX)) for model in (first, second)]
    return keys[0] == keys[1]


def _describe_model(model: ModelRecord) -> str:
    return f"{model.name} {model.version[:8]} at {model.size[0]}x{model.size[1]}"


@torch.inference_mode()
def _decode_inputs(vae: Networks, latents: LatentVectors) -> NetworkInputs:
    """Return what the networks would take in: images, or vectors [N, D]."""
    if not isinstance(vae, VectorVAE):
        return decode_latents(vae, latents)
    vectors: NetworkInputs = vae.decode(torch.from_numpy(latents)).numpy()
    return vectors
