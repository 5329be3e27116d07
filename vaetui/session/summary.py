"""What a session came to, read without the right to write; it does not know the command that prints it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from vaetui.engine.config import total_epochs
from vaetui.engine.metrics import Agreement
from vaetui.errors import Trouble
from vaetui.session import schedule
from vaetui.session.label_propagator import Spreading
from vaetui.session.labelling_round import Labelling
from vaetui.session.model_agreement import agreements
from vaetui.session.views import Summary
from vaetui.storage import control_files, file_names, locations, lock, round_snapshots, untrusted
from vaetui.storage.artifact_store import Lost, Vault
from vaetui.storage.repository import Facts
from vaetui.storage.round_snapshots import Found

PAUSE = 120.0
"""Seconds between two answers that count as work; a longer gap was a pause."""


def show(name: str) -> dict[str, Any]:
    """Tell state, round, figures, answers and coverage of a session, also while another process trains it.

    Raises Trouble for an unknown name.
    """
    directory = locations.find(name)
    untrusted.refuse_strange(directory)
    facts = Facts(directory)
    try:
        config, classes, epochs = facts.config, facts.classes(), facts.epochs()
        holder = lock.holder(directory)
        step = schedule.next_step(config.training, facts)
        told: dict[str, Any] = {
            "name": name,
            "directory": str(directory),
            "phase": schedule.phase(step),
            "detached": holder is not None and holder.detached,
            "failure": None if holder else control_files.failure(directory),
            "recipe": config.recipe,
            "seed": config.seed,
            "data": facts.data,
            "classes": classes.names,
            "aliases": classes.aliases,
            "created": facts.created,
            "epoch": len(epochs),
            "epochs": total_epochs(config.training),
            "round": len(facts.rounds()),
            "rounds": config.training.rounds,
            "answers": facts.answers(),
            "answered": None,
            "centres": None,
            "covered": epochs[-1].covered if epochs else 0.0,
            "test_accuracy": [ended.test_accuracy for ended in epochs],
            "pixel_accuracy": [ended.pixel_accuracy for ended in epochs],
            "reading_accuracy": [ended.reading_accuracy for ended in epochs],
            "changed": [ended.changed for ended in epochs],
            "expected": [ended.trusted for ended in epochs],
            "losses": [ended.losses._asdict() for ended in epochs],
            "training_seconds": sum(seconds for *_, seconds in facts.figures()),
            "labelling_seconds": labelling_seconds(facts),
        }
        if step == "ask":
            board = Labelling(Vault(directory, facts), facts, config, len(facts.rounds())).board()
            told |= {"answered": board.answered, "centres": board.total, "covered": board.covered}
        return told
    finally:
        facts.close()


def calibration(name: str) -> list[dict[str, Any]]:
    """Tell how far the answers of each round that is over agree with the classifier that had not heard them.

    A round whose files are damaged ends the list. Raises Trouble for an unknown name.
    """
    directory = locations.find(name)
    untrusted.refuse_strange(directory)
    facts, found = Facts(directory), []
    try:
        vault, config = Vault(directory, facts), facts.config
        spreading = Spreading(facts, partial(Labelling, vault, facts, config))
        with suppress(Trouble):
            for number, told in agreements(vault, facts, spreading):
                found.append({"round": number, **asdict(told)})
    finally:
        facts.close()
    return found


def summarise(vault: Vault, facts: Facts, spreading: Spreading) -> Summary:
    """Show what a finished run came to."""
    config = facts.config
    rounds = facts.rounds()
    epochs = facts.epochs()
    images: tuple[tuple[int, int], ...] = ()
    agreed: tuple[tuple[int, Agreement], ...] = ()
    if rounds:
        classes, last = facts.classes(), Labelling(vault, facts, config, rounds[-1][0])
        said, agreed = spreading.said(config, last.round), tuple(agreements(vault, facts, spreading))
        found = last.photograph.predicted
        if facts.stamp(file_names.found(len(epochs))):
            with suppress(Lost):
                found = round_snapshots.load(vault, file_names.found(len(epochs)), Found).predicted
        found = np.array(classes.roots)[found]
        counts = np.bincount(np.where(said.weights > 0, said.labels, found), minlength=len(classes))
        images = tuple((kind, int(counts[kind])) for kind in classes.offered)
    return Summary(
        images,
        epochs[-1].covered if epochs else 0.0,
        facts.answers(),
        sum(seconds for *_, seconds in facts.figures()),
        labelling_seconds(facts),
        agreed,
    )


def labelling_seconds(facts: Facts) -> float:
    """Add up the time between sight of a round, its answers and its end, in seconds; pauses count two minutes."""
    total = 0.0
    for round, begun, ended in facts.rounds():
        moments = [begun, *facts.times(round), *([ended] if ended is not None else [])]
        total += float(np.clip(np.diff(moments), 0, PAUSE).sum())
    return total
