"""The interface of a session that the front ends use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vaetui.engine.answers import AnsweredImage, ClusterAnswer, ClusterPath, ImageAnswerOrigin
from vaetui.engine.classes import AddClass, ClassEdit, ClassList
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config
from vaetui.engine.events import Event
from vaetui.session.audit_views import AuditCheck, AuditResult, AuditView
from vaetui.session.border_search import BorderSearch
from vaetui.session.review_views import ConfusedPair, ReviewClass, ReviewImage, ReviewProgress
from vaetui.session.views import DigitKeys, MemberOrder, Phase, ReadingTest, RoundView, Summary, TrainingCurves


class ImageReview(Protocol):
    """Pages of single images to correct, worst first; quick once `Session.load_labelling` has run.

    Raises UserError before that. The pages reflect every recorded answer at once; the labels of all other images are
    those that were loaded last.
    """

    def classes(self) -> tuple[ReviewClass, ...]:
        """Return the classes with images, most expected errors first."""

    def page(self, class_id: int | None, count: int, skipped: int = 0) -> tuple[ReviewImage, ...]:
        """Return at most `count` images that are labelled with a class, or with any, most suspicious first.

        Images with an answer of their own and further copies are left out, and so are the first `skipped` ones.
        """

    def varied_page(self, class_id: int | None, count: int) -> tuple[ReviewImage, ...]:
        """Return at most `count` doubtful images of a class, or of all, that differ from each other; takes 0.1 s."""

    def pairs(self) -> tuple[ConfusedPair, ...]:
        """Return the pairs of classes that are easily confused, most images first."""

    def pair_page(
        self, class_a: int, class_b: int, count: int
    ) -> tuple[tuple[ReviewImage, ...], tuple[ReviewImage, ...]]:
        """Return at most `count` images labelled with either class that may belong to the other, likeliest first."""

    def border(self, class_id: int, page_images: int) -> BorderSearch:
        """Return a new search for the border of a class; `Session.record_border` records its result."""

    def progress(self) -> ReviewProgress:
        """Return how many images the last pages have changed."""

    def expected_errors_on_next_page(self, class_id: int, count: int) -> float:
        """Return the expected number of wrong labels on the next page of a class with at most `count` images."""


class Audits(Protocol):
    """The audits of a session; `start` is slow, all others are quick. Only in phase labelling or finished."""

    @property
    def view(self) -> AuditView | None:
        """The open audit, or the newest finished one; None if there is neither."""

    @property
    def results(self) -> tuple[AuditResult, ...]:
        """The results of all finished audits, newest first."""

    def start(self, plan: str) -> Iterator[Event]:
        """Continue the open audit, whatever its plan, else draw one of the present labels; `view` shows it at the end.

        Raises UserError if there is nothing to audit.
        """

    def record(self, checks: Sequence[tuple[int, AuditCheck]]) -> None:
        """Record the checks of one key for images of the current view, by position; it is on the disk on return.

        `ClassAnswer(shown_class_id)` accepts a label, `Cleared()` takes a mark back. The view goes on to the next blind
        image or page when every image of the present one has a check. Raises UserError for images that are not in the
        view and for classes that are unknown or merged.
        """

    def undo(self) -> bool:
        """Take back the last key, also the one that ended the audit; return whether there was one."""

    def redo(self) -> bool:
        """Restore the key taken back last; return whether there was one."""

    def abandon(self) -> None:
        """Close the open audit without a result; it is counted in the results of later audits of this version."""

    def learn(self) -> int:
        """Record the checks of the finished audit as answers about images, one step of undo; return their number."""


class VersionedLabels(Protocol):
    """The labels of all images at one moment."""

    @property
    def version(self) -> str:
        """Hexadecimal digits that stand for these labels."""


class Labellings(Protocol):
    """The labels of a session."""

    @property
    def current(self) -> VersionedLabels | None:
        """The present labels; None until they are loaded, and again after a change."""


class Session(Protocol):
    """A session, open for writing.

    `advance` and `split_cluster` are slow and run in the one event worker, never both at once. `generate_samples`,
    `load_history`, `map_images` and `export_labels` are slow too; each runs in a worker of its own, all but the first
    only in phase labelling or finished. All other methods are quick. While `advance` trains, only `training_curves`,
    the reading test and the properties may be called; while it only loads (phases labelling and finished), all quick
    methods. Every method may raise UserError.
    """

    name: str
    """The session name."""
    has_test_labels: bool
    """Whether true labels of test images exist, so that epochs have a test accuracy."""
    has_features: bool
    """Whether the networks are trained on vectors in place of the images."""
    has_decoder: bool
    """Whether the networks decode images: centres, reconstructions and samples."""
    import_lines: Mapping[str, str]
    """What the import of the images took and left out, as a line of text by heading; empty for the bundled images."""
    classes: ClassList
    """The classes; without user-defined names they are named by digits."""

    @property
    def reviews(self) -> ImageReview:
        """Pages of single images to correct, in phase labelling or finished."""

    @property
    def audits(self) -> Audits:
        """The audits of the labels, in phase labelling or finished."""

    @property
    def labellings(self) -> Labellings:
        """The labels as an export would write them now."""

    @property
    def config(self) -> Config:
        """The configuration, with the current number of classes."""

    @property
    def phase(self) -> Phase:
        """The phase of the run: training, labelling or finished."""

    @property
    def round_count(self) -> int:
        """Number of rounds in the run; `add_round` increases it."""

    @property
    def epoch_count(self) -> int:
        """Number of epochs in the run."""

    @property
    def round_number(self) -> int:
        """The current or next labelling round; 0 after the last one."""

    @property
    def device_name(self) -> str:
        """The device in use, such as "cpu, 2 threads"; empty before the networks are loaded."""

    def advance(self) -> Iterator[Event]:
        """Train and cluster until a round needs answers or the run is finished; closing the iterator saves."""

    def split_cluster(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        """Split a cluster; the round view contains its parts when the iterator ends."""

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        """Generate images by the newest checkpoint, of any class or of one; the last event is `SamplesGenerated`."""

    def map_images(self, class_ids: Collection[int] = ()) -> Iterator[Event]:
        """Compute the map of the images, which shows the chosen classes apart, or all; the last event is `MapComputed`.

        Only in phase labelling or finished.
        """

    def load_labelling(self) -> Iterator[Event]:
        """Compute the labels as an export would write them now; slow, in a worker of its own, and quick when repeated.

        The last event is `LabellingLoaded`.
        """

    def round_view(self) -> RoundView:
        """Return the state of the current round; only in phase labelling."""

    @property
    def one_key_mode(self) -> bool | None:
        """Whether a digit answers at once in this session; None if it was not chosen in this session."""

    def set_one_key_mode(self, is_on: bool) -> None:
        """Record whether a digit answers at once in this session."""

    def record_answer(self, path: ClusterPath, answer: ClusterAnswer) -> None:
        """Record an answer for a cluster; it is on the disk on return."""

    def record_answers(
        self,
        answers: Sequence[tuple[ClusterPath, ClusterAnswer]],
        new_class: AddClass | None = None,
        extends_last_step: bool = False,
    ) -> None:
        """Record a new class, if any, and then the answers, as one step of undo or as part of the last step."""

    def correct_answer(self, round_number: int, path: ClusterPath, answer: ClusterAnswer) -> None:
        """Record an answer for a cluster of any round, in phase labelling or finished; undo removes it."""

    def record_image_answers(self, answers: Sequence[AnsweredImage], origin: ImageAnswerOrigin) -> None:
        """Record answers about single images as one step of undo, in phase labelling or finished.

        They are on the disk on return, all or none of them. An answer about an image replaces its earlier one;
        `Cleared` removes it.
        """

    def record_border(self, class_id: int, image_indices: Sequence[int]) -> None:
        """Record which images of a class lie beyond its border and lose that label, in phase labelling or finished."""

    def select_images(self, image_indices: Sequence[int]) -> Pixels:
        """Return images by their index in the data set, [M, H, W]; empty before the images are loaded."""

    def digit_keys(self) -> DigitKeys:
        """Return the class of each digit key: in a round those of its view, else as in the next round."""

    def load_history(self) -> Iterator[Event]:
        """Load the answers in force of all rounds; the last event is `HistoryLoaded`."""

    def export_labels(
        self, output: Path, format_name: str | None = None, min_confidence: float = 0.0, force: bool = False
    ) -> Iterator[Event]:
        """Export one label per image; slow, in a worker of its own; the last event is `LabelsExported`.

        Without a format, the name of the output chooses it. Raises OutputExistsError for an existing file unless
        `force`.
        """

    def edit_classes(self, edit: ClassEdit) -> None:
        """Record a class edit; it is on the disk on return."""

    def undo(self) -> ClusterPath | None:
        """Undo the last step of the round, or of phase finished; return the cluster of its last answer.

        () if it has no answer for a cluster of the current round, None if there is no step.
        """

    def redo(self) -> ClusterPath | None:
        """Redo the step undone last; return as `undo`."""

    def answer_counts(self) -> tuple[int, ...]:
        """Return the number of answers per class; those of merged classes count for their target."""

    def member_images(
        self, path: ClusterPath, order: MemberOrder, count: int, round_number: int | None = None
    ) -> Pixels:
        """Return at most `count` images of a cluster, [<= count, H, W]; empty before the images are loaded.

        The cluster is one of the current round, or of the round with that number.
        """

    def least_sure_images(self, class_id: int, count: int) -> tuple[Pixels, tuple[float, ...]]:
        """Return the training images that are labelled with a class with the least confidence.

        At most `count` images, least confident first, with their confidences; empty before the images are loaded.
        """

    def close_round(self) -> None:
        """End the labelling round."""

    def add_round(self) -> None:
        """Add one round to a finished run."""

    @property
    def image_count(self) -> int:
        """Number of images for training and validation."""

    def last_saved_at(self) -> float | None:
        """Return when training progress was last saved, in seconds since 1970; None if never."""

    def training_curves(self) -> TrainingCurves:
        """Return the losses and epochs measured so far; safe from any thread."""

    def reading_test(self) -> ReadingTest:
        """Return the unfinished reading test, else that of the last finished epoch; safe from any thread."""

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        """Record classes read from image `start` on and discard later readings; they are on the disk on return."""

    def summary(self) -> Summary:
        """Return the result of the run; only in phase finished."""
