"""Base class of the screens that show a round: the focused cluster with its members, and all clusters."""

from __future__ import annotations

from textual.events import Resize

from vaetui.engine.answers import ClusterPath
from vaetui.session.views import MemberOrder
from vaetui.tui.keymap import LABELLING_GLOSSARY, NEAREST_IMAGE_GLOSSARY
from vaetui.tui.presenters.cluster_text import format_round_progress, shows_nearest_images
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.screens.vaetui_screen import VaetuiScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.labelling_view import LabellingView


class RoundScreen(VaetuiScreen):
    """Base class of a screen with the images of a round; subclasses add a line below them."""

    DEFAULT_CSS = """
    RoundScreen { layout: vertical; overflow: hidden; }
    """
    glossary = LABELLING_GLOSSARY

    def __init__(self, session: Session) -> None:
        """Show the current round of the session."""
        super().__init__(session.name)
        self.presenter = LabellingPresenter(session)
        """The round, the focus and the keys typed so far."""
        self._session = session
        if shows_nearest_images(session.config):
            self.glossary = (*NEAREST_IMAGE_GLOSSARY, *LABELLING_GLOSSARY)
        self._shown_members: tuple[ClusterPath, MemberOrder] | None = None

    def _create_labelling_view(self) -> LabellingView:
        height, width = self.presenter.focused_cluster.picture.shape[:2]
        return LabellingView((width, height), shows_nearest_images(self._session.config))

    def on_mount(self) -> None:
        """Show the pictures after the layout: Textual would send them twice otherwise."""
        self.call_after_refresh(self.call_after_refresh, self._show_first_view)

    async def on_resize(self, event: Resize) -> None:
        """Change the layout if the new size needs another one."""
        if await self.query_one(LabellingView).update_layout(self.app.size):
            self._shown_members = None
            self._update_view()
        self._update_header()

    def _show_first_view(self) -> None:
        self._vaetui_app.defer_paint()
        self._update_view()

    def _update_view(self) -> None:
        """Show the state of the presenter, unless the round is over; the widgets skip what has not changed."""
        if self._session.phase == "labelling":
            self._update_header()
            self._show_clusters()
            self._show_members()

    def _update_header(self) -> None:
        self.query_one(Header).set_text(format_round_progress(self.presenter.round_view, self.app.size.width))

    def _show_clusters(self) -> None:
        presenter = self.presenter
        self.query_one(LabellingView).show_round(
            presenter.round_view,
            presenter.visible_clusters,
            presenter.focus_index,
            self._session.classes,
            presenter.arrangement_text,
        )

    def _show_members(self) -> None:
        presenter, view = self.presenter, self.query_one(LabellingView)
        members = (presenter.focused_cluster.path, presenter.member_order)
        if members != self._shown_members:
            self._shown_members = members
            read_members = self._session.member_images
            view.show_members(
                presenter.member_order, read_members(*members, max(view.member_capacity, 0)), read_members
            )
