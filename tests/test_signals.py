"""Tests of the shutdown signals."""

from __future__ import annotations

import signal

import pytest

from vaetui.signals import ShutdownRequested, ShutdownSignals


def test_signal_is_recorded_and_the_previous_handler_restored() -> None:
    previous = signal.getsignal(signal.SIGTERM)
    with ShutdownSignals() as signals:
        signal.raise_signal(signal.SIGTERM)
        assert signals.signal_number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is previous


def test_interruptible_program_is_interrupted_only_once() -> None:
    with ShutdownSignals() as signals:
        signals.is_interruptible = True
        with pytest.raises(ShutdownRequested):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert signals.signal_number == signal.SIGINT


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the platform has no SIGHUP")
def test_hangup_is_ignored_on_request() -> None:
    with ShutdownSignals() as signals:
        signals.ignores_hangup = True
        signal.raise_signal(signal.SIGHUP)
        assert signals.signal_number == 0
