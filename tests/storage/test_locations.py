"""Sessions have names that never lead out of their place, and one writer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaetui.errors import UserError
from vaetui.storage import file_names
from vaetui.storage import locations as sessions
from vaetui.storage.lock import Lock

pytestmark = pytest.mark.usefixtures("home")


def made(name: str) -> Path:
    with sessions.create_session_atomically([name]) as (_, directory):
        file_names.database_path(directory).touch()
    return sessions.find_session(name)


def test_a_session_is_its_owners_alone() -> None:
    assert made("mine").stat().st_mode & 0o777 == 0o700
    assert sessions.sessions_directory().stat().st_mode & 0o777 == 0o700


def test_a_name_that_is_taken_is_refused() -> None:
    made("one")
    with pytest.raises(UserError, match="A session one is there already; resume it with: vaetui resume one"):
        made("one")


def test_an_unknown_name_is_told_with_near_ones() -> None:
    made("demo-mnist")
    with pytest.raises(UserError, match="There is no session demo-mnits; did you mean demo-mnist"):
        sessions.find_session("demo-mnits")
    with pytest.raises(UserError, match="vaetui sessions lists them"):
        sessions.find_session("quite-different")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80) | st.sampled_from(["..", ".", "", "a/b", "../a", "/etc", "a\x00b", "-rf", "a\nb", "~"]))
def test_no_name_leads_out_of_the_sessions_directory(name: str) -> None:
    try:
        checked = sessions.validate_name(name)
    except UserError:
        return
    assert (sessions.sessions_directory() / checked).parent == sessions.sessions_directory()
    assert checked.isprintable()


def test_the_latest_session_is_the_one_used_last() -> None:
    with pytest.raises(UserError, match="begin one with: vaetui new"):
        sessions.latest_session_name()
    for at, name in enumerate(("b", "c", "a")):
        os.utime(file_names.database_path(made(name)), (at, at))
    assert sessions.session_names() == ["a", "c", "b"]
    assert sessions.latest_session_name() == "a"


def test_a_second_process_is_told_who_writes() -> None:
    path = made("busy")
    lock = Lock(path)
    program = (
        "import sys; from pathlib import Path; from vaetui.storage.lock import Lock; from vaetui.errors import Trouble\n"
        "try: Lock(Path(sys.argv[1])); print('taken')\n"
        "except Trouble as trouble: print(trouble)"
    )
    arguments = [sys.executable, "-c", program, str(path)]
    refused = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert f"The session busy is in use by {os.environ.get('USER', '')}" in refused
    assert f"process {os.getpid()}" in refused
    lock.release()
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout == "taken\n"


def test_a_session_that_was_never_finished_making_leaves_its_name_free() -> None:
    with pytest.raises(RuntimeError), sessions.create_session_atomically(["half"]):
        raise RuntimeError
    assert sessions.session_names() == []
    assert sessions.is_free("half")
    (sessions.sessions_directory() / ".half.unfinished").mkdir()  # what a kill in the midst of it leaves
    assert sessions.session_names() == []
    assert made("half").is_dir()


def test_a_deleted_session_leaves_its_name_free() -> None:
    made("gone")
    sessions.remove_session("gone")
    assert sessions.session_names() == []
    assert list(sessions.sessions_directory().iterdir()) == []
