"""The Python interface to a session: labels, predictions, latent vectors, clusters and metrics as arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.answers import ClassAnswer, format_path
from vaetui.engine.clusters import LatentVectors, Pixels, iter_leaves
from vaetui.engine.events import Event, Losses, Notice
from vaetui.errors import UserError, make_printable
from vaetui.export.label_table import NO_CLASS_ID
from vaetui.session.dataset_location import locate_source_directory
from vaetui.session.image_answers import load_image_labels
from vaetui.session.label_export import describe_replaced_files
from vaetui.session.labelling import derive_version
from vaetui.session.metric_history import MetricHistory
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.stored_audits import load_results
from vaetui.storage import locations
from vaetui.storage.feature_record import FeatureRecord

if TYPE_CHECKING:
    import pandas

    from vaetui.engine.vectors import VectorArray
    from vaetui.export.label_table import LabelTable
    from vaetui.session.new_images import NetworkInputs
    from vaetui.session.predictor import Predictor

T = TypeVar("T")
Texts: TypeAlias = "NDArray[np.str_]"
"""An array of text, [N]."""
ImagePath: TypeAlias = "str | os.PathLike[str]"
"""The path of an image file, a directory, a table of paths or an array file."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of M images, column by column: the rows that `vaetui export` writes, in the same order."""

    rows: NDArray[np.int64]
    """The images as rows of `SessionReader.latents`, ascending, [M]."""
    indices: NDArray[np.int64]
    """Positions of the images in their source, ascending, [M]; equal to `rows` unless the import omitted images."""
    paths: Texts
    """Paths of the image files, [M]; "stack.tif#3" is page 3, from 0; "" for images that come from arrays."""
    class_ids: NDArray[np.int64]
    """Classes as indices of `SessionReader.class_names`, [M]."""
    names: Texts
    """Class names, [M]."""
    confidences: NDArray[np.float32]
    """Probability that each label is right, 0 to 1, [M]: measured if `calibration` is set, else only estimated."""
    sources: Texts
    """Origins, [M]: "answer" if the user saw the image, "propagated" if its cluster was answered, else "classifier"."""
    checks: Texts
    """What a person found about the labels in audits, [M]: "right", "wrong", "unreadable", or "" if not checked."""
    version: str
    """The version of the labelling, 12 hexadecimal digits; it changes with any label."""
    calibration: str | None
    """The version whose audit the confidences are calibrated by; None if they are uncalibrated."""

    def __len__(self) -> int:
        """Return M."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnswers:
    """The answers about K single images that are in force, in the order of entry; copies share that of the first."""

    rows: NDArray[np.int64]
    """The images as rows of `SessionReader.latents`, [K]."""
    class_ids: NDArray[np.int64]
    """Answered classes, [K]; -1 for an unreadable image."""
    names: Texts
    """Class names, [K]; "" for an unreadable image."""
    origins: Texts
    """Where the answers were given, [K]: "review", "pair", "audit", or "nearest" for the nearest image of a cluster."""

    def __len__(self) -> int:
        """Return K."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class ClassPredictions:
    """The predicted classes of N new images."""

    class_ids: NDArray[np.int64]
    """Classes as indices of `SessionReader.class_names`, [N]."""
    names: Texts
    """Class names, [N]."""
    probabilities: NDArray[np.float32]
    """Probabilities of these classes by the classifier, 0 to 1, [N]; uncalibrated, as no audit measures them."""
    paths: tuple[str, ...] = ()
    """The image of each row: its path, with # and a number for pages and images of arrays; empty for an array."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Paths that could not be read, which have no row, and the reasons."""

    def __len__(self) -> int:
        """Return N."""
        return len(self.class_ids)


