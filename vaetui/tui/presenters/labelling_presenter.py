"""The state of the labelling screen: the round, the focus and the keys typed so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vaetui.engine.answers import ClassAnswer, Cleared, ClusterPath, NearestImageAnswer, Unreadable, format_path
from vaetui.engine.classes import AddClass, ClassEdit
from vaetui.errors import UserError, format_count
from vaetui.session.feature_advice import advise_features
from vaetui.session.views import ClusterView, MemberOrder, RoundView
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.cluster_order import SORT_ORDERS, ClusterOrder, is_open, is_probably_mixed
from vaetui.tui.presenters.cluster_text import (
    describe_class_edit,
    format_answer_confirmation,
    format_class_counts,
    format_cluster_name,
    format_guess,
)
from vaetui.tui.presenters.focus_moves import (
    MOVE_KEYS,
    find_cluster_or_ancestor,
    find_next_unanswered,
    move_index,
)
from vaetui.tui.presenters.key_parser import Action, FocusedClusterInfo, KeyParser
from vaetui.tui.presenters.unanswered_classes import format_unanswered_classes, select_class_names
from vaetui.tui.session_protocol import Session

NEXT_MEMBER_ORDER: dict[MemberOrder, MemberOrder] = {"nearest": "random", "random": "farthest", "farthest": "nearest"}
"""The member order that follows each order when its key is pressed."""
MAX_GUESS_CELLS = 22
"""Cells of a guess, and of the class of an answer, in the prompt: both stand beside the name of the cluster."""
ACCEPT_ALL_CELLS = 61
"""Cells of the question whether to accept all guesses, without their classes."""
MIN_SURE_CELLS = 12
"""Fewest cells for those classes."""


class LabellingPresenter:
    """Applies keys to the session and moves the focus to the next cluster without an answer."""

    def __init__(self, session: Session, format_key: KeyFormatter = format_default_key) -> None:
        """Focus the first cluster without an answer in the current round of `session`."""
        self.session = session
        """The session that receives the answers."""
        self.round_view: RoundView = session.round_view()
        """The round after the last change."""
        self.visible_clusters: tuple[ClusterView, ...] = self.round_view.clusters
        """The clusters that are shown, in their order."""
        self.focus_index = find_next_unanswered(self.round_view.clusters, -1) or 0
        """Index of the focused cluster in the visible ones."""
        self.member_order: MemberOrder = "nearest"
        """The members of the focused cluster to show."""
        self.key_parser = KeyParser(
            session.classes,
            self.round_view.digit_keys,
            session.config.cluster.split_parts,
            is_one_key_mode=bool(session.one_key_mode),
            format_key=format_key,
        )
        """The input typed so far."""
        self.status_text = ""
        """The result of the last key."""
        self.error_text = ""
        """Why the last key failed, or ""."""
        self.prompt_cells = 78
        """Width of the prompt without the badge of a mode."""
        self.is_notice = False
        """Whether the status is a notice, which must be readable as a whole."""
        self._order = ClusterOrder(self.round_view.clusters)
        self._last_answered_path: ClusterPath | None = None
        self._changed_path: ClusterPath | None = None
        self._has_advised = False

    @property
    def focused_cluster(self) -> ClusterView:
        """The focused cluster."""
        return self.visible_clusters[self.focus_index]

    @property
    def arrangement_text(self) -> str:
        """How the clusters are sorted and filtered, such as "by size · open only"; "" for the defaults."""
        return self._order.description

    @property
    def focused_info(self) -> FocusedClusterInfo:
        """The facts about the focused cluster that the key parser needs."""
        cluster, classes = self.focused_cluster, self.session.classes
        guess = cluster.guess if is_open(cluster) else None
        sure_answers = self.round_view.sure_answers
        counts = Counter(classes.names[answer.class_id] for _, answer in sure_answers)
        sure_cells = max(self.prompt_cells - ACCEPT_ALL_CELLS, MIN_SURE_CELLS)
        return FocusedClusterInfo(
            name=format_cluster_name(cluster),
            size=cluster.size,
            unanswered_count=self.round_view.leaf_count - self.round_view.answered_leaf_count,
            guess=guess[0] if guess is not None else None,
            guess_text=format_guess(cluster, classes, MAX_GUESS_CELLS) if guess is not None else "",
            is_answered=not is_open(cluster),
            is_mixed=self.session.has_features and is_probably_mixed(cluster),
            sure_count=len(sure_answers),
            sure_text=format_class_counts(counts.most_common(), sure_cells),
        )

    @property
    def hint(self) -> str:
        """Why the last key did nothing, or ""."""
        return self.error_text or self.key_parser.hint

    def offer_one_key_mode(self) -> None:
        """Ask whether a digit should answer at once."""
        self.key_parser = replace(self.key_parser, offers_one_key_mode=True)

    def set_one_key_mode(self, is_on: bool) -> None:
        """Let a digit answer at once, or ask for a confidence."""
        self.key_parser = replace(self.key_parser, is_one_key_mode=is_on)

    def show_notice(self, text: str) -> None:
        """Show a notice in place of the result of the last key; Enter then answers only after another key."""
        self.status_text, self.error_text, self.is_notice = text, "", True
        self.key_parser = replace(self.key_parser, needs_second_look=True)

    def handle_key(self, key: str, columns: int, page_size: int = 1) -> Action | None:
        """Apply a key, and return the action that the screen must perform: a split or a command.

        `columns` is the number of clusters in a row on the screen, and `page_size` that on a page.
        """
        result = self.key_parser.handle_key(key, self.focused_info)
        return self._apply_parser_result(result, columns, page_size)

    def select_class(self, class_id: int, new_class: AddClass | None = None) -> None:
        """Apply a class that was chosen by name; a new one is added together with its answer."""
        self._apply_parser_result(self.key_parser.select_class(class_id, new_class), 1, 1)

    def edit_classes(self, edit: ClassEdit) -> bool:
        """Apply an edit of the classes, and return whether the session accepted it."""
        previous_classes = self.session.classes
        self.status_text = self.error_text = ""
        try:
            self.session.edit_classes(edit)
        except UserError as error:
            self.error_text = str(error)
            return False
        self._forget_last_answer()
        self.refresh_round(self.focused_cluster.path)
        self.status_text = describe_class_edit(
            edit, previous_classes, self.round_view, self.key_parser.format_key("label.undo")
        )
        return True

    def jump_to(self, path: ClusterPath) -> bool:
        """Focus the cluster at `path`, also if it is hidden, and return whether there is one."""
        if all(cluster.path != path for cluster in self.round_view.clusters):
            return False
        self._forget_last_answer()
        self.key_parser = self.key_parser.clear_input()  # it was meant for another cluster
        self.refresh_round(path)
        return True

    def refresh_round(self, path: ClusterPath) -> None:
        """Read the round and the classes again, and focus the cluster at `path` or its nearest ancestor.

        If it is hidden, all clusters are shown again.
        """
        self._read_round()
        self._arrange_clusters(path)

    def _read_round(self) -> None:
        self.round_view = self.session.round_view()
        self.key_parser = replace(self.key_parser, classes=self.session.classes, digit_keys=self.round_view.digit_keys)

    def _arrange_clusters(self, path: ClusterPath) -> None:
        clusters = self._order.arrange(self.round_view.clusters)
        target_path = clusters[find_cluster_or_ancestor(clusters, path)].path
        self.visible_clusters = self._order.select_visible(clusters)
        if all(cluster.path != target_path for cluster in self.visible_clusters):
            self._order.shows_open_only = False
            self.visible_clusters = clusters
        self.focus_index = find_cluster_or_ancestor(self.visible_clusters, target_path)

    def _apply_parser_result(
        self, result: tuple[KeyParser, Action | None], columns: int, page_size: int
    ) -> Action | None:
        """Take over the parser after an input, and apply its action or return it for the screen."""
        self.status_text, self.error_text, self.is_notice = "", "", False
        self.key_parser, action = result
        try:
            return None if action is None else self._apply_action(action, columns, page_size)
        except UserError as error:
            self.error_text = str(error)
            return None

    def _apply_action(self, action: Action, columns: int, page_size: int) -> Action | None:
        match action:
            case ClassAnswer() | NearestImageAnswer() | Unreadable():
                self._record_answer(action)
            case "accept_all":
                self._accept_all()
            case "clear":
                self._clear_answer()
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
            case "sort":
                self._sort_clusters()
            case "filter":
                self._filter_clusters()
            case "next" | "previous":
                self._forget_last_answer()
                self._focus_next_unanswered(1 if action == "next" else -1)
            case str() if action in MOVE_KEYS:
                self._forget_last_answer()
                count = len(self.visible_clusters)
                self.focus_index = move_index(self.focus_index, action, count, columns, page_size)
            case _:
                return action
        return None

    def _record_answer(self, answer: ClassAnswer | NearestImageAnswer | Unreadable) -> None:
        """Record the answer for the focused cluster, with the class that it adds, and focus the next open cluster."""
        path, new_class = self.focused_cluster.path, self.key_parser.new_class
        self.key_parser = replace(self.key_parser, new_class=None)
        self.session.record_answers([(path, answer)], new_class)
        self._focus_after_answer(path)
        self._last_answered_path, self._changed_path = path, None
        self.status_text = self._format_confirmation(path)
        if self.round_view.answered_leaf_count == self.round_view.leaf_count:
            names = select_class_names(self.session.classes.names, self.round_view.unanswered_class_ids)
            self.status_text += f". {format_unanswered_classes(names)}" if names else ""
            if (advice := self.take_advice()) is not None:
                next_step = f"{self.key_parser.format_key('label.go')}: train"  # the question has no room beside it
                self.status_text, self.is_notice = f"{self.status_text.rstrip('.')}. {next_step}. {advice}", True

    def take_advice(self) -> str | None:
        """Return the advice to train on vectors after a first round of mixed clusters; None the second time."""
        advice = None if self._has_advised else advise_features(self.round_view, self.session.has_features)
        self._has_advised = self._has_advised or advice is not None
        return advice

    def _accept_all(self) -> None:
        answers = self.round_view.sure_answers
        self.session.record_answers([(cluster.path, answer) for cluster, answer in answers])
        self._forget_last_answer()
        self._focus_after_answer(self.focused_cluster.path)
        self.status_text = f"Saved: {format_count(len(answers), 'cluster')} as predicted. {self._undo_hint}"

    def _clear_answer(self) -> None:
        cluster = self.focused_cluster
        name = format_cluster_name(cluster)
        if cluster.answer is None:
            self.status_text = f"Cluster {name} has no answer yet"
            return
        kind = "split of" if cluster.leaf_counts is not None else "answer for"
        self.session.record_answers([(cluster.path, Cleared())])
        self._forget_last_answer()
        self.refresh_round(cluster.path)
        self.status_text = f"Cleared: {kind} cluster {name}. {self._undo_hint}"

    def _focus_after_answer(self, path: ClusterPath) -> None:
        """Focus the next open cluster after `path` in the order shown, or stay there if none is open."""
        previous_paths = [cluster.path for cluster in self.visible_clusters]
        self._read_round()
        open_paths = {cluster.path for cluster in self.round_view.clusters if is_open(cluster)}
        start = previous_paths.index(path)
        candidates = [*previous_paths[start:], *previous_paths[:start]]
        self._arrange_clusters(next((candidate for candidate in candidates if candidate in open_paths), path))

    def _focus_next_unanswered(self, step: int) -> None:
        index = find_next_unanswered(self.visible_clusters, self.focus_index, step)
        if index is not None:
            self.focus_index = index

    def _sort_clusters(self) -> None:
        order = SORT_ORDERS[(SORT_ORDERS.index(self._order.sort_order) + 1) % len(SORT_ORDERS)]
        self._order.sort(order, self.round_view.clusters, self.session.classes)
        self.refresh_round(self.focused_cluster.path)
        self.status_text = f"Sorted by {order}"

    def _filter_clusters(self) -> None:
        open_count = sum(map(is_open, self.round_view.clusters))
        if not self._order.shows_open_only and not open_count:
            self.status_text = "All clusters have answers"
            return
        self._order.shows_open_only = not self._order.shows_open_only
        path = self.focused_cluster.path
        if self._order.shows_open_only and not is_open(self.focused_cluster):
            self._focus_after_answer(path)
        else:
            self.refresh_round(path)
        self.status_text = "Only clusters without an answer" if self._order.shows_open_only else "All clusters"

    def _focus_changed_cluster(self, path: ClusterPath | None, refusal: str, message: str) -> None:
        """Focus the cluster and set the status; the path is () if no cluster changed, None if nothing did."""
        self._forget_last_answer()
        if path is not None:
            self.refresh_round(path or self.focused_cluster.path)
        self.status_text = refusal if path is None else message

    def _change_confidence(self, tenths: int) -> None:
        """Change the confidence of the last answer if the focus has just left it, else of the focused cluster."""
        path = self._last_answered_path or self.focused_cluster.path
        cluster = next(cluster for cluster in self.round_view.clusters if cluster.path == path)
        name, answer = format_path(path), cluster.answer
        if isinstance(answer, NearestImageAnswer):
            self.status_text = "An answer for the nearest image alone is always certain"
            return
        if not isinstance(answer, ClassAnswer):
            reason = "answer yet" if answer is None else "class, so it has no confidence"
            self.status_text = f"Cluster {name} has no {reason}"
            return
        confidence = round(answer.confidence * 10 + tenths) / 10
        if not 0.1 <= confidence <= 1:
            unreadable_key = self.key_parser.format_key("label.unreadable")
            self.status_text = (
                "Already certain" if tenths > 0 else f"0.1 is the lowest confidence. {unreadable_key}: unreadable"
            )
            return
        self.session.record_answers(
            [(path, replace(answer, confidence=confidence))], extends_last_step=self._changed_path == path
        )
        self._changed_path = path
        self.refresh_round(self.focused_cluster.path)
        weight = confidence * cluster.mean_weight
        self.status_text = f"{self._format_confirmation(path)}. Weight {weight:.0%}".replace("%", " %")

    def _format_confirmation(self, path: ClusterPath) -> str:
        cluster = next(cluster for cluster in self.round_view.clusters if cluster.path == path)
        return format_answer_confirmation(cluster, self.session.classes, MAX_GUESS_CELLS)

    @property
    def _undo_hint(self) -> str:
        return f"{self.key_parser.format_key('label.undo')}: undo"

    def _forget_last_answer(self) -> None:
        self._last_answered_path = self._changed_path = None
