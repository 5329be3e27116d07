"""The audited or expected accuracy of the labels, as sentences."""

from __future__ import annotations

from vaetui.session.audit_views import AuditResult
from vaetui.tui.presenters.audit_text import format_audit_result
from vaetui.tui.presenters.expected_accuracy import NOT_AUDITED, format_expected_accuracy, round_percent
from vaetui.tui.presenters.number_format import format_percent


def describe_accuracy(expected: float | None, audit: AuditResult | None, is_audit_older: bool) -> list[str]:
    """Return the audited accuracy, else the expected one and that of an older audit, as alternatives, longest first.

    Empty without either. With `is_audit_older`, the labels have changed since the audit.
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