@dataclass(frozen=True, slots=True, eq=False)
class Centres:
    """The K clusters of a round that are not split, and the answers for them."""

    round_number: int
    """The round, from 1."""
    paths: tuple[str, ...]
    """Names of the clusters, such as "3" or, after a split, "3.1"."""
    embeddings: LatentVectors
    """Their centres in the space that k-means clustered, [K, E] float32: that of latent vectors, of components
    of patch features, or of three views."""
    pictures: Pixels
    """Images decoded from the centres, or those nearest to them if the networks decode none, [K, H, W] or [K, H, W, 3]
    uint8."""
    mean_pictures: Pixels
    """Means of the nearest members, of the same shape."""
    sizes: NDArray[np.int64]
    """Number of images in each cluster, [K]."""
    class_ids: NDArray[np.int64]
    """Answered classes, [K]; -1 for a cluster without a class answer."""
    confidences: NDArray[np.float32]
    """Confidences of these answers, [K]; 0 without one."""


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Losses by step and figures by epoch."""

    steps: NDArray[np.int64]
    """Batches trained since the beginning of the run, ascending, [S]."""
    losses: Mapping[str, NDArray[np.float64]]
    """Mean losses since the previous step in nats per image, [S] each: "reconstruction", "divergence", ..."""
    epochs: tuple[Mapping[str, Any], ...]
    """Finished epochs, in order, as mappings of plain values; None stands for what was not measured."""


class SessionReader:
    """A session as it was when `vaetui.open` read it; nothing in it is ever changed.

    Another process may train the session at the same time. Open it again to read a newer state. Use it in a `with`
    block, or call `close`. PyTorch is imported by the first method that needs the networks. What a user can fix raises
    `vaetui.UserError`; every method raises ValueError after `close`.
    """

    def __init__(self, name: str) -> None:
        """Read a session by name, as `vaetui.open` does."""
        self._snapshot: SessionSnapshot | None = SessionSnapshot(locations.find_session(name))
        self.name = name
        """The session name."""
        self.class_names: tuple[str, ...] = self._snapshot.classes.names
        """All class names by class id, merged classes included."""
        self.features: FeatureRecord | None = self._snapshot.repository.data_record.features
        """The file of vectors that the networks are trained on, and its image model; None without features."""

    def labels(self) -> Labels:
        """Return the label of each image that has one, as `vaetui export` writes them.

        A label comes from the answers, else from the networks, if they have learned at least two classes. Warns about
        image files that have changed since the import. Raises UserError if no cluster has an answer yet, and for
        missing or changed images.
        """
        from vaetui.export.label_table import SOURCES

        self._require_open()
        is_labelled = self._label_table.class_ids >= 0
        table = self._label_table.select_rows(is_labelled)
        return Labels(
            rows=table.indices,
            indices=self._label_table.find_positions()[is_labelled],
            paths=_to_texts(table.list_path_texts()),
            class_ids=table.class_ids,
            names=np.array(self.class_names)[table.class_ids],
            confidences=table.confidences,
            sources=np.array(SOURCES)[table.source_ids],
            checks=_to_texts(table.list_check_texts()),
            version=derive_version(self._require_open().classes, self._label_table.class_ids),
            calibration=table.calibration,
        )

    def audits(self) -> tuple[Mapping[str, Any], ...]:
        """Return the results of the finished audits as mappings of plain values, newest first.

        Each holds for the labels of its "version"; compare that with `Labels.version`.
        """
        return tuple(result.to_dict() for result in load_results(self._require_open().repository))

    def image_answers(self) -> ImageAnswers:
        """Return the answers about single images, from reviews, audits and the nearest images of mixed clusters."""
        snapshot = self._require_open()
        answers = load_image_labels(snapshot.repository, snapshot.store)
        names = [self.class_names[class_id] if class_id >= 0 else "" for class_id in answers.class_ids.tolist()]
        return ImageAnswers(answers.image_indices, answers.class_ids, _to_texts(names), _to_texts([*answers.origins]))

    def table(self) -> pandas.DataFrame:
        """Return the labels as a table with the columns of the exported CSV file, one row per image.

        Raises UserError if pandas is not installed, and as `labels` does.
        """
        self._require_open()
        try:
            import pandas
        except ImportError as error:
            raise UserError("table() needs pandas. Install it with: pip install pandas") from error
        columns = list(self._label_table.columns)
        return pandas.DataFrame.from_records(list(self._label_table.iter_rows()), columns=columns)

    def predict(
        self,
        images: NDArray[Any] | ImagePath | Iterable[ImagePath] | None = None,
        *,
        features: NDArray[Any] | ImagePath | None = None,
        features_key: str | None = None,
    ) -> ClassPredictions:
        """Classify new images by the newest checkpoint, on the CPU, as `vaetui predict` does.

        `images` is an array [N, H, W] or [N, H, W, C] of any number type, or one or more paths. Values are scaled and
        images resized as at the import of the session; a session with features computes vectors of the images by its
        image model. `features` are vectors instead: an array [N, D], or a file with those of `images`, without which
        all of them are classified; `features_key` is the array or column of the file. Warns about paths that cannot be
        read. Raises UserError before two classes are learned, for an array that does not contain images or vectors,
        if no path can be read, and for features that the session cannot use or that are missing.
        """
        self._require_open()
        predictor = self._predictor
        predictor.require_two_learned_classes()
        if images is None and features is None:
            raise UserError("Pass images, or vectors of images as features.")
        if isinstance(features, np.ndarray):
            if images is not None:
                raise UserError("Pass an array of vectors as features alone, without images.")
            return ClassPredictions(*self._classify([predictor.convert_vectors(features)]))
        features_path = None if features is None else Path(features)
        new_image_reader = predictor.open_reader(features_path=features_path, features_key=features_key)
        if isinstance(images, np.ndarray):
            return ClassPredictions(*self._classify([new_image_reader.convert_array(images)]))
        listed_paths = [images] if isinstance(images, str | os.PathLike) else images or ()
        paths = [os.fspath(path) for path in listed_paths]
        names, skipped = list[str](), list[tuple[str, str]]()

        def iter_inputs() -> Iterator[NetworkInputs]:
            for batch in new_image_reader.iter_batches(paths):
                names.extend(batch.names)
                skipped.extend(batch.skipped)
                yield batch.inputs

        columns = self._classify(iter_inputs())
        for path, reason in skipped:
            warnings.warn(make_printable(f"{path} {reason}"), stacklevel=2)
        if paths and not names:
            raise UserError(f"None of {len(skipped):,} files is a readable image.")
        return ClassPredictions(*columns, tuple(names), tuple(skipped))

    def vectors(self) -> VectorArray:
        """Return the vectors of all N images of a session with features, [N, D] float16 or float32.

        Row r belongs to image r of the session, `Labels.rows`. They are mapped into memory, so that only those that are
        used are read. Raises UserError without features, and for a file of vectors that is missing or changed.
        """
        snapshot = self._require_open()
        if self.features is None:
            raise UserError(f"{self.name} has no vectors; it was trained on the images themselves.")
        from vaetui.engine.vectors import map_vectors
        from vaetui.session.vector_loading import verify_vectors

        _run(verify_vectors(self.features))
        vectors = map_vectors(Path(self.features.path), self.features.count, self.features.width)
        return vectors.all_vectors[: snapshot.repository.shape[0]]

    def latents(self) -> LatentVectors:
        """Return the latent vectors of all N images by the newest checkpoint, [N, z_dim] float32.

        With the recipe "photos", they are the principal components that are clustered in place of latent vectors. Row r
        belongs to image r of the session, `Labels.rows`. Raises UserError before the first checkpoint, and for missing
        or changed images.
        """
        from vaetui.session.snapshot_labels import predict_all
        from vaetui.storage import stored_arrays

        snapshot = self._require_open()
        train, validation = _run(predict_all(snapshot))
        split = stored_arrays.load_train_val_split(snapshot.store)
        latents = np.empty((len(split.first_copies), train.latents.shape[1]), np.float32)
        latents[split.train_indices], latents[split.validation_indices] = train.latents, validation.latents
        return latents

    def centres(self, round_number: int | None = None) -> Centres:
        """Return the clusters of a round, by default of the last one that has begun.

        Raises UserError for a round that has not begun.
        """
        snapshot = self._require_open()
        round_count = len(snapshot.repository.list_rounds())
        if not 1 <= (round_number or round_count) <= round_count:
            raise UserError(f"{self.name} has no round {round_number or 1} yet; {round_count} have begun.")
        labelling_round = snapshot.load_round(round_number or round_count)
        clusters = list(iter_leaves(labelling_round.tree))
        answers = [labelling_round.answers.get(cluster.path) for cluster in clusters]
        class_answers = [answer if isinstance(answer, ClassAnswer) else None for answer in answers]
        return Centres(
            round_number=labelling_round.round_number,
            paths=tuple(format_path(cluster.path) for cluster in clusters),
            embeddings=np.stack([cluster.centre for cluster in clusters]),
            pictures=np.stack([cluster.centre_image for cluster in clusters]),
            mean_pictures=np.stack([cluster.mean_image for cluster in clusters]),
            sizes=np.array([len(cluster.members) for cluster in clusters]),
            class_ids=np.array([answer.class_id if answer else NO_CLASS_ID for answer in class_answers]),
            confidences=np.array([answer.confidence if answer else 0 for answer in class_answers], np.float32),
        )

    def metrics(self) -> Metrics:
        """Return the losses recorded so far, every few batches, and the figures of the finished epochs."""
        snapshot = self._require_open()
        curves = MetricHistory(snapshot.repository, snapshot.config).training_curves()
        steps = np.array([step for step, _ in curves.loss_points], np.int64)
        values = np.array([losses for _, losses in curves.loss_points], np.float64).reshape(-1, len(Losses._fields))
        return Metrics(
            steps,
            dict(zip(Losses._fields, values.T, strict=True)),
            tuple(
                {"epoch": event.epoch, "losses": event.losses._asdict()}
                | {
                    name: getattr(event, name)
                    for name in type(event).__dataclass_fields__
                    if name not in ("epoch", "losses")
                }
                for event in curves.finished_epochs
            ),
        )

    def close(self) -> None:
        """Release the memory of the session; closing again does nothing."""
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None

    def __enter__(self) -> SessionReader:
        """Return the reader."""
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, exc_traceback: TracebackType | None
    ) -> None:
        """Close the reader."""
        self.close()

    def _require_open(self) -> SessionSnapshot:
        if self._snapshot is None:
            raise ValueError(f"The reader of session {self.name} is closed.")
        return self._snapshot

    @cached_property
    def _label_table(self) -> LabelTable:
        """The labels of all images, with the paths of their files."""
        from vaetui.session.label_quality import assess_labels
        from vaetui.session.snapshot_labels import label_images
        from vaetui.session.source_images import find_source_images

        snapshot = self._require_open()
        label_table, _ = assess_labels(snapshot, _run(label_images(snapshot)))
        directory = locate_source_directory(snapshot.repository.data_source)
        sources = _run(find_source_images(directory, len(label_table)))
        if sources.notice:
            warnings.warn(make_printable(sources.notice), stacklevel=3)
        if sources.files and sources.files.replaced_indices:
            warnings.warn(describe_replaced_files(sources.files), stacklevel=3)
        return replace(label_table, source_files=sources.files, omitted_positions=sources.omitted_positions)

    @cached_property
    def _predictor(self) -> Predictor:
        from vaetui.session.predictor import Predictor

        return Predictor(self.name, self._require_open())

    def _classify(self, batches: Iterable[NetworkInputs]) -> tuple[NDArray[np.int64], Texts, NDArray[np.float32]]:
        """Return class ids, class names and probabilities of images in batches."""
        class_ids, probabilities = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for inputs in batches:
            predictions = _run(self._predictor.predict(inputs))
            class_ids.append(predictions.class_ids.astype(np.int64))
            probabilities.append(predictions.confidences)
        all_class_ids = np.concatenate(class_ids)
        return all_class_ids, np.array(self.class_names)[all_class_ids], np.concatenate(probabilities)


def _to_texts(texts: list[str]) -> Texts:
    return np.array(texts, np.str_)


def _run(events: Generator[Event, None, T]) -> T:
    """Consume a generator of events, warn of its notices, and return its value."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            value: T = end.value
            return value
        if isinstance(event, Notice):
            warnings.warn(event.message, stacklevel=4)
