"""What a person did in a round, in a few words; it does not know when they are shown."""

from __future__ import annotations

from vaetui.engine.answers import Label, Split, written
from vaetui.engine.classes import Added, Classes, Merged, Renamed
from vaetui.storage.answer_log import Act
from vaetui.storage.answer_rows import Saying


def described(act: Act, classes: Classes) -> str:
    """Say what an act was."""
    if isinstance(act, Saying):
        what = {Label: "answer", Split: "split"}.get(type(act.answer), "mark")
        return f"the {what} of centre {written(act.path)}"
    match act.naming:
        case Added(_, name):
            return f"the new class {name}"
        case Renamed(_, name):
            return f"the new name {name}"
        case Merged(label, into):
            return f"the merge of {classes.names[label]} into {classes.names[into]}"
