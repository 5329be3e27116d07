"""The session as the screens see it; they do not know what trains, what clusters and what keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from vaetui.engine.answers import ClassAnswer, ClusterPath, Unreadable
from vaetui.engine.classes import ClassEdit, ClassList
from vaetui.engine.clusters import Pixels
from vaetui.engine.config import Config
from vaetui.engine.events import Event
from vaetui.session.views import MemberOrder, Phase, ReadingTest, RoundView, Summary, TrainingCurves


class Session(Protocol):
    """One door to everything below the screens.

    `advance` and `split` are slow and run in the one worker, never two at once; all others are quick.
    While a slow one runs only `curves`, the reading test and the properties may be asked; while `advance` merely
    loads (phase labelling) the board, the answers and the members may be asked too. `samples` is slow as well, and
    runs in a worker of its own beside all others. Any of them may raise Trouble.
    """

    name: str
    """What the person called it."""
    has_test_labels: bool
    """Whether true labels tell how many test images are called right; else no epoch has a test accuracy."""
    classes: ClassList
    """What classes there are; they are called by digits where nobody named them."""

    @property
    def config(self) -> Config:
        """Give every knob of it, for as many classes as there are now."""
        ...

    @property
    def phase(self) -> Phase:
        """Tell what the session waits for."""
        ...

    @property
    def rounds(self) -> int:
        """Count the rounds of the run; another round makes it grow."""
        ...

    @property
    def epochs(self) -> int:
        """Count the epochs of the run."""
        ...

    @property
    def round_number(self) -> int:
        """Tell the round being asked, or while training the next one to be asked; 0 where none is left."""
        ...

    @property
    def device_name(self) -> str:
        """Tell what it computes on, such as "cpu, 2 threads"; empty until known."""
        ...

    def advance(self) -> Iterator[Event]:
        """Train and cluster until a person is needed or the run is over; closing it saves."""
        ...

    def split(self, path: ClusterPath, part_count: int) -> Iterator[Event]:
        """Divide a cluster; the board has its parts when the iterator ends."""
        ...

    def samples(self, count: int, class_id: int | None, seed: int) -> Iterator[Event]:
        """Draw new pictures by the newest checkpoint, of any class or of one; `Drawn` comes last."""
        ...

    def round_view(self) -> RoundView:
        """Show the round of answers; only in phase labelling."""
        ...

    def answer(self, path: ClusterPath, answer: ClassAnswer | Unreadable) -> None:
        """Keep what a person said of a cluster; it is on the disk when this returns."""
        ...

    def edit_classes(self, edit: ClassEdit) -> None:
        """Keep what a person did to the classes; it is on the disk when this returns."""
        ...

    def undo(self) -> ClusterPath | None:
        """Take back the last act and give its cluster, () for one on the classes; None when there is nothing."""
        ...

    def redo(self) -> ClusterPath | None:
        """Bring back what was last undone and give its cluster, likewise; None when there is nothing."""
        ...

    def answer_counts(self) -> tuple[int, ...]:
        """Count for each class how often it was named so far; those merged into it count with it."""
        ...

    def members(self, path: ClusterPath, order: MemberOrder, count: int) -> Pixels:
        """Give at most `count` members of a cluster, [N, H, W]; none until the images are loaded."""
        ...

    def finish_round(self) -> None:
        """End the round of answers."""
        ...

    def add_round(self) -> None:
        """Make a finished run one round longer."""
        ...

    def training_curves(self) -> TrainingCurves:
        """Give what was measured so far; safe from any thread."""
        ...

    def reading_test(self) -> ReadingTest:
        """Give the reading test of the last finished epoch; safe from any thread."""
        ...

    def record_reading(self, epoch: int, start: int, class_ids: Sequence[int | None]) -> ReadingTest:
        """Keep what was read from that place on, and forget what was read behind it; on the disk when it returns."""
        ...

    def summary(self) -> Summary:
        """Tell what the run came to; only in phase finished."""
        ...
