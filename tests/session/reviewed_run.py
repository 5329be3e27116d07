"""A session run with answers about single images and a border in every round, as a program that tests kill.

`python -m tests.session.reviewed_run run SESSION [STEP]` continues a session to its end and prints every step; it waits
to be killed where it would begin STEP;
`python -m tests.session.reviewed_run pages SESSION` records pages of 32 images without end and prints each number.
"""

from __future__ import annotations

import itertools
import signal
import sys
from collections.abc import Iterator

from tests.session.scripted_run import answer_round, session_digest
from vaetui.engine.answers import AnsweredImage, ClassAnswer, ImageAnswer, Unreadable
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session

PAGE_IMAGES = 32


def create_page(number: int, class_id: int = 0) -> list[AnsweredImage]:
    """Create the answers of a page of images 32 n to 32 n + 31: one correction, one unreadable, the rest accepted."""
    answers: dict[int, ImageAnswer] = {0: ClassAnswer((class_id + 1) % 10), 1: Unreadable()}
    return [
        AnsweredImage(PAGE_IMAGES * number + position, answers.get(position, ClassAnswer(class_id)), class_id)
        for position in range(PAGE_IMAGES)
    ]


def review_round(session: Session) -> Iterator[str]:
    """Record two pages and a border, from any state of the round; yield each step before it is done."""
    round_number = session.round_number
    repository = session._repository
    step_ids = {record.step_id for record in repository.list_image_answers() if record.made_in_round == round_number}
    for number in range(len(step_ids), 2):
        yield f"page {number} of round {round_number}"
        session.record_image_answers(create_page(2 * round_number + number, 3 * number + round_number), "review")
    if not any(border.made_in_round == round_number for border in repository.list_borders()):
        yield f"border of round {round_number}"
        session.record_border(round_number, range(0, 640, 3))


def run_to_end(session: Session) -> Iterator[str]:
    """Run a session to its end from any state; yield the name of each event and each step before it is done."""
    while True:
        for event in session.advance():
            yield type(event).__name__
        if session.phase == "finished":
            return
        yield from answer_round(session)
        yield from review_round(session)
        yield "finish round"
        session.close_round()


def record_pages(session: Session) -> Iterator[str]:
    """Record pages one after the other, and take back every fifth; yield the number of those in force after each."""
    list(session.advance())
    count = len({action.step_id for action in session._repository.list_actions(session.round_number)})
    for attempt in itertools.count():
        session.record_image_answers(create_page(count % 20, count % 9), "review")
        count += 1
        if attempt % 5 == 4:
            session.undo()
            count -= 1
        yield str(count)


def describe_result(name: str) -> tuple[str, list[tuple[int, ImageAnswer]], bytes]:
    """Return the digest of the networks, the answers about images, and the labels of a finished session."""
    session = lifecycle.resume(name)
    table = drain_events(session.build_label_table())
    answers = [(record.image.image_index, record.image.answer) for record in session._repository.list_image_answers()]
    session.close()
    return session_digest(name), answers, table.class_ids.tobytes() + table.confidences.tobytes()


def main(mode: str, name: str, last_step: str = "") -> None:
    """Run one of both modes and print each step; wait for a signal at the last one."""
    trainer.CHECKPOINT_INTERVAL_S = 0.0  # save at every training event, so that even small epochs have checkpoints
    session = lifecycle.resume(name)
    for step in (run_to_end if mode == "run" else record_pages)(session):
        print(step, flush=True)
        if step == last_step:
            signal.pause()  # a busy machine could take further steps before it is killed
    session.close()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
