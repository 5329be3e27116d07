"""Drives a session by a fixed script of answers: as a helper of tests, and as a program that can be killed.

python -m tests.session.scripted_run SESSION runs it to the end, however it was left, and prints what it does.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.idx import shuffle_train_labels
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained
from vaetui.engine.recipes import get_recipe
from vaetui.session import lifecycle, trainer
from vaetui.session.session import Session
from vaetui.storage import file_names, locations, tensors
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository

SMALL_CONFIG = Config(
    cluster=replace(Config().cluster, clusters=5),
    training=replace(Config().training, rounds=2),
    threads=1,
)
"""Three epochs and two rounds of five clusters."""
PROPAGATION_CONFIG = replace(
    get_recipe("propagation"),
    cluster=replace(get_recipe("propagation").cluster, clusters=5),
    training=replace(get_recipe("propagation").training, rounds=2, batch_size=64, min_batches=1),
    threads=1,
)
"""The same, with answers that spread from neighbour to neighbour."""


def answer_round(session: Session) -> Iterator[str]:
    """Split the first cluster and answer everything, from wherever the round stands; tells each act before it."""
    while True:
        board = session.round_view()
        if board.clusters[0].answer is None:
            yield "split 0"
            list(session.split((0,), 3))
            continue
        opened = [tile for tile in board.clusters if tile.answer is None]
        if not opened:
            return
        tile = opened[0]
        yield f"answer {tile.path}"
        if tile.path == (3,):
            session.answer(tile.path, Unreadable())
        else:
            session.answer(tile.path, ClassAnswer(sum(tile.path) % 10, 0.9))


def run_to_end(session: Session) -> Iterator[str]:
    """Run a session to its end and tell each act before it is done."""
    while True:
        for event in session.advance():
            yield type(event).__name__
        if session.phase == "finished":
            return
        yield from answer_round(session)
        yield "go on"
        session.finish_round()


def session_digest(name: str) -> str:
    """Give a digest of all that a session has learned, and of what was measured and said."""
    directory = locations.find_session(name)
    facts = SessionRepository(directory)
    newest, vault = facts.list_checkpoints()[0], ArtifactStore(directory, facts)
    arrays = tensors.from_bytes((directory / file_names.checkpoint_name(*newest)).read_bytes())
    digest = hashlib.sha256(repr(newest).encode())
    for key, array in sorted(arrays.items()):
        digest.update(key.encode() + array.tobytes())
    for number, *_ in facts.list_rounds():
        digest.update(vault.read(file_names.round_snapshot_name(number), 1 << 30))
    facts.close()
    return digest.hexdigest()


def list_answers(name: str) -> list[tuple[int, tuple[int, ...], str]]:
    """List what stands in each round of a session."""
    facts = SessionRepository(locations.find_session(name))
    listed = [
        (round, it.path, repr(it.answer)) for round, *_ in facts.list_rounds() for it in facts.list_answers(round)
    ]
    facts.close()
    return listed


def main(name: str) -> None:
    trainer.CHECKPOINT_INTERVAL_S = 0.0  # a checkpoint at every report, so that small epochs have some in their middle
    opened = lifecycle.resume(name)
    for act in run_to_end(opened):
        print(act, flush=True)
    opened.close()
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])


def create_with_scrambled_labels(name: str, data: Path, config: Config = SMALL_CONFIG) -> Session:
    """Make a session whose training images get each other's labels once the division is drawn and kept."""
    session = create_session(name, data, config)
    beginning = session.advance()
    while not isinstance(next(beginning), BatchesTrained):
        pass
    beginning.close()
    session.close()
    shuffle_train_labels(data)
    return lifecycle.resume(name)


def create_session(name: str, data: Path, config: Config = SMALL_CONFIG) -> Session:
    return lifecycle.create(name, str(data), config)


def start_labelling(name: str, data: Path) -> None:
    """Create a session that waits for answers, and record one."""
    session = create_session(name, data)
    list(session.advance())
    session.answer((1,), ClassAnswer(6))
    session.close()
