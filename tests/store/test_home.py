"""Sessions have names that never lead out of their place, and one writer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaetui.store import home as places
from vaetui.store.lock import Lock
from vaetui.trouble import Trouble

pytestmark = pytest.mark.usefixtures("home")


def made(name: str) -> Path:
    path = places.make(name)
    (path / places.FACTS).touch()
    return path


def test_a_session_is_its_owners_alone() -> None:
    assert made("mine").stat().st_mode & 0o777 == 0o700
    assert places.sessions().stat().st_mode & 0o777 == 0o700


def test_a_name_that_is_taken_is_refused() -> None:
    made("one")
    with pytest.raises(Trouble, match="A session one is there already; resume it with: vaetui resume one"):
        places.make("one")


def test_an_unknown_name_is_told_with_near_ones() -> None:
    made("demo-mnist")
    with pytest.raises(Trouble, match="There is no session demo-mnits; did you mean demo-mnist"):
        places.find("demo-mnits")
    with pytest.raises(Trouble, match="vaetui sessions lists them"):
        places.find("quite-different")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80) | st.sampled_from(["..", ".", "", "a/b", "../a", "/etc", "a\x00b", "-rf", "a\nb", "~"]))
def test_no_name_leads_out_of_the_sessions_directory(name: str) -> None:
    try:
        checked = places.checked(name)
    except Trouble:
        return
    assert (places.sessions() / checked).parent == places.sessions()
    assert checked.isprintable()


def test_the_latest_session_is_the_one_used_last() -> None:
    with pytest.raises(Trouble, match="begin one with: vaetui new"):
        places.latest()
    for at, name in enumerate(("b", "c", "a")):
        os.utime(made(name) / places.FACTS, (at, at))
    assert places.names() == ["a", "c", "b"]
    assert places.latest() == "a"


def test_a_second_process_is_told_who_writes() -> None:
    path = made("busy")
    lock = Lock(path)
    program = (
        "import sys; from pathlib import Path; from vaetui.store.lock import Lock; from vaetui.trouble import Trouble\n"
        "try: Lock(Path(sys.argv[1])); print('taken')\n"
        "except Trouble as trouble: print(trouble)"
    )
    arguments = [sys.executable, "-c", program, str(path)]
    refused = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert f"The session busy is in use by {os.environ.get('USER', '')}" in refused
    assert f"process {os.getpid()}" in refused
    lock.release()
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout == "taken\n"
