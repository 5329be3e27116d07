"""A whole session line by line: every typed line and everything that is printed, compared with a transcript.

VAETUI_SNAPSHOTS=update writes the transcript again.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.command_line import VAETUI
from tests.session_templates import SessionTemplates
from tests.watching import load_status
from vaetui.session import lifecycle
from vaetui.tui.plain.dialogue import PlainDialogue

pytestmark = pytest.mark.usefixtures("home")
TRANSCRIPT = Path(__file__).with_name("transcripts") / "plain.txt"
INPUT_MARK = "> "
PICTURE_PATTERN = re.compile(r"(?m)^(?: *[-.:=+*#%@][-.:=+*#%@ ]{5,}\n)+")
VARIABLE_PATTERNS = {
    PICTURE_PATTERN: "[picture]\n",
    # Processors round differently, so tiny networks differ in what they find alike.
    re.compile(r"[\d,]+ images/s"): "S images/s",
    re.compile(r"\b[\d,]+ (images?|labels?)\b"): r"N \1",
    re.compile(r"\d+(\.\d)? %"): "P %",
    re.compile(r"predicts .*"): "predicts …",
    re.compile(r"with an answer: .*"): "with an answer: …",
    re.compile(r"class\? y: \S+"): "class? y: …",
    re.compile(r", prediction \S+ \(P %\)"): ", prediction …",
    re.compile(r"(?m)^epoch .*: P %, S images/s\n"): "",  # as many as the machine is slow
}


class RecordedInput(io.StringIO):
    """Typed lines; each is added to what was printed before it was read."""

    def __init__(self, typed: str, printed: list[str]) -> None:
        super().__init__(typed)
        self._printed = printed

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        line = super().readline(size)
        if line:
            self._printed.append(f"{INPUT_MARK}{line.rstrip()}")
        return line


def replace_variable_parts(text: str) -> str:
    for pattern, replacement in VARIABLE_PATTERNS.items():
        text = pattern.sub(replacement, text)
    return text


def read_typed_lines() -> str:
    lines = TRANSCRIPT.read_text().splitlines()
    return "".join(f"{line.removeprefix(INPUT_MARK)}\n" for line in lines if line.startswith(INPUT_MARK))


def test_session_is_labelled_to_its_end_as_in_the_transcript(
    templates: SessionTemplates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates.copy("labelling", "demo")
    monkeypatch.chdir(tmp_path)
    session = lifecycle.resume("demo")
    printed: list[str] = []
    PlainDialogue(session, RecordedInput(read_typed_lines(), printed), printed.append, shows_pictures=False).run()
    session.close()
    text = replace_variable_parts("".join(f"{line}\n" for line in printed))
    if os.environ.get("VAETUI_SNAPSHOTS") == "update":
        TRANSCRIPT.write_text(text)
    assert text == TRANSCRIPT.read_text()
    status = load_status("demo")
    assert status["phase"] == "finished"
    assert (tmp_path / "labels.csv").exists()


@pytest.mark.slow
def test_command_prints_the_same_in_a_dumb_terminal_and_no_control_characters(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("labelling", "demo")
    command = [*VAETUI, "resume", "demo", "--plain", "--pictures", "none"]
    process = subprocess.run(
        command,
        input=read_typed_lines(),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "TERM": "dumb"},
        timeout=240,
    )
    assert process.stderr == ""
    assert process.stdout.replace("\n", "").isprintable()
    *lines, resume_hint, export_hint = replace_variable_parts(process.stdout).splitlines()
    expected = [line for line in TRANSCRIPT.read_text().splitlines() if not line.startswith(INPUT_MARK)]
    assert lines == expected
    assert "vaetui resume demo" in resume_hint
    assert "vaetui export demo" in export_hint
