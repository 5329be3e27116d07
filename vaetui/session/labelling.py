"""A labelling: the labels that an export would write at one moment, with what speaks for and against them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vaetui.engine.classes import ClassList
from vaetui.engine.events import Event
from vaetui.storage import file_names
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.calibration import Evidence
    from vaetui.engine.clusters import LatentVectors
    from vaetui.engine.inference import Predictions
    from vaetui.export.label_table import LabelTable
    from vaetui.session.label_evidence import ModelEvidence
    from vaetui.session.label_propagator import LabelPropagator
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.storage.stored_arrays import TrainValSplit

VERSION_DIGITS = 12
"""Hexadecimal digits of a version: two labellings of a session never share one in practice."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """The labels of all A images at one moment."""

    version: str
    """The first digits of the SHA-256 of the classes and of the label of every image."""
    epoch: int
    """The last finished epoch of the networks."""
    round_number: int
    """The last answered round."""
    label_table: LabelTable
    """The labels; their confidences are calibrated after an audit of labels by the same networks."""
    second_class_ids: NDArray[np.uint8]
    """The second most probable class of each image, [A]; that of the label where there is none."""
    doubts: NDArray[np.float32]
    """The doubt in each label, [A], from 0 to 1; no audit plays a part in it."""
    evidence: Evidence
    """What speaks for each label, [A]."""
    embeddings: LatentVectors
    """The latent vectors by the newest networks in the metric space, [A, z_dim]."""


PredictAll = Callable[[tuple[int, ...]], "Generator[Event, None, tuple[Predictions, Predictions]]"]
"""Function from the allowed classes to the predictions for training and held-out images; it yields events."""
StateKey = tuple[object, ...]
"""What a labelling or its evidence depends on."""


class LabellingLoader:
    """Computes the labelling of a session as it is now, and keeps the newest one."""

    def __init__(
        self,
        name: str,
        store: ArtifactStore,
        repository: SessionRepository,
        propagator: LabelPropagator,
        load_round: Callable[[int, int | None], LabellingRound],
        predict_all: PredictAll,
    ) -> None:
        """Start without a labelling; `name` is that of the session."""
        self._name = name
        self._store = store
        self._repository = repository
        self._propagator = propagator
        self._load_round = load_round
        self._predict_all = predict_all
        self._cached: tuple[StateKey, Labelling] | None = None
        self._cached_evidence: tuple[StateKey, ModelEvidence] | None = None

    @property
    def current(self) -> Labelling | None:
        """The labelling that was loaded last; None if answers, classes or networks have changed since."""
        if self._cached is None or self._cached[0] != self._derive_state():
            return None
        return self._cached[1]

    def load(self) -> Generator[Event, None, Labelling]:
        """Return the labelling; yields events. Nothing is computed if `current` is one.

        The networks classify all images once; later calls after other answers are quick. Raises NoLabelsError if
        no image has an answer yet, and UserError for missing or changed images and lost files.
        """
        from vaetui.session.final_labels import require_answered_round

        round_number = require_answered_round(self._repository, self._name)
        if (labelling := self.current) is None:
            labelling = yield from self._compute(round_number)
            self._cached = self._derive_state(), labelling
        return labelling

    def _compute(self, round_number: int) -> Generator[Event, None, Labelling]:
        from vaetui.session import final_labels
        from vaetui.session.learned_classes import find_learned_class_ids
        from vaetui.storage import stored_arrays
        from vaetui.storage.stored_arrays import TrainValSplit

        repository = self._repository
        config, epoch = repository.config, len(repository.list_epochs())
        learned_class_ids = find_learned_class_ids(config, repository, epoch)
        train_val_split = stored_arrays.load_arrays(self._store, file_names.TRAIN_VAL_SPLIT_NAME, TrainValSplit)
        predictions = model_evidence = None
        if learned_class_ids:
            predictions = yield from self._predict_all(learned_class_ids)
            model_evidence = yield from self._load_evidence(epoch, learned_class_ids, predictions, train_val_split)
        classes = repository.load_class_list()
        label_table = final_labels.build_label_table(
            self._load_round(round_number, None), self._propagator, config, predictions, train_val_split, classes
        )
        return self._assess(label_table, epoch, round_number, model_evidence, train_val_split, classes)

    def _load_evidence(
        self,
        epoch: int,
        learned_class_ids: tuple[int, ...],
        predictions: tuple[Predictions, Predictions],
        train_val_split: TrainValSplit,
    ) -> Generator[Event, None, ModelEvidence]:
        from vaetui.session import final_labels
        from vaetui.session.label_evidence import collect_model_evidence

        key = (*self._derive_networks_state(), learned_class_ids)
        if self._cached_evidence is None or self._cached_evidence[0] != key:
            evidence = yield from collect_model_evidence(
                self._store, self._repository, self._load_round, epoch, predictions, train_val_split
            )
            representatives = final_labels.find_representatives(train_val_split)
            self._cached_evidence = key, evidence.select_rows(representatives)
        return self._cached_evidence[1]

    def _assess(
        self,
        label_table: LabelTable,
        epoch: int,
        round_number: int,
        model_evidence: ModelEvidence | None,
        train_val_split: TrainValSplit,
        classes: ClassList,
    ) -> Labelling:
        """Return the labelling of a label table."""
        import numpy as np

        from vaetui.engine.calibration import FEATURES, Evidence

        class_ids = label_table.class_ids
        second_class_ids = np.maximum(class_ids, 0).astype(np.uint8)
        if model_evidence is None:
            evidence = Evidence(np.zeros((len(class_ids), len(FEATURES)), np.float32))
            embeddings = self._load_round_embeddings(train_val_split)
        else:
            evidence, embeddings = model_evidence.describe_labels(class_ids), model_evidence.embeddings
            is_predicted = model_evidence.class_ids == class_ids
            second_class_ids = np.where(is_predicted, model_evidence.second_class_ids, model_evidence.class_ids)
        label_table = replace(label_table, second_class_ids=second_class_ids)
        return Labelling(
            version=derive_version(classes, class_ids),
            epoch=epoch,
            round_number=round_number,
            label_table=label_table,
            second_class_ids=second_class_ids,
            doubts=1 - label_table.confidences,
            evidence=evidence,
            embeddings=embeddings,
        )

    def _load_round_embeddings(self, train_val_split: TrainValSplit) -> LatentVectors:
        """Return those that the newest round began with; zeros for held-out images, which no round contains."""
        import numpy as np

        round_embeddings = self._load_round(len(self._repository.list_rounds()), None).embeddings
        embeddings = np.zeros((len(train_val_split.first_copies), round_embeddings.shape[1]), np.float32)
        embeddings[train_val_split.train_indices] = round_embeddings
        return embeddings

    def _derive_state(self) -> StateKey:
        """Return what a labelling depends on."""
        repository = self._repository
        answer_ids = (
            *(record.id for record in repository.list_effective_answers()),
            *(record.id for record in repository.list_image_answers()),
            *(border.id for border in repository.list_borders()),
        )
        return (*self._derive_networks_state(), repository.load_class_list().names, answer_ids)

    def _derive_networks_state(self) -> StateKey:
        """Return what the opinions of the networks depend on."""
        repository = self._repository
        canonical = repository.load_class_list().canonical
        return len(repository.list_epochs()), tuple(repository.list_checkpoints()[:1]), canonical


def derive_version(classes: ClassList, class_ids: NDArray[np.int64]) -> str:
    """Return the version of a labelling by its classes and the class of each image, [A]."""
    names = [classes.names[canonical_id] for canonical_id in classes.canonical]
    digest = hashlib.sha256("\0".join(names).encode())
    digest.update(class_ids.astype("<i2").tobytes())
    return digest.hexdigest()[:VERSION_DIGITS]
