"""Print SHA-256 digests of what seeded runs compute: python -m tests.benchmarks.digests [SEED ...].

Run it on two commits to show that a change leaves the bits alone. It drives the command line only, with options that
have not changed since the first version, so the same file runs on old commits too.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from vaetui.session.predictor import Predictor

MNIST = Path(__file__).parents[2] / "assets/mnist"
RECIPES: dict[str, tuple[str, ...]] = {"default": (), "paper": ("--recipe", "paper")}
TRAIN_IMAGES, TEST_IMAGES = 2000, 500
THREADS = 2
ITEM_BYTES = {"images-idx3": 28 * 28, "labels-idx1": 1}


def main() -> None:
    """Print one line of digests for each seed and recipe."""
    seeds = [int(argument) for argument in sys.argv[1:]] or [0, 1, 2]
    with tempfile.TemporaryDirectory() as directory:
        data = _write_small_mnist(Path(directory, "data"))
        os.environ |= {"VAETUI_HOME": str(Path(directory, "home")), "OMP_NUM_THREADS": str(THREADS)}
        for recipe, options in RECIPES.items():
            for seed in seeds:
                digests = _run(data, Path(directory, f"{recipe}-{seed}"), f"{recipe}-{seed}", seed, options)
                print(recipe, seed, *(f"{name}={digest[:16]}" for name, digest in digests.items()), flush=True)


def _write_small_mnist(directory: Path) -> Path:
    """Write the first images of MNIST as plain IDX files."""
    directory.mkdir()
    for subset, count in (("train", TRAIN_IMAGES), ("t10k", TEST_IMAGES)):
        for stem, item_bytes in ITEM_BYTES.items():
            content = gzip.decompress((MNIST / f"{subset}-{stem}-ubyte.gz").read_bytes())
            header_bytes = 4 + 4 * content[3]
            items = content[header_bytes : header_bytes + count * item_bytes]
            header = content[:4] + struct.pack(">I", count) + content[8:header_bytes]
            Path(directory, f"{subset}-{stem}-ubyte").write_bytes(header + items)
    return directory


def _run(data: Path, output: Path, session: str, seed: int, options: tuple[str, ...]) -> dict[str, str]:
    """Simulate one run of two rounds, export it, and return the digest of each part."""
    _vaetui(
        *("simulate", "--data", str(data), "--keep", session, "--seed", str(seed), "--rounds", "2", "--answers", "8"),
        *("--review", "0"),
        *("--device", "cpu", "--json", *options),
    )
    _vaetui("export", session, "--format", "csv", "-o", f"{output}.csv")
    with Path(f"{output}.csv").open() as file:
        rows = list(csv.DictReader(file))
    # Not by `export-model`, which refuses networks that have learned no class.
    tensors = Predictor(session).vae.state_dict()
    # Parameters may be renamed, so their digests are sorted by value.
    weights = sorted(hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for tensor in tensors.values())
    return {
        "weights": _digest(weights),
        "pseudo_labels": _digest([f"{row['cluster']} {row['weight']} {row['distance']}" for row in rows]),
        "labels": _digest([f"{row['index']} {row['label']}" for row in rows]),
    }


def _vaetui(*arguments: str) -> str:
    """Run a command on a fixed number of threads, which the bits depend on, and return its standard output."""
    process = subprocess.run([sys.executable, "-m", "vaetui", *arguments], capture_output=True, text=True, check=False)
    if process.returncode:
        sys.exit(f"vaetui {' '.join(arguments)} failed: {process.stderr}")
    return process.stdout


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    main()
