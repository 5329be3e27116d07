"""The round before a person: the tiles, the focus, the keys so far; it does not know how they are drawn."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.answers import ClassAnswer, ClusterPath, Unreadable, format_path
from vaetui.engine.classes import ClassEdit
from vaetui.errors import UserError
from vaetui.session.views import ClusterView, MemberOrder, RoundView
from vaetui.tui.presenters.cluster_text import (
    describe_class_edit,
    format_cluster_name,
    format_saved_answer,
    format_weight,
)
from vaetui.tui.presenters.focus import find_cluster_index, find_unanswered, move_focus
from vaetui.tui.presenters.key_parser import Action, Focus, KeyParser
from vaetui.tui.session_protocol import Session

NEXT_MEMBER_ORDER: dict[MemberOrder, MemberOrder] = {"nearest": "random", "random": "farthest", "farthest": "nearest"}
"""Which members are shown next."""


class LabellingPresenter:
    """Takes keys by name, tells the session what they come to, and keeps the focus where work is left."""

    def __init__(self, session: Session) -> None:
        """Lay out the round of that session, with the focus on the first open tile."""
        self.session = session
        """The one door to everything below."""
        self.round_view: RoundView = session.round_view()
        """The round as it stands."""
        self.focus_index = find_unanswered(self.round_view.clusters, -1) or 0
        """The place of the focused tile."""
        self.member_order: MemberOrder = "nearest"
        """The members that are looked at."""
        self.key_parser = KeyParser(session.classes, self.round_view.digit_keys, session.config.cluster.split_parts)
        """The keys pressed so far."""
        self.status_text = ""
        """What the last key did, in a few words."""

    @property
    def focused_cluster(self) -> ClusterView:
        """Give the focused tile."""
        return self.round_view.clusters[self.focus_index]

    @property
    def focus(self) -> Focus:
        """Tell what the entry must know of the focused tile."""
        return Focus(
            format_cluster_name(self.focused_cluster),
            self.focused_cluster.size,
            self.round_view.leaf_count - self.round_view.answered_leaf_count,
        )

    def handle_key(self, key: str, columns: int) -> Action | None:
        """Take a key, and give back what only the app can do: a split or one of the other names.

        `columns` tells how many tiles lie in a row.
        """
        self.status_text = ""
        self.key_parser, deed = self.key_parser.handle_key(key, self.focus)
        try:
            return None if deed is None else self._apply_action(deed, columns)
        except UserError as trouble:
            self.status_text = str(trouble)
            return None

    def choose_class(self, class_id: int) -> None:
        """Take a class that was named by its letters."""
        self.status_text = ""
        self.key_parser, deed = self.key_parser.choose_class(class_id)
        try:
            if deed is not None:
                self._apply_action(deed, 1)
        except UserError as trouble:
            self.status_text = str(trouble)

    def edit_classes(self, edit: ClassEdit) -> bool:
        """Do that to the classes, and tell whether it could be done."""
        before = self.session.classes
        try:
            self.session.edit_classes(edit)
        except UserError as trouble:
            self.status_text = str(trouble)
            return False
        self.refresh(self.focused_cluster.path)
        self.status_text = describe_class_edit(edit, before, self.round_view)
        return True

    def refresh(self, path: ClusterPath) -> None:
        """Read the round and its classes again and focus that cluster, or the nearest one above it."""
        self.round_view = self.session.round_view()
        self.focus_index = find_cluster_index(self.round_view.clusters, path)
        self.key_parser = replace(self.key_parser, classes=self.session.classes, digit_keys=self.round_view.digit_keys)

    def _apply_action(self, action: Action, columns: int) -> Action | None:
        match action:
            case ClassAnswer() | Unreadable():
                self._record_answer(action)
                self._focus_unanswered(1)
            case "undo" | "redo":
                self._undo_or_redo(action)
            case "lower" | "raise":
                self._change_confidence(-1 if action == "lower" else 1)
            case "members":
                self.member_order = NEXT_MEMBER_ORDER[self.member_order]
            case "next" | "previous":
                self._focus_unanswered(1 if action == "next" else -1)
            case "left" | "right" | "up" | "down":
                self.focus_index = move_focus(self.focus_index, action, columns, len(self.round_view.clusters))
            case _:
                return action
        return None

    def _record_answer(self, answer: ClassAnswer | Unreadable) -> None:
        path = self.focused_cluster.path
        self.session.answer(path, answer)
        self.refresh(path)
        self.status_text = format_saved_answer(self.focused_cluster, self.session.classes)

    def _focus_unanswered(self, step: int) -> None:
        found = find_unanswered(self.round_view.clusters, self.focus_index, step)
        if found is not None:
            self.focus_index = found

    def _undo_or_redo(self, command: str) -> None:
        back = command == "undo"
        words = self.round_view.undo_description if back else self.round_view.redo_description
        path = self.session.undo() if back else self.session.redo()
        if path is None:
            self.status_text = f"nothing to {command}"
        else:
            self.refresh(path or self.focused_cluster.path)
            self.status_text = f"{'taken back' if back else 'brought back'}: {words or format_path(path)}"

    def _change_confidence(self, tenths: int) -> None:
        answer = self.focused_cluster.answer
        if not isinstance(answer, ClassAnswer):
            self.status_text = (
                f"{format_cluster_name(self.focused_cluster)} has no class yet whose confidence could change"
            )
            return
        confidence = min(max(round(answer.confidence * 10) + tenths, 1), 10) / 10
        if confidence == answer.confidence:
            self.status_text = "sure is the most" if tenths > 0 else "0.1 is the least; x means no class"
            return
        self._record_answer(ClassAnswer(answer.class_id, confidence))
        self.status_text += f", {format_weight(self.focused_cluster).split(' weighs ')[1]} of full weight"
