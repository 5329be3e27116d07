"""Tests of sessions that are trained on an accelerator, which is simulated, and read on other machines."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, create_session, run_to_end
from tests.session_templates import SessionTemplates
from tests.simulated_accelerator import DEVICE, simulate_accelerator
from tests.vectors import FEATURES_CONFIG, create_session_with_features
from vaetui.engine import train_state
from vaetui.engine.config import Config, Device
from vaetui.engine.recipes import get_recipe
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.session.snapshot_labels import label_images
from vaetui.storage.repository import SessionRepository

MISSING_DEVICE: Device = "mps" if torch.cuda.is_available() else "cuda"
RECIPE = get_recipe("photos")
PHOTOS_CONFIG = replace(
    PROPAGATION_CONFIG,
    network=replace(RECIPE.network, patch_filters=16, z_dim=16, hidden_units=32, channels=(8, 16), downsampling=2),
    augmentation=RECIPE.augmentation,
)


@pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG, PHOTOS_CONFIG], ids=["paper", "graph", "photos"])
@pytest.mark.usefixtures("home")
def test_a_whole_run_on_an_accelerator_mixes_no_devices(
    digits: Path, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    monkeypatch.setattr(train_state, "select_device", lambda _: DEVICE)
    with (
        simulate_accelerator(has_float64=False) as accelerator,
        closing(create_session("s", digits, config)) as session,
    ):
        list(run_to_end(session))
        assert session.phase == "finished"
    assert accelerator.launches["aten::convolution_backward"] > 0


@pytest.mark.usefixtures("home")
def test_a_whole_run_with_vectors_on_an_accelerator_mixes_no_devices(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_state, "select_device", lambda _: DEVICE)
    config = replace(FEATURES_CONFIG, network=replace(FEATURES_CONFIG.network, image_decoder=True))
    with simulate_accelerator(has_float64=False) as accelerator:
        session = create_session_with_features("s", digits, tmp_path / "vectors.npy", config)
        with closing(session):
            list(run_to_end(session))
            assert session.phase == "finished"
    assert accelerator.launches["aten::convolution_backward"] > 0


@pytest.mark.usefixtures("home")
def test_run_begun_on_an_accelerator_goes_on_on_the_cpu(digits: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, simulate_accelerator():
        patch.setattr(train_state, "select_device", lambda _: DEVICE)
        with closing(create_session("s", digits, PROPAGATION_CONFIG)) as session:
            list(session.advance())
            assert session.phase == "labelling"
    with closing(lifecycle.resume("s")) as session:
        list(run_to_end(session))
        assert session.phase == "finished"


@pytest.mark.usefixtures("home")
def test_labels_of_a_session_are_read_where_its_device_is_missing(templates: SessionTemplates) -> None:
    directory = templates.copy("finished", "s")

    def read_class_ids() -> list[int | None]:
        with closing(SessionSnapshot(directory)) as snapshot:
            return list(drain_events(label_images(snapshot)).class_ids)

    before = read_class_ids()
    with closing(SessionRepository(directory, is_writable=True)) as repository:
        repository.save_config(replace(repository.config, device=MISSING_DEVICE))
    assert np.array_equal(read_class_ids(), before)


@pytest.mark.usefixtures("home")
def test_session_is_opened_for_writing_on_another_device_only_if_that_is_chosen(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "s")
    with closing(SessionRepository(directory, is_writable=True)) as repository:
        repository.save_config(replace(repository.config, device=MISSING_DEVICE))
    with (
        closing(lifecycle.resume("s")) as session,
        pytest.raises(UserError, match=r"Continue on another one with: vaetui resume s --device auto$"),
    ):
        list(session.advance())
    with closing(lifecycle.resume_at(directory, "cpu")) as session:
        list(session.advance())
        assert session.phase == "labelling"
