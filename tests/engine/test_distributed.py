"""Tests of training and inference in several processes against one process; the processes are real."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.rank_program import train_small
from vaetui.engine.distributed import SINGLE, World


def run_ranks(output: Path, size: int, case: str, port: int) -> list[dict[str, np.ndarray]]:
    """Train in processes; return what each of them computed."""
    environment = os.environ | {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.engine.rank_program", str(output / f"{rank}.npz"), case],
            env=environment | {"RANK": str(rank), "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"},
        )
        for rank in range(size)
    ]
    assert [process.wait(120) for process in processes] == [0] * size
    return [dict(np.load(output / f"{rank}.npz")) for rank in range(size)]


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "case",
    [
        "views",
        "heads",
        *(pytest.param(case, marks=pytest.mark.slow) for case in ("plain", "vectors", "tiny", "uneven")),
    ],
)
def test_ranks_train_as_one_process(tmp_path: Path, free_port: int, case: str) -> None:
    first, second = run_ranks(tmp_path, 2, case, free_port)
    alone = train_small(SINGLE, case)
    assert first.keys() == second.keys() == alone.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)
    # Adam turns the rounding of gradients near 0 into full steps, so single weights differ more.
    for name in ("unsupervised.losses", "supervised.losses"):
        np.testing.assert_allclose(first[name], alone[name], rtol=2e-3, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(first["latents"], alone["latents"], atol=0.15)
    for name in (name for name in first if name.startswith("running")):
        np.testing.assert_allclose(first[name], alone[name], rtol=0.1, atol=0.02, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["plain", "views"])
def test_three_ranks_compute_the_same_bits_twice(tmp_path: Path, free_port: int, case: str) -> None:
    results = []
    for attempt in ("first", "second"):
        (tmp_path / attempt).mkdir()
        results.append(run_ranks(tmp_path / attempt, 3, case, free_port)[0])
    for name, array in results[0].items():
        np.testing.assert_array_equal(array, results[1][name], err_msg=name)


def test_parts_of_a_batch_cover_it_once() -> None:
    for size in (1, 2, 3, 7):
        for count in (0, 1, 5, 256):
            parts = [
                range(count)[dataclasses.replace(World(), rank=rank, size=size).part(count)] for rank in range(size)
            ]
            assert [index for part in parts for index in part] == list(range(count))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_one_process_shares_nothing() -> None:
    values = torch.ones(3)
    assert SINGLE.sum(values) is values
    assert torch.equal(SINGLE.mean(values), values)
    assert SINGLE.gather_rows(values, 0, 3) is values
    assert SINGLE.gather_texts("text") == ["text"]
    assert list(SINGLE.follow(iter_numbers())) == [1, 2]


def iter_numbers() -> Generator[int, None, None]:
    yield 1
    yield 2
