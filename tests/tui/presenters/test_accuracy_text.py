"""Tests of the sentences about the audited or expected accuracy."""

from __future__ import annotations

import re

from tests.tui.scripted_audits import ScriptedAudits
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import ClassList
from vaetui.session.audit_views import AuditResult
from vaetui.tui.presenters.accuracy_text import describe_accuracy


def run_audit() -> AuditResult:
    audits = ScriptedAudits(lambda: ClassList.from_names(("cat", "owl")))
    list(audits.start("quick"))
    while (view := audits.view) is not None and view.part != "done":
        audits.record([(item.position, ClassAnswer(item.shown_class_id or 0)) for item in view.items])
    return audits.results[0]


def test_audit_of_these_labels_replaces_the_expected_accuracy() -> None:
    texts = describe_accuracy(0.9, run_audit(), is_audit_older=False)
    assert re.search(
        r"\d\.\d % of the labels are right \(95 % interval \d+\.\d to \d+\.\d; \d+ images checked", texts[0]
    )
    assert re.fullmatch(r"Audited: \d+\.\d % right \(\d+\.\d to \d+\.\d\)", texts[-1])
    assert not any("xpected" in text for text in texts)


def test_audit_of_older_labels_stands_beside_the_expected_accuracy_with_its_round() -> None:
    result = run_audit()
    texts = describe_accuracy(0.9, result, is_audit_older=True)
    assert texts[0].startswith("Expected accuracy about 90 % (not audited). Audited after round ")
    assert f"Audited after round {result.round}" in texts[0]
    assert texts[-2:] == ["Expected accuracy about 90 % (not audited)", "About 90 % right (not audited)"]
    assert describe_accuracy(None, result, is_audit_older=True)[0].startswith("Audited after round")


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert describe_accuracy(None, None, is_audit_older=False) == []
