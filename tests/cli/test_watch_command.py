"""Test `watch` on the command line."""

from __future__ import annotations

import pytest

from tests.command_line import assert_refused, run_vaetui
from tests.session_templates import SessionTemplates

pytestmark = pytest.mark.usefixtures("home")


def test_finished_session_is_watched_in_lines_until_its_end(templates: SessionTemplates) -> None:
    templates.copy("finished", "seen")
    process = run_vaetui("watch", "seen", "--plain")
    assert process.returncode == 0
    assert process.stdout.endswith("Not open in any process\nThe session is finished.\n")


def test_refusal_without_a_terminal_names_plain_alone(templates: SessionTemplates) -> None:
    templates.copy("finished", "seen")
    process = run_vaetui("watch", "seen")
    assert process.returncode == 2
    assert process.stderr == "vaetui: Needs a terminal. Use --plain for pipes and screen readers.\n"


def test_unknown_session_is_refused() -> None:
    assert_refused("There is no session seen", "watch", "seen")
