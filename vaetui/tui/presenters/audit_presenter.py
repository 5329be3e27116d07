"""The state of the audit screen: the image or page that is judged, the selected tile, and what keys do to them."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.errors import format_count
from vaetui.session.audit_views import AuditCheck, AuditItemView, AuditView
from vaetui.session.digit_keys import list_active_digits
from vaetui.session.views import DigitKeys
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.cluster_text import format_digit_ranges, truncate_class_name
from vaetui.tui.presenters.focus_moves import MOVE_KEYS
from vaetui.tui.presenters.image_selection import ImageSelection
from vaetui.tui.presenters.styled_text import Piece, format_class
from vaetui.tui.session_protocol import Audits

MAX_NAME_CELLS = 24
"""Cells of a class name in the prompt."""
ACCEPTED_MARK = "✓"
"""Stands below a tile that was accepted."""


class AuditPresenter:
    """An open audit; its view must be in the blind part or in the page part."""

    def __init__(
        self,
        audits: Audits,
        classes: ClassList,
        digit_keys: DigitKeys,
        format_key: KeyFormatter = format_default_key,
    ) -> None:
        """Show the open audit; `digit_keys` are the classes that the digits choose."""
        self.hint = ""
        """Why the last key did nothing, or ""."""
        self.status_text = ""
        """The result of the last key, or ""."""
        self.is_zoomed = False
        """Whether the selected tile of a page is shown in full size."""
        self._audits, self._classes, self._digit_keys, self._format_key = audits, classes, digit_keys, format_key
        self._columns = self._rows = 1
        self._index = 0
        self._view = self._read_view()
        self._select_unjudged()

    @property
    def view(self) -> AuditView:
        """The state of the audit."""
        return self._view

    @property
    def is_done(self) -> bool:
        """Whether every image is judged."""
        return self._view.part == "done"

    @property
    def is_blind(self) -> bool:
        """Whether one image is shown without its label."""
        return self._view.part == "blind"

    @property
    def selection(self) -> ImageSelection:
        """The selected tile; the pages of the selection are the parts in which a small terminal shows a page."""
        return ImageSelection(len(self._view.items), self._columns, self._rows, self._index)

    @property
    def shown_items(self) -> Sequence[AuditItemView]:
        """The images that are on the screen, apart from the zoom."""
        start, end = self.selection.page_bounds
        return self._view.items[start:end]

    @property
    def selected_item(self) -> AuditItemView:
        """The selected image."""
        return self._view.items[self._index]

    @property
    def shown_class_id(self) -> int | None:
        """The class of all images of the page; None if it has several, and in the blind part."""
        class_ids = {item.shown_class_id for item in self._view.items}
        return class_ids.pop() if len(class_ids) == 1 else None

    def set_grid(self, columns: int, rows: int) -> None:
        """Show pages in parts of `columns` times `rows` tiles; the selected tile stays the same."""
        self._columns, self._rows = columns, rows

    def clear_messages(self) -> None:
        """Remove the hint and the note of the last key."""
        self.hint = self.status_text = ""

    def handle_key(self, key: str) -> None:
        """Handle the key of this name; unknown ones do nothing."""
        self.clear_messages()
        if key.isdigit():
            class_id = self._digit_keys[int(key)] if int(key) < len(self._digit_keys) else None
            if class_id is not None:
                self.judge(class_id)
        elif key == "undo":
            self._undo()
        elif key == "redo":
            self._redo()
        elif key == "unreadable":
            self.judge(None)
        elif not self.is_blind:
            self._handle_page_key(key)

    def judge(self, class_id: int | None) -> None:
        """Record that the image has this class, or that it is unreadable for None, and go on to the next one.

        On a page, the class that is shown takes a mark back.
        """
        self.clear_messages()
        item, check = self.selected_item, Unreadable() if class_id is None else ClassAnswer(class_id)
        was_blind = self.is_blind
        if not self.is_blind and class_id == item.shown_class_id:
            if is_marked(item):
                self._record([(item.position, Cleared())])
                self.status_text = f"Saved: {self._name_item(item)} is not marked"
            else:
                self.status_text = f"No mark: the image is shown as {self._name_class(class_id)}"
        elif check == item.check:
            self.status_text = f"Marked as {self._name_class(class_id)} already"
        else:
            self._record([(item.position, check)])
            if self.is_blind == was_blind:  # else the keys of the other part are more important
                self.status_text = f"Saved: {self._name_item(item)} = {self._name_class(class_id)}"
        if not self.is_blind and not self.is_done and self.selected_item.position == item.position:
            self._index = min(self._index + 1, self.selection.page_bounds[1] - 1)

    def _handle_page_key(self, key: str) -> None:
        if key in MOVE_KEYS:
            self._index = self.selection.move(key).index
        elif key == "zoom" or (key == "accept" and self.is_zoomed):
            self.is_zoomed = not self.is_zoomed
        elif key == "accept":
            self._accept_shown()
        elif key == "clear":
            self._clear_mark()

    def _accept_shown(self) -> None:
        """Record that the images on the screen without a mark are right, and go on to the next part or page."""
        items, previous = self.shown_items, self._view
        checks = [
            (item.position, ClassAnswer(item.shown_class_id))
            for item in items
            if item.check is None and item.shown_class_id is not None
        ]
        marked_count = sum(map(is_marked, items))
        if checks:
            self._record(checks)
        if self._is_same_page(previous):
            self._select_unjudged()
        self.status_text = f"Saved: {len(items) - marked_count} right" + (
            f", {marked_count} not" if marked_count else ""
        )

    def _clear_mark(self) -> None:
        item = self.selected_item
        if is_marked(item):
            self._record([(item.position, Cleared())])
            self.status_text = f"Saved: {self._name_item(item)} is not marked"
        else:
            self.hint = f"No mark here. A class key marks an image that is not {self._name_shown(item)}"

    def _record(self, checks: Sequence[tuple[int, AuditCheck]]) -> None:
        previous = self._view
        self._audits.record(checks)
        self._update(previous)

    def _undo(self) -> None:
        previous = self._view
        if not previous.can_undo:
            self.hint = "Nothing to undo in this audit"
            return
        self._audits.undo()
        self._update(previous)
        self.status_text = f"Undid: {self._describe_change(previous)}"

    def _redo(self) -> None:
        previous = self._view
        if not previous.can_redo:
            self.hint = "Nothing to redo in this audit"
            return
        self._audits.redo()
        self._update(previous)
        change = self._describe_change(previous)
        self.status_text = f"Redid: {change}" if self._is_same_page(previous) else "Redone"

    def _update(self, previous: AuditView) -> None:
        """Read the view again, and select the first image to judge if it is another image or page."""
        self._view = self._read_view()
        if not self._is_same_page(previous):
            self.is_zoomed = False
            self._select_unjudged()

    def _read_view(self) -> AuditView:
        view = self._audits.view
        assert view is not None, "no audit is open"
        return view

    def _is_same_page(self, previous: AuditView) -> bool:
        return [item.position for item in previous.items] == [item.position for item in self._view.items]

    def _select_unjudged(self) -> None:
        """Select the first image that is not judged, if any."""
        self._index = next((index for index, item in enumerate(self._view.items) if item.check is None), 0)

    def _describe_change(self, previous: AuditView) -> str:
        """Return what differs from the view before undo or redo, and select it if it is on the same page."""
        if self.is_blind:
            return f"image {self._view.position}"
        if not self._is_same_page(previous):
            return f"page {self._view.page_number} accepted"
        pairs = enumerate(zip(previous.items, self._view.items, strict=True))
        changed_indices = [index for index, (old, new) in pairs if old.check != new.check]
        self._index = changed_indices[0] if changed_indices else self._index
        return f"image {self._index + 1}" if len(changed_indices) == 1 else f"{len(changed_indices)} images accepted"

    # Texts

    @property
    def header_text(self) -> str:
        """Where the audit is."""
        view = self._view
        if self.is_blind:
            pages = f", then {format_count(view.page_count, 'page')}" if view.page_count else ""
            return f"{view.plan} audit   image {view.position} of {view.total}{pages}"
        start, end = self.selection.page_bounds
        total = len(view.items)
        part = f"   images {start + 1}-{end} of {total}" if end - start < total else ""
        return f"{view.plan} audit   page {view.page_number} of {view.page_count}{part}"

    def format_question(self) -> tuple[str, str]:
        """Return the question about what is on the screen, and the keys that answer it."""
        key = self._key
        digits = format_digit_ranges(list_active_digits(self._digit_keys, self._classes))
        class_keys = " or ".join(part for part in (digits, self._other_key) if part)
        if self.is_blind:
            question = f"Image {self._view.position}: which class?"
            return question, f"{class_keys}: class · {key('unreadable')}: unreadable · {key('undo')}: undo"
        if self.is_zoomed:
            item = self.selected_item
            return f"Is this {self._name_shown(item)}?", f"{class_keys}: no, another class · {key('zoom')}: all images"
        if self.shown_class_id is None:
            question = "Is each as named below it?"
        else:
            question = f"Are these all {self._name_class(self.shown_class_id)}?"
        marked_count = sum(map(is_marked, self.shown_items))
        accept = f"{key('accept')}: {'yes' if not marked_count else f'yes, but {marked_count} marked'}"
        return question, f"{accept} · arrows, {class_keys}: not this one · {key('unreadable')}: unreadable"

    def format_caption(self, item: AuditItemView, max_cells: int) -> tuple[Piece, ...]:
        """Return what stands below a tile: its mark, or that it is accepted, or its class on a page of several."""
        if is_marked(item):
            if isinstance(item.check, ClassAnswer):
                return format_class(item.check.class_id, self._classes, max_cells)
            text = "– unreadable"
            return ((text if len(text) <= max_cells else "–", ""),)
        name = ""
        if self.shown_class_id is None and item.shown_class_id is not None:
            name = truncate_class_name(item.shown_class_id, self._classes, max_cells - 2)
        return ((name, ""),) if item.check is None else ((f"{ACCEPTED_MARK} {name}".rstrip(), "dim"),)

    @property
    def _other_key(self) -> str:
        """The key that finds a class by its name, if not every class has a digit."""
        return "" if set(self._classes.active_ids) <= set(self._digit_keys) else self._key("choose")

    def _name_item(self, item: AuditItemView) -> str:
        if item.shown_class_id is None:
            return f"image {item.position + 1}"
        return f"image {[other.position for other in self._view.items].index(item.position) + 1}"

    def _name_shown(self, item: AuditItemView) -> str:
        return self._name_class(item.shown_class_id)

    def _name_class(self, class_id: int | None) -> str:
        if class_id is None:
            return "unreadable"
        return f'"{truncate_class_name(class_id, self._classes, MAX_NAME_CELLS)}"'

    def _key(self, name: str) -> str:
        return self._format_key(f"audit.{name}")


def is_marked(item: AuditItemView) -> bool:
    """Return whether the check of an image differs from the label that is shown."""
    is_accepted = isinstance(item.check, ClassAnswer) and item.check.class_id == item.shown_class_id
    return item.check is not None and not is_accepted
