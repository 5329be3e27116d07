"""The round of a session that is only watched: its clusters, and the answers as another process records them."""

from __future__ import annotations

from time import monotonic

from textual import on
from textual.app import ComposeResult

from vaetui.engine.events import Loaded, Loading, Notice, Watched
from vaetui.errors import UserError
from vaetui.tui.event_worker import EventReported, WorkerEnded
from vaetui.tui.keymap import LABELLING_KEYS
from vaetui.tui.screens.members import MembersScreen
from vaetui.tui.screens.round_screen import RoundScreen
from vaetui.tui.screens.vaetui_screen import NO_DECODER_NOTICE
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.watch_keymap import WATCH_KEYS
from vaetui.tui.widgets.labelling_view import LabellingView
from vaetui.tui.widgets.status_line import StatusLine


class WatchedRoundScreen(RoundScreen):
    """The focused cluster with its members, all clusters below, and who has the session open."""

    BINDINGS = build_bindings(WATCH_KEYS)
    refused_key_bindings = LABELLING_KEYS

    def __init__(self, session: Session) -> None:
        """Show the current round of the session."""
        super().__init__(session)
        self._users = ""

    def compose_body(self) -> ComposeResult:
        """Create the images and the status line."""
        yield self._create_labelling_view()
        yield StatusLine()

    def on_mount(self) -> None:
        """Show the status at once, and remove its messages after a while."""
        self._update_status()
        self.set_interval(1, self._update_status)

    def handle_bound_key(self, key: str) -> None:
        """Move the focus, or show the members, the map or samples, or export."""
        self.show_notice("")
        focused_cluster = self.presenter.focused_cluster
        match key:
            case "zoom":
                self.open_screen(MembersScreen(self._session, focused_cluster, self.presenter.member_order))
            case "map":
                self._vaetui_app.open_map(None, focused_cluster.path)
            case "draw" if not self._session.has_decoder:
                self.show_notice(NO_DECODER_NOTICE)
            case "draw":
                self._vaetui_app.open_samples()
            case "export":
                self._vaetui_app.open_export()
            case _:
                view = self.query_one(LabellingView)
                self.presenter.handle_key(key, view.clusters_per_row, view.page_size)
                self.show_notice(self.presenter.hint or self.presenter.status_text)
                self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Refuse a key that would answer, or show that it is unknown."""
        if not self.refuse_key(key):
            self.show_notice(self.unknown_key_hint)

    def show_notice(self, text: str) -> None:
        """Show a notice in the status line."""
        if self.query(StatusLine):
            self.query_one(StatusLine).show_message(text, monotonic())
            self._update_status()

    @on(EventReported)
    def handle_event(self, message: EventReported) -> None:
        """Show the answers that were recorded, the images that were loaded, and who has the session open."""
        match message.event:
            case Watched(users, _, has_changed):
                self._users = users
                if has_changed:
                    self._read_round()
                self._update_status()
            case Loading(component):
                self._users = f"loading {component} …"
                self._update_status()
            case Loaded():
                self._shown_members = None
                self._update_view()
            case Notice(text):
                self.show_notice(text)

    @on(WorkerEnded)
    def handle_worker_ended(self) -> None:
        """Show the round that has begun meanwhile."""
        self._read_round()

    def _read_round(self) -> None:
        try:
            self.presenter.refresh_round(self.presenter.focused_cluster.path)
        except UserError:  # the round is over; the next screen follows
            return
        self._update_view()

    def _update_status(self) -> None:
        text = self._users
        if text:
            text = f"Only watched: {text}"
        if self.query_one(StatusLine).show_status(text, monotonic()):
            self.call_after_refresh(self._update_view)
