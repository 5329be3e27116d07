"""The reading test: kept picture by picture, judged at the end, and the checks within the epochs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.session.scripted_run import SMALL_CONFIG, create_session
from vaetui.engine.events import BatchesTrained, EpochEnded, Reconstructed
from vaetui.errors import UserError
from vaetui.session import lifecycle, summary
from vaetui.session.session import Session

pytestmark = pytest.mark.usefixtures("home")
BUSY = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, batch_size=8))
"""72 batches an epoch, so that a report comes before every check."""


@pytest.fixture
def session(digits: Path, home: Path) -> Iterator[Session]:
    session = create_session("read", digits, BUSY)
    list(session.advance())
    yield session
    session.close()


def truth(session: Session) -> list[int]:
    assert session.true_labels is not None
    assert session.true_labels.validation is not None
    return [int(kind) for kind in session.true_labels.validation.class_ids]


def test_an_epoch_is_checked_three_times_with_all_held_out_images(digits: Path) -> None:
    session = create_session("checked", digits, BUSY)
    places, step, steps = dict[int, float](), 0, 1
    for event in session.advance():
        if isinstance(event, BatchesTrained):
            step, steps = event.step, event.steps_per_epoch
        if isinstance(event, Reconstructed) and event.eval_number is not None:
            places[event.eval_number] = step / steps
            assert len(event.originals) == len(event.reconstructions) == 64
    session.close()
    assert list(places) == [1, 2, 3]
    for check, place in places.items():
        assert check / 3 <= place < check / 3 + 8 / 72 + 1e-9


def test_the_test_shows_the_reconstructions_at_the_end_of_the_epoch(digits: Path) -> None:
    session = create_session("shown", digits, BUSY)
    last = None
    for event in session.advance():
        last = event if isinstance(event, Reconstructed) and event.eval_number is not None else last
    assert last is not None
    sheet = session.reading_test()
    session.close()
    assert np.array_equal(sheet.reconstructions, last.reconstructions)
    assert (sheet.epoch, sheet.class_ids, sheet.accuracy) == (1, (), None)


def test_what_is_read_is_kept_across_a_restart_and_judged_at_the_end(session: Session) -> None:
    right = truth(session)
    for place, kind in enumerate(right[:20]):
        session.record_reading(1, place, [kind])
    session.record_reading(1, 20, [None])
    assert session.reading_test().class_ids == (*right[:20], None)
    session.close()
    again = lifecycle.resume("read")
    list(again.advance())
    assert again.reading_test().class_ids == (*right[:20], None)
    assert again.reading_test().accuracy is None
    done = again.record_reading(1, 21, right[21:])
    assert done.accuracy == pytest.approx(1 - 1 / len(right))
    assert again.training_curves().finished_epochs[0].reading_accuracy == done.accuracy
    assert summary.load_status("read")["reading_accuracy"] == [done.accuracy]
    again.close()


def test_a_step_back_forgets_what_was_read_there_and_the_judgement(session: Session) -> None:
    right = truth(session)
    session.record_reading(1, 0, right)
    assert session.reading_test().accuracy == 1.0
    back = session.record_reading(1, len(right) - 1, ())
    assert back.class_ids == tuple(right[:-1])
    assert session.reading_test().accuracy is None
    assert session.training_curves().finished_epochs[0].reading_accuracy is None
    assert session.record_reading(1, 0, ()).class_ids == ()


@pytest.mark.parametrize(("place", "count"), [(1, 1), (-1, 1), (0, 65)])
def test_a_place_that_is_not_next_and_too_many_are_refused(session: Session, place: int, count: int) -> None:
    with pytest.raises(UserError, match="0 of 64 pictures are read"):
        session.record_reading(1, place, [3] * count)
    assert session.reading_test().class_ids == ()


def test_there_is_nothing_to_read_before_an_epoch_has_ended_or_while_images_are_loaded(digits: Path) -> None:
    session = create_session("early", digits, BUSY)
    beginning = session.advance()
    with pytest.raises(UserError, match="before the first epoch has ended"):
        session.reading_test()
    for event in beginning:
        if isinstance(event, EpochEnded):
            break
    assert len(session.reading_test().reconstructions) == 64
    beginning.close()
    session.close()
    later = lifecycle.resume("early")
    with pytest.raises(UserError, match="still being loaded"):
        later.reading_test()
    later.close()


def test_a_test_that_was_left_is_gone_on_with_though_another_epoch_has_ended(session: Session) -> None:
    session.record_reading(1, 0, [3, 1])
    session.finish_round()
    for event in session.advance():
        if isinstance(event, EpochEnded):
            break
    assert (session.reading_test().epoch, session.reading_test().class_ids) == (1, (3, 1))
    session.record_reading(1, 2, truth(session)[2:])
    assert session.reading_test().epoch == 2


def test_a_class_that_there_is_not_is_refused(session: Session) -> None:
    for kind in (10, -1):
        with pytest.raises(UserError, match="classes are 0 to 9"):
            session.record_reading(1, 0, [kind])


def test_images_without_labels_have_no_reading_test(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/train-images-idx3-ubyte").write_bytes((digits / "train-images-idx3-ubyte").read_bytes())
    session = create_session("bare", tmp_path / "bare", BUSY)
    list(session.advance())
    with pytest.raises(UserError, match="no true labels"):
        session.reading_test()
    session.close()


def test_an_epoch_of_an_older_format_has_no_reconstructions_to_read(session: Session) -> None:
    from vaetui.storage import file_names

    session._repository._database.apply_changes(("file gone", (file_names.reconstructions_name(1),)))
    with pytest.raises(UserError, match="were not kept"):
        session.reading_test()
