"""What a session came to, read without the right to write; it does not know the command that prints it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from vaetui.engine.config import count_epochs
from vaetui.engine.metrics import Agreement
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.model_agreement import round_agreements
from vaetui.session.views import Summary
from vaetui.storage import control_files, file_names, locations, lock, round_snapshots, untrusted
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import EpochPredictions

MAX_PAUSE_S = 120.0
"""Seconds between two answers that count as work; a longer gap was a pause."""


def load_status(name: str) -> dict[str, Any]:
    """Tell state, round, figures, answers and coverage of a session, also while another process trains it.

    Raises Trouble for an unknown name.
    """
    directory = locations.find_session(name)
    untrusted.refuse_untrusted_entries(directory)
    facts = SessionRepository(directory)
    try:
        config, classes, epochs = facts.config, facts.load_class_list(), facts.list_epochs()
        holder = lock.read_holder(directory)
        step = schedule.next_step(config.training, facts)
        told: dict[str, Any] = {
            "name": name,
            "directory": str(directory),
            "phase": schedule.phase_for_step(step),
            "detached": holder is not None and holder.is_detached,
            "failure": None if holder else control_files.read_failure(directory),
            "recipe": config.recipe,
            "seed": config.seed,
            "data": facts.data_source,
            "classes": classes.names,
            "aliases": classes.aliases,
            "created": facts.created_at,
            "epoch": len(epochs),
            "epochs": count_epochs(config.training),
            "round": len(facts.list_rounds()),
            "rounds": config.training.rounds,
            "answers": facts.count_answers(),
            "answered_clusters": None,
            "clusters": None,
            "label_coverage": epochs[-1].label_coverage if epochs else 0.0,
            "test_accuracy": [ended.test_accuracy for ended in epochs],
            "pixel_accuracy": [ended.pixel_accuracy for ended in epochs],
            "reading_accuracy": [ended.reading_accuracy for ended in epochs],
            "prediction_churn": [ended.prediction_churn for ended in epochs],
            "mean_confidence": [ended.reliable_confidence for ended in epochs],
            "losses": [ended.losses._asdict() for ended in epochs],
            "training_seconds": sum(seconds for *_, seconds in facts.list_losses()),
            "labelling_seconds": measure_labelling_seconds(facts),
        }
        if step == "ask":
            board = LabellingRound(
                ArtifactStore(directory, facts), facts, config, len(facts.list_rounds())
            ).round_view()
            told |= {
                "answered_clusters": board.answered_leaf_count,
                "clusters": board.leaf_count,
                "label_coverage": board.label_coverage,
            }
        return told
    finally:
        facts.close()


def load_agreements(name: str) -> list[dict[str, Any]]:
    """Tell how far the answers of each round that is over agree with the classifier that had not heard them.

    A round whose files are damaged ends the list. Raises Trouble for an unknown name.
    """
    directory = locations.find_session(name)
    untrusted.refuse_untrusted_entries(directory)
    facts, found = SessionRepository(directory), []
    try:
        vault, config = ArtifactStore(directory, facts), facts.config
        spreading = LabelPropagator(facts, partial(LabellingRound, vault, facts, config))
        with suppress(UserError):
            for number, told in round_agreements(vault, facts, spreading):
                found.append({"round": number, **asdict(told)})
    finally:
        facts.close()
    return found


def build_summary(store: ArtifactStore, repository: SessionRepository, propagator: LabelPropagator) -> Summary:
    """Show what a finished run came to."""
    config = repository.config
    rounds = repository.list_rounds()
    epochs = repository.list_epochs()
    images: tuple[tuple[int, int], ...] = ()
    agreed: tuple[tuple[int, Agreement], ...] = ()
    if rounds:
        classes, last = repository.load_class_list(), LabellingRound(store, repository, config, rounds[-1][0])
        said, agreed = (
            propagator.direct_labels(config, last.round_number),
            tuple(round_agreements(store, repository, propagator)),
        )
        found = last.snapshot.predicted_class_ids
        if repository.find_fingerprint(file_names.predictions_name(len(epochs))):
            with suppress(ArtifactLostError):
                found = round_snapshots.load(
                    store, file_names.predictions_name(len(epochs)), EpochPredictions
                ).class_ids
        found = np.array(classes.canonical)[found]
        counts = np.bincount(np.where(said.weights > 0, said.class_ids, found), minlength=len(classes))
        images = tuple((kind, int(counts[kind])) for kind in classes.active)
    return Summary(
        images,
        epochs[-1].label_coverage if epochs else 0.0,
        repository.count_answers(),
        sum(seconds for *_, seconds in repository.list_losses()),
        measure_labelling_seconds(repository),
        agreed,
    )


def measure_labelling_seconds(repository: SessionRepository) -> float:
    """Add up the time between sight of a round, its answers and its end, in seconds; pauses count two minutes."""
    total = 0.0
    for round, begun, ended in repository.list_rounds():
        moments = [begun, *repository.list_action_times(round), *([ended] if ended is not None else [])]
        total += float(np.clip(np.diff(moments), 0, MAX_PAUSE_S).sum())
    return total
