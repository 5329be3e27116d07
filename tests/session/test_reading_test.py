"""The reading test: recorded image by image, scored at the end; and the evaluations within an epoch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_idx
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import SMALL_CONFIG, create_session
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.events import BatchesTrained, EpochEnded, Reconstructed
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError
from vaetui.session import lifecycle, session_status
from vaetui.session.session import Session

pytestmark = pytest.mark.usefixtures("home")
BUSY_CONFIG = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, batch_size=8))
"""72 batches per epoch, so that training events come before every evaluation."""


@pytest.fixture
def session(runs: RunTemplates) -> Iterator[Session]:
    """A session in its first round."""
    session = runs.open("read")
    yield session
    session.close()


def true_classes(session: Session) -> list[int]:
    """Return the true classes of the validation images."""
    assert session.true_labels is not None
    assert session.true_labels.validation_labels is not None
    return [int(class_id) for class_id in session.true_labels.validation_labels.class_ids]


def test_epoch_reconstructs_all_validation_images_three_times(digits: Path) -> None:
    session = create_session("evaluated", digits, BUSY_CONFIG)
    positions, step, steps_per_epoch, last = dict[int, float](), 0, 1, None
    for event in session.advance():
        if isinstance(event, BatchesTrained):
            step, steps_per_epoch = event.step, event.steps_per_epoch
        if isinstance(event, Reconstructed) and event.eval_number is not None:
            positions[event.eval_number] = step / steps_per_epoch
            assert len(event.originals) == len(event.reconstructions) == 64
            last = event
    assert list(positions) == [1, 2, 3]
    for eval_number, position in positions.items():
        assert eval_number / 3 <= position < eval_number / 3 + 8 / 72 + 1e-9
    assert last is not None
    reading_test = session.reading_test()
    session.close()
    assert np.array_equal(reading_test.reconstructions, last.reconstructions)
    assert (reading_test.epoch, reading_test.class_ids, reading_test.accuracy) == (1, (), None)


def test_readings_survive_a_restart_and_are_scored_when_complete(session: Session) -> None:
    class_ids = true_classes(session)
    for position, class_id in enumerate(class_ids[:20]):
        session.record_reading(1, position, [class_id])
    session.record_reading(1, 20, [None])
    assert session.reading_test().class_ids == (*class_ids[:20], None)
    session.close()
    resumed = lifecycle.resume("read")
    list(resumed.advance())
    assert resumed.reading_test().class_ids == (*class_ids[:20], None)
    assert resumed.reading_test().accuracy is None
    complete = resumed.record_reading(1, 21, class_ids[21:])
    assert complete.accuracy == pytest.approx(1 - 1 / len(class_ids))
    assert resumed.training_curves().finished_epochs[0].reading_accuracy == complete.accuracy
    assert session_status.load_status("read")["reading_accuracy"] == [complete.accuracy]
    resumed.close()


def test_earlier_start_discards_later_readings_and_the_score(session: Session) -> None:
    class_ids = true_classes(session)
    session.record_reading(1, 0, class_ids)
    assert session.reading_test().accuracy == 1.0
    reading_test = session.record_reading(1, len(class_ids) - 1, ())
    assert reading_test.class_ids == tuple(class_ids[:-1])
    assert session.reading_test().accuracy is None
    assert session.training_curves().finished_epochs[0].reading_accuracy is None
    assert session.record_reading(1, 0, ()).class_ids == ()


@pytest.mark.parametrize(("start", "count"), [(1, 1), (-1, 1), (0, 65)])
def test_start_past_the_next_image_and_too_many_readings_are_refused(session: Session, start: int, count: int) -> None:
    with pytest.raises(UserError, match="0 of 64 images are read"):
        session.record_reading(1, start, [3] * count)
    assert session.reading_test().class_ids == ()


def test_reading_test_before_the_first_epoch_ends_or_images_load_is_refused(digits: Path) -> None:
    session = create_session("early", digits)
    events = session.advance()
    with pytest.raises(UserError, match="There is no reading test before the first epoch ends"):
        session.reading_test()
    for event in events:
        if isinstance(event, EpochEnded):
            break
    assert len(session.reading_test().reconstructions) == 64
    events.close()
    session.close()
    resumed = lifecycle.resume("early")
    with pytest.raises(UserError, match="still being loaded"):
        resumed.reading_test()
    resumed.close()


def test_unfinished_reading_test_continues_after_another_epoch(session: Session) -> None:
    session.record_reading(1, 0, [3, 1])
    session.close_round()
    for event in session.advance():
        if isinstance(event, EpochEnded):
            break
    assert (session.reading_test().epoch, session.reading_test().class_ids) == (1, (3, 1))
    session.record_reading(1, 2, true_classes(session)[2:])
    assert session.reading_test().epoch == 2


def test_unknown_class_is_refused(session: Session) -> None:
    for class_id in (10, -1):
        with pytest.raises(UserError, match="Choose a class from 0 to 9"):
            session.record_reading(1, 0, [class_id])


def test_images_without_a_label_do_not_count_for_the_score(digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path / "partial")
    labels = read_idx_array(digits / "train-labels-idx1-ubyte", 1)
    write_idx(tmp_path / "partial/train-labels-idx1-ubyte", np.where(np.arange(len(labels)) % 2, labels, NO_LABEL))
    session = create_session("partial", tmp_path / "partial")
    list(session.advance())
    class_ids = true_classes(session)
    assert 0 < class_ids.count(NO_LABEL) < len(class_ids)
    readings = [None if class_id == NO_LABEL else class_id for class_id in class_ids]
    assert session.record_reading(1, 0, readings).accuracy == 1.0
    first_labelled = next(position for position, class_id in enumerate(class_ids) if class_id != NO_LABEL)
    readings[first_labelled] = None
    expected = 1 - 1 / (len(class_ids) - class_ids.count(NO_LABEL))
    assert session.record_reading(1, 0, readings).accuracy == pytest.approx(expected)
    session.close()


def test_reading_test_of_images_without_labels_is_refused(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/train-images-idx3-ubyte").write_bytes((digits / "train-images-idx3-ubyte").read_bytes())
    session = create_session("bare", tmp_path / "bare")
    list(session.advance())
    with pytest.raises(UserError, match="no true labels"):
        session.reading_test()
    session.close()
