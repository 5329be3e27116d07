"""The list of sessions: their states in words, the selected one, and the questions about them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from vaetui.errors import format_count
from vaetui.features.model_names import DEFAULT_MODEL, MODEL_ALIASES
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.cluster_text import truncate_name
from vaetui.tui.presenters.focus_moves import MOVE_KEYS, move_index
from vaetui.tui.presenters.layout import compute_centred_rows
from vaetui.tui.presenters.line_dialogue import Choice, LineDialogue
from vaetui.tui.presenters.run_position import format_epoch, format_position

if TYPE_CHECKING:
    from vaetui.session.session_catalogue import SessionEntry
    from vaetui.tui.presenters.styled_text import Piece

NAME_TITLE = "session"
"""Title of the column of names."""
MIN_NAME_CELLS = 12
"""Cells of a name on narrow terminals; longer names are cut in their middle."""
STATE_CELLS = 38
"""Cells that a state needs, such as "training in background, epoch 3 of 5"; names get what is left."""
MAX_STATE_CELLS = 60
"""Cells of a state on wide terminals, so that the other columns stay close to it."""
ANSWERS_CELLS, AGE_CELLS = 7, 10
"""Cells of the other columns."""
MARK_CELLS = GAP_CELLS = 2
"""Cells of the mark of the selected session, and between two columns."""
LOADING_TEXT = "…"
"""Stands for what has not been read yet."""
UNREADABLE_TEXT = "cannot be read"
NO_SESSION_HINT = "No session"


@dataclass(frozen=True, slots=True)
class ResumeChoice:
    """The user wants to continue a session."""

    name: str
    """The session name."""


@dataclass(frozen=True, slots=True)
class NewChoice:
    """The user wants to create a session."""

    path_text: str
    """The path of the images as it was typed; "" for the bundled MNIST."""
    features_text: str = ""
    """The image model or the file of vectors as it was typed; "" to train on the images themselves."""


PickerChoice = ResumeChoice | NewChoice
"""What to do after the picker has closed."""


class NewSessionDialogue(LineDialogue):
    """Asks for the path of images; Enter on an empty line chooses the bundled MNIST."""

    def __init__(
        self, on_path: Callable[[str], None], find_problem: Callable[[str], str], path_text: str = "", hint: str = ""
    ) -> None:
        """Ask with `path_text` to edit; `find_problem` returns why there are no images at a path, or "".

        `hint` says why it is asked again.
        """
        super().__init__(
            "Images:",
            on_choice=lambda value: on_path(str(value)),
            accepts_text=True,
            text=path_text,
            help_text="path of a folder or file; only Enter: the bundled MNIST",
            check=find_problem,
        )
        self.hint = hint

    def _choose(self) -> bool:
        if self.text.strip():
            return super()._choose()
        self._result = Choice("bundled MNIST", "")
        return True


class FeaturesDialogue(LineDialogue):
    """Asks for an image model or a file of vectors; Enter on an empty line chooses none."""

    def __init__(self, on_features: Callable[[str], None], features_text: str = "") -> None:
        """Ask with `features_text` to edit."""
        super().__init__(
            "Features:",
            list_feature_choices(),
            on_choice=lambda value: on_features(str(value)),
            accepts_text=True,
            text=features_text,
            help_text="photographs: a model or a .npy file; only Enter: none",
        )

    def _choose(self) -> bool:
        if self.text.strip() or self.marked_index is not None:
            return super()._choose()
        self._result = Choice("no features", "")
        return True


def list_feature_choices() -> list[Choice]:
    """Return the image models that compute vectors, that without a download first."""
    others = [Choice(name, name, full_name) for name, full_name in MODEL_ALIASES.items()]
    return [Choice(DEFAULT_MODEL, DEFAULT_MODEL, "small, comes with vaetui[photos]"), *others]


class PickerPresenter:
    """The sessions and the selected one."""

    def __init__(self, entries: Sequence[SessionEntry], format_key: KeyFormatter = format_default_key) -> None:
        """Show entries, most recently used first."""
        self.entries = list(entries)
        """All sessions."""
        self.focus_index = 0
        """Index of the selected session."""
        self._format_key = format_key

    @property
    def focused_entry(self) -> SessionEntry | None:
        """The selected session; None without sessions."""
        return self.entries[self.focus_index] if self.entries else None

    @property
    def header_text(self) -> str:
        """The number of sessions."""
        return format_count(len(self.entries), "session")

    def update_entry(self, entry: SessionEntry) -> None:
        """Show what has been read of a session, unless it was deleted meanwhile."""
        for index, other in enumerate(self.entries):
            if other.name == entry.name:
                self.entries[index] = entry

    def remove_entry(self, name: str) -> None:
        """Remove a session that was deleted; the next one is selected."""
        focused_entry = self.focused_entry
        self.entries = [entry for entry in self.entries if entry.name != name]
        if focused_entry in self.entries:
            self.focus_index = self.entries.index(focused_entry)
        self._set_focus(self.focus_index)

    def focus_name(self, name: str) -> None:
        """Select a session by its name."""
        names = [entry.name for entry in self.entries]
        if name in names:
            self.focus_index = names.index(name)

    def move_focus(self, key: str, page_rows: int) -> None:
        """Move the selection by a key name."""
        if key in MOVE_KEYS:
            self.focus_index = move_index(self.focus_index, key, len(self.entries), page_size=page_rows)

    def list_choices(self) -> list[Choice]:
        """Return the sessions, to find one by its name."""
        return [Choice(entry.name, entry.name, format_state(entry, STATE_CELLS)) for entry in self.entries]

    def list_lines(self, rows: int, cells: int, now: float | None = None) -> list[list[Piece]]:
        """Return the titles of the columns and the sessions around the selected one, in `rows` lines of `cells`."""
        if not self.entries:
            return self._list_first_steps()
        now = time.time() if now is None else now
        other_cells = MARK_CELLS + ANSWERS_CELLS + AGE_CELLS + 3 * GAP_CELLS
        longest_name_cells = max(cell_len(name) for name in (NAME_TITLE, *(entry.name for entry in self.entries)))
        name_cells = min(longest_name_cells, max(cells - other_cells - STATE_CELLS, MIN_NAME_CELLS))
        state_cells = min(max(cells - other_cells - name_cells, 1), MAX_STATE_CELLS)

        def join(*columns: str) -> str:
            name, state, answers, age = columns
            name, state = set_cell_size(name, name_cells), set_cell_size(state, state_cells)
            return (" " * GAP_CELLS).join([name, state, answers.rjust(ANSWERS_CELLS), age.rjust(AGE_CELLS)])

        lines: list[list[Piece]] = [
            [(" " * MARK_CELLS + join(NAME_TITLE, "state", "answers", "last used"), "dim")],
        ]
        for index in compute_centred_rows(self.focus_index, len(self.entries), rows - 1):
            entry = self.entries[index]
            style = "bold reverse" if index == self.focus_index else "dim" if entry.problem else ""
            text = join(
                truncate_name(entry.name, name_cells),
                format_state(entry, state_cells),
                LOADING_TEXT if _is_loading(entry) else "–" if entry.problem else f"{entry.answer_count:,}",
                format_age(now - entry.last_used_at) if entry.last_used_at else "–",
            )
            lines.append([("› " if index == self.focus_index else "  ", style), (text, style)])
        return lines

    def describe_focus(self) -> tuple[str, str, str]:
        """Return the selected session, its keys, and a note on what keeps it from being continued, for the prompt."""
        entry, format_key = self.focused_entry, self._format_key
        if entry is None:
            return "No sessions yet", f"{format_key('picker.new')}: new session", ""
        keys = f"{format_key('picker.resume')}: resume · {format_key('picker.new')}: new session"
        if entry.holder and not entry.is_detached:
            return entry.name, keys, f"Open in {entry.holder}. Close it there first."
        if entry.holder:
            note = f"{entry.holder} trains it. {format_key('picker.resume')} stops that training and goes on here."
            return entry.name, keys, note[:1].upper() + note[1:]
        if entry.training_run:
            effect = "answers its round" if entry.phase == "labelling" else "attaches"
            return entry.name, keys, f"Trained by {entry.training_run}. {format_key('picker.resume')} {effect}."
        failure = f"Training in the background failed: {entry.failure}" if entry.failure else ""
        return entry.name, keys, failure or entry.problem

    def _list_first_steps(self) -> list[list[Piece]]:
        """Return what a user can do without sessions."""
        keys = [
            ("picker.new", "create a session from a folder or file of images"),
            ("", "or from the bundled MNIST digits, to try vaetui"),
            ("any.help", "list all keys"),
            ("any.leave", "leave"),
        ]
        lines: list[list[Piece]] = [[], [("  There are no sessions yet. Press", "")], []]
        for binding_id, text in keys:
            lines.append([(f"    {self._format_key(binding_id) if binding_id else '':<6}", "strong"), (text, "")])
        return lines

    def _set_focus(self, index: int) -> None:
        self.focus_index = min(max(index, 0), max(len(self.entries) - 1, 0))


def format_state(entry: SessionEntry, max_cells: int) -> str:
    """Return the state of a session in at most `max_cells`: details that do not fit are left out."""
    if entry.phase is None:
        return truncate_name(UNREADABLE_TEXT if entry.problem else LOADING_TEXT, max_cells)
    position = format_position(entry.phase, entry.epoch, entry.epoch_count, entry.next_round, entry.round_count)
    short_position = format_epoch(entry.epoch, entry.epoch_count) if entry.phase == "training" else position
    activity = entry.phase
    texts = [f"{activity}, {position}", f"{activity}, {short_position}", activity]
    if entry.cluster_counts is not None:
        answered_count, count = entry.cluster_counts
        texts.insert(0, f"{activity}, {position}, {answered_count} of {count} clusters")
    if entry.training_run and not entry.holder and entry.phase == "training":
        texts = [text.replace(activity, f"{activity} elsewhere", 1) for text in texts]
    if entry.is_detached:
        texts = [text.replace(activity, f"{activity} in background", 1) for text in texts]
    elif entry.holder:
        texts = [*(f"open elsewhere: {text}" for text in texts), "open elsewhere"]
    elif entry.failure:
        texts = [f"background failed: {short_position}", "background failed"]
    return next((text for text in texts if cell_len(text) <= max_cells), truncate_name(texts[-1], max_cells))


def format_age(seconds: float) -> str:
    """Return how long ago something was, such as "2 h ago"."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "now"  # also for a clock that was set back
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    return (
        f"{format_count(days, 'day')} ago"
        if days < 100
        else time.strftime("%Y-%m-%d", time.localtime(time.time() - seconds))
    )


def format_deletion_question(name: str, answer_count: int | None) -> str:
    """Return the question before a session is deleted, with what will be lost."""
    loss = "what is in it" if answer_count is None else f"its {format_count(answer_count, 'answer')}"
    return f"Delete {truncate_name(name, 30)} and {loss}? y/n"


def _is_loading(entry: SessionEntry) -> bool:
    return entry.phase is None and not entry.problem
