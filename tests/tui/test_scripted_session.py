"""The scripted session of the screen tests records, undoes and counts as a real one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, get_args

import pytest

from tests.session_templates import SessionTemplates
from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared, ImageAnswerOrigin, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.events import HistoryLoaded
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.tui.session_protocol import Session

OPERATIONS = 350


def draw_operation(draw: random.Random) -> Callable[[Session], Any]:
    """Return a random call that a front end makes in a round of five clusters with ten classes at first."""
    path = (draw.randrange(5),)
    answer = draw.choice(
        [ClassAnswer(draw.randrange(12), draw.choice([0.0, 0.5, 1.0])), Unreadable(), Cleared(), ClassAnswer(3)]
    )
    answers = [((index,), answer) for index in draw.sample(range(5), draw.randint(1, 3))]
    shown_class_id = draw.choice([None, 3, 3, draw.randrange(10)])
    images = [AnsweredImage(index, draw.choice([answer, ClassAnswer(3)]), shown_class_id) for index in range(4)]
    page = draw.sample(images, draw.randint(0, 4))
    origin = draw.choice(get_args(ImageAnswerOrigin))
    name, other_id = f"class {draw.randrange(30)}", draw.randrange(12)
    return draw.choice(
        [
            lambda session: session.record_answer(path, answer),
            lambda session: session.record_answers(answers),
            lambda session: session.record_answers([(path, answer)], extends_last_step=True),
            lambda session: session.record_answers(
                [(path, ClassAnswer(len(session.classes)))], AddClass(len(session.classes), name)
            ),
            lambda session: session.correct_answer(1, path, answer),
            lambda session: session.record_image_answers(page, origin),
            lambda session: session.record_image_answers(page, origin),
            lambda session: session.record_image_answers(page[:1], origin),
            lambda session: session.record_border(other_id, list(range(len(page)))),
            lambda session: session.edit_classes(RenameClass(other_id, name)),
            lambda session: session.edit_classes(MergeClass(other_id, 2)),
            lambda session: session.undo(),
            lambda session: session.undo(),
            lambda session: session.redo(),
        ]
    )


def describe(session: Session) -> dict[str, Any]:
    view = session.round_view()
    *_, history = session.load_history()
    assert isinstance(history, HistoryLoaded)
    return {
        "classes": session.classes,
        "answers": {cluster.path: cluster.answer for cluster in view.clusters},
        "counts": (view.answered_leaf_count, view.leaf_count, view.answer_count, session.answer_counts()),
        "unanswered": view.unanswered_class_ids,
        "digits": view.digit_keys,
        "has_steps": (view.undo_description is not None, view.redo_description is not None),
        "history": [(entry.round_number, entry.path, entry.answer) for entry in history.entries],
    }


@pytest.mark.usefixtures("home")
def test_scripted_and_real_session_answer_alike(templates: SessionTemplates) -> None:
    templates.copy("labelling", "real")
    real: Session = lifecycle.resume("real")
    while real.undo() is not None:
        pass
    scripted: Session = ScriptedSession(clusters=len(real.round_view().clusters))
    assert describe(scripted) == {**describe(real), "has_steps": (False, False)}
    for session in (real, scripted):
        session.record_answer((0,), ClassAnswer(1))  # discards the undone actions of the template
    draw, outcomes = random.Random(3), set()
    for number in range(OPERATIONS):
        operation, results = draw_operation(draw), []
        for session in (real, scripted):
            try:
                results.append(repr(operation(session)))
            except UserError as error:
                results.append(str(error))
        assert results[0] == results[1], number
        assert describe(real) == describe(scripted), number
        outcomes.add(results[0])
    assert len(outcomes) > 10
