"""The labelling screen: passes keys to the presenter, shows its state and runs its slow actions."""

from __future__ import annotations

from typing import cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.events import Resize

from vaetui.engine.answers import ClusterPath, Split, format_path
from vaetui.engine.classes import AddClass
from vaetui.errors import UserError
from vaetui.session.views import MemberOrder
from vaetui.tui.event_worker import WorkerEnded
from vaetui.tui.keymap import LABELLING_CONFIRMED_KEYS, LABELLING_GLOSSARY, LABELLING_KEYS
from vaetui.tui.presenters.cluster_text import format_answer, format_round_progress
from vaetui.tui.presenters.key_parser import Action, format_question
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.presenters.line_dialogue import Choice
from vaetui.tui.presenters.prediction_changes import describe_prediction_changes
from vaetui.tui.screens.class_picker import ClassChoice, ClassPickerScreen
from vaetui.tui.screens.classes import ClassesScreen
from vaetui.tui.screens.key_guarded_screen import KeyGuardedScreen
from vaetui.tui.screens.members import MembersScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.labelling_view import LabellingView
from vaetui.tui.widgets.prompt import Prompt

LOADING_NOTICE = "Loading the model; your key runs when it is ready"


class LabellingScreen(KeyGuardedScreen):
    """The focused cluster with its members, all clusters below, and a prompt."""

    BINDINGS = build_bindings(LABELLING_KEYS)
    CONFIRMED_KEYS = LABELLING_CONFIRMED_KEYS
    DEFAULT_CSS = """
    LabellingScreen { layout: vertical; overflow: hidden; }
    """
    glossary = LABELLING_GLOSSARY

    def __init__(self, session: Session) -> None:
        """Show the current round of the session."""
        super().__init__(session.name)
        self.presenter = LabellingPresenter(session)
        """The round, the focus and the keys typed so far."""
        self.presenter.status_text = describe_prediction_changes(session.training_curves().finished_epochs)
        self._session = session
        self._splitting_path: ClusterPath | None = None
        self._pending_action: tuple[Action, ClusterPath] | None = None
        self._shown_members: tuple[ClusterPath, MemberOrder] | None = None

    def compose_body(self) -> ComposeResult:
        """Create the images and the prompt."""
        height, width = self.presenter.focused_cluster.picture.shape[:2]
        yield LabellingView((width, height))
        yield Prompt()

    def on_mount(self) -> None:
        """Show the prompt at once and the pictures after the layout: Textual would send them twice otherwise."""
        self._update_header()
        self._update_prompt()
        self.call_after_refresh(self.call_after_refresh, self._show_first_view)

    async def on_resize(self, event: Resize) -> None:
        """Change the layout if the new size needs another one."""
        if await self.query_one(LabellingView).update_layout(self.app.size):
            self._shown_members = None
            self._update_view()
        self._update_header()

    def handle_bound_key(self, key: str) -> None:
        """Pass a key to the presenter, unless a cluster is being split, or open the map, the history or the members."""
        if self._splitting_path is None and key == "map":
            self._vaetui_app.open_map(self._focus_cluster, self.presenter.focused_cluster.path)
        elif self._splitting_path is None and key == "history":
            self._vaetui_app.open_history(self._handle_history_closed)
        elif self._splitting_path is None and key == "zoom":
            screen = MembersScreen(self._session, self.presenter.focused_cluster, self.presenter.member_order)
            self.open_screen(screen, self._handle_overlay_closed)
        elif self._splitting_path is None:
            action = self.presenter.handle_key(key, self.query_one(LabellingView).clusters_per_row)
            if action is not None:
                self._perform_action(action, self.presenter.focused_cluster.path)
            self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show which keys the prompt expects."""
        self.handle_bound_key("other")

    def show_notice(self, text: str) -> None:
        """Show a notice in the prompt."""
        self.presenter.status_text = text
        self._update_prompt()

    @on(WorkerEnded)
    def handle_worker_ended(self) -> None:
        """Show the parts of a split cluster, or the members that are loaded now."""
        path, self._splitting_path = self._splitting_path, None
        if self._session.phase != "labelling":
            return
        if path is not None:
            self.presenter.refresh_round((*path, 0))
            self.presenter.status_text = f"Split: cluster {format_path(path)}. u: undo"
        self._shown_members = None
        if self.is_current:
            self._run_pending_action()
        self._update_view()

    def _run_pending_action(self) -> None:
        """Perform the action that was requested while the worker was busy."""
        if self._pending_action is not None and not self._vaetui_app.event_worker.is_busy:
            pending_action, self._pending_action = self._pending_action, None
            self._perform_action(*pending_action)

    def _perform_action(self, action: Action, path: ClusterPath) -> None:
        app = self._vaetui_app
        if action in ("choose", "classes"):
            screen = self._create_class_picker() if action == "choose" else ClassesScreen(self.presenter)
            self.open_screen(screen, self._handle_overlay_closed)
        elif app.event_worker.is_busy:
            self._pending_action = action, path
            self.presenter.status_text = LOADING_NOTICE
        else:
            try:
                if isinstance(action, Split):
                    app.event_worker.start(self._session.split_cluster(path, action.parts), target=self.app)
                    self._splitting_path = path
                elif action == "go":
                    self._session.close_round()
                    app.continue_session()
            except UserError as error:
                self.presenter.status_text = str(error)

    def list_targets(self) -> list[Choice]:
        """Return the clusters of the round by their number, with answer and size."""
        targets = []
        for cluster in self.presenter.round_view.clusters:
            detail = f"{format_answer(cluster, self._session.classes)}, {cluster.size:,} images"
            targets.append(Choice(format_path(cluster.path), cluster.path, detail))
        return targets

    def go_to_target(self, value: object) -> None:
        """Move the focus to the cluster with this path."""
        self._focus_cluster(cast(ClusterPath, value))

    def _handle_history_closed(self, path: ClusterPath | None) -> None:
        """Show the answers that were corrected, with the focus on the chosen cluster, if any."""
        self.presenter.status_text = ""
        self._focus_cluster(path or self.presenter.focused_cluster.path)

    def _focus_cluster(self, path: ClusterPath) -> None:
        """Move the focus to a cluster that was chosen on the map or by its number."""
        self.presenter.refresh_round(path)
        self._update_view()

    def _create_class_picker(self) -> ClassPickerScreen:
        """Create a picker that also takes the name of a new class."""
        classes = self._session.classes
        return ClassPickerScreen(
            self._session,
            "Class?",
            classes.active_ids,
            self._apply_class_choice,
            lambda name: AddClass(len(classes), name),
        )

    def _apply_class_choice(self, choice: ClassChoice) -> None:
        """Use a class for the answer that is being typed; a new one is added first."""
        if isinstance(choice, int):
            self.presenter.select_class(choice)
        elif self.presenter.edit_classes(choice):
            self.presenter.select_class(choice.class_id)

    def _handle_overlay_closed(self, _: None) -> None:
        self._run_pending_action()
        self._update_view()

    def _show_first_view(self) -> None:
        self._vaetui_app.defer_paint()
        self._update_view()

    def _update_view(self) -> None:
        """Show the state of the presenter, unless the round is over; the widgets skip what has not changed."""
        if self._session.phase != "labelling":
            return
        presenter, view = self.presenter, self.query_one(LabellingView)
        self._update_header()
        self._update_prompt()
        view.show_round(presenter.round_view, presenter.visible_clusters, presenter.focus_index, self._session.classes)
        members = (presenter.focused_cluster.path, presenter.member_order)
        if members != self._shown_members and self._splitting_path is None:
            self._shown_members = members
            view.show_members(presenter.member_order, self._session.member_images(*members, view.member_capacity))

    def _update_header(self) -> None:
        self.query_one(Header).set_text(format_round_progress(self.presenter.round_view, self.app.size.width))

    def _update_prompt(self) -> None:
        presenter, prompt = self.presenter, self.query_one(Prompt)
        if self._splitting_path is not None:
            prompt.set_text(Text(f"Splitting cluster {format_path(self._splitting_path)} …", "bold"))
        else:
            question, help_text = format_question(presenter.key_parser, presenter.focused_info)
            prompt.show_question(question, help_text, presenter.key_parser.hint, presenter.status_text)
