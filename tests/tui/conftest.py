"""Fixtures of the tests of the Textual front end."""

from __future__ import annotations

import pytest

from vaetui.tui.app import VaetuiApp


@pytest.fixture
def fast_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the burst guard accept keys at any speed."""
    monkeypatch.setattr(VaetuiApp, "MIN_KEY_GAP_S", 0)
