"""A session run with scripted answers, for tests and as a program that tests kill.

`python -m tests.session.scripted_run SESSION` continues a session to its end and prints every step.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.idx import shuffle_train_labels
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained
from vaetui.engine.recipes import get_recipe
from vaetui.session import lifecycle, trainer
from vaetui.session.data_digests import compute_data_digests
from vaetui.session.dataset_location import locate_session_files
from vaetui.session.session import Session
from vaetui.storage import file_names, locations, tensors
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

CHANNELS = (8, 16)
"""Tiny networks train in a fraction of a second."""
SMALL_CONFIG = Config(
    cluster=replace(Config().cluster, clusters=5),
    network=replace(Config().network, channels=CHANNELS),
    training=replace(Config().training, rounds=2),
    threads=1,
)
"""Three epochs and two rounds of five clusters."""
PROPAGATION_CONFIG = replace(
    get_recipe("propagation"),
    cluster=replace(get_recipe("propagation").cluster, clusters=5, clusters_per_class=0.0),
    network=replace(get_recipe("propagation").network, channels=CHANNELS),
    training=replace(get_recipe("propagation").training, warmup_epochs=1, rounds=2, batch_size=64, min_batches=1),
    threads=1,
)
"""The same size with graph propagation."""


def create_session(name: str, data: Path, config: Config = SMALL_CONFIG) -> Session:
    """Create a session without classes or import record."""
    return lifecycle.create(name, str(data), config)


def start_labelling(name: str, data: Path) -> None:
    """Create a session that waits for answers, with one answer recorded."""
    session = create_session(name, data)
    list(session.advance())
    session.record_answer((1,), ClassAnswer(6))
    session.close()


def create_with_scrambled_labels(name: str, data: Path, config: Config = SMALL_CONFIG) -> Session:
    """Create a session and shuffle the training labels after the train-validation split is recorded.

    Their digest is recorded anew, or the session would not use them.
    """
    session = create_session(name, data, config)
    stop_within_epoch(session)
    session.close()
    shuffle_train_labels(data)
    with closing(SessionRepository(session.directory, is_writable=True)) as repository:
        repository.record_data_digests(compute_data_digests(locate_session_files(repository)))
    return lifecycle.resume(name)


def stop_within_epoch(session: Session) -> None:
    """Train until the networks have learned some batches of an epoch, and save."""
    events = session.advance()
    while not isinstance(next(events), BatchesTrained):
        pass
    events.close()


def answer_round(session: Session) -> Iterator[str]:
    """Split the first cluster and answer all others, from any state of the round; yield each step before it is done."""
    while True:
        view = session.round_view()
        if view.clusters[0].answer is None:
            yield "split 0"
            list(session.split_cluster((0,), 3))
            continue
        open_paths = [cluster.path for cluster in view.clusters if cluster.answer is None]
        if not open_paths:
            return
        path = open_paths[0]
        yield f"answer {path}"
        session.record_answer(path, Unreadable() if path == (3,) else ClassAnswer(sum(path) % 10, 0.9))


def run_to_end(session: Session) -> Iterator[str]:
    """Run a session to its end from any state; yield the name of each event and each step before it is done."""
    while True:
        for event in session.advance():
            yield type(event).__name__
        if session.phase == "finished":
            return
        yield from answer_round(session)
        yield "finish round"
        session.close_round()


def session_digest(name: str) -> str:
    """Return a digest of the newest checkpoint and all round snapshots of a session."""
    directory = locations.find_session(name)
    repository = SessionRepository(directory)
    newest, store = repository.list_checkpoints()[0], ArtifactStore(directory, repository)
    arrays = tensors.decode_safetensors((directory / file_names.checkpoint_name(*newest)).read_bytes())
    digest = hashlib.sha256(repr(newest).encode())
    for key, array in sorted(arrays.items()):
        digest.update(key.encode() + array.tobytes())
    for round_number, *_ in repository.list_rounds():
        digest.update(store.read(file_names.round_snapshot_name(round_number), 1 << 30))
    repository.close()
    return digest.hexdigest()


def list_answers(name: str) -> list[tuple[int, tuple[int, ...], str]]:
    """Return (round, path, answer) of all effective answer records of a session."""
    repository = SessionRepository(locations.find_session(name))
    answers = [
        (round_number, record.path, repr(record.answer))
        for round_number, *_ in repository.list_rounds()
        for record in repository.list_answers(round_number)
    ]
    repository.close()
    return answers


def main(name: str) -> None:
    """Continue a session to its end and print each step."""
    trainer.CHECKPOINT_INTERVAL_S = 0.0  # save at every training event, so that even small epochs have checkpoints
    session = lifecycle.resume(name)
    for step in run_to_end(session):
        print(step, flush=True)
    session.close()
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
