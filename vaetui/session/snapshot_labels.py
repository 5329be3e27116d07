"""One label per image of a session as it is now, without its lock."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from vaetui.engine.device_inputs import put_on_device
from vaetui.engine.devices import replace_unavailable
from vaetui.engine.events import Event, Loading
from vaetui.engine.inference import Predictions, encode_and_classify
from vaetui.errors import UserError
from vaetui.export.label_table import LabelTable
from vaetui.session import final_labels
from vaetui.session.data_split import SessionImages, load_images
from vaetui.session.dataset_location import locate_session_files
from vaetui.session.labelling import Labelling, LabellingLoader
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.thread_placement import ThreadPlacement


def label_images(
    snapshot: SessionSnapshot, images: SessionImages | None = None, labelling: Labelling | None = None
) -> Generator[Event, None, LabelTable]:
    """Return one label per image: from the answers of all rounds, else from the classifier if it has learned.

    `images` are those of the session, and `labelling` is its newest one, if they are loaded already. Raises
    NoLabelsError if no cluster has an answer yet, and UserError for missing or changed images and for files that are
    lost.
    """
    if labelling is None:
        labelling = yield from load_labelling(snapshot, images)
    return labelling.label_table


def load_labelling(snapshot: SessionSnapshot, images: SessionImages | None = None) -> Generator[Event, None, Labelling]:
    """Return the labelling of a session as it is in the snapshot; see `label_images`."""
    final_labels.require_answered_round(snapshot.repository, snapshot.name)
    if snapshot.has_lost_training:
        raise UserError(
            f"The newest checkpoints of {snapshot.name} are damaged. Repeat their training with: "
            f"vaetui resume {snapshot.name}"
        )
    loader = LabellingLoader(
        snapshot.name,
        snapshot.store,
        snapshot.repository,
        snapshot.propagator,
        snapshot.load_round,
        lambda allowed_class_ids: predict_all(snapshot, images, allowed_class_ids),
    )
    return (yield from loader.load())


def predict_all(
    snapshot: SessionSnapshot, images: SessionImages | None = None, allowed_class_ids: tuple[int, ...] | None = None
) -> Generator[Event, None, tuple[Predictions, Predictions]]:
    """Return the predictions for training and validation images; copies among the training images get equal ones.

    Only the allowed classes are predicted. Raises UserError for missing or changed images.
    """
    if images is None:
        yield Loading("the images")
        files = replace(
            locate_session_files(snapshot.repository), train_labels=None, test_images=None, test_labels=None
        )
        images = yield from load_images(snapshot.store, snapshot.repository, files)
    epoch, canonical = len(snapshot.finished_epochs), snapshot.classes.canonical
    with _use_threads(snapshot.config.threads):
        vae, config = snapshot.load_networks(replace_unavailable(snapshot.config.device))
        device = next(vae.parameters()).device
        subset_predictions = []
        inputs = images.network_inputs
        for name, subset in (("training", inputs.train), ("held-out", inputs.validation)):
            subset_predictions.append(
                (
                    yield from encode_and_classify(
                        vae,
                        put_on_device(subset, device, config.network),
                        config,
                        name,
                        epoch,
                        canonical=canonical,
                        allowed_class_ids=allowed_class_ids,
                    )
                )
            )
    train_predictions, validation_predictions = subset_predictions
    distinct_images = images.train_val_split.select_distinct_training_images()
    return train_predictions.equalise_copies(distinct_images), validation_predictions


@contextmanager
def _use_threads(count: int) -> Iterator[None]:
    """Let PyTorch use `count` threads until the block ends, because the bits of a result depend on their number."""
    previous_count = torch.get_num_threads()
    torch.set_num_threads(count or previous_count)
    ThreadPlacement.start(count or previous_count)
    try:
        yield
    finally:
        torch.set_num_threads(previous_count)
