"""Measure the vectors of photographs against plain loops of the same model: python -m tests.benchmarks.embed.

Both loops decode with Pillow and compute in one process: one with the normalisations as layers of their own and batches
of 64, as a usual script does, one with our network and batches of 16. Each figure is images per second of the clock and
per second of all processors, which other processes on the machine change less.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.benchmarks.results import save_results
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.features.embedding import import_and_embed
from vaetui.features.image_models import find_default_weights, load_model
from vaetui.runtime.session_runner import drain_events

if TYPE_CHECKING:
    from torch import Tensor, nn

# PyTorch and scikit-learn are imported in functions, as decoding processes import this module.
PHOTOGRAPHS = {"500x375": (500, 375, 600), "4000x3000": (4_000, 3_000, 120)}
"""Width, height and number of the photographs."""
GRAIN = 5.0
"""Standard deviation of the noise of a camera, without which files would be much smaller than real ones."""


def write_photographs(root: Path, width: int, height: int, count: int) -> list[Path]:
    """Write different parts of two photographs with noise as JPEG files."""
    from sklearn.datasets import load_sample_images

    generator = np.random.default_rng(0)
    sources = [Image.fromarray(image) for image in load_sample_images().images]
    noise = generator.normal(0, GRAIN, (height, width, 3)).astype(np.float32)
    paths = []
    for index in range(count):
        left, top = generator.integers(0, 160), generator.integers(0, 100)
        part = sources[index % 2].crop((left, top, left + 400, top + 300)).resize((width, height))
        pixels = np.asarray(part, np.float32) + np.roll(noise, 37 * index, axis=1)
        paths.append(root / f"{index:05}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=88)
    return paths


def separate_normalisations(network: nn.Module) -> nn.Module:
    """Put a layer of normalisation behind each convolution, as in the network of its authors."""
    import torch
    from torch import nn

    from vaetui.features.efficientnet_lite import Convolution

    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Convolution):
                is_linear, child.is_linear = child.is_linear, True
                layers: list[nn.Module] = [child, nn.BatchNorm2d(child.out_channels)]
                setattr(module, name, nn.Sequential(*layers, *([] if is_linear else [nn.ReLU6()])))
    return network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload,no-any-return]


def embed_in_a_loop(paths: list[Path], network: Callable[[Tensor], Tensor], batch_size: int) -> NDArray[np.float32]:
    """Compute vectors in one process."""
    import torch

    vectors = []
    with torch.inference_mode():
        for start in range(0, len(paths), batch_size):
            images = [
                Image.open(path).convert("RGB").resize((160, 160), Image.Resampling.BICUBIC)
                for path in paths[start : start + batch_size]
            ]
            pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2)
            vectors.append(network((pixels.float() - 127) / 128).numpy())
    return np.concatenate(vectors)


def measure(count: int, function: Callable[[], Any]) -> dict[str, float]:
    """Return images per second of the clock and of all processors, those of finished child processes included."""
    start, times = time.perf_counter(), os.times()
    function()
    seconds, end = time.perf_counter() - start, os.times()
    cpu_seconds = sum(end[:4]) - sum(times[:4])
    return {"images_per_second": round(count / seconds, 1), "images_per_cpu_second": round(count / cpu_seconds, 1)}


def measure_set(root: Path, width: int, height: int, count: int) -> dict[str, Any]:
    """Return the speeds for one set of photographs."""
    from vaetui.features.efficientnet_lite import load_efficientnet_lite0

    weights = find_default_weights()
    folded, separate = load_efficientnet_lite0(weights), separate_normalisations(load_efficientnet_lite0(weights))
    model, output = load_model("efficientnet-lite0"), root / "vectors.npy"
    model.load()
    directory = root / "photographs"
    directory.mkdir()
    paths = write_photographs(directory, width, height, count)

    def embed() -> None:
        drain_events(import_and_embed(directory, ImportOptions(), model, output))

    megabytes = sum(path.stat().st_size for path in paths) / count / 1e6
    rows: dict[str, Any] = {"images": count, "megabytes_per_image": round(megabytes, 2)}
    rows["plain loop"] = measure(count, lambda: embed_in_a_loop(paths, separate, 64))
    rows["plain loop with our network"] = measure(count, lambda: embed_in_a_loop(paths, folded, 16))
    os.environ["VAETUI_HOME"] = str(root / "home")
    rows["embed, with the import"] = measure(count, embed)
    rows["embed, imported before"] = measure(count, embed)
    os.environ["VAETUI_HOME"] = str(root / "other-home")
    rows["import alone"] = measure(count, lambda: drain_events(import_dataset(directory, ImportOptions())))
    vectors = np.load(output)[:32].astype(np.float32)
    cosines = (vectors * embed_in_a_loop(paths[:32], folded, 16)).sum(axis=1) / 2
    rows["least_cosine_with_the_plain_loop"] = round(float(cosines.min()), 4)
    return rows


def main() -> None:
    import torch

    figures: dict[str, Any] = {"torch_threads": torch.get_num_threads(), "load_before": round(os.getloadavg()[0], 1)}
    for name, (width, height, count) in PHOTOGRAPHS.items():
        with tempfile.TemporaryDirectory(prefix="embed-") as directory:
            figures[name] = measure_set(Path(directory), width, height, count)
        print(name, figures[name])
    save_results("embed", 0, figures)


if __name__ == "__main__":
    main()
