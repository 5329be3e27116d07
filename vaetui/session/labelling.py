"""A labelling: the labels that an export would write at one moment, with what speaks for and against them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from vaetui.engine.classes import ClassList
from vaetui.engine.events import Event
from vaetui.engine.slow_calls import run_in_background
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vaetui.engine.calibration import Evidence, SessionFacts
    from vaetui.engine.clusters import Indices, LatentVectors
    from vaetui.engine.inference import Predictions
    from vaetui.export.label_table import LabelTable
    from vaetui.session.label_evidence import ModelEvidence
    from vaetui.session.label_propagator import LabelPropagator
    from vaetui.session.labelling_round import LabellingRound
    from vaetui.storage.stored_arrays import TrainValSplit

ACTIVITY = "labelling all images"
"""What is reported while labels are computed."""
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
    by_doubt: Indices
    """All images, most doubtful first, [A]; it takes seconds to sort millions of them."""
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
        self._cached: tuple[StateKey, Labelling, bool] | None = None  # the last is whether audits may calibrate it
        self._cached_calibrated: tuple[StateKey, Labelling] | None = None
        self._cached_evidence: tuple[StateKey, tuple[ModelEvidence, SessionFacts]] | None = None

    @property
    def current(self) -> Labelling | None:
        """The labelling that was loaded last; None if answers, classes or networks have changed since.

        Its confidences follow the audits that were finished since.
        """
        if self._cached is None or self._cached[0] != self._derive_state():
            return None
        state, labelling, can_be_calibrated = self._cached
        if not can_be_calibrated:
            return labelling
        audits = [audit for audit in self._repository.audit_log.list_audits() if audit.state == "finished"]
        key = state, tuple((audit.id, audit.ended_at) for audit in audits)
        if self._cached_calibrated is None or self._cached_calibrated[0] != key:
            self._cached_calibrated = key, self._calibrate(labelling)
        return self._cached_calibrated[1]

    def load(self) -> Generator[Event, None, Labelling]:
        """Return the labelling; yields events. Nothing is computed if `current` is one.

        The networks classify all images once; later calls after other answers are quick. Raises NoLabelsError if
        no image has an answer yet, and UserError for missing or changed images and lost files.
        """
        from vaetui.session.final_labels import require_answered_round

        round_number = require_answered_round(self._repository, self._name)
        labelling = yield from self.load_current()
        if labelling is None:
            computed, has_evidence = yield from self._compute(round_number)
            can_be_calibrated = has_evidence and not self._is_within_epoch(computed.epoch)
            self._cached = self._derive_state(), computed, can_be_calibrated
            labelling = yield from self.load_current()
            assert labelling is not None
        return labelling

    def load_current(self) -> Generator[Event, None, Labelling | None]:
        """Return `current`; yields Progress while an audit of many images calibrates it."""
        return (yield from run_in_background(ACTIVITY, lambda: self.current))

    def _compute(self, round_number: int) -> Generator[Event, None, tuple[Labelling, bool]]:
        """Return the labelling, uncalibrated, and whether the networks had learned classes."""
        from vaetui.session.learned_classes import find_learned_class_ids
        from vaetui.storage import stored_arrays

        repository = self._repository
        config, epoch = repository.config, len(repository.list_epochs())
        learned_class_ids = find_learned_class_ids(config, repository, epoch)
        train_val_split = stored_arrays.load_train_val_split(self._store)
        predictions = model_evidence = None
        if learned_class_ids:
            predictions = yield from self._predict_all(learned_class_ids)
            load_evidence = partial(self._load_evidence, epoch, learned_class_ids, predictions, train_val_split)
            model_evidence = yield from run_in_background("comparing predictions and answers", load_evidence)
        build = partial(self._build, round_number, epoch, predictions, model_evidence, train_val_split)
        return (yield from run_in_background(ACTIVITY, build)), model_evidence is not None

    def _build(
        self,
        round_number: int,
        epoch: int,
        predictions: tuple[Predictions, Predictions] | None,
        model_evidence: tuple[ModelEvidence, SessionFacts] | None,
        train_val_split: TrainValSplit,
    ) -> Labelling:
        """Return the labelling, uncalibrated, by answers and by the networks if they have learned classes."""
        from vaetui.session import final_labels

        classes, config = self._repository.load_class_list(), self._repository.config
        label_table = final_labels.build_label_table(
            self._load_round(round_number, None), self._propagator, config, predictions, train_val_split, classes
        )
        version = derive_version(classes, label_table.class_ids)
        if model_evidence is None:
            return self._describe_answers(version, epoch, round_number, label_table, train_val_split)
        return self._assess(version, epoch, round_number, label_table, *model_evidence)

    def _load_evidence(
        self,
        epoch: int,
        learned_class_ids: tuple[int, ...],
        predictions: tuple[Predictions, Predictions],
        train_val_split: TrainValSplit,
    ) -> tuple[ModelEvidence, SessionFacts]:
        from vaetui.session import final_labels
        from vaetui.session.label_evidence import collect_facts, collect_model_evidence

        key = (*self._derive_networks_state(), learned_class_ids)
        if self._cached_evidence is None or self._cached_evidence[0] != key:
            evidence = collect_model_evidence(self._store, self._repository, epoch, predictions, train_val_split)
            facts = collect_facts(self._repository, self._propagator, epoch, predictions[0].class_ids)
            representatives = final_labels.find_representatives(train_val_split)
            self._cached_evidence = key, (evidence.select_rows(representatives), facts)
        return self._cached_evidence[1]

    def _describe_answers(
        self,
        version: str,
        epoch: int,
        round_number: int,
        label_table: LabelTable,
        train_val_split: TrainValSplit,
    ) -> Labelling:
        """Return the labelling of a table by answers alone: their confidences are all that speaks for the labels."""
        import numpy as np

        from vaetui.engine.calibration import FEATURES, Evidence, to_logits

        features = np.zeros((len(label_table), len(FEATURES)), np.float32)
        features[:, 0] = to_logits(label_table.confidences)
        second_class_ids, doubts = np.maximum(label_table.class_ids, 0).astype(np.uint8), 1 - label_table.confidences
        return Labelling(
            version=version,
            epoch=epoch,
            round_number=round_number,
            label_table=label_table,
            second_class_ids=second_class_ids,
            doubts=doubts,
            by_doubt=np.argsort(-doubts, kind="stable"),
            evidence=Evidence(features),
            embeddings=self._load_round_embeddings(train_val_split),
        )

    def _assess(
        self,
        version: str,
        epoch: int,
        round_number: int,
        label_table: LabelTable,
        model_evidence: ModelEvidence,
        facts: SessionFacts,
    ) -> Labelling:
        """Return the labelling of a table of labels by answers and by the networks."""
        import numpy as np

        class_ids = label_table.class_ids
        evidence = model_evidence.describe_labels(class_ids, facts)
        is_predicted = model_evidence.class_ids == class_ids
        second_class_ids = np.where(is_predicted, model_evidence.second_class_ids, model_evidence.class_ids)
        confidences = np.where(label_table.is_inferred, evidence.uncalibrated_confidences, label_table.confidences)
        doubts = 1 - confidences
        return Labelling(
            version=version,
            epoch=epoch,
            round_number=round_number,
            label_table=replace(label_table, confidences=confidences),
            second_class_ids=second_class_ids,
            doubts=doubts,
            by_doubt=np.argsort(-doubts, kind="stable"),
            evidence=evidence,
            embeddings=model_evidence.embeddings,
        )

    def _calibrate(self, labelling: Labelling) -> Labelling:
        """Return a labelling whose confidences follow the audits."""
        import numpy as np

        from vaetui.session.label_confidence import compute_confidences

        table = labelling.label_table
        inferred, calibration = compute_confidences(
            self._store, self._repository, labelling.epoch, table.class_ids, labelling.evidence
        )
        confidences = np.where(table.is_inferred, inferred, table.confidences)
        return replace(labelling, label_table=replace(table, confidences=confidences, calibration=calibration))

    def _is_within_epoch(self, epoch: int) -> bool:
        """Return whether the networks have learned some batches of the epoch after the last finished one."""
        checkpoints = self._repository.list_checkpoints()
        return bool(checkpoints) and checkpoints[0][0] > epoch

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
