"""Test the sentences and tables about the result of an audit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaetui.session.audit_views import AuditResult, ClassAudit, StratumAudit
from vaetui.tui.presenters.audit_text import (
    describe_plan,
    format_audit_result,
    format_introduction,
    format_result_text,
    list_class_rows,
    list_result_rows,
)

RESULT = AuditResult(
    version="0123456789ab",
    plan="full",
    epoch=5,
    round=4,
    date="2026-11-26T15:00:00+00:00",
    estimate=0.971,
    low=0.952,
    high=0.984,
    checked=348,
    wrong=9,
    keys=52,
    catch_found=11,
    catch_planted=12,
    unreadable=2,
    labels=60_000,
    answered=64,
    abandoned=0,
    classes=(
        ClassAudit(0, "cat", 40, 1, 0.975, 0.9, 0.99),
        ClassAudit(1, "dog", 31, 6, 0.82, 0.7, 0.9),
        ClassAudit(2, "owl", 12, 3, None, None, None),
        ClassAudit(3, "cow", 0, 0, None, None, None),
    ),
    confusion=((1, 0, 5), (2, 1, 3)),
    strata=(StratumAudit("most doubtful", 6_000, 30, 6), StratumAudit("others", 53_936, 318, 3)),
)
NAMES = ("cat", "dog", "owl", "cow")


def test_result_is_one_sentence_with_its_interval() -> None:
    sentence = "97.1 % of the labels are right (95 % interval 95.2 to 98.4; 348 images checked after round 4)"
    assert format_audit_result(RESULT) == sentence


def test_plans_are_described_with_their_cost() -> None:
    assert describe_plan("quick") == "30 single images and 3 pages of 32: about 40 keys"
    assert describe_plan("full") == "30 single images and 10 pages of 32: about 55 keys"
    assert describe_plan("full", 4) == "30 single images and 10 pages of 32: about 85 keys"


def test_facts_name_checks_planted_errors_answers_and_version() -> None:
    rows = dict(list_result_rows(RESULT))
    assert rows["95 % interval"] == "95.2 to 98.4 %"
    assert rows["checked"] == "348 labels: 9 wrong, and 2 unreadable; 52 keys, full audit"
    assert rows["planted errors"].startswith("found 11 of 12; ")
    assert rows["audited"] == "60,000 labels after round 4. 64 of them are your answers and count as right."
    assert rows["version"].startswith("0123456789ab, 2026-11-")
    assert "abandoned" not in rows


@pytest.mark.parametrize(
    ("change", "heading", "text"),
    [
        ({"catch_found": 12}, "planted errors", "found 12 of 12"),
        ({"catch_planted": 0, "catch_found": 0}, "planted errors", "none: "),
        ({"abandoned": 1}, "abandoned", "1 audit of these networks"),
        ({"abandoned": 3}, "abandoned", "3 audits of these networks"),
        ({"wrong": 0, "unreadable": 0}, "checked", "348 labels: none wrong; 52 keys"),
        ({"answered": 0}, "audited", "60,000 labels after round 4."),
        ({"keys": 1, "checked": 1}, "checked", "1 label: 9 wrong, and 2 unreadable; 1 key,"),
    ],
)
def test_facts_that_are_not_there_are_not_told(change: dict[str, int], heading: str, text: str) -> None:
    rows = dict(list_result_rows(replace(RESULT, **change)))  # type: ignore[arg-type]
    assert rows[heading].startswith(text)


def test_result_of_former_labels_is_named_so() -> None:
    assert dict(list_result_rows(RESULT, False))["version"].endswith("The labels have changed since.")
    for is_current in (True, None):
        assert "changed" not in dict(list_result_rows(RESULT, is_current))["version"]


def test_classes_are_listed_from_the_worst_on_with_counts_where_few_were_checked() -> None:
    assert list_class_rows(RESULT) == [
        ("owl", "9 of 12 right"),
        ("dog", "25 of 31 right: 82.0 % (70.0 to 90.0)"),
        ("cat", "39 of 40 right: 97.5 % (90.0 to 99.0)"),
        ("not checked", "1 class"),
    ]


@pytest.mark.parametrize("width", [55, 75, 115, 195])
def test_no_line_of_the_result_is_wider_than_the_screen(width: int) -> None:
    long_names = tuple(f"{name} {'of a very long name ' * 5}".strip()[:100] for name in NAMES)
    classes = tuple(replace(item, name=long_names[item.class_id]) for item in RESULT.classes)
    for result, names in ((RESULT, NAMES), (replace(RESULT, classes=classes), long_names)):
        text = format_result_text(result, names, width).plain
        assert max(map(len, text.splitlines())) <= width
        for heading in ("97.1 % of the labels are right", "Checked labels by doubt", "the worst first", "seen as"):
            assert heading in text
    assert max(map(len, format_introduction(width).plain.splitlines())) <= width
