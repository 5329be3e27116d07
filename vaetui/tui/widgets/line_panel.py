"""The panel at the bottom of a screen that shows a line dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.tui.key_bindings import format_key_name
from vaetui.tui.presenters.cluster_text import truncate_name
from vaetui.tui.presenters.layout import compute_centred_rows, compute_page_bounds
from vaetui.tui.presenters.line_dialogue import CREATE_KEY, Choice, LineDialogue
from vaetui.tui.widgets.text_line import TextLine

SMALL_CHOICE_ROWS, LARGE_CHOICE_ROWS = 3, 8
"""Rows of choices: on a small terminal they take the place of the list of clusters."""
LARGE_TERMINAL_ROWS = 34
"""Rows of a terminal from which on there is space for more choices."""
MIN_TEXT_CELLS = 12
"""Cells of the line that are left for the typed text beside a long question."""
CANCEL_KEY = "Esc: cancel"
"""The key that closes the line, as its last row names it."""
MIN_KEY_CELLS = 12
"""Cells to which the key that makes a new thing can be cut."""
HINT_GAP = "   "
"""Stands between the hint and the keys."""


class LinePanel(TextLine):
    """Matching choices, below them the question with the typed text, and below that the keys.

    The panel lies over the bottom rows of the screen, so that opening it moves nothing. Its height stays the same while
    it is open.
    """

    DEFAULT_CSS = """
    LinePanel { layer: line; dock: bottom; width: 100%; height: 0; background: $surface; }
    """

    def open_dialogue(self, dialogue: LineDialogue) -> None:
        """Show the panel with the rows that the dialogue needs."""
        choice_rows = LARGE_CHOICE_ROWS if self.app.size.height >= LARGE_TERMINAL_ROWS else SMALL_CHOICE_ROWS
        self._choice_rows = choice_rows if dialogue.choice_count else 0
        self.styles.height = self._choice_rows + 2
        self.show_dialogue(dialogue)

    def hide(self) -> None:
        """Hide the panel: a height of zero repaints what it covered, while `display` would repaint the whole screen."""
        self.styles.height = 0

    def show_dialogue(self, dialogue: LineDialogue) -> None:
        """Show the state of the dialogue."""
        width = self.app.size.width
        lines = self._format_choices(dialogue, width)
        lines = [Text()] * (self._choice_rows - len(lines)) + lines
        self.set_text(Text("\n").join([*lines, _format_line(dialogue, width), _format_keys(dialogue, width)]))

    def _format_choices(self, dialogue: LineDialogue, width: int) -> list[Text]:
        """Return the rows of choices around the marked one; choices that do not fit below each other have columns."""
        matches, rows = dialogue.matches, self._choice_rows
        column_count, has_details = _choose_columns(matches, rows, width)
        if column_count == 1:
            visible_rows = compute_centred_rows(dialogue.marked_index or 0, len(matches), rows)
            return [_format_choice(dialogue, row, width - 5) for row in visible_rows]
        column_cells = width // column_count
        start, end = compute_page_bounds(dialogue.marked_index or 0, len(matches), column_count * rows)
        lines = [Text() for _ in range(rows)]
        for index in range(start, end):
            column, row = divmod(index - start, rows)
            lines[row].pad_right(column * column_cells - lines[row].cell_len)
            lines[row].append_text(_format_choice(dialogue, index, column_cells - 5, has_details))
        return lines


def _choose_columns(matches: Sequence[Choice], rows: int, width: int) -> tuple[int, bool]:
    """Return the columns of choices that show as many as possible, and whether with details; one column always has."""
    needed = -(-len(matches) // max(rows, 1))
    label_cells = max((cell_len(choice.label) for choice in matches), default=1)
    detail_cells = max((cell_len(choice.detail) + 2 for choice in matches if choice.detail), default=0)
    with_details, without_details = (
        max(width // (cells + 5), 1) for cells in (label_cells + detail_cells, label_cells)
    )
    if min(with_details, needed) >= min(without_details, needed):
        return min(with_details, max(needed, 1)), True
    return min(without_details, needed), False


def _format_choice(dialogue: LineDialogue, index: int, max_cells: int, has_detail: bool = True) -> Text:
    choice, is_marked = dialogue.matches[index], index == dialogue.marked_index
    label, detail = _fit_choice(choice if has_detail else replace(choice, detail=""), max_cells)
    text = Text(f" {'›' if is_marked else ' '} ")
    text.append(f"{label}", "bold reverse" if is_marked else "")
    return text.append(f"  {detail}", "dim") if detail else text


def _fit_choice(choice: Choice, max_cells: int) -> tuple[str, str]:
    """Return label and detail of a choice, cut to `max_cells` together; the label keeps at least two thirds."""
    detail = choice.detail
    label_cells = max_cells - (cell_len(detail) + 2 if detail else 0)
    label_cells = max(label_cells, min(cell_len(choice.label), max_cells * 2 // 3))
    label = truncate_name(choice.label, label_cells)
    return label, truncate_name(detail, max(max_cells - cell_len(label) - 2, 1)) if detail else ""


def _format_line(dialogue: LineDialogue, width: int) -> Text:
    """Return the question and the typed text with its cursor; of a long text the part around the cursor."""
    before, after = dialogue.text[: dialogue.cursor], dialogue.text[dialogue.cursor :]
    question = truncate_name(dialogue.question, max(width - MIN_TEXT_CELLS, 1))
    line = Text.assemble(" ", (question, "bold"), " ")
    cells = max(width - line.cell_len - 2, 1)
    if cell_len(before) > cells:
        before = f"…{set_cell_size(before[::-1], cells - 1).rstrip()[::-1]}"
    line.append(before, "bold")
    line.append(after[:1] or "_", "bold reverse" if after else "bold")
    line.append(after[1:], "bold")
    rest = width - line.cell_len - 3
    if not dialogue.text and dialogue.help_text and cell_len(dialogue.help_text) <= rest:
        line.append(f"  {dialogue.help_text}", "dim")
    return line


def _count_key_cells(keys: Sequence[str]) -> int:
    create_key = format_key_name(CREATE_KEY)
    cells = [min(cell_len(key), MIN_KEY_CELLS) if key.startswith(create_key) else cell_len(key) for key in keys]
    return sum(cells) + len(" · ") * (len(keys) - 1)


def _format_keys(dialogue: LineDialogue, width: int) -> Text:
    """Return the hint about the last key, if any, and the keys that work now."""
    choice = dialogue.new_choice
    create_key = format_key_name(CREATE_KEY)
    keys = [f"{create_key}: {choice.label}"] if choice is not None else []
    if dialogue.marked_index is not None:
        keys.insert(0, "Enter: choose")
    elif dialogue.accepts_text and dialogue.text.strip():
        keys.insert(0, "Enter: confirm")
    keys += ["↑↓: mark"] if len(dialogue.matches) > 1 else []
    keys.append(CANCEL_KEY)
    text = Text(" ")
    if dialogue.hint:
        text.append(f"! {dialogue.hint}", "bold")
        while keys and text.cell_len + len(HINT_GAP) + _count_key_cells(keys) > width:
            keys.pop(0)  # the hint matters more, and Esc most among the keys
        text.append(HINT_GAP if keys else "")
    for key in keys:
        text.append(
            truncate_name(key, max(width - text.cell_len - 16, MIN_KEY_CELLS)) if key.startswith(create_key) else key,
            "dim",
        )
        text.append(" · " if key != CANCEL_KEY else "", "dim")
    if dialogue.choice_count:
        count = f"{len(dialogue.matches)} of {dialogue.choice_count} "
        text.append(" " * max(width - text.cell_len - len(count), 1) + count, "dim")
    return text
