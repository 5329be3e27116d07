"""Tests of the commands by which the first process of a run directs the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vaetui.engine.distributed import World
from vaetui.session.ranks import FollowingRank


class ScriptedWorld(World):
    """The world of a process that receives these commands."""

    __slots__ = ("commands",)

    def __init__(self, *commands: list[Any]) -> None:
        super().__init__(rank=1, size=2)
        object.__setattr__(self, "commands", iter(commands))

    def share(self, *_: Any) -> tuple[Any, dict[str, Any]]:
        return next(self.commands), {}


def test_end_command_returns_the_status_of_the_first_process(tmp_path: Path) -> None:
    assert FollowingRank(tmp_path, ScriptedWorld(["end", 130])).run() == 130


@pytest.mark.parametrize("name", ["load", "restore_state", "soup"])
def test_other_names_than_those_of_commands_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="unknown command"):
        FollowingRank(tmp_path, ScriptedWorld([name])).run()
