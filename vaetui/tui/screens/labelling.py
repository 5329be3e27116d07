"""The labelling screen: hands keys to the desk and shows what lies there; it knows no meaning of a key."""

from __future__ import annotations

from typing import ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize

from vaetui.engine.answers import ClusterPath, Split, format_path
from vaetui.engine.classes import AddClass
from vaetui.errors import UserError
from vaetui.session.views import MemberOrder
from vaetui.tui.labelling_keys import LABELLING_CONFIRMED_KEYS, LABELLING_GLOSSARY, LABELLING_KEYS
from vaetui.tui.presenters.cluster_text import format_round_progress
from vaetui.tui.presenters.key_parser import Action
from vaetui.tui.presenters.labelling import LabellingPresenter
from vaetui.tui.presenters.round_gain import describe_round_gain
from vaetui.tui.screens.class_picker import ClassChoice, ClassPickerScreen
from vaetui.tui.screens.classes import ClassesScreen
from vaetui.tui.screens.guarded import GuardedScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.footer import Footer
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.labelling_view import LabellingView
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.size_notice import SizeNotice
from vaetui.tui.worker import AppProtocol, WorkerEnded


class LabellingScreen(GuardedScreen):
    """The focused centre and its members, all tiles below, and one line that asks."""

    BINDINGS: ClassVar[list[BindingType]] = LABELLING_KEYS
    CONFIRMED_KEYS = LABELLING_CONFIRMED_KEYS
    GLOSSARY = LABELLING_GLOSSARY
    DEFAULT_CSS = """
    LabellingScreen { layout: vertical; overflow: hidden; }
    """

    def __init__(self, session: Session) -> None:
        """Ask for answers to the round of that session."""
        super().__init__()
        self.presenter = LabellingPresenter(session)
        """The round, the focus and the keys so far."""
        self.presenter.status_text = describe_round_gain(session.training_curves().finished_epochs)
        self._session = session
        self._splitting_path: ClusterPath | None = None
        self._pending_action: tuple[Action, ClusterPath] | None = None
        self._shown_members: tuple[ClusterPath, MemberOrder] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Header(self._session.name)
        yield LabellingView()
        yield Prompt()
        yield Footer()
        yield SizeNotice()

    def on_mount(self) -> None:
        """Ask at once, and show the pictures when the screen stands: until then Textual sends all of it again."""
        self._update_header()
        self._update_prompt()
        self.call_after_refresh(self.call_after_refresh, self._show_pictures)

    async def on_resize(self, event: Resize) -> None:
        """Lay out the table anew where another size wants it."""
        if await self.query_one(LabellingView).relayout(self.app.size):
            self._shown_members = None
            self._update_view()
        self._update_header()

    def press(self, key: str) -> None:
        """Take a key by name, unless a cluster is being split."""
        if self._splitting_path is None:
            deed = self.presenter.handle_key(key, self.query_one(LabellingView).columns)
            if deed is not None:
                self._perform_action(deed, self.presenter.focused_cluster.path)
            self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Say what would work instead of that key."""
        self.press("other")

    def show_notice(self, text: str) -> None:
        """Say that behind the question."""
        self.presenter.status_text = text
        self._update_prompt()

    @on(WorkerEnded)
    def handle_worker_ended(self) -> None:
        """Show the parts of what was split, or the members that are loaded now."""
        path, self._splitting_path = self._splitting_path, None
        if self._session.phase != "labelling":
            return
        if path is not None:
            self.presenter.refresh((*path, 0))
            self.presenter.status_text = f"{format_path(path)} is split, u takes it back"
        self._shown_members = None
        if self.is_current:
            self._run_pending_action()
        self._update_view()

    def _run_pending_action(self) -> None:
        """Do what waited for the networks, as soon as they are there and nothing else is answered on top of it."""
        if self._pending_action is not None and not cast(AppProtocol, self.app).event_worker.is_busy:
            waiting, self._pending_action = self._pending_action, None
            self._perform_action(*waiting)

    def _perform_action(self, action: Action, path: ClusterPath) -> None:
        app = cast(AppProtocol, self.app)
        if action in ("choose", "classes"):
            app.defer_paint()
            self.app.push_screen(
                self._create_class_picker() if action == "choose" else ClassesScreen(self.presenter),
                self._handle_overlay_closed,
            )
        elif app.event_worker.is_busy:
            self._pending_action = action, path
            self.presenter.status_text = "the networks are still being loaded: then this is done"
        else:
            try:
                if isinstance(action, Split):
                    app.event_worker.start(self._session.split(path, action.parts), target=self.app)
                    self._splitting_path = path
                elif action == "go":
                    self._session.finish_round()
                    app.continue_session()
            except UserError as trouble:
                self.presenter.status_text = str(trouble)

    def _create_class_picker(self) -> ClassPickerScreen:
        """Ask for a class by its letters, or for a new one."""
        known = self._session.classes
        return ClassPickerScreen(
            self._session.name,
            "class?",
            known,
            known.active,
            self._choose_class,
            lambda name: AddClass(len(known), name),
        )

    def _choose_class(self, choice: ClassChoice) -> None:
        """Take a class as the answer that is being typed, and first add it where it is new."""
        if isinstance(choice, int):
            self.presenter.choose_class(choice)
        elif self.presenter.edit_classes(choice):
            self.presenter.choose_class(choice.class_id)

    def _handle_overlay_closed(self, _: None) -> None:
        """Show what another screen changed, and do what waited for the networks meanwhile."""
        self._run_pending_action()
        self._update_view()

    def _show_pictures(self) -> None:
        cast(AppProtocol, self.app).defer_paint()
        self._update_view()

    def _update_view(self) -> None:
        """Show what lies on the desk, unless the round is over; each part keeps quiet where nothing changed."""
        if self._session.phase != "labelling":
            return
        desk, table = self.presenter, self.query_one(LabellingView)
        self._update_header()
        self._update_prompt()
        table.show(desk.round_view, desk.focus_index, self._session.classes)
        wanted = (desk.focused_cluster.path, desk.member_order)
        if wanted != self._shown_members and self._splitting_path is None:
            self._shown_members = wanted
            table.show_members(desk.member_order, self._session.members(*wanted, table.member_capacity))

    def _update_header(self) -> None:
        self.query_one(Header).set_text(format_round_progress(self.presenter.round_view, self.app.size.width))

    def _update_prompt(self) -> None:
        desk = self.presenter
        if self._splitting_path is not None:
            self.query_one(Prompt).set_text(Text(f"splitting {format_path(self._splitting_path)} …", "bold"))
        else:
            self.query_one(Prompt).ask(desk.key_parser, desk.focus, desk.status_text)
