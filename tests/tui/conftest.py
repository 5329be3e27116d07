"""Fixtures of the tests of the Textual front end."""

from __future__ import annotations

import pytest


@pytest.fixture
def fast_keys() -> None:
    """Keys act at any speed; this fixture changes nothing and is no longer needed."""
