"""Tests of sessions of images that are downsampled for the networks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.idx import write_idx
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, run_to_end, session_digest, stop_within_epoch
from tests.session.test_photographs import PHOTOS_CONFIG
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.config import Config
from vaetui.engine.events import Reconstructed
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.predictor import Predictor

SHAPE = (57, 63, 3)
"""Neither side is a multiple of the factor, which is 2."""

pytestmark = pytest.mark.usefixtures("home")


def draw_bars(count: int) -> NDArray[np.uint8]:
    """Return images with a bright left or upper half in any colour."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 60, (count, *SHAPE), np.uint8)
    colours = generator.integers(60, 190, (count, 1, 1, 3), np.uint8)
    images[::2, :28] += colours[::2]
    images[1::2, :, :31] += colours[1::2]
    return images


@pytest.fixture(scope="module")
def large_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with 120 colour images."""
    directory = tmp_path_factory.mktemp("large")
    write_idx(directory / "train-images-idx4-ubyte", draw_bars(120))
    return directory


def test_pictures_are_whole_and_show_what_the_images_show(large_images: Path) -> None:
    config = replace(PROPAGATION_CONFIG, training=replace(PROPAGATION_CONFIG.training, min_batches=40))
    with closing(lifecycle.create("large", str(large_images), config)) as session:
        assert session.config.network.downsampling == 2
        reconstructions = [event for event in session.advance() if isinstance(event, Reconstructed)][-1]
        assert reconstructions.reconstructions.shape == reconstructions.originals.shape
        errors = reconstructions.reconstructions.astype(float) - reconstructions.originals
        assert np.abs(errors).mean() < 40, "the halves are in their places"
        assert {cluster.picture.shape for cluster in session.round_view().clusters} == {SHAPE}
        while session.phase != "finished":
            for cluster in session.round_view().clusters:
                session.record_answer(cluster.path, ClassAnswer(cluster.path[0] % 2))
            session.close_round()
            list(session.advance())
    predictor = Predictor("large")
    assert drain_events(predictor.predict(draw_bars(7))).class_ids.shape == (7,)
    assert drain_events(predictor.generate_samples(3, None, 0)).shape == (3, *SHAPE)


@pytest.mark.parametrize("config", [PROPAGATION_CONFIG, PHOTOS_CONFIG], ids=["propagation", "photos"])
def test_interrupted_session_of_large_images_ends_with_the_same_bits(large_images: Path, config: Config) -> None:
    with closing(lifecycle.create("whole", str(large_images), config)) as session:
        list(run_to_end(session))
    with closing(lifecycle.create("parts", str(large_images), config)) as session:
        stop_within_epoch(session)
    with closing(lifecycle.resume("parts")) as session:
        assert session.config.network.downsampling == 2
        list(run_to_end(session))
    assert session_digest("parts") == session_digest("whole")


def test_networks_of_the_paper_read_whole_images(large_images: Path) -> None:
    with closing(lifecycle.create("paper", str(large_images), SMALL_CONFIG)) as session:
        assert session.config.network.downsampling == 1


@pytest.mark.parametrize("factor", [1, 3, 8])
def test_sessions_use_the_factor_of_the_user(large_images: Path, factor: int) -> None:
    network = replace(PROPAGATION_CONFIG.network, downsampling=factor)
    with closing(lifecycle.create("large", str(large_images), replace(PROPAGATION_CONFIG, network=network))) as session:
        assert session.config.network.downsampling == factor
        assert next(event for event in session.advance() if isinstance(event, Reconstructed))


def test_factor_that_leaves_too_few_pixels_is_refused(large_images: Path) -> None:
    network = replace(SMALL_CONFIG.network, downsampling=9)  # leaves 7 pixels
    with pytest.raises(UserError, match=r"The images have 57x63 pixels, .* Use 1 to 8\."):
        lifecycle.create("large", str(large_images), replace(SMALL_CONFIG, network=network))
