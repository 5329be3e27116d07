"""State of the history screen: the answers of all rounds, the selected one, and the correction typed so far."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from rich.cells import cell_len, set_cell_size

from vaetui.engine.answers import (
    ClassAnswer,
    Cleared,
    ClusterAnswer,
    ClusterPath,
    NearestImageAnswer,
    Split,
    Unreadable,
    find_answer_class,
    format_path,
)
from vaetui.engine.events import HistoryEntry
from vaetui.errors import UserError, format_count
from vaetui.session.digit_keys import assign_digit_keys
from vaetui.session.views import DigitKeys
from vaetui.tui.keymap import KeyFormatter, format_default_key
from vaetui.tui.presenters.class_colours import CLASS_MARK, NEAREST_IMAGE_MARK
from vaetui.tui.presenters.cluster_text import format_confidence, format_unassigned_digit
from vaetui.tui.presenters.focus_moves import MOVE_KEYS, move_index
from vaetui.tui.presenters.layout import compute_centred_rows
from vaetui.tui.presenters.line_dialogue import Choice
from vaetui.tui.presenters.styled_text import Piece, count_cells, format_class
from vaetui.tui.session_protocol import Session

ROUND_CELLS, MIN_CLUSTER_CELLS, IMAGES_CELLS, TIME_CELLS = 5, 7, 9, 10
"""Cells of the columns of the list."""
MIN_ANSWER_CELLS = 8
"""Cells of an answer, for which the number of images is left out on narrow terminals."""
TRAINING_EFFECT = "for the next training"
"""From when on a correction of an earlier round counts."""
EXPORT_EFFECT = "for exports and a further round"
"""Where a correction of a finished run counts."""
SPLIT_HINT = "A split cannot be changed here. Go to its parts, or undo it in its round"
NEAREST_HINT = "Type the class of the nearest image: a digit, or find it by its name"
ANSWER_KINDS: dict[type, str] = {NearestImageAnswer: "nearest images", Unreadable: "unreadable", Split: "splits"}
"""The kinds of answers that are listed alone, with their names."""
NO_ENTRY_HINT = "There is no answer here yet"

HistoryAction: TypeAlias = Literal["close", "jump", "filter", "choose", "reload"]
"""What the screen does after a key: `reload` loads the answers again after a change."""
EntryKey: TypeAlias = tuple[int, ClusterPath]
"""Round and path of the cluster of an answer."""
EntryFilter: TypeAlias = Callable[[HistoryEntry], bool]
"""Returns whether an answer is listed."""


class HistoryPresenter:
    """Handles the keys of the history, applies corrections to the session, and formats the list."""

    def __init__(self, session: Session, format_key: KeyFormatter = format_default_key) -> None:
        """Start without answers; `show_entries` brings them."""
        self.entries: Sequence[HistoryEntry] = ()
        """The answers in force, newest first; a corrected one keeps its place while the screen is open."""
        self.focus_index = 0
        """Index of the selected answer among the listed ones."""
        self.filter_text = ""
        """What is listed, such as "class cat"; "" for all answers."""
        self.hint = ""
        """Why the last key did nothing, or ""."""
        self.status_text = ""
        """The result of the last key."""
        self.pending_class_id: int | None = None
        """The class of a correction that still needs a confidence; None if none is typed."""
        self.is_nearest_pending = False
        """Whether the next class is that of the nearest image alone."""
        self.digit_keys = _find_digit_keys(session)
        """The classes that the digits choose."""
        self._session, self._format_key = session, format_key
        self._filter: EntryFilter = lambda _: True
        self._ranks: dict[EntryKey, int] = {}
        self._is_loaded = False

    def show_entries(self, entries: Sequence[HistoryEntry]) -> None:
        """Show answers, oldest first, and select the one that changed since the last time, if any."""
        first_rank = min(self._ranks.values(), default=0)
        new_keys = [key for entry in entries if (key := _get_key(entry)) not in self._ranks]
        self._ranks |= {key: first_rank - offset for offset, key in enumerate(new_keys, start=1)}
        previous_answers = {_get_key(entry): entry.answer for entry in self.entries}
        self.entries = sorted(entries, key=lambda entry: self._ranks[_get_key(entry)])
        changed = [
            index
            for index, entry in enumerate(self.visible_entries)
            if previous_answers.get(_get_key(entry)) != entry.answer
        ]
        if self._is_loaded and changed:
            self.focus_index = changed[0]
        self._is_loaded = True
        self._set_focus(self.focus_index)

    @property
    def visible_entries(self) -> Sequence[HistoryEntry]:
        """The listed answers."""
        return [entry for entry in self.entries if self._filter(entry)]

    @property
    def focused_entry(self) -> HistoryEntry | None:
        """The selected answer; None if none is listed."""
        entries = self.visible_entries
        return entries[self.focus_index] if entries else None

    def handle_key(self, key: str, page_rows: int) -> HistoryAction | None:
        """Apply a key by name; return what is left to the screen."""
        self.hint = self.status_text = ""
        if self.pending_class_id is not None:
            return self._handle_confidence(key)
        if self.is_nearest_pending and not key.isdigit() and key != "choose":
            self.is_nearest_pending = False
            self.hint = "" if key in ("close", "nearest") else NEAREST_HINT
            return None
        if key == "close" and self.filter_text:
            self.set_filter(None)
        elif key in ("close", "filter"):
            return "close" if key == "close" else "filter"
        elif key in ("undo", "redo"):
            return self._undo() if key == "undo" else self._redo()
        elif self.focused_entry is None:
            self.hint = NO_ENTRY_HINT
        elif key in ("accept", "choose", "nearest", "unreadable", "clear") or key.isdigit():
            return self._handle_answer_key(key)
        elif key in MOVE_KEYS:
            self.focus_index = move_index(self.focus_index, key, len(self.visible_entries), page_size=page_rows)
        return None

    def select_class(self, class_id: int) -> HistoryAction | None:
        """Take the class of a correction; that of the nearest image, and any in one-key mode, is recorded at once.

        Where the answer is about the nearest image, a class alone does not tell whether it is now about the cluster.
        """
        if self.is_nearest_pending:
            self.is_nearest_pending = False
            return self._correct(NearestImageAnswer(class_id))
        if self._session.one_key_mode and not self._is_about_nearest_image:
            return self._correct(ClassAnswer(class_id))
        self.pending_class_id = class_id
        return None

    def list_filter_choices(self) -> list[Choice]:
        """Return all answers, classes by their number of answers, other kinds of answers, and rounds."""
        classes, choices = (
            self._session.classes,
            [Choice("all answers", None, format_count(len(self.entries), "answer"))],
        )
        class_ids = [find_answer_class(entry.answer) for entry in self.entries]
        counts = Counter(class_id for class_id in class_ids if class_id is not None)
        for class_id, count in counts.most_common():
            choices.append(Choice(classes.names[class_id], class_id, format_count(count, "answer")))
        for kind, name in ANSWER_KINDS.items():
            if count := sum(isinstance(entry.answer, kind) for entry in self.entries):
                choices.append(Choice(name, kind, format_count(count, "answer")))
        for round_number, count in sorted(Counter(entry.round_number for entry in self.entries).items(), reverse=True):
            choices.append(Choice(f"round {round_number}", f"round {round_number}", format_count(count, "answer")))
        return choices

    def set_filter(self, value: object) -> None:
        """List the answers of a choice of `list_filter_choices`; None lists all."""
        focused_entry = self.focused_entry
        match value:
            case int():
                self.filter_text = f"class {self._session.classes.names[value]}"
                self._filter = lambda entry: find_answer_class(entry.answer) == value
            case str():
                self.filter_text = value
                self._filter = lambda entry: f"round {entry.round_number}" == value
            case type():
                self.filter_text = ANSWER_KINDS[value]
                self._filter = lambda entry: isinstance(entry.answer, value)
            case _:
                self.filter_text, self._filter = "", lambda _: True
        entries = self.visible_entries
        self._set_focus(entries.index(focused_entry) if focused_entry in entries else 0)

    def list_lines(self, rows: int, cells: int) -> list[list[Piece]]:
        """Return the titles of the columns and the answers around the selected one, in `rows` lines of `cells`."""
        entries = self.visible_entries
        cluster_cells = max([MIN_CLUSTER_CELLS, *(len(format_path(entry.path)) for entry in entries)])
        answer_cells = cells - 2 - ROUND_CELLS - cluster_cells - TIME_CELLS - 3  # two for the mark, three gaps
        images_cells = IMAGES_CELLS if answer_cells - IMAGES_CELLS - 1 >= MIN_ANSWER_CELLS else 0
        answer_cells = max(answer_cells - (images_cells + 1 if images_cells else 0), 1)
        titles = f"  {'round':<{ROUND_CELLS}} {'cluster':<{cluster_cells}} {_fit('answer', answer_cells)} "
        titles += f"{'images':>{images_cells}} " if images_cells else ""
        lines: list[list[Piece]] = [[(_fit(f"{titles}{'time':>{TIME_CELLS}}", cells), "dim")]]
        for index in compute_centred_rows(self.focus_index, len(entries), rows - 1):
            entry = entries[index]
            style = "bold reverse" if index == self.focus_index else ""
            answer = self._format_answer(entry, answer_cells)
            start = f"{entry.round_number:<{ROUND_CELLS}} {format_path(entry.path):<{cluster_cells}} "
            images = f"{entry.size:>{images_cells},} " if images_cells else ""
            lines.append(
                [
                    ("› " if index == self.focus_index else "  ", style),
                    (start, style),
                    *(
                        (text, piece_style if text in (CLASS_MARK, NEAREST_IMAGE_MARK) else style)
                        for text, piece_style in answer
                    ),
                    (" " * (answer_cells - count_cells(answer) + 1), style),
                    (f"{images}{format_time(entry.created_at, time.time()):>{TIME_CELLS}}", style),
                ]
            )
        return lines

    def describe_entries(self) -> str:
        """Return the number of answers and rounds, and the filter, for the header."""
        count, rounds = len(self.entries), len({entry.round_number for entry in self.entries})
        if self.filter_text:
            return f"history   {self.filter_text}: {len(self.visible_entries):,} of {format_count(count, 'answer')}"
        return f"history   {format_count(count, 'answer')} of {format_count(rounds, 'round')}"

    def describe_focus(self) -> str:
        """Return the selected answer and the class that is typed in its place, for the prompt."""
        entry = self.focused_entry
        if entry is None:
            return "No answers" if self.filter_text else "No answers yet"
        text = f"Round {entry.round_number}, cluster {format_path(entry.path)}"
        if self.is_nearest_pending:
            return f"{text}, nearest image: class?"
        if self.pending_class_id is not None:
            return f"{text} = {self._session.classes.names[self.pending_class_id]}"
        return text

    @property
    def _is_about_nearest_image(self) -> bool:
        entry = self.focused_entry
        return entry is not None and isinstance(entry.answer, NearestImageAnswer)

    def _describe_confidence_keys(self) -> str:
        accept_key, nearest_key, cancel_key = (
            self._format_key(f"history.{name}") for name in ("accept", "nearest", "close")
        )
        if self._is_about_nearest_image:
            return f"{nearest_key}: nearest image · {accept_key}: whole cluster · {cancel_key}: cancel"
        nearest = f" · {nearest_key}: nearest" if self._session.has_features else " 0.1-0.9"
        return f"{accept_key}: certain · 1-9: confidence{nearest} · {cancel_key}: cancel"

    def describe_keys(self) -> str:
        """Return the keys that act on the selected answer, for the prompt."""
        entry, format_key = self.focused_entry, self._format_key
        if self.pending_class_id is not None:
            return self._describe_confidence_keys()
        if entry is None:
            return ""
        if self.is_nearest_pending:
            choose_key, cancel_key = format_key("history.choose"), format_key("history.close")
            return f"0-9: class of that image · {choose_key}: find class · {cancel_key}: cancel"
        is_split, is_current = isinstance(entry.answer, Split), self._is_current(entry)
        keys = "" if is_split else f"0-9: correct · {format_key('history.clear')}: delete"
        if is_current:
            return " · ".join(filter(None, [keys, f"{format_key('history.accept')}: go to it"]))
        return keys and f"{keys}, {self._describe_effect()}"

    def _handle_answer_key(self, key: str) -> HistoryAction | None:
        """Go to the selected answer, or correct or delete it."""
        if key == "accept":
            return self._check_jump()
        is_correctable = self._check_correctable()
        if key == "nearest" or not is_correctable:
            self.is_nearest_pending = is_correctable
            return None
        match key:
            case "choose":
                return "choose"
            case "unreadable":
                return self._correct(Unreadable())
            case "clear":
                return self._correct(Cleared())
        return self._select_digit(int(key))

    def _handle_confidence(self, key: str) -> HistoryAction | None:
        class_id = self.pending_class_id
        assert class_id is not None
        if key == "close":
            self.pending_class_id = None
        elif key == "nearest":
            self.pending_class_id = None
            return self._correct(NearestImageAnswer(class_id))
        elif key == "accept" or (key.isdigit() and key != "0"):
            self.pending_class_id = None
            return self._correct(ClassAnswer(class_id, 1.0 if key == "accept" else int(key) / 10))
        else:
            self.hint = self._describe_confidence_keys()
        return None

    def _select_digit(self, digit: int) -> HistoryAction | None:
        active_ids = self._session.classes.active_ids
        class_id = self.digit_keys[digit] if digit < len(self.digit_keys) else None
        if class_id is None or class_id not in active_ids:
            digits = [index for index, value in enumerate(self.digit_keys) if value in active_ids]
            self.hint = format_unassigned_digit(digit, digits)
            return None
        return self.select_class(class_id)

    def _check_correctable(self) -> bool:
        entry = self.focused_entry
        if entry is not None and isinstance(entry.answer, Split):
            self.hint = SPLIT_HINT
        return entry is not None and not isinstance(entry.answer, Split)

    def _check_jump(self) -> HistoryAction | None:
        entry = self.focused_entry
        if entry is not None and self._is_current(entry):
            return "jump"
        is_finished = self._session.phase == "finished"
        reason = "The run is finished" if is_finished else "Its round is over"
        self.hint = f"{reason}: correct the answer here, with a digit or {self._format_key('history.choose')}"
        return None

    def _correct(self, answer: ClusterAnswer) -> HistoryAction | None:
        """Record an answer for the cluster of the selected one, and describe what it changes."""
        entry = self.focused_entry
        if entry is None:
            return None
        try:
            self._session.correct_answer(entry.round_number, entry.path, answer)
        except UserError as error:
            self.hint = str(error)
            return None
        cluster = f"round {entry.round_number}, cluster {format_path(entry.path)}"
        match answer:
            case ClassAnswer(class_id, confidence):
                name = self._session.classes.names[class_id]
                self.status_text = f"Saved: {cluster} = {name}{format_confidence(confidence)}"
            case NearestImageAnswer(class_id):
                name = self._session.classes.names[class_id]
                self.status_text = f"Saved: {cluster}, nearest image = {name}"
            case Unreadable():
                self.status_text = f"Saved: {cluster} unreadable"
            case Cleared():
                self.status_text = f"Deleted: answer of {cluster}"
        effect = "" if self._is_current(entry) else f", {self._describe_effect()}"
        self.status_text += f"{effect}. {self._format_key('history.undo')}: undo"
        return "reload"

    def _undo(self) -> HistoryAction | None:
        description = self._find_step_description("undo_description")
        if self._session.undo() is None:
            self.hint = "Nothing to undo"
            return None
        self.status_text = f"Undid: {description}"
        return "reload"

    def _redo(self) -> HistoryAction | None:
        description = self._find_step_description("redo_description")
        if self._session.redo() is None:
            self.hint = "Nothing to redo"
            return None
        self.status_text = f"Redid: {description}"
        return "reload"

    def _find_step_description(self, attribute: Literal["undo_description", "redo_description"]) -> str:
        if self._session.phase != "labelling":
            return "last correction"
        description: str | None = getattr(self._session.round_view(), attribute)
        return description or "last step"

    def _is_current(self, entry: HistoryEntry) -> bool:
        return self._session.phase == "labelling" and entry.round_number == self._session.round_number

    def _describe_effect(self) -> str:
        """Return where a correction counts that is not of the current round."""
        return EXPORT_EFFECT if self._session.phase == "finished" else TRAINING_EFFECT

    def _format_answer(self, entry: HistoryEntry, max_cells: int) -> tuple[Piece, ...]:
        match entry.answer:
            case ClassAnswer(class_id, confidence):
                suffix = format_confidence(confidence)
                return *format_class(class_id, self._session.classes, max_cells - len(suffix)), (suffix, "")
            case NearestImageAnswer(class_id):
                note = " nearest image"
                classes, name_cells = self._session.classes, max_cells - len(note)
                if cell_len(classes.names[class_id]) + 2 > name_cells:
                    note, name_cells = "", max_cells
                return *format_class(class_id, classes, name_cells, mark=NEAREST_IMAGE_MARK), (note, "")
            case Unreadable():
                return (("– unreadable" if max_cells >= len("– unreadable") else "–", ""),)
            case Split(parts):
                text = f"⟨{parts}⟩ split"
                return ((text if max_cells >= len(text) else f"⟨{parts}⟩", ""),)
        return ()

    def _set_focus(self, index: int) -> None:
        self.focus_index = min(max(index, 0), max(len(self.visible_entries) - 1, 0))


def format_time(timestamp: float, now: float) -> str:
    """Return the local time of a timestamp of today, else the date; the year only if it is another one."""
    then, today = time.localtime(timestamp), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%b %d", then) if then.tm_year == today.tm_year else time.strftime("%Y-%m-%d", then)


def _get_key(entry: HistoryEntry) -> EntryKey:
    return entry.round_number, entry.path


def _find_digit_keys(session: Session) -> DigitKeys:
    """Return the digits of the current round, else those of the most frequent classes."""
    if session.phase == "labelling":
        return session.round_view().digit_keys
    return assign_digit_keys(session.classes, dict(enumerate(session.answer_counts())))


def _fit(text: str, cells: int) -> str:
    return set_cell_size(text, cells) if cell_len(text) != cells else text
