"""The sentences of an export on what its labels are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.export.label_tables import AUDITED_LABELS, INFO, LABELS
from vaetui.export.label_info import ExportCounts
from vaetui.session import label_export

AUDIT = {"version": INFO.version, "round": 2, "estimate": 0.971, "low": 0.952, "high": 0.984, "checked": 350}
FIGURES = "97.1 % right (95 % interval 95.2 to 98.4; 350 images checked)"


def test_an_export_without_an_audit_names_the_command_unless_the_session_is_open() -> None:
    assert label_export.describe_audit(INFO, can_audit=True) == (
        "Not audited; measure how many are right with: vaetui audit pets"
    )
    assert label_export.describe_audit(INFO, can_audit=False) == "Not audited."


def test_an_export_after_an_audit_ends_with_its_figures() -> None:
    info = replace(INFO, audit=AUDIT, changed_count=0)
    assert label_export.describe_audit(info, can_audit=True) == f"Audit: {FIGURES}."


@pytest.mark.parametrize(("count", "changed"), [(1, "1 label has"), (1_204, "1,204 labels have")])
def test_labels_that_changed_since_the_audit_are_counted(count: int, changed: str) -> None:
    info = replace(INFO, audit=AUDIT, changed_count=count)
    assert label_export.describe_audit(info, can_audit=True) == (
        f"An audit after round 2 measured {FIGURES}; {changed} changed since."
    )


def test_a_minimum_confidence_is_measured_expected_or_neither() -> None:
    info = replace(INFO, audit=AUDIT, measured={"estimate": 0.99, "low": 0.975, "high": 0.998, "checked": 61})
    assert label_export.describe_kept_labels(INFO, LABELS, 0.7) == (
        "No audit has calibrated the confidence, so 0.7 is not a measured share of right labels."
    )
    assert label_export.describe_kept_labels(INFO, AUDITED_LABELS, 0.7) == (
        "Labels of 0.7 and more: about 88 % right by the calibrated confidence."
    )
    assert label_export.describe_kept_labels(info, AUDITED_LABELS, 0.7) == (
        "Labels of 0.7 and more: 99.0 % right (95 % interval 97.5 to 99.8; 61 images checked)."
    )


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (
            ExportCounts(10, unreadable=1, beyond_border=1),
            "10 labels written, 1 image is unreadable, 1 image is beyond the border of its class",
        ),
        (
            ExportCounts(1, unlabelled=2, unreadable=3, beyond_border=1_200),
            "1 label written, 2 images have no label yet, 3 images are unreadable, "
            "1,200 images are beyond the border of their classes",
        ),
    ],
)
def test_images_without_a_label_are_counted_by_the_reason(counts: ExportCounts, sentence: str) -> None:
    assert label_export._describe_counts(counts, 0.0, has_unsure_directory=False) == sentence
