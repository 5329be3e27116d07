"""Test the review with real sessions: what is accepted is stored, exported and undone, and survives SIGKILL."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing

import pytest

from tests.session_templates import SessionTemplates
from tests.terminal import ScriptedTerminal
from tests.tui.harness import press_slowly, prompt_text, screen_text, settle, wait_for_screen, wait_until
from vaetui.session import lifecycle
from vaetui.session.image_answers import load_image_labels
from vaetui.session.session import Session
from vaetui.session.session_reader import SessionReader
from vaetui.tui.app import VaetuiApp
from vaetui.tui.screens.border import BorderScreen
from vaetui.tui.screens.pair import PairScreen
from vaetui.tui.screens.review import ReviewScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.widgets import image_page_view
from vaetui.tui.widgets.image_page_view import MIN_LOOK_S

pytestmark = pytest.mark.usefixtures("home")
TIMEOUT_S = 120


def list_image_labels(session: Session) -> dict[int, int]:
    """Return the class of every image that has an answer of its own."""
    labels = load_image_labels(session._repository, session._store)
    return dict(zip(labels.image_indices.tolist(), labels.class_ids.tolist(), strict=True))


async def test_page_of_a_finished_run_is_stored_exported_and_undone(
    templates: SessionTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_page_view, "MIN_LOOK_S", 0.0)
    templates.copy("finished", "real")
    session = lifecycle.resume("real")
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(
            pilot, lambda: isinstance(app.screen, SummaryScreen) and not app.event_worker.is_busy, TIMEOUT_S
        )
        await pilot.press("w")
        await wait_for_screen(pilot, ReviewScreen)
        await wait_until(pilot, lambda: "Image 1 of 8" in prompt_text(app.screen), TIMEOUT_S)
        screen = app.screen
        assert isinstance(screen, ReviewScreen)
        images = screen.presenter.shown_images
        label, other = images[0].label_class_id, (images[0].label_class_id + 1) % 10
        assert {image.label_class_id for image in images} == {label}
        await press_slowly(pilot, str(other), "enter")
        expected = {image.image_index: label for image in images} | {images[0].image_index: other}
        assert list_image_labels(session) == expected
        assert "last page: 1 of 8 changed" in screen_text(app)
        assert not {image.image_index for image in screen.presenter.shown_images} & set(expected)
        await press_slowly(pilot, "u")
        assert list_image_labels(session) == {}
        assert [image.image_index for image in screen.presenter.shown_images] == [image.image_index for image in images]
        await press_slowly(pilot, "ctrl+r")
        assert list_image_labels(session) == expected
        await press_slowly(pilot, "p")
        assert isinstance(app.screen, PairScreen)
        await press_slowly(pilot, "escape", "b")
        assert isinstance(app.screen, BorderScreen)
        await press_slowly(pilot, "n", "escape", "escape")
        await settle(pilot)
        assert isinstance(app.screen, SummaryScreen)
        assert list_image_labels(session) == expected
    session.close()
    with SessionReader("real") as reader:
        labels = reader.labels()
    rows = labels.rows.tolist()
    for image_index, class_id in expected.items():
        row = rows.index(image_index)
        assert labels.class_ids[row] == class_id
        assert labels.sources[row] == "answer"


@pytest.mark.slow
@pytest.mark.parametrize("is_marking", [False, True], ids=["between pages", "in the middle of a page"])
def test_accepted_pages_survive_sigkill(templates: SessionTemplates, is_marking: bool) -> None:
    templates.copy("finished", "killed")
    terminal = ScriptedTerminal(["-m", "vaetui", "resume", "killed"])
    terminal.wait_for_text("finished: ")
    terminal.wait_until_quiet()
    terminal.send(b"w")
    terminal.wait_for_text("Image 1 of 8")
    for page in range(3):
        time.sleep(2 * MIN_LOOK_S)
        terminal.send(b".\r")
        terminal.wait_for_text(f"page {page + 2} of")
        terminal.wait_for_text("Saved: 8 images")
    if is_marking:
        terminal.send(b". ")
        terminal.wait_for_text("1 marked image")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.close()
    with closing(lifecycle.resume("killed")) as session:
        list(session.advance())
        list(session.load_labelling())
        progress = session.reviews.progress()
        assert (progress.pages, progress.shown) == (3, 24)
        assert len(list_image_labels(session)) == 24
        for _ in range(3):
            assert session.undo() is not None
        assert list_image_labels(session) == {}
        assert session.undo() is None
