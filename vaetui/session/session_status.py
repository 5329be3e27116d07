"""Status, agreements and summary of a session, read without a lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from vaetui.engine.answers import ImageAnswerOrigin, Unreadable
from vaetui.engine.config import count_epochs, find_current_epoch
from vaetui.engine.metrics import Agreement
from vaetui.errors import UserError
from vaetui.session import schedule, session_users
from vaetui.session.feature_advice import advise_for_answers
from vaetui.session.graph_disagreement import measure_disagreement
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.learned_classes import find_learned_class_ids, find_unanswered_class_ids
from vaetui.session.metric_history import drop_unreliable_estimates
from vaetui.session.model_agreement import measure_round_agreements
from vaetui.session.stored_audits import load_results
from vaetui.session.views import Summary
from vaetui.storage import (
    control_files,
    file_names,
    locations,
    stored_arrays,
    untrusted_entries,
)
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions

MAX_PAUSE_S = 120.0
"""Longest gap between two answers that counts as labelling time. Longer gaps count as this many seconds."""


def load_status(name: str) -> dict[str, Any]:
    """Return state, metrics and answer counts of a session as JSON values, even while another process trains it.

    Raises UserError for an unknown name.
    """
    directory = locations.find_session(name)
    untrusted_entries.refuse_untrusted_entries(directory)
    with closing(SessionRepository(directory)) as repository:
        config, classes = repository.config, repository.load_class_list()
        epoch_events = list(drop_unreliable_estimates(config, repository, repository.list_epochs()))
        rounds, users = repository.list_rounds(), session_users.find_users(directory)
        holder, run = users.holder, users.training_run
        step = schedule.next_step(config.training, repository)
        next_round = schedule.next_round_number(config.training, repository)
        status: dict[str, Any] = {
            "name": name,
            "directory": str(directory),
            "phase": schedule.phase_for_step(step),
            "detached": holder is not None and holder.is_detached,
            "training_run": None if run is None else asdict(run),
            "failure": None if holder or run else control_files.read_failure(directory),
            "recipe": config.recipe,
            "seed": config.seed,
            "data": repository.data_source,
            "features": None if (features := repository.data_record.features) is None else asdict(features),
            "import": dict(repository.data_record.import_lines),
            "classes": classes.names,
            "aliases": classes.aliases,
            "created": repository.created_at,
            "epoch": len(epoch_events),
            "epochs": count_epochs(config.training),
            "current_epoch": find_current_epoch(config.training, len(epoch_events), next_round),
            "round": len(rounds),
            "rounds": config.training.rounds,
            "next_round": next_round or None,
            "answers": repository.count_answers(),
            "image_answers": describe_image_answers(repository),
            "answered_clusters": None,
            "clusters": None,
            "unanswered_classes": [classes.names[class_id] for class_id in find_unanswered_class_ids(repository)],
            "test_accuracy": [event.test_accuracy for event in epoch_events],
            "pixel_accuracy": [event.pixel_accuracy for event in epoch_events],
            "reading_accuracy": [event.reading_accuracy for event in epoch_events],
            "prediction_churn": [event.prediction_churn for event in epoch_events],
            "mean_confidence": [event.reliable_confidence for event in epoch_events],
            "expected_accuracy": [event.expected_accuracy for event in epoch_events],
            "disagreement": _describe_disagreement(repository, directory, len(epoch_events), classes.names),
            "audits": [result.to_dict() for result in load_results(repository)],
            "losses": [event.losses._asdict() for event in epoch_events],
            "training_seconds": sum(seconds for *_, seconds in repository.list_losses()),
            "labelling_seconds": measure_labelling_seconds(repository),
        }
        if step == "ask":
            view = LabellingRound(
                ArtifactStore(directory, repository), repository, config, len(rounds)
            ).build_round_view()
            status |= {"answered_clusters": view.answered_leaf_count, "clusters": view.leaf_count}
        return status


def load_agreements(name: str) -> list[dict[str, Any]]:
    """Return the agreement of each finished round with the classifier's earlier predictions.

    The list ends before the first damaged round.

    Raises UserError for an unknown name.
    """
    directory = locations.find_session(name)
    untrusted_entries.refuse_untrusted_entries(directory)
    agreements: list[dict[str, Any]] = []
    with closing(SessionRepository(directory)) as repository:
        store = ArtifactStore(directory, repository)
        propagator = LabelPropagator(repository, store, partial(LabellingRound, store, repository, repository.config))
        with suppress(UserError):
            for round_number, agreement in measure_round_agreements(store, repository, propagator):
                agreements.append({"round": round_number, **asdict(agreement)})
    return agreements


def _describe_disagreement(
    repository: SessionRepository, directory: Path, epoch: int, class_names: Sequence[str]
) -> dict[str, Any] | None:
    """Return share and pairs of the images on which classifier and graph differ; None if it is not measured."""
    disagreement = measure_disagreement(ArtifactStore(directory, repository), repository, epoch) if epoch else None
    if disagreement is None or find_unanswered_class_ids(repository):
        return None
    return {
        "share": disagreement.share,
        "pairs": [
            {"classes": [class_names[first], class_names[second]], "images": count}
            for first, second, count in disagreement.pairs
        ],
    }


def describe_image_answers(repository: SessionRepository) -> dict[str, int]:
    """Return the number of images with an answer of their own in force, in all and by where it was given.

    "corrected" are those whose answer differs from the label that was shown, "beyond_borders" those that lost their
    label beyond the border of a class.
    """
    records = repository.list_image_answers()
    origins = Counter(record.origin for record in records)
    return {
        "images": len(records),
        **{origin: origins[origin] for origin in get_args(ImageAnswerOrigin)},
        "corrected": sum(record.image.shown_class_id is not None and not record.is_accepted for record in records),
        "unreadable": sum(isinstance(record.image.answer, Unreadable) for record in records),
        "beyond_borders": sum(border.image_count for border in repository.list_borders()),
    }


def build_summary(store: ArtifactStore, repository: SessionRepository, propagator: LabelPropagator) -> Summary:
    """Return the result of a finished run."""
    config = repository.config
    rounds, epoch_events = repository.list_rounds(), repository.list_epochs()
    class_counts: tuple[tuple[int, int], ...] = ()
    agreements: tuple[tuple[int, Agreement], ...] = ()
    if rounds:
        last_round = repository.find_last_answered_round() or len(rounds)  # as in an export
        classes = repository.load_class_list()
        direct_labels = propagator.label_from_answers(config, last_round)
        agreements = tuple(measure_round_agreements(store, repository, propagator))
        predicted_class_ids, name = None, file_names.predictions_name(len(epoch_events))
        if repository.find_fingerprint(name):
            with suppress(ArtifactLostError):
                predicted_class_ids = stored_arrays.load_arrays(store, name, EpochPredictions).class_ids
        if predicted_class_ids is None:  # the snapshot of a round is many times larger
            predicted_class_ids = LabellingRound(store, repository, config, len(rounds)).snapshot.predicted_class_ids
        predicted_class_ids = np.array(classes.canonical)[predicted_class_ids]
        is_answered = direct_labels.weights > 0
        learned_ids = find_learned_class_ids(config, repository, len(epoch_events))
        class_ids = np.where(is_answered, direct_labels.class_ids, predicted_class_ids)
        is_counted = is_answered | np.isin(predicted_class_ids, learned_ids)
        is_counted &= ~propagator.find_unlabelled_images(config, last_round, class_ids)
        counts = np.bincount(class_ids[is_counted], minlength=len(classes))
        class_counts = tuple((class_id, int(counts[class_id])) for class_id in classes.active_ids)
    return Summary(
        class_counts=class_counts,
        unanswered_class_ids=find_unanswered_class_ids(repository),
        answer_count=repository.count_answers(),
        training_seconds=sum(seconds for *_, seconds in repository.list_losses()),
        labelling_seconds=measure_labelling_seconds(repository),
        agreements=agreements,
        advice=advise_for_answers(
            [
                record.answer
                for record in repository.list_effective_answers()
                if record.round_number == 1 and len(record.path) == 1
            ],
            has_features=config.network.inputs == "vectors",
        ),
    )


def measure_labelling_seconds(repository: SessionRepository) -> float:
    """Return the seconds between start, actions and end of all rounds; each gap counts at most `MAX_PAUSE_S`."""
    total = 0.0
    for round_number, started_at, ended_at in repository.list_rounds():
        times = [started_at, *repository.list_action_times(round_number), *([] if ended_at is None else [ended_at])]
        total += float(np.clip(np.diff(times), 0, MAX_PAUSE_S).sum())
    return total
