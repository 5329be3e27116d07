"""The members screen: many images of a cluster in a grid, and the selected one in full size."""

from __future__ import annotations

import numpy as np
from textual.app import ComposeResult
from textual.events import Resize

from vaetui.engine.clusters import Pixels
from vaetui.session.views import ClusterView, MemberOrder
from vaetui.tui.keymap import MEMBERS_GLOSSARY, MEMBERS_KEYS
from vaetui.tui.presenters.cluster_text import format_cluster_name, format_cluster_size
from vaetui.tui.presenters.focus_moves import MOVE_KEYS
from vaetui.tui.presenters.image_selection import ImageSelection
from vaetui.tui.presenters.labelling_presenter import NEXT_MEMBER_ORDER
from vaetui.tui.presenters.layout import GridLayout, compute_selection_grid
from vaetui.tui.screens.prompt_screen import PromptScreen
from vaetui.tui.session_protocol import Session
from vaetui.tui.textual_bindings import build_bindings
from vaetui.tui.widgets.header import Header
from vaetui.tui.widgets.prompt import Prompt
from vaetui.tui.widgets.selectable_images import SelectableImages
from vaetui.tui.widgets.tiled_images import LOADING_TEXT

LOADING_POLL_S = 0.2
"""Seconds between two attempts to show the members while the images are being loaded."""


class MembersScreen(PromptScreen):
    """A grid of the members of one cluster, with a prompt about the selected one."""

    BINDINGS = build_bindings(MEMBERS_KEYS)
    DEFAULT_CSS = """
    MembersScreen { layout: vertical; overflow: hidden; }
    """
    glossary = MEMBERS_GLOSSARY

    def __init__(self, session: Session, cluster: ClusterView, order: MemberOrder) -> None:
        """Show the members of a cluster of the round in this order."""
        super().__init__(session.name)
        self.selection = ImageSelection(cluster.size)
        """The selected member."""
        self.order: MemberOrder = order
        """The order of the members."""
        self.is_zoomed = False
        """Whether the selected member is shown in full size."""
        self._session, self._cluster = session, cluster
        self._images: Pixels = np.zeros((0, 1, 1), np.uint8)
        self._note = ""

    def compose_body(self) -> ComposeResult:
        """Create the images and the prompt."""
        yield SelectableImages()
        yield Prompt()

    def on_mount(self) -> None:
        """Show the first page after the layout."""
        self.call_after_refresh(self._update_view)

    async def on_resize(self, event: Resize) -> None:
        """Show what fits the new size after the layout."""
        self.call_after_refresh(self._update_view)

    def handle_bound_key(self, key: str) -> None:
        """Move the selection, change the order, zoom or close."""
        self._hint = self._note = ""
        if key in MOVE_KEYS:
            self.selection = self.selection.move(key)
        match key:
            case "order":
                self.order = NEXT_MEMBER_ORDER[self.order]
                self.selection, self._images = self.selection.move("first"), self._images[:0]
            case "zoom":
                self.is_zoomed = not self.is_zoomed and len(self._images) > 0
            case "close" if self.is_zoomed:
                self.is_zoomed = False
            case "close":
                self.dismiss()
                return
        self._update_view()

    def on_unbound_key(self, key: str) -> None:
        """Show that the key is unknown, or that classes are given on the screen below."""
        super().on_unbound_key(key)
        if key.isdigit():
            close_key = self._vaetui_app.format_key("members.close")
            self._hint = f"{close_key}: back to the clusters, where the digits answer"
            self._update_view()

    def show_notice(self, text: str) -> None:
        """Show a notice in the prompt."""
        self._hint, self._note = "", text
        self._update_view()

    def _update_view(self) -> None:
        name, widget = format_cluster_name(self._cluster), self.query_one(SelectableImages)
        self.query_one(Header).set_text(f"cluster {name}: {format_cluster_size(self._cluster)}")
        if not widget.size:
            return  # before the first layout
        grid = self._compute_grid(widget)
        self.selection = ImageSelection(self._cluster.size, grid.columns, grid.rows, self.selection.index)
        start, end = self.selection.page_bounds
        self._load_images(end)
        prompt, close_key = self.query_one(Prompt), self._vaetui_app.format_key("members.close")
        if not len(self._images):
            prompt.show_question(f"Members of cluster {name}:", LOADING_TEXT, self._hint, self._note)
            self.set_timer(LOADING_POLL_S, self._update_view)
            return
        if self.is_zoomed:
            widget.show_full_size(self._images[self.selection.index])
        else:
            widget.show_images(grid, list(self._images[start:end]), self.selection.index - start)
        question = f"{self.order} member {self.selection.index + 1:,} of {self._cluster.size:,}".capitalize()
        zoom_key = self._vaetui_app.format_key("members.zoom")
        zoom_text = "all members" if self.is_zoomed else "full size"
        help_text = f"{zoom_key}: {zoom_text} · {close_key}: back"
        if not self.is_zoomed and self.selection.count > self.selection.page_size:
            help_text = f"{start + 1:,}-{end:,} shown · {help_text}"
        prompt.show_question(question, help_text, self._hint, self._note)

    def _compute_grid(self, widget: SelectableImages) -> GridLayout:
        return compute_selection_grid(*widget.size, has_colours=self._cluster.picture.ndim == 3)

    def _load_images(self, count: int) -> None:
        """Read at least so many members; twice as many as before, so that many pages do not read all again each."""
        if len(self._images) < count:
            wanted_count = min(max(count, 2 * len(self._images)), self._cluster.size)
            self._images = self._session.member_images(self._cluster.path, self.order, wanted_count)
