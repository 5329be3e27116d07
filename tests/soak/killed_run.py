"""One run, killed again and again until it may end, and what came of it; it does not know how many runs there are."""

from __future__ import annotations

import json
import random
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from tests.session.scripted_run import session_digest
from tests.soak import moments
from tests.soak.dialogue import HASTY, PROGRAM, ROOT, Dialogue, End
from tests.soak.moments import Moment, Watch
from tests.soak.record import Record
from tests.soak.screens import Screens
from tests.soak.script import Script
from vaetui.storage import locations

KNOBS = ("--recipe", "paper", "--clusters", "5", "--rounds", "2")
WAYS = ("plain", "plain", "plain", "hasty", "hasty", "screens", "export")
"""What is killed next, by lot."""
FIGURES = ("phase", "epoch", "answers", "label_coverage", "test_accuracy", "pixel_accuracy", "losses", "data", "seed")
"""What `show` tells of a run that neither time nor place decides."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    bits: str
    figures: dict[str, object]
    labels: str
    """What `export` wrote."""


@dataclass(slots=True)
class Tally:
    """What fell upon the runs."""

    kills: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    """What the processes were in the midst of."""
    moments: Counter[str] = field(default_factory=Counter)
    """What the kills hung on."""
    caught: Counter[str] = field(default_factory=Counter)
    """Kinds of half-done work that kills left on the disk."""
    runs: int = 0
    kept: int = 0
    lost: int = 0
    invented: int = 0
    equal: int = 0
    """Runs whose final bits, figures and labels are those of the undisturbed run."""
    complaints: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """Give it all for a file."""
        return {
            each.name: dict(sorted(value.items())) if isinstance(value := getattr(self, each.name), dict) else value
            for each in fields(self)
        }


class Ordeal:
    """A session and the script that answers it, through any number of processes."""

    def __init__(self, name: str, data: Path, seed: int, draw: random.Random, tally: Tally) -> None:
        self.name = name
        self.tally = tally
        self.record = Record()
        self._script = Script(self.record)
        self._begin = ["new", name, "--plain", "--data", str(data), "--seed", f"{seed}", *KNOBS]
        self._draw = draw

    def suffer(self, way: str, moment: Moment) -> bool:
        """Start the program in one of the ways and kill it at that moment; tells whether the run came to its end."""
        if way == "export":
            assert self.begun
            end = self._export(moment)
        elif way == "screens":
            end = Screens(self.name, self._script, moment.seconds).run(self._directory)
        else:
            command = self._command(HASTY if way == "hasty" else PROGRAM)
            end = Dialogue(command, self._script, moment, self._draw).run(self._directory)
        if end.killed:
            self.tally.kills += 1
            self.tally.phases[end.phase] += 1
            self.tally.moments[f"{way}, {moment.hangs_on}"] += 1
            self.tally.caught.update(unfinished(self._directory))
            return False
        self._ended(end)
        return way != "export"

    def finish(self, labels: bool = False) -> Outcome:
        """Let the run end undisturbed, and take the labels if they are wanted too."""
        dialogue = Dialogue(self._command(PROGRAM), self._script, moments.NEVER, self._draw)
        self._ended(dialogue.run(self._directory))
        self.record.compare(self._directory)
        figures = json.loads(called("show", self.name, "--json"))
        if labels:
            called("export", self.name, "-o", str(self._labels))
        self.tally.runs += 1
        self.tally.kept += self.record.kept
        self.tally.lost += len(self.record.lost)
        self.tally.invented += len(self.record.invented)
        return Outcome(
            session_digest(self.name), {name: figures[name] for name in FIGURES}, self._labels.read_text() if labels else ""
        )

    def holds(self, outcome: Outcome, undisturbed: Outcome) -> bool:
        """Tell whether nothing was lost or invented and all is as in the undisturbed run."""
        same = outcome == undisturbed
        self.tally.equal += same
        if not same:
            for part in ("bits", "figures", "labels"):
                if getattr(outcome, part) != getattr(undisturbed, part):
                    self.tally.complaints.append(f"{self.name}: other {part}")
        self.tally.complaints += [f"{self.name}: lost {row}" for row in self.record.lost]
        self.tally.complaints += [f"{self.name}: invented {row}" for row in self.record.invented]
        return same and not self.record.lost and not self.record.invented

    @property
    def begun(self) -> bool:
        return not locations.is_free(self.name)

    @property
    def _directory(self) -> Path:
        return locations.sessions_directory() / self.name

    @property
    def _labels(self) -> Path:
        return locations.sessions_directory().parent / f"{self.name}.csv"

    def _command(self, program: tuple[str, ...]) -> list[str]:
        return [*program, *(["resume", self.name, "--plain"] if self.begun else self._begin)]

    def _ended(self, end: End) -> None:
        assert end.status == 0, f"{self.name} ended with {end.status} while {end.phase}: {end.complaint}"
        assert end.complaint.strip() == "", end.complaint

    def _export(self, moment: Moment) -> End:
        """Kill an export over an old file: that, or the whole new one, is what stands there afterwards."""
        self._labels.write_text("old")
        watch = Watch(self._labels.parent, moment)
        begun = time.monotonic()
        with subprocess.Popen(
            [*PROGRAM, "export", self.name, "-o", str(self._labels)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            while process.poll() is None:
                if watch.over() if moment.file else time.monotonic() >= begun + moment.seconds:
                    break
                time.sleep(0.0005)
            process.kill()
            _, complaint = process.communicate()
        lines = self._labels.read_text().splitlines()
        assert lines == ["old"] or (len(lines) == 641 and all(line.count(",") == 4 for line in lines)), lines[-1]
        nothing = process.returncode == 2 and "No labels yet" in complaint
        return End(0 if nothing else process.returncode, "exporting", 0.0, "" if nothing else complaint)


def unfinished(directory: Path) -> list[str]:
    """Name the kinds of half-done work in the directory of a session and beside it."""
    beside = [path.name for path in directory.parent.glob(".*.unfinished")]
    found = [path.name for path in directory.glob("*") if path.name.endswith(moments.FILES)]
    return [re.sub(r"\d+", "N", name) for name in found] + ["new session"] * len(beside)


def called(*arguments: str) -> str:
    """Run a command that must succeed."""
    ran = subprocess.run([*PROGRAM, *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
