"""Test the app and the plain dialogue with a real session that trains on vectors."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from tests.tui.harness import prompt_text, screen_text, wait_until
from tests.vectors import create_session_with_features
from vaetui.engine.answers import NearestImageAnswer
from vaetui.tui.app import VaetuiApp
from vaetui.tui.plain.dialogue import PlainDialogue
from vaetui.tui.screens.labelling import LabellingScreen
from vaetui.tui.screens.summary import SummaryScreen
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.member_grid import MemberGrid

TIMEOUT_S = 120
"""Time for one phase on a busy machine."""


@pytest.mark.usefixtures("home")
async def test_nearest_images_are_shown_named_and_end_in_a_summary(digits: Path, tmp_path: Path) -> None:
    session = create_session_with_features("vectors", digits, tmp_path / "vectors.npy")
    app = VaetuiApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(
            pilot, lambda: isinstance(app.screen, LabellingScreen) and not app.event_worker.is_busy, TIMEOUT_S
        )
        (nearest,) = session.member_images((0,), "nearest", 1)
        assert np.array_equal(app.screen.query_one(FramedImage).shown_images[0], nearest)
        mean = session.round_view().clusters[0].mean_picture
        assert mean is not None
        assert np.array_equal(app.screen.query_one(MemberGrid).shown_images[0], mean)
        await pilot.press("3", "o")
        assert 'Saved: nearest image of cluster 0 = "3"' in prompt_text(app.screen)
        answer = session.round_view().clusters[0].answer
        assert isinstance(answer, NearestImageAnswer)
        assert np.array_equal(session.select_images([answer.image_index])[0], nearest)
        await pilot.press("o", "4", "u")
        assert "Undid: answer for the nearest image of cluster 1" in prompt_text(app.screen)
        await pilot.press("1", "enter", "g", "g")
        await wait_until(
            pilot, lambda: isinstance(app.screen, LabellingScreen) and session.round_number == 2, TIMEOUT_S
        )
        await pilot.press("2", "enter", "g", "g")
        await wait_until(
            pilot, lambda: isinstance(app.screen, SummaryScreen) and not app.event_worker.is_busy, TIMEOUT_S
        )
        text = screen_text(app)
        assert "pixels" not in text
        assert "reading test" not in text
    session.close()


@pytest.mark.usefixtures("home")
def test_plain_dialogue_names_the_nearest_image_and_shows_the_mean(digits: Path, tmp_path: Path) -> None:
    session = create_session_with_features("vectors", digits, tmp_path / "vectors.npy")
    lines: list[str] = []
    PlainDialogue(session, io.StringIO("m\nonly 3\nhistory\n"), lines.append).run()
    assert any(line.startswith("Cluster 0, mean ") for line in lines)
    assert "Nearest image:" in lines
    assert 'Saved: nearest image of cluster 0 = "3"' in lines
    assert any(line.startswith("  round 1, cluster 0: 3, nearest image alone, ") for line in lines)
    assert not any(line.startswith("Most similar cluster") for line in lines)
    session.close()
