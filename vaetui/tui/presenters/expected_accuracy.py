"""Accuracies that nobody measured, as text that promises no decimals; and texts of which as many are shown as fit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from vaetui.session.audit_views import AuditResult
from vaetui.tui.presenters.audit_text import format_audit_result
from vaetui.tui.presenters.number_format import format_percent

NOT_AUDITED = "not audited"
"""Stands beside every expected accuracy: it is computed from the networks alone."""


def round_percent(share: float) -> int:
    """Return an expected share as whole percents from 1 to 99: an expectation never excludes an error."""
    return min(max(round(100 * share), 1), 99)


def format_expected_accuracy(share: float) -> str:
    """Return a text such as "about 75 % (not audited)"."""
    return f"about {round_percent(share)} % ({NOT_AUDITED})"


def format_small_share(share: float) -> str:
    """Return a measured share as whole percents, such as "5 %"; "less than 1 %" for small ones."""
    return f"{round(100 * share)} %" if share >= 0.01 else "less than 1 %"


def fit_texts(alternatives: Sequence[Sequence[str]], max_cells: int, separator: str = ". ") -> str:
    """Return the texts that fit into `max_cells` columns, in order.

    Each text has alternatives, longest first. Texts at the beginning are more important: they get the room first.
    """
    texts: list[str] = []
    used_cells = 0
    for choices in alternatives:
        room = max_cells - used_cells - (cell_len(separator) if texts else 0)
        text = next((choice for choice in choices if choice and cell_len(choice) <= room), None)
        if text is not None:
            used_cells = max_cells - room + cell_len(text)
            texts.append(text)
    return separator.join(texts)


def describe_accuracy(expected: float | None, audit: AuditResult | None, is_audit_older: bool) -> list[str]:
    """Return the audited accuracy, else the expected one and that of an older audit, as alternatives, longest first.

    Empty if nothing is known. `is_audit_older` tells that the labels have changed since the audit.
    """
    audited: list[str] = []
    if audit is not None:
        interval = f"{format_percent(audit.low).strip()} to {format_percent(audit.high).strip()}"
        share = f"{format_percent(audit.estimate).strip()} %"
        if not is_audit_older:
            return [
                format_audit_result(audit),
                f"Audited: {share} of the labels are right ({interval})",
                f"Audited: {share} right ({interval})",
            ]
        audited = [f"Audited after round {audit.round}, with older labels: {share} ({interval})"]
        audited.append(f"Audited after round {audit.round}: {share} ({interval})")
    if expected is None:
        return audited
    text = f"Expected accuracy {format_expected_accuracy(expected)}"
    short_text = f"About {round_percent(expected)} % right ({NOT_AUDITED})"
    return [*(f"{text}. {audited_text}" for audited_text in audited), text, short_text]
