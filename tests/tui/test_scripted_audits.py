"""The scripted audits follow the protocol and the rules of the session's audits."""

from __future__ import annotations

import pytest

from tests.tui.scripted_audits import ScriptedAudits
from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import ClassList
from vaetui.errors import UserError
from vaetui.session.audit_views import AuditView
from vaetui.tui.session_protocol import Audits


def start_audit(plan: str = "quick") -> ScriptedAudits:
    audits = ScriptedAudits(lambda: ClassList.from_names(("cat", "dog")))
    list(audits.start(plan))
    return audits


def require_view(audits: ScriptedAudits) -> AuditView:
    view = audits.view
    assert view is not None
    return view


def accept_page(audits: ScriptedAudits) -> None:
    checks = []
    for item in require_view(audits).items:
        if item.check is None:
            assert item.shown_class_id is not None
            checks.append((item.position, ClassAnswer(item.shown_class_id)))
    audits.record(checks)


def answer_blind_part(audits: ScriptedAudits) -> None:
    while (view := require_view(audits)).part == "blind":
        audits.record([(view.items[0].position, ClassAnswer(0))])


def test_scripted_audits_fit_the_protocol() -> None:
    audits: Audits = start_audit()
    assert audits.view is not None


def test_a_quick_audit_shows_30_blind_images_and_3_pages_and_then_its_result() -> None:
    audits = start_audit()
    assert (require_view(audits).position, require_view(audits).total, require_view(audits).page_count) == (1, 30, 3)
    assert require_view(audits).items[0].shown_class_id is None
    answer_blind_part(audits)
    page_numbers = []
    while (view := require_view(audits)).part == "page":
        page_numbers.append(view.page_number)
        assert len(view.items) == 32
        accept_page(audits)
    view = require_view(audits)
    assert page_numbers == [1, 2, 3]
    assert (view.part, view.keys, view.items) == ("done", 33, ())
    assert view.result is not None
    assert (view.result.catch_found, view.result.catch_planted) == (0, 2)


def test_undo_after_the_last_key_reopens_the_audit_and_redo_ends_it_again() -> None:
    audits = start_audit()
    answer_blind_part(audits)
    for _ in range(3):
        accept_page(audits)
    assert audits.undo()
    assert (require_view(audits).part, require_view(audits).result, audits.results) == ("page", None, ())
    assert audits.redo()
    assert (require_view(audits).part, len(audits.results)) == ("done", 1)
    assert not audits.redo()


def test_a_mark_on_a_page_is_kept_replaced_and_cleared() -> None:
    audits = start_audit()
    answer_blind_part(audits)
    position = require_view(audits).items[5].position
    audits.record([(position, ClassAnswer(1))])
    assert require_view(audits).items[5].check == ClassAnswer(1)
    audits.record([(position, Unreadable())])
    assert require_view(audits).items[5].check == Unreadable()
    audits.record([(position, Cleared())])
    assert require_view(audits).items[5].check is None
    audits.undo()
    assert require_view(audits).items[5].check == Unreadable()
    assert require_view(audits).keys == 33


def test_an_image_that_is_not_shown_cannot_be_checked() -> None:
    audits = start_audit()
    with pytest.raises(UserError, match="not to be checked now"):
        audits.record([(3, ClassAnswer(0))])
    assert require_view(audits).keys == 0
