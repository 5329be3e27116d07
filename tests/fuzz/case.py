"""One damaged session: what is damaged follows from a seed and a number, and what comes of it is one verdict."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import signal
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz import arrays, blows, rows
from tests.fuzz.blows import BLOWS, HEALED, Damage, struck
from tests.fuzz.exercise import Exercise, Invented, Outcome, Unprintable
from tests.fuzz.outside import Outside
from tests.fuzz.states import STATES

COMMON = (blows.truncated, blows.flipped)
KINDS: dict[str, tuple[Damage, int]] = {
    **{blow.__name__: (struck(blow), 8 if blow in COMMON else 2) for blow in BLOWS},
    **{damage.__name__: (damage, 3) for damage in (blows.twofold, blows.swapped, blows.exchanged, blows.strayed)},
    **{damage.__name__: (damage, 6) for damage in (rows.cell, rows.knob)},
    **{damage.__name__: (damage, 3) for damage in (rows.meta, rows.scheme)},
    "version": (rows.version, 1),
    "held": (blows.held, 1),
    **{damage.__name__: (damage, 4) for damage in (arrays.array, arrays.tensor)},
    "pickled": (arrays.pickled, 2),
}
"""Every kind of damage, and how often it is drawn."""
SECONDS = 10
"""A case that takes longer hangs; a sound one takes less than one."""
MEMORY = 300_000_000
"""Bytes that a case may take beyond what the process has; a sound one takes a tenth of it."""
WRITTEN = 1 << 30
"""Bytes of the longest file that a case may write."""


class Hung(BaseException):
    """It takes too long; nobody who catches errors is meant to catch it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case."""

    case: int
    state: str
    kind: str
    damage: str
    verdict: str
    """"works", "refused", or what went wrong."""
    detail: str = ""
    where: str = ""
    """The last line of the program that an error came through."""
    memory: int = 0
    """Bytes taken at most beyond what the process had."""

    @property
    def held(self) -> bool:
        return self.verdict in ("works", "refused")


def drawn(seed: int, number: int) -> tuple[random.Random, str, str]:
    """Draw the state of a case and the kind of its damage; what else is drawn for it follows."""
    draw = random.Random(f"{seed}.{number}")
    return draw, draw.choice(STATES), draw.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]


class Cases:
    """Cases of one seed, from templates below one place."""

    def __init__(self, place: Path, seed: int) -> None:
        self._place = place
        self._seed = seed
        signal.signal(signal.SIGALRM, _hang)
        self._sound = {state: self._exercised(state, None, 0)[0] for state in STATES}
        for state, outcome in self._sound.items():
            assert outcome.learned, (state, outcome.refusals)

    def run(self, number: int, loud: bool = False) -> Verdict:
        """Damage and exercise one session."""
        draw, state, kind = drawn(self._seed, number)
        told: list[str] = []
        memory, where = 0, ""

        def damage(directory: Path, outside: Outside) -> None:
            told.append(KINDS[kind][0](directory, draw, outside))

        try:
            outcome, memory, touched, executed = self._exercised(state, damage, number)
            verdict, detail = self._judged(state, kind, outcome)
            if executed:
                verdict = "executed"
            elif touched:
                verdict = "touched outside"
            elif memory > MEMORY:
                verdict, detail = "memory", f"{memory / 1e6:.0f} MB, {detail}"
        except (Exception, Hung) as error:
            if loud:
                traceback.print_exc()
            names = {Hung: "hung", Invented: "invented", Unprintable: "unprintable"}
            verdict = names.get(type(error), f"raised {type(error).__name__}")
            detail, where = f"{error!s:.200}", _place(error)
        return Verdict(number, state, kind, told[0] if told else "", verdict, detail, where or kind, memory)

    def _judged(self, state: str, kind: str, outcome: Outcome) -> tuple[str, str]:
        """Hold what a session was found to be against the sound one."""
        sound = self._sound[state]
        if kind in HEALED and outcome.rows is not None and outcome.rows != sound.rows:
            return "answers changed", f"{outcome.rows} instead of {sound.rows}"
        if kind in HEALED:
            for part in ("learned", "shown", "sheet", "told", "labels"):
                if (found := getattr(outcome, part)) and found != getattr(sound, part):
                    return f"{part} changed", f"{outcome.refusals}"
        return ("refused", outcome.refusals[-1]) if outcome.refusals else ("works", "")

    def _exercised(
        self, state: str, damage: Callable[[Path, Outside], None] | None, number: int
    ) -> tuple[Outcome, int, bool, bool]:
        """Exercise a copy of a session; tells the outcome, the memory, and whether it reached out or executed."""
        place = self._place / f"{os.getpid()}-{number}"
        directory = place / "home/sessions" / state
        directory.parent.mkdir(parents=True)
        outside = Outside(place / "outside")
        try:
            shutil.copytree(self._place / "templates/sessions" / state, directory)
            if damage is not None:
                damage(directory, outside)
            outside.guard()
            with ExitStack() as held:
                _limit(held)
                before = _forget_peak()
                os.environ["VAETUI_HOME"] = str(place / "home")
                outcome = Exercise(state).run()
            return outcome, _peak() - before, outside.touched(), outside.marker.exists()
        finally:
            shutil.rmtree(place)


def _limit(held: ExitStack) -> None:
    """Bound the time and the files of what follows."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)
    held.callback(signal.setitimer, signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, resource.RLIM_INFINITY))
    held.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hung


def _forget_peak() -> int:
    """Let the kernel measure the peak anew, and give the bytes that are resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    return int(re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


def _place(error: BaseException) -> str:
    """Name the last line of the program that an error came through."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if "/vaetui/" in frame.filename]
    return f"{Path(lines[-1].filename).name}:{lines[-1].lineno}" if lines else ""
