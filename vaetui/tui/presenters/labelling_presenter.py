"""The state of the labelling screen: the round, the focus and the keys typed so far."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.answers import ClassAnswer, ClusterPath, Unreadable
from vaetui.engine.classes import ClassEdit
from vaetui.errors import UserError
from vaetui.session.views import ClusterView, MemberOrder, RoundView
from vaetui.tui.presenters.cluster_text import describe_class_edit, format_answer_confirmation, format_cluster_name
from vaetui.tui.presenters.focus_moves import find_cluster_or_ancestor, find_neighbour_index, find_next_unanswered
from vaetui.tui.presenters.key_parser import Action, FocusedClusterInfo, KeyParser
from vaetui.tui.session_protocol import Session

NEXT_MEMBER_ORDER: dict[MemberOrder, MemberOrder] = {"nearest": "random", "random": "farthest", "farthest": "nearest"}
"""The member order that follows each order when its key is pressed."""


class LabellingPresenter:
    """Applies keys to the session and moves the focus to the next cluster without an answer."""

    def __init__(self, session: Session) -> None:
        """Focus the first cluster without an answer in the current round of `session`."""
        self.session = session
        """The session that receives the answers."""
        self.round_view: RoundView = session.round_view()
        """The round after the last change."""
        self.focus_index = find_next_unanswered(self.round_view.clusters, -1) or 0
        """Index of the focused cluster in the round."""
        self.member_order: MemberOrder = "nearest"
        """The members of the focused cluster to show."""
        self.key_parser = KeyParser(session.classes, self.round_view.digit_keys, session.config.cluster.split_parts)
        """The input typed so far."""
        self.status_text = ""
        """The result of the last key."""

    @property
    def visible_clusters(self) -> tuple[ClusterView, ...]:
        """The clusters that the screen lists, in its order."""
        return self.round_view.clusters

    @property
    def focused_cluster(self) -> ClusterView:
        """The focused cluster."""
        return self.round_view.clusters[self.focus_index]

    @property
    def focused_info(self) -> FocusedClusterInfo:
        """The facts about the focused cluster that the key parser needs."""
        return FocusedClusterInfo(
            format_cluster_name(self.focused_cluster),
            self.focused_cluster.size,
            self.round_view.leaf_count - self.round_view.answered_leaf_count,
        )

    def handle_key(self, key: str, columns: int) -> Action | None:
        """Apply a key, and return the action that the screen must perform: a split or a command.

        `columns` is the number of clusters in a row on the screen.
        """
        return self._apply_parser_result(self.key_parser.handle_key(key, self.focused_info), columns)

    def select_class(self, class_id: int) -> None:
        """Apply a class that was chosen by name."""
        self._apply_parser_result(self.key_parser.select_class(class_id), 1)

    def edit_classes(self, edit: ClassEdit) -> bool:
        """Apply an edit of the classes, and return whether the session accepted it."""
        previous_classes = self.session.classes
        try:
            self.session.edit_classes(edit)
        except UserError as error:
            self.status_text = str(error)
            return False
        self.refresh_round(self.focused_cluster.path)
        self.status_text = describe_class_edit(edit, previous_classes, self.round_view)
        return True

    def refresh_round(self, path: ClusterPath) -> None:
        """Read the round and the classes again, and focus the cluster at `path` or its nearest ancestor."""
        self.round_view = self.session.round_view()
        self.focus_index = find_cluster_or_ancestor(self.round_view.clusters, path)
        self.key_parser = replace(self.key_parser, classes=self.session.classes, digit_keys=self.round_view.digit_keys)

    def _apply_parser_result(self, result: tuple[KeyParser, Action | None], columns: int) -> Action | None:
        """Take over the parser after an input, and apply its action or return it for the screen."""
        self.status_text = ""
        self.key_parser, action = result
        try:
            return None if action is None else self._apply_action(action, columns)
        except UserError as error:
            self.status_text = str(error)
            return None

    def _apply_action(self, action: Action, columns: int) -> Action | None:
        match action:
            case ClassAnswer() | Unreadable():
                self._record_answer(action)
                self._focus_next_unanswered(1)
            case "undo":
                description = self.round_view.undo_description
                self._focus_changed_cluster(self.session.undo(), "Nothing to undo", f"Undid: {description}")
            case "redo":
                description = self.round_view.redo_description
                self._focus_changed_cluster(self.session.redo(), "Nothing to redo", f"Redid: {description}")
            case "lower" | "raise":
                self._change_confidence(-1 if action == "lower" else 1)
            case "members":
                self.member_order = NEXT_MEMBER_ORDER[self.member_order]
            case "next" | "previous":
                self._focus_next_unanswered(1 if action == "next" else -1)
            case "left" | "right" | "up" | "down":
                self.focus_index = find_neighbour_index(
                    self.focus_index, action, columns, len(self.round_view.clusters)
                )
            case _:
                return action
        return None

    def _record_answer(self, answer: ClassAnswer | Unreadable) -> None:
        path = self.focused_cluster.path
        self.session.record_answer(path, answer)
        self.refresh_round(path)
        self.status_text = format_answer_confirmation(self.focused_cluster, self.session.classes)

    def _focus_next_unanswered(self, step: int) -> None:
        index = find_next_unanswered(self.round_view.clusters, self.focus_index, step)
        if index is not None:
            self.focus_index = index

    def _focus_changed_cluster(self, path: ClusterPath | None, refusal: str, message: str) -> None:
        """Focus the cluster and set the status; the path is () after a class edit, None if nothing changed."""
        if path is not None:
            self.refresh_round(path or self.focused_cluster.path)
        self.status_text = refusal if path is None else message

    def _change_confidence(self, tenths: int) -> None:
        cluster = self.focused_cluster
        name, answer = format_cluster_name(cluster), cluster.answer
        if not isinstance(answer, ClassAnswer):
            reason = "answer yet" if answer is None else "class, so it has no confidence"
            self.status_text = f"Cluster {name} has no {reason}"
            return
        confidence = min(max(round(answer.confidence * 10) + tenths, 1), 10) / 10
        if confidence == answer.confidence:
            self.status_text = "Already certain" if tenths > 0 else "0.1 is the lowest confidence. x: unreadable"
            return
        self._record_answer(ClassAnswer(answer.class_id, confidence))
        self.status_text += f", weight {confidence * self.focused_cluster.mean_weight:.0%}".replace("%", " %")
