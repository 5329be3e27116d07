"""The answers of all rounds, with the pictures of their clusters."""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import groupby

from vaetui.engine.events import Event, HistoryEntry, HistoryLoaded, Notice, Progress
from vaetui.session.labelling_round import LabellingRound
from vaetui.storage.artifact_store import ArtifactLostError
from vaetui.storage.repository import SessionRepository


def load_answer_history(
    repository: SessionRepository, load_round: Callable[[int], LabellingRound]
) -> Generator[Event, None, None]:
    """Load the answers in force of all rounds; the last event holds them in the order of entry.

    Answers of a round whose file is lost are left out, with a Notice.
    """
    records = sorted(repository.list_effective_answers(), key=lambda record: record.round_number)
    answers_by_round = {number: list(group) for number, group in groupby(records, lambda record: record.round_number)}
    entries: list[tuple[int, HistoryEntry]] = []
    for position, (round_number, answers) in enumerate(answers_by_round.items()):
        yield Progress("loading the answers", position, len(answers_by_round))
        try:
            labelling_round = load_round(round_number)
        except ArtifactLostError as error:
            yield Notice(f"The answers of round {round_number} are not shown. {error}")
            continue
        for record in answers:
            answer = labelling_round.answers.get(record.path)
            if answer is None:
                continue  # removed since the query
            cluster = labelling_round.find_cluster(record.path)
            size, picture = len(cluster.members), cluster.centre_image
            entry = HistoryEntry(round_number, record.path, answer, size, picture, record.created_at)
            entries.append((record.id, entry))
    entries.sort(key=lambda item: item[0])
    yield HistoryLoaded(tuple(entry for _, entry in entries))
