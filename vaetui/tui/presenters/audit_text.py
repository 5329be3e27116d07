"""The result of an audit as text, for the screens, the line-by-line dialogue and the commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from vaetui.engine.audit_plans import PAGE_IMAGES, PLANS
from vaetui.errors import format_count
from vaetui.session.audit_views import AuditResult, ClassAudit
from vaetui.tui.presenters.cluster_text import truncate_name
from vaetui.tui.presenters.sections import format_paragraph, format_wrapped_section

MARKED_PER_PAGE = 1.5
"""Images of a page that are marked on average, where few labels are wrong: most of them are planted errors."""
AUDIT_TOO_EARLY_MESSAGE = (
    "An audit needs labels. Answer this round and train; from the next round on they can be audited."
)
MAX_NAME_CELLS = 30
"""Cells of a class name in the list of classes."""
Row = tuple[str, str]


def describe_plan(plan: str, part_count: int = 1) -> str:
    """Return what a plan shows and costs, such as "30 single images and 3 pages of 32: about 40 keys".

    The terminal shows a page in `part_count` parts, of which each is accepted.
    """
    sizes = PLANS[plan]
    pages = format_count(sizes.pages, "page")
    key_count = 5 * round((sizes.blind_images + sizes.pages * (part_count + MARKED_PER_PAGE)) / 5)
    return f"{sizes.blind_images} single images and {pages} of {PAGE_IMAGES}: about {key_count} keys"


def format_accuracy(result: AuditResult) -> str:
    """Return the measured share, such as "97.1 % of the labels are right"."""
    return f"{_format_share(result.estimate)} % of the labels are right"


def format_audit_result(result: AuditResult) -> str:
    """Return the result in one sentence, without a full stop."""
    low, high = _format_share(result.low), _format_share(result.high)
    images = format_count(result.checked, "image")
    return f"{format_accuracy(result)} (95 % interval {low} to {high}; {images} checked after round {result.round})"


def list_result_rows(result: AuditResult, is_current: bool | None = None) -> list[Row]:
    """Return a heading and a text for each fact of a result.

    `is_current` is whether the labels are still those that were audited; None before they are loaded.
    """
    keys, wrong = format_count(result.keys, "key"), _format_wrong(result.wrong)
    unreadable = f", and {result.unreadable} unreadable" if result.unreadable else ""
    answered = f" {result.answered:,} of them are your answers and count as right." if result.answered else ""
    changed = " The labels have changed since." if is_current is False else ""
    rows = [
        ("95 % interval", f"{_format_share(result.low)} to {_format_share(result.high)} %"),
        ("checked", f"{format_count(result.checked, 'label')}: {wrong}{unreadable}; {keys}, {result.plan} audit"),
        ("planted errors", _format_catch_trials(result)),
        ("audited", f"{format_count(result.labels, 'label')} after round {result.round}.{answered}"),
        ("version", f"{result.version}, {_format_date(result.date)}.{changed}"),
    ]
    if result.abandoned:
        audits = "1 audit" if result.abandoned == 1 else f"{result.abandoned} audits"
        rows.append(("abandoned", f"{audits} of these networks before: ending audits early makes results less certain"))
    rows.append(
        (
            "in exports",
            "labels of this version get a confidence that is calibrated by the checks: of those from 0.9 on, about "
            "90 % or more are right",
        )
    )
    return rows


def list_stratum_rows(result: AuditResult) -> list[Row]:
    """Return the checks by stratum."""
    return [
        (stratum.name, f"{_format_right(stratum.checked, stratum.wrong)} ({format_count(stratum.labels, 'label')})")
        for stratum in result.strata
        if stratum.labels
    ]


def list_class_rows(result: AuditResult) -> list[Row]:
    """Return the checks by class, the worst class first; classes without a check come last, in one row."""
    checked = sorted(filter(lambda item: item.checked, result.classes), key=_compute_class_order)
    rows = [(truncate_name(item.name, MAX_NAME_CELLS), _format_class(item)) for item in checked]
    if unchecked := [item for item in result.classes if not item.checked]:
        rows.append(("not checked", format_count(len(unchecked), "class", "classes")))
    return rows


def list_confusion_rows(result: AuditResult, names: Sequence[str]) -> list[Row]:
    """Return which labels were seen as another class, the most frequent first; `names` are those of all classes."""
    return [
        (
            truncate_name(names[label_id], MAX_NAME_CELLS),
            f"{truncate_name(names[seen_id], MAX_NAME_CELLS)}: {format_count(count, 'image')}",
        )
        for label_id, seen_id, count in result.confusion
    ]


def format_result_text(result: AuditResult, names: Sequence[str], width: int, is_current: bool | None = None) -> Text:
    """Return the whole result for a screen of `width` cells."""
    sections = [
        (format_accuracy(result), list_result_rows(result, is_current)),
        ("Checked labels by doubt", list_stratum_rows(result)),
        ("Checked labels by class, the worst first", list_class_rows(result)),
        ("Labelled as the first class, seen as the second", list_confusion_rows(result, names)),
    ]
    return Text("").join([format_wrapped_section(heading, rows, width) for heading, rows in sections if rows])


def format_introduction(width: int) -> Text:
    """Return what an audit is, before it starts."""
    sentences = (
        "An audit measures how many labels are right: you check images drawn at random, and the result is a share with "
        "an interval that holds in 95 of 100 audits.",
        "First come single images, without their label: press the class of each.",
        f"Then come pages of up to {PAGE_IMAGES} images with the same label: mark those that are wrong, and accept the "
        "others with one key.",
        "A few labels on the pages are wrong on purpose, to see how many errors are noticed.",
    )
    return format_paragraph("Audit", sentences, width)


def _format_class(item: ClassAudit) -> str:
    text = _format_right(item.checked, item.wrong)
    if item.estimate is None or item.low is None or item.high is None:
        return text
    low, high = _format_share(item.low), _format_share(item.high)
    return f"{text}: {_format_share(item.estimate)} % ({low} to {high})"


def _compute_class_order(item: ClassAudit) -> tuple[float, int]:
    """Return a key that sorts the classes with the largest share of wrong labels first."""
    return -item.wrong / item.checked if item.estimate is None else item.estimate - 1, -item.checked


def _format_right(checked: int, wrong: int) -> str:
    return f"{checked - wrong} of {checked} right" if checked else "none checked"


def _format_wrong(wrong: int) -> str:
    return f"{wrong} wrong" if wrong else "none wrong"


def _format_catch_trials(result: AuditResult) -> str:
    if not result.catch_planted:
        return "none: too few labels are known for sure"
    missed = "" if result.catch_found == result.catch_planted else "; the interval allows for errors not noticed"
    return f"found {result.catch_found} of {result.catch_planted}{missed}"


def _format_share(share: float) -> str:
    return f"{100 * share:.1f}"


def _format_date(date: str) -> str:
    return f"{datetime.fromisoformat(date).astimezone():%Y-%m-%d %H:%M}"
