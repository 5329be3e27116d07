"""What a person did in a round, in a few words; it does not know when they are shown."""

from __future__ import annotations

from vaetui.engine.answers import ClassAnswer, Split, format_path
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.storage.answer_log import UserAction
from vaetui.storage.answer_rows import AnswerRecord


def describe_action(action: UserAction, classes: ClassList) -> str:
    """Say what an act was."""
    if isinstance(action, AnswerRecord):
        what = {ClassAnswer: "answer", Split: "split"}.get(type(action.answer), "mark")
        return f"the {what} of centre {format_path(action.path)}"
    match action.class_edit:
        case AddClass(_, name):
            return f"the new class {name}"
        case RenameClass(_, name):
            return f"the new name {name}"
        case MergeClass(label, into):
            return f"the merge of {classes.names[label]} into {classes.names[into]}"
