"""Test the command `audit`: what it prints, and when it is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.command_line import assert_is_refusal, run_vaetui
from tests.session_templates import SessionTemplates
from vaetui.session import lifecycle
from vaetui.session.session_status import load_status
from vaetui.storage import control_files

pytestmark = pytest.mark.usefixtures("home")
BLIND_LINES = "3\n" * 30
PAGE_LINES = "\n" * 40
"""Enough lines to accept every page."""


def refuse(message: str, *arguments: str) -> None:
    process = run_vaetui("audit", *arguments, "--plain")
    assert_is_refusal(message, process.returncode, process.stderr)


def test_audit_by_lines_ends_with_its_result_and_trains_nothing(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    before = load_status("demo")
    process = run_vaetui("audit", "demo", "--plain", "--plan", "quick", typed=BLIND_LINES + PAGE_LINES)
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    assert "Quick audit: 30 single images and 3 pages of 32: about 40 keys. ?: help" in lines
    sentence = (
        r"\d+\.\d % of the labels are right \(95 % interval [\d.]+ to [\d.]+; \d+ images checked after round 2\)\."
    )
    sentences = [line for line in lines if re.fullmatch(sentence, line)]
    assert len(sentences) == 2, "after the last page, and before the command to resume with"
    assert lines[-2].startswith("Everything is saved. Resume with: vaetui resume demo")
    after = load_status("demo")
    assert {key: after[key] for key in ("phase", "current_epoch", "rounds", "answers")} == {
        key: before[key] for key in ("phase", "current_epoch", "rounds", "answers")
    }


def test_audit_that_was_left_goes_on_at_the_same_image_in_another_process(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    process = run_vaetui("audit", "demo", "--plain", "--plan", "quick", typed="1\n2\nx\nback\n")
    assert process.returncode == 0
    assert "The audit is not finished. Go on with: vaetui audit demo" in process.stdout
    process = run_vaetui("audit", "demo", "--plain", "--plan", "full", typed="")
    assert "Quick audit: " in process.stdout
    assert "Image 4 of 30: class? (?: help)" in process.stdout
    assert "Full audit" not in process.stdout


def test_json_prints_the_results_while_the_session_is_open(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    assert json.loads(run_vaetui("audit", "demo", "--json").stdout) == []
    run_vaetui("audit", "demo", "--plain", "--plan", "quick", typed=BLIND_LINES + PAGE_LINES)
    session = lifecycle.resume("demo")
    try:
        (result,) = json.loads(run_vaetui("audit", "demo", "--json").stdout)
        assert result == session.audits.results[0].to_dict()
        assert result["keys"] >= 30
    finally:
        session.close()


def test_plan_and_json_exclude_each_other(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    process = run_vaetui("audit", "demo", "--json", "--plan", "full")
    assert process.returncode == 2
    assert "Leave out --plan" in process.stderr


@pytest.mark.parametrize("plan", [(), ("--plan", "full")])
def test_round_1_has_no_labels_to_audit(templates: SessionTemplates, plan: tuple[str, ...]) -> None:
    directory = templates.copy("labelling", "demo")
    refuse("An audit needs labels.", "demo", *plan)
    lifecycle.resume_at(directory).close()


def test_session_that_trains_is_refused_and_its_training_goes_on(templates: SessionTemplates) -> None:
    directory = templates.copy("training", "demo")
    refuse("Session demo is training. Its labels can be audited in the next round", "demo")
    assert not control_files.is_release_requested(directory)


def test_unknown_session_and_unknown_plan_are_refused(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    refuse("There is no session nosuch.", "nosuch")
    process = run_vaetui("audit", "demo", "--plan", "huge")
    assert process.returncode == 2
    assert "'huge' is not one of 'quick', 'full'" in process.stderr


def test_session_that_is_open_elsewhere_is_refused(templates: SessionTemplates) -> None:
    directory = templates.copy("finished", "demo")
    code = (
        "import pathlib, sys; from vaetui.session import lifecycle; "
        f"session = lifecycle.resume_at(pathlib.Path({str(directory)!r})); print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "open\n"
    try:
        refuse("Session demo is open in", "demo")
    finally:
        holder.stdin.close()
        holder.wait(60)


def test_without_a_terminal_the_screens_are_refused(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    process = run_vaetui("audit", "demo")
    message = "Needs a terminal. Use --plain for pipes and screen readers.\n"
    assert_is_refusal(message.strip(), process.returncode, process.stderr)
    assert process.stderr.endswith(message)
