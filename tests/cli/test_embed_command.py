"""`embed`: what it prints, refuses and leaves, and that its file fits the session of the same images."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command_line import VAETUI, assert_refused, run_in_terminal, run_vaetui
from tests.data.drawing import colour_digits, load_digits, write_image_folder
from tests.features.tiny_models import save_tiny_model
from tests.idx import write_small_mnist
from tests.vectors import create_session_with_features
from vaetui.features.feature_sidecar import read_sidecar

pytestmark = pytest.mark.usefixtures("home")
WITH_SIGINT = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Program that runs another one that Ctrl-C ends, even if the shell that started the tests ignores Ctrl-C."""


def start_command(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WITH_SIGINT, *VAETUI, *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def tiny_model(tmp_path: Path) -> str:
    return str(save_tiny_model("resnet", tmp_path / "tiny-model"))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """40 JPEG files of different sizes, and two that cannot be read."""
    root = tmp_path / "photographs"
    root.mkdir()
    for index, digit in enumerate(colour_digits(load_digits(40)[0])):
        image = Image.fromarray(digit).resize((40 + 9 * index, 300 - 6 * index), Image.Resampling.BICUBIC)
        image.save(root / f"{index:03}.jpg")
    (root / "007-damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    (root / "020-empty.jpg").touch()
    return root


def test_the_default_model_computes_vectors_of_photographs(photographs: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.npy"
    process = run_vaetui("embed", str(photographs), "-o", str(output))
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[0] == "source      directory photographs"
    assert process.stdout.splitlines()[1].startswith("not taken   2 entries, listed in ")
    assert process.stdout.splitlines()[-1] == f"{output}: 40 images, 2,024 numbers each, by efficientnet-lite0."
    vectors = np.load(output, allow_pickle=False)
    assert (vectors.shape, vectors.dtype, vectors.flags.c_contiguous) == ((40, 2_024), np.float16, True)
    sidecar, paths = read_sidecar(output) or (None, None)
    assert sidecar is not None
    assert sidecar.model.size == (160, 160)
    assert paths == tuple(f"{index:03}.jpg" for index in range(40))


def test_inspect_accepts_the_vectors_of_the_same_images(photographs: Path, tiny_model: str, tmp_path: Path) -> None:
    output = str(tmp_path / "v.npy")
    assert run_vaetui("embed", str(photographs), "-o", output, "--model", tiny_model).returncode == 0
    process = run_vaetui("inspect", str(photographs), "--features", output)
    assert process.returncode == 0, process.stderr
    assert "32 numbers per image from" in process.stdout
    assert "v.npy, matched by path" in process.stdout


def test_an_existing_file_is_kept_without_force(photographs: Path, tiny_model: str, tmp_path: Path) -> None:
    output = str(tmp_path / "v.npy")
    Path(output).write_bytes(b"other")
    arguments = ("embed", str(photographs), "-o", output, "--model", tiny_model)
    assert_refused("exists. Choose another output, or overwrite it with --force.", *arguments)
    assert Path(output).read_bytes() == b"other"
    assert run_vaetui(*arguments, "--force").returncode == 0
    assert np.load(output).shape == (40, 32)


@pytest.mark.parametrize("name", ["v.npy.json", "v.npy.paths.jsonl"])
def test_a_file_with_the_name_of_a_description_is_kept_without_force(
    name: str, photographs: Path, tiny_model: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b'{"mine": 1}')
    arguments = ("embed", str(photographs), "-o", str(tmp_path / "v.npy"), "--model", tiny_model)
    assert_refused(f"{name} exists. Choose another output", *arguments)
    assert (tmp_path / name).read_bytes() == b'{"mine": 1}'
    assert run_vaetui(*arguments, "--force").returncode == 0
    (tmp_path / "v.npy").unlink()
    assert run_vaetui(*arguments).returncode == 0  # what an earlier run wrote is replaced


def test_vectors_of_a_session_are_kept_even_with_force(photographs: Path, tiny_model: str, tmp_path: Path) -> None:
    digits = write_small_mnist(tmp_path / "digits", 200, 50)
    create_session_with_features("demo", digits, tmp_path / "v.npy").close()
    content = (tmp_path / "v.npy").read_bytes()
    (tmp_path / "link.npy").symlink_to("v.npy")
    for name in ("v.npy", "link.npy"):
        arguments = ("embed", str(photographs), "-o", str(tmp_path / name), "--model", tiny_model, "--force")
        assert_refused("contains the vectors of session demo. Choose another output.", *arguments)
    assert (tmp_path / "v.npy").read_bytes() == content


def test_input_size_and_batch_are_options(photographs: Path, tiny_model: str, tmp_path: Path) -> None:
    for name, options in {"a": (), "b": ("--input-size", "64"), "c": ("--batch", "3")}.items():
        output = str(tmp_path / f"{name}.npy")
        assert run_vaetui("embed", str(photographs), "-o", output, "--model", tiny_model, *options).returncode == 0
    first, larger, other_batch = (np.load(tmp_path / f"{name}.npy").astype(np.float32) for name in "abc")
    assert np.abs(first - other_batch).max() < 0.01
    assert np.abs(first - larger).max() > 0.01


def test_arrays_have_vectors_of_their_test_images(tiny_model: str, tmp_path: Path) -> None:
    digits = load_digits(30)[0]
    np.savez(tmp_path / "digits.npz", x_train=digits[:20], x_test=digits[20:])
    output = tmp_path / "v.npy"
    process = run_vaetui("embed", str(tmp_path / "digits.npz"), "-o", str(output), "--model", tiny_model)
    assert process.stdout.endswith(f"{output}: 20 images and 10 test images, 32 numbers each, by {tiny_model}.\n")
    assert np.load(output).shape == (30, 32)
    assert not (tmp_path / "v.npy.paths.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "{root}/v.bin"), "does not end in .npy"),
        (("-o", "/dev/stdout"), "is not a regular file"),
        (("-o", "{root}/none/v.npy"), "none"),
        (("-o", "{root}/v.npy", "--model", "nonsense"), "There is no image model nonsense"),
        (("-o", "{root}/v.npy", "--input-size", "5"), "An input of 5 pixels is not supported"),
        (("-o", "{root}/v.npy", "--images", "x"), "cannot choose anything"),
    ],
)
def test_unusable_options_are_refused(
    arguments: tuple[str, ...], message: str, photographs: Path, tmp_path: Path
) -> None:
    assert_refused(message, "embed", str(photographs), *(argument.format(root=tmp_path) for argument in arguments))
    assert not (tmp_path / "v.npy").exists()


def test_a_missing_path_and_too_few_images_are_refused(tmp_path: Path, tiny_model: str) -> None:
    output = ("-o", str(tmp_path / "v.npy"), "--model", tiny_model)
    assert_refused("does not exist", "embed", str(tmp_path / "none"), *output)
    write_image_folder(tmp_path / "own", 3)
    assert_refused("at least 10 are needed", "embed", str(tmp_path / "own"), *output)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("v.npy")] == []


@pytest.mark.slow
def test_progress_and_speed_are_shown_in_a_terminal(photographs: Path, tmp_path: Path) -> None:
    status, text = run_in_terminal("embed", str(photographs), "-o", str(tmp_path / "v.npy"))
    assert status == 0, text
    assert "computing vectors" in text


def test_ctrl_c_while_a_new_session_computes_vectors_says_how_to_go_on(home: Path, tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 240)
    process = start_command(
        "new", "own", "--plain", "--data", str(tmp_path / "own"), "--features", "efficientnet-lite0"
    )
    while not any(part.stat().st_size > 70_000 for part in home.glob("features/*.npy.part")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (1, "Interrupted. Run the same command again to go on.\n")


def test_ctrl_c_ends_the_command_and_the_next_run_goes_on(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "own", 240)  # fewer than are decoded by several processes
    output = tmp_path / "v.npy"
    arguments = ["embed", str(tmp_path / "own"), "-o", str(output), "--input-size", "160"]
    process = start_command(*arguments)
    part = tmp_path / "v.npy.part"
    while not (part.exists() and part.stat().st_size > 70_000):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (1, "Interrupted. Run the same command again to go on.\n")
    kept_bytes = os.path.getsize(part)
    assert kept_bytes > 50_000
    assert not output.exists()
    assert run_vaetui(*arguments).returncode == 0
    assert np.load(output).shape == (240, 2_024)
