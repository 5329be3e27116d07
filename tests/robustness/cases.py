"""Cases of a corrupted session: seed and number determine the corruption, and each case has one verdict."""

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

from tests.robustness import array_corruptions, database_corruptions, file_corruptions
from tests.robustness.exercise import Exercise, ExerciseResult, InventedAnswerError, UnprintableOutputError
from tests.robustness.file_corruptions import FILE_CORRUPTIONS, REPAIRABLE, Corruption, corrupt_one_file
from tests.robustness.sandbox import Sandbox
from tests.robustness.session_templates import TEMPLATE_NAMES

FREQUENT = (file_corruptions.truncated, file_corruptions.flipped)
CORRUPTIONS: dict[str, tuple[Corruption, int]] = {
    **{corruption.__name__: (corrupt_one_file(corruption), 8 if corruption in FREQUENT else 2)
       for corruption in FILE_CORRUPTIONS},
    **{corruption.__name__: (corruption, 3)
       for corruption in (file_corruptions.two_files, file_corruptions.swapped, file_corruptions.exchanged,
                          file_corruptions.stray_entry, database_corruptions.meta_value, database_corruptions.schema)},
    **{corruption.__name__: (corruption, 6)
       for corruption in (database_corruptions.cell, database_corruptions.config_option)},
    "format_version": (database_corruptions.format_version, 1),
    "locked": (file_corruptions.locked, 1),
    "npz_array": (array_corruptions.npz_array, 4),
    "safetensors_header": (array_corruptions.safetensors_header, 4),
    "pickle_instead": (array_corruptions.pickle_instead, 2),
}  # fmt: skip
"""Every kind of corruption with its weight."""
CASE_TIMEOUT_S = 10
"""A case that takes longer hangs; normally it takes less than a second."""
MAX_MEMORY_BYTES = 300_000_000
"""Memory that a case may take in addition to the process; normally it takes a tenth of it."""
MAX_FILE_BYTES = 1 << 30
"""Length limit of files that a case writes."""


class CaseTimeout(BaseException):
    """The case takes too long; not an Exception, so that the program does not catch it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one case."""

    case: int
    template: str
    kind: str
    corruption: str
    """Description of the corruption."""
    verdict: str
    """"works", "refused", or what went wrong."""
    detail: str = ""
    location: str = ""
    """The last line of vaetui in the traceback, or the kind."""
    memory_bytes: int = 0
    """Peak memory in addition to the process."""

    @property
    def passed(self) -> bool:
        return self.verdict in ("works", "refused")


def draw_case(seed: int, number: int) -> tuple[random.Random, str, str]:
    """Return the random generator of a case, its template and its kind of corruption."""
    draw = random.Random(f"{seed}.{number}")
    weights = [weight for _, weight in CORRUPTIONS.values()]
    return draw, draw.choice(TEMPLATE_NAMES), draw.choices(list(CORRUPTIONS), weights)[0]


class Cases:
    """The cases of one seed, with the templates below a directory."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._directory = directory
        self._seed = seed
        signal.signal(signal.SIGALRM, _raise_timeout)
        self._intact = {name: self._exercise_copy(name, None, 0)[0] for name in TEMPLATE_NAMES}
        for name, result in self._intact.items():
            assert result.networks, (name, result.refusals)

    def run(self, number: int, verbose: bool = False) -> Verdict:
        """Corrupt and exercise one session."""
        draw, template, kind = draw_case(self._seed, number)
        descriptions: list[str] = []
        memory_bytes, location = 0, ""

        def corrupt(directory: Path, sandbox: Sandbox) -> None:
            descriptions.append(CORRUPTIONS[kind][0](directory, draw, sandbox))

        try:
            result, memory_bytes, is_touched, is_executed = self._exercise_copy(template, corrupt, number)
            verdict, detail = self._judge(template, kind, result)
            if is_executed:
                verdict = "executed"
            elif is_touched:
                verdict = "touched outside"
            elif memory_bytes > MAX_MEMORY_BYTES:
                verdict, detail = "memory", f"{memory_bytes / 1e6:.0f} MB, {detail}"
        except (Exception, CaseTimeout) as error:
            if verbose:
                traceback.print_exc()
            names: dict[type, str] = {
                CaseTimeout: "hung", InventedAnswerError: "invented", UnprintableOutputError: "unprintable"
            }  # fmt: skip
            verdict = names.get(type(error), f"raised {type(error).__name__}")
            detail, location = f"{error!s:.200}", _find_location(error)
        description = descriptions[0] if descriptions else ""
        return Verdict(number, template, kind, description, verdict, detail, location or kind, memory_bytes)

    def _judge(self, template: str, kind: str, result: ExerciseResult) -> tuple[str, str]:
        """Compare the result with that of the intact session."""
        intact = self._intact[template]
        if kind in REPAIRABLE and result.answers is not None and result.answers != intact.answers:
            return "answers changed", f"{result.answers} instead of {intact.answers}"
        if kind in REPAIRABLE:
            for part in ("networks", "views", "reading_test", "status", "labels"):
                if (value := getattr(result, part)) and value != getattr(intact, part):
                    return f"{part} changed", f"{result.refusals}"
        return ("refused", result.refusals[-1]) if result.refusals else ("works", "")

    def _exercise_copy(
        self, template: str, corrupt: Callable[[Path, Sandbox], None] | None, number: int
    ) -> tuple[ExerciseResult, int, bool, bool]:
        """Exercise a copy of a template; return result, memory, whether outside files were touched, code executed."""
        directory = self._directory / f"{os.getpid()}-{number}"
        session = directory / "home/sessions" / template
        session.parent.mkdir(parents=True)
        sandbox = Sandbox(directory / "outside")
        try:
            shutil.copytree(self._directory / "templates/sessions" / template, session)
            if corrupt is not None:
                corrupt(session, sandbox)
            sandbox.watch()
            with ExitStack() as limits:
                _set_limits(limits)
                before_bytes = _reset_peak_memory()
                os.environ["VAETUI_HOME"] = str(directory / "home")
                result = Exercise(template).run()
            return result, _read_status("VmHWM") - before_bytes, sandbox.close(), sandbox.marker.exists()
        finally:
            shutil.rmtree(directory)


def _set_limits(limits: ExitStack) -> None:
    """Limit the time and the size of files until the stack is closed."""
    signal.setitimer(signal.ITIMER_REAL, CASE_TIMEOUT_S, 1)
    limits.callback(signal.setitimer, signal.ITIMER_REAL, 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, resource.RLIM_INFINITY))
    limits.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _raise_timeout(number: int, frame: FrameType | None) -> None:
    raise CaseTimeout


def _reset_peak_memory() -> int:
    """Reset the kernel's peak measurement and return the resident bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _read_status("VmRSS")


def _read_status(name: str) -> int:
    return int(re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


def _find_location(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/vaetui/" in frame.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
