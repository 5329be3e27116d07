"""The labelling screen: passes keys to the presenter, shows its state and runs its slow actions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import cast

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult

from vaetui.engine.answers import ClusterPath, Split, format_path
from vaetui.engine.classes import AddClass
from vaetui.errors import UserError
from vaetui.tui.event_worker import WorkerEnded
from vaetui.tui.keymap import LABELLING_KEYS, KeyFormatter
from vaetui.tui.presenters.class_choices import create_class_choices, find_edit_error
from vaetui.tui.presenters.cluster_text import describe_cluster
from vaetui.tui.presenters.key_parser import Action, format_question
from vaetui.tui.presenters.label_facts import collect_label_facts
from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue
from vaetui.tui.screens.classes import ClassesScreen
from vaetui.tui.screens.members import MembersScreen
from vaetui.tui.screens.round_screen import RoundScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.labelling_view import LabellingView
from vaetui.tui.widgets.prompt import Prompt, count_badge_cells

IGNORED_KEYS_NOTICE = "Ignored: keys typed meanwhile"
"""Shown after keys that came while a cluster was being split: their clusters were not on the screen yet."""
FIRST_LOOK_NOTICE = "Ignored: the key came as the round opened"
FIRST_LOOK_S = 0.5
"""Seconds after the training screen has given way to this one in which Space may still be meant to pause training."""
LOADING_NOTICE = "Loading, then"
"""Shown before the action that waits for the model."""
ONE_KEY_BADGE = "ONE-KEY"
"""Shown while a digit answers at once."""


class LabellingScreen(RoundScreen):
    """The focused cluster with its members, all clusters below, and a prompt."""

    BINDINGS = build_bindings(LABELLING_KEYS)

    def __init__(self, session: Session, *, follows_training: bool = False) -> None:
        """Show the current round of the session; `follows_training` tells that it replaces the training screen."""
        super().__init__(session)
        self._first_look_until = math.inf if follows_training else 0.0
        self._splitting_path: ClusterPath | None = None
        self._has_ignored_keys = False
        self._pending_action: tuple[Action, ClusterPath] | None = None

    def compose_body(self) -> ComposeResult:
        """Create the images and the prompt."""
        yield self._create_labelling_view()
        yield Prompt()

    def on_mount(self) -> None:
        """Show the prompt at once, before the pictures."""
        self._configure_presenter()
        self._update_header()
        self._update_prompt()

    def handle_bound_key(self, key: str) -> None:
        """Pass a key to the presenter, or open the map, the history or the members; ignore it during a split.

        Map and history, which change the focus or the classes, wait until an answer is complete.
        """
        is_complete = self.presenter.key_parser.state == "class"
        if key == "accept" and is_complete and time.monotonic() < self._first_look_until:
            self.presenter.status_text = FIRST_LOOK_NOTICE
            self._update_prompt()
            return
        if self._splitting_path is not None:
            self._has_ignored_keys = True
            self._update_prompt()
            return
        if is_complete and key == "map":
            self._vaetui_app.open_map(self._focus_cluster, self.presenter.focused_cluster.path)
        elif is_complete and key == "history":
            self._vaetui_app.open_history(self._handle_history_closed)
        elif is_complete and key == "audit":
            self._try_open(lambda: self._vaetui_app.open_audit(on_close=self._handle_review_closed))
        elif is_complete and key == "review":
            self._try_open(lambda: self._vaetui_app.open_review(self._handle_review_closed))
        elif key == "export":
            self._vaetui_app.open_export()
        elif key == "zoom":
            screen = MembersScreen(self._session, self.presenter.focused_cluster, self.presenter.member_order)
            self.open_screen(screen, self._handle_overlay_closed)
        elif not self._handle_key_of_pending_action(key):
            self._decline_one_key_mode(key)
            view = self.query_one(LabellingView)
            action = self.presenter.handle_key(key, view.clusters_per_row, view.page_size)
            if action is not None:
                self._perform_action(action, self.presenter.focused_cluster.path)
            self._update_view()

    def _try_open(self, open_screen: Callable[[], None]) -> None:
        """Open a screen over this one, or show why it cannot be opened now."""
        try:
            open_screen()
        except UserError as error:
            self.show_notice(str(error))

    def on_unbound_key(self, key: str) -> None:
        """Show which keys the prompt expects."""
        self.handle_bound_key("other")

    def show_notice(self, text: str) -> None:
        """Show a notice in the prompt."""
        self.presenter.show_notice(text)
        self._update_prompt()

    def close_line(self) -> None:
        """Close the line, and perform the action that waited for it after its choice."""
        super().close_line()
        self.call_later(self._run_pending_action)

    @on(WorkerEnded)
    def handle_worker_ended(self) -> None:
        """Show the parts of a split cluster, or the members that are loaded now."""
        path, self._splitting_path = self._splitting_path, None
        if self._session.phase != "labelling":
            return
        if path is not None:
            self.presenter.refresh_round((*path, 0))
            undo_key = self._vaetui_app.format_key("label.undo")
            self.presenter.status_text = f"Split: cluster {format_path(path)}. {undo_key}: undo"
            if self._has_ignored_keys:
                self.presenter.show_notice(f"Split: cluster {format_path(path)}. {IGNORED_KEYS_NOTICE}")
            self._has_ignored_keys = False
        self._shown_members = None
        self._run_pending_action()
        self._update_view()

    def _configure_presenter(self) -> None:
        """Show the facts about the labels, in the mode that the user chose, or offer the faster one once."""
        session, settings, presenter = self._session, self._vaetui_app.settings, self.presenter
        presenter.key_parser = replace(presenter.key_parser, format_key=self._vaetui_app.format_key)
        if session.one_key_mode is None and settings.one_key_mode is not None:
            presenter.set_one_key_mode(settings.one_key_mode)
        elif session.one_key_mode is None and presenter.round_view.round_number > 1:
            presenter.offer_one_key_mode()
        round_view = presenter.round_view
        unanswered_ids = round_view.unanswered_class_ids if round_view.round_number > 1 else ()
        facts = collect_label_facts(session, unanswered_ids, self._vaetui_app.format_key, is_round_open=True)
        presenter.status_text = facts.fit(self._count_note_cells())

    def _count_note_cells(self) -> int:
        """Return the room for a note beside the short form of the question."""
        presenter, badge = self.presenter, ONE_KEY_BADGE if self.presenter.key_parser.is_one_key_mode else ""
        cells = self.app.size.width - 2 - count_badge_cells(badge)
        question, _ = format_question(presenter.key_parser, presenter.focused_info, cells)
        return cells - cell_len(shorten_question(question)) - 2

    def _decline_one_key_mode(self, key: str) -> None:
        """Do not offer one-key mode again if the offer is answered by any other key than that of the mode."""
        if self.presenter.key_parser.offers_one_key_mode and key != "one_key_mode":
            with suppress(UserError):  # it is offered again in the next round
                self._session.set_one_key_mode(False)

    def _handle_key_of_pending_action(self, key: str) -> bool:
        """Return whether the key was about the action that waits for the model: it cancels it or asks for it again."""
        if self._pending_action is None or self.presenter.key_parser.state != "class":
            return False
        action = self._pending_action[0]
        if key == "cancel":
            self._pending_action = None
            self.presenter.status_text = f"Cancelled: {describe_action(action)}"
        elif key != "go" or action != "go":
            return False
        self._update_view()
        return True

    def _run_pending_action(self) -> None:
        """Perform the action that was requested while the worker was busy, unless the user types into a line."""
        is_free = self.app.screen is self and not self.is_line_open and not self._vaetui_app.event_worker.is_busy
        if self._pending_action is not None and is_free and self._session.phase == "labelling":
            pending_action, self._pending_action = self._pending_action, None
            self._perform_action(*pending_action)
            self._update_view()

    def _perform_action(self, action: Action, path: ClusterPath) -> None:
        app = self._vaetui_app
        try:
            if action == "choose":
                self.open_line(self._create_class_line())
            elif action == "classes":
                self.open_screen(ClassesScreen(self.presenter), self._handle_overlay_closed)
            elif action == "one_key_mode":
                is_on = self.presenter.key_parser.is_one_key_mode
                self.presenter.status_text = format_one_key_mode(is_on, app.format_key)
                app.remember_one_key_mode(is_on)
            elif app.event_worker.is_busy:
                self._pending_action = action, path
            elif isinstance(action, Split):
                app.event_worker.start(self._session.split_cluster(path, action.parts), target=self.app)
                self._splitting_path = path
            elif action == "go":
                advice = self.presenter.take_advice()
                self._session.close_round()
                app.continue_session()
                if advice is not None:
                    app.show_notice(advice)
        except UserError as error:
            self.presenter.error_text = str(error)

    def list_targets(self) -> list[Choice]:
        """Return the clusters of the round by their number, with answer and size."""
        return [
            Choice(format_path(cluster.path), cluster.path, describe_cluster(cluster, self._session.classes))
            for cluster in self.presenter.round_view.clusters
        ]

    def go_to_target(self, value: object) -> None:
        """Move the focus to the cluster with this path."""
        self._focus_cluster(cast(ClusterPath, value))

    def _handle_history_closed(self, path: ClusterPath | None) -> None:
        """Show the answers that were corrected, with the focus on the chosen cluster, if any."""
        focus_path = path or self.presenter.focused_cluster.path
        self.presenter.refresh_round(focus_path)  # a split may have been undone or redone
        self.presenter.status_text = ""
        self._focus_cluster(focus_path)

    def _handle_review_closed(self) -> None:
        """Show what the review has changed, and nothing about former answers."""
        self.presenter.refresh_round(self.presenter.focused_cluster.path)
        self.presenter.status_text = ""
        self._handle_overlay_closed(None)

    def _focus_cluster(self, path: ClusterPath) -> None:
        """Move the focus to a cluster that was chosen on the map, in the history or by its number."""
        self.presenter.jump_to(path)
        self._update_view()

    def _create_class_line(self) -> LineDialogue:
        """Create a line that finds a class by its name, or makes a new one."""
        classes, digit_keys = self._session.classes, self.presenter.round_view.digit_keys
        subject = ", nearest image" if self.presenter.key_parser.state == "nearest" else ""
        return LineDialogue(
            f"Cluster {format_path(self.presenter.focused_cluster.path)}{subject}: class?",
            create_class_choices(classes, classes.active_ids, digit_keys, self.presenter.focused_cluster.class_shares),
            on_choice=self._apply_class_choice,
            create=lambda name: Choice(f"new class {name}", AddClass(len(classes), name)),
            check=lambda name: find_edit_error(classes, AddClass(len(classes), name)),
            help_text="part of its name",
        )

    def _apply_class_choice(self, choice: object) -> None:
        """Use a class for the answer that is being typed."""
        if isinstance(choice, AddClass):
            self.presenter.select_class(choice.class_id, choice)
        else:
            self.presenter.select_class(cast(int, choice))
        self._update_view()

    def _handle_overlay_closed(self, _: None) -> None:
        self._run_pending_action()
        self._update_view()

    def _show_first_view(self) -> None:
        super()._show_first_view()
        if self._first_look_until:
            self._first_look_until = time.monotonic() + FIRST_LOOK_S

    def _update_view(self) -> None:
        """Show the state of the presenter, unless the round is over; members stay while a cluster is split."""
        if self._session.phase != "labelling":
            return
        self._update_header()
        self._update_prompt()
        self._show_clusters()
        if self._splitting_path is None:
            self._show_members()

    def _update_prompt(self) -> None:
        presenter, prompt = self.presenter, self.query_one(Prompt)
        if self._splitting_path is not None:
            note = f"  {IGNORED_KEYS_NOTICE}" if self._has_ignored_keys else ""
            prompt.set_text(Text.assemble((f"Splitting cluster {format_path(self._splitting_path)} …", "bold"), note))
        else:
            note, badge = presenter.status_text, ONE_KEY_BADGE if presenter.key_parser.is_one_key_mode else ""
            presenter.prompt_cells = self.app.size.width - 2 - count_badge_cells(badge)
            question, help_text = format_question(presenter.key_parser, presenter.focused_info, presenter.prompt_cells)
            if self._pending_action is not None and presenter.key_parser.state == "class":
                cancel_key = self._vaetui_app.format_key("label.cancel")
                note = f"{LOADING_NOTICE} {describe_action(self._pending_action[0])} · {cancel_key}: cancel"
            short_question = shorten_question(question)
            cuts_note = not presenter.is_notice
            prompt.show_question(question, help_text, presenter.hint, note, badge, short_question, cuts_note=cuts_note)


def shorten_question(question: str) -> str:
    """Return the question for a class in fewer words, where a note needs the room."""
    return question.replace(": class?", "?")


def describe_action(action: Action) -> str:
    """Return what an action that waits for the model does."""
    return f"split into {action.parts} parts" if isinstance(action, Split) else "train"


def format_one_key_mode(is_on: bool, format_key: KeyFormatter) -> str:
    """Return what a digit does now."""
    if not is_on:
        return "One-key mode off: a confidence follows each class"
    lower, higher = format_key("label.lower"), format_key("label.raise")
    return f"One-key mode on. {lower} {higher}: change the last answer · {format_key('label.one_key_mode')}: off"
