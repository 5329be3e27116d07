"""The facts and commands of the summary screen as text that breaks only between figures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from rich.text import Text

from vaetui.engine.events import EpochEnded
from vaetui.engine.metrics import Agreement
from vaetui.errors import format_count
from vaetui.session.views import Summary
from vaetui.tui.keymap import KeyFormatter
from vaetui.tui.presenters.number_format import format_duration, format_percent

MAX_AGREEMENT_ROUNDS = 4
"""Rounds whose agreement a wide screen shows, the last ones; a narrow screen shows one."""
MAX_COMMAND_CELLS = 74
"""Columns of a command with its description; longer ones are shown without the description."""
WORD_PATTERN = re.compile(r"\S+(?: %\S*)?")
"""A word; a number stays together with its percent sign."""


def wrap_pieces(pieces: Sequence[Text], width: int) -> list[Text]:
    """Return lines of at most `width` columns, broken only between pieces; a longer piece has its own line."""
    lines: list[Text] = []
    for piece in pieces:
        if lines and lines[-1].cell_len + 1 + piece.cell_len <= width:
            lines[-1].append(" ").append_text(piece)
        else:
            lines.append(piece.copy())
    return lines


def split_words(text: str) -> list[Text]:
    """Return the words of a sentence as pieces."""
    return [Text(word) for word in WORD_PATTERN.findall(text)]


def format_costs(summary: Summary) -> list[Text]:
    """Return answers, training time and labelling time as pieces."""
    training, labelling = (
        format_duration(seconds).strip() for seconds in (summary.training_seconds, summary.labelling_seconds)
    )
    count, noun = format_count(summary.answer_count, "answer").split()
    return [
        Text.assemble((count, "bold"), f" {noun} ·"),
        Text.assemble("training ", (training, "bold"), " ·"),
        Text.assemble("labelling ", (labelling, "bold")),
    ]


def format_agreements(agreements: Sequence[tuple[int, Agreement]]) -> list[Text]:
    """Return the agreement of answers and classifier by round as pieces, with the classifier's confidence."""
    if not agreements:
        return []
    pieces, label = split_words("agreement of your answers with the classifier:"), "confidence "
    for index, (round_number, agreement) in enumerate(agreements):
        piece = Text(f"round {round_number} ").append(f"{100 * agreement.agreement_rate:.0f} %", "bold")
        if agreement.mean_confidence is not None:
            piece.append(f" ({label}{100 * agreement.mean_confidence:.0f} %)")
            label = ""  # only the first confidence is labelled, for lack of space
        pieces.append(piece.append("," if index < len(agreements) - 1 else ""))
    return pieces


def format_reading_accuracy(epochs: Sequence[EpochEnded]) -> list[Text]:
    """Return the result of the last reading test as pieces; empty without one."""
    for epoch in reversed(epochs):
        if epoch.reading_accuracy is not None:
            accuracy = format_percent(epoch.reading_accuracy).strip()
            return [
                *split_words("reconstructions read correctly"),
                Text(f"{accuracy} %", "bold"),
                Text(f"(epoch {epoch.epoch})"),
            ]
    return []


def format_commands(session_name: str, format_key: KeyFormatter, *, can_change: bool = True) -> Text:
    """Return the keys that use the labels, and the commands that a user may type after leaving, whole.

    Those that change labels are left out unless `can_change`.
    """
    export_key, audit_key, review_key, leave_key = map(
        format_key, ("summary.export", "summary.audit", "summary.review", "any.leave")
    )
    changes = f", {audit_key} audits, {review_key} corrects them" if can_change else ""
    text = Text(f"{export_key} exports the labels{changes}. ")
    text.append(f"Or leave with {leave_key}, then type:")
    for line in _iter_command_lines(shlex.quote(session_name), shlex.quote(f"{session_name}.csv")):
        text.append("\n").append_text(line)
    return text


def _iter_command_lines(name: str, file_name: str) -> Iterator[Text]:
    rows = (
        (f"vaetui export {name} -o {file_name}", "every image with its label"),
        (f"vaetui show {name}", "these figures again"),
        (f"vaetui resume {name}", "this screen again"),
    )
    width = max(len(command) for command, _ in rows)
    for command, description in rows:
        line = Text.assemble("  ", (f"{command:<{width}}", "bold"))
        if width + len(description) < MAX_COMMAND_CELLS:
            line.append(f"   {description}", "dim")
        yield line
