"""How far training is, as the text of a header; it does not know where the figures come from."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from vaetui.engine.events import Stepped
from vaetui.tui.presenters.number_format import gauge, indicator, span
from vaetui.tui.widgets.size_notice import WIDE


class Pace:
    """The images a second, smoothed over the last reports."""

    def __init__(self) -> None:
        """Begin without a report."""
        self.rate = 0.0
        """Images a second; 0 until known."""
        self.latest: Stepped | None = None
        """The report looked at last."""

    def look(self, latest: Stepped | None) -> bool:
        """Take a report into account and tell whether it is a new one."""
        if latest is None or latest is self.latest:
            return False
        self.latest = latest
        # Half a second of smoothing at five looks a second: steady figures that still follow.
        self.rate = latest.rate if not self.rate else 0.8 * self.rate + 0.2 * latest.rate
        return True


@dataclass(frozen=True, slots=True)
class Doing:
    """Something other than training that goes on."""

    what: str
    """A few words for a person."""
    share: float | None = None
    """How much of it is done, where known."""


def epoch_line(epoch: int, epochs: int) -> str:
    """Say which epoch of the run it is, in a fixed width."""
    return f"epoch {epoch:>{len(str(epochs))}} of {epochs}"


def training_line(latest: Stepped, epochs: int, batch: int, rate: float, width: int) -> Text:
    """Say how far the epoch is, and on a wide screen how far the run is, with the time that is left."""
    share = latest.step / max(latest.steps, 1)
    left = (latest.steps - latest.step) * batch / rate if rate else None
    line = Text.assemble(
        epoch_line(latest.epoch, epochs),
        "  ",
        gauge(share, 20),
        f" {100 * share:3.0f} %",
        span(left),
    )
    if width >= WIDE:
        run = (latest.epoch - 1 + share) / max(epochs, 1)
        rest = None if left is None else left + (epochs - latest.epoch) * latest.steps * batch / rate
        line.append_text(Text.assemble("   run  ", gauge(run, 20), f" {100 * run:3.0f} %", span(rest)))
    return line


def doing_line(doing: Doing, epoch: int, epochs: int, tick: int) -> Text:
    """Say what goes on before, between and after training, with something that moves."""
    line = Text.assemble(epoch_line(epoch, epochs), "  ", (indicator(tick), "bold"), f" {doing.what} …")
    if doing.share is not None:
        line.append_text(Text.assemble("  ", gauge(doing.share, 12), f" {100 * doing.share:3.0f} %"))
    return line
