"""The screen of a run in training; it does not know how anything is trained."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize, ScreenResume

from vaetui.engine.events import Clustered, EpochEnded, Event, Loading, Progressed, Reconstructed, Saved
from vaetui.errors import Trouble
from vaetui.tui.presenters.epoch_metrics import known
from vaetui.tui.presenters.training_progress import Doing, Pace, doing_line, epoch_line, training_line
from vaetui.tui.screens.guarded import Guarded
from vaetui.tui.screens.help import Figures
from vaetui.tui.session_protocol import Session
from vaetui.tui.training_keys import FIGURES, KEYS, UNTESTED, WEIGHTY
from vaetui.tui.widgets.curves import AccuracyPane, KnownPane, LossPane
from vaetui.tui.widgets.epoch_table import TESTED, Epochs
from vaetui.tui.widgets.footer import Keys
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.reconstructions import Strip
from vaetui.tui.widgets.size_notice import Room
from vaetui.tui.widgets.status import Status
from vaetui.tui.worker import Ended, Following, Reported

LOOKS = 2
"""Looks at the figures in a second; the curves are drawn at every second one. Each costs training its time."""

PAUSING = "pausing …"
"""What the header says until training has stopped."""


class TrainingScreen(Guarded):
    """Header, curves, finished epochs where there is room, pictures, one line of state, keys."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS
    WEIGHTY = WEIGHTY
    FIGURES: Figures = FIGURES
    DEFAULT_CSS = """
    TrainingScreen #curves { height: 1fr; }
    TrainingScreen #epochs { display: none; }
    TrainingScreen.-tall.-wide #epochs { display: block; }
    """

    def __init__(self, session: Session) -> None:
        """Show that session."""
        super().__init__()
        self.session = session
        """The one door to everything below."""
        self._shares: AccuracyPane | KnownPane = AccuracyPane(id="accuracy")
        if not session.tested:
            self._shares, self.FIGURES = KnownPane(session.config, "accuracy"), UNTESTED
        self.pace = Pace()
        """The speed of training."""
        self.doing: Doing | None = Doing("starting")
        """What goes on other than training."""
        self.paused = False
        """Whether nothing goes on until a person says so."""
        self._saved: float | None = None
        self._news = ""
        self._ticks = 0
        self._losses: tuple[object, ...] = ()
        self._epochs: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Header(self.session.name)
        with Horizontal(id="curves"):
            yield LossPane(id="loss")
            yield self._shares
        yield Epochs(TESTED if self.session.tested else known(self.session.config), id="epochs")
        yield Strip(id="strip")
        yield Status(id="status")
        yield Keys()
        yield Room()

    def on_mount(self) -> None:
        """Begin to look at the figures; those of an earlier stretch of training are not news."""
        self._following = cast(Following, self.app)
        self.pace.latest = self._following.follower.latest
        self._count_epochs()
        self.set_interval(1 / LOOKS, self.look)
        self.call_after_refresh(self.look)

    async def on_resize(self, event: Resize) -> None:
        """Lay the pictures out for the new size and draw the curves anew."""
        await self.query_one(Strip).suit(self.app.size)
        self._losses = self._epochs = ()
        self.call_after_refresh(self.look)

    @on(ScreenResume)
    def refresh_epochs(self) -> None:
        """Show what was read in the reading test."""
        if self.is_current:  # one that is resumed may be gone again
            self._count_epochs()

    def look(self) -> None:
        """Show the latest figures, unless the keys are being explained on top of them."""
        if not self.is_current:
            return
        if self.pace.look(self._following.follower.latest):
            self.doing, self._news = None, ""
        self._ticks += 1
        self._head()
        self._state()
        if self._ticks % 2 or not self._losses:
            self._draw()

    @on(Reported)
    def take(self, message: Reported) -> None:
        """Show what was reported."""
        self._show(message.event)

    @on(Ended)
    def stay(self, message: Ended) -> None:
        """Wait for a person: the slow verb ended and there is training left."""
        self.paused = True
        self.doing = None
        self.query_one(Header).hold(None)
        self.look()

    def press(self, key: str) -> None:
        """Pause and go on, open the reading test or the new pictures."""
        match key:
            case "pause":
                self._pause()
            case "draw":
                self._following.open_samples()
            case _:
                self._read()

    def expect(self, binding: str) -> None:
        """Show that a pause comes, which takes up to a step anyway."""
        if binding == "training.pause" and self._following.follower.busy:
            self.query_one(Header).hold(PAUSING)

    def tell(self, words: str) -> None:
        """Say that in the line of state, and no more that a pause comes unless it does."""
        if not self._following.follower.stopping:
            self.query_one(Header).hold(None)
        self.query_one(Status).put(words, monotonic())
        self._state()

    def _pause(self) -> None:
        """Stop at the next step, or go on."""
        follower = self._following.follower
        if follower.stopping:
            return
        if follower.busy:
            follower.stop()
            self.query_one(Header).hold(PAUSING)
        elif self.paused:
            self.paused = False
            self.doing = Doing("going on")
            self._following.proceed()
        self._head()
        self._state()

    def _read(self) -> None:
        """Open the reading test, or say why there is none."""
        try:
            self._following.open_test()
            self.tell("")
        except Trouble as trouble:
            self.tell(str(trouble))

    def _show(self, event: Event) -> None:
        match event:
            case Loading(what):
                self.doing = Doing(f"loading {what}")
            case Progressed(what, done, total):
                self.doing = Doing(what, done / max(total, 1))
            case Reconstructed():
                self.query_one(Strip).show(event)
            case Saved():
                self._saved = monotonic()
            case EpochEnded():
                self._count_epochs()
            case Clustered(number, clusters, inertias):
                tried = f" of k {inertias[0][0]}-{inertias[-1][0]}" if inertias else ""
                self._news = f"round {number}: {clusters} clusters{tried}"
            case _:
                pass
        self.look()

    def _count_epochs(self) -> None:
        table = self.query_one(Epochs)
        table.styles.height = min(self.session.epochs, Epochs.LINES) + 2
        table.show(self.session.curves().epochs)

    def _head(self) -> None:
        latest, epochs = self.pace.latest, self.session.epochs
        epoch = min(len(self.session.curves().epochs) + 1, epochs)
        if self.doing is not None:
            text = doing_line(self.doing, epoch, epochs, self._ticks)
        elif latest is not None:
            batch = self.session.config.training.batch
            text = training_line(latest, epochs, batch, self.pace.rate, self.size.width)
        else:
            text = Text(epoch_line(epoch, epochs))
        self.query_one(Header).say(text)

    def _state(self) -> None:
        """Say in the status line what goes on, and draw the curves anew where that left them another room."""
        if self.query_one(Status).show(self._course(), monotonic()):
            self._losses = self._epochs = ()
            self.call_after_refresh(self._draw)

    def _course(self) -> str:
        """Say how fast, on what, how safe, and what comes next."""
        session = self.session
        speed = f"{self.pace.rate:>7,.0f} img/s" if self.pace.rate else ""
        machine = f" on {session.machine}" if session.machine and not self.paused else ""
        saved = f"saved {monotonic() - self._saved:.0f} s ago" if self._saved is not None else ""
        coming = f"round {session.round} of {session.rounds} next"
        if session.round == 0:
            coming = "the summary next"
        left, right = speed, self._news or coming
        if self.paused:
            left = "  paused: space goes on"
        room = max(self.size.width - 4 - len(right), 0)
        if len(left + machine) + 16 <= room:
            left += machine
        if len(left) + 16 <= room:
            left += f"{saved:>16}"
        return f"{left:<{room}}  {right}"

    def _draw(self) -> None:
        curves = self.session.curves()
        latest = self.pace.latest
        end = latest.epoch * latest.steps if latest is not None else 0
        # A plot costs about ten milliseconds, so each is drawn only when it has something new.
        losses = (len(curves.points), end, self.size)
        if losses != self._losses:
            self._losses = losses
            self.query_one(LossPane).show(curves, end)
        epochs = (len(curves.epochs), self.session.epochs, self.size)
        if epochs != self._epochs:
            self._epochs = epochs
            self._shares.show(curves.epochs, self.session.epochs)
