"""Measure time and memory of checking vectors from files: python -m tests.benchmarks.features [COUNT [DIRECTORY]].

The vectors are random numbers. Each form of file is opened, matched with the images, checked and, unless it is used
where it is, converted in a process of its own. The memory is the peak above that of the process before it starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.results import save_results
from vaetui.features.feature_files import open_feature_file
from vaetui.features.feature_matching import ImageOrder
from vaetui.features.feature_store import encode_npy_header
from vaetui.features.resolving import resolve_vectors
from vaetui.runtime.session_runner import drain_events

COUNT, WIDTH, CHUNK = 1_000_000, 384, 20_000
FORMS = {
    "float32 .npy, in order, where it is": "float32.npy",
    "float16 .npy, in order, where it is": "float16.npy",
    "float64 .npy, in order, converted": "float64.npy",
    "float16 .npz, in order, converted": "order.npz",
    "float16 .npz, shuffled, by path": "paths.npz",
    "float32 Parquet, shuffled, by path": "paths.parquet",
}


def list_paths(count: int) -> list[str]:
    """Return the paths of the images in their order."""
    return [f"{index // 1000:04}/image {index:07}.jpg" for index in range(count)]


def write_file(path: Path, count: int) -> None:
    """Write vectors in the form that the name of the file says."""
    generator = np.random.default_rng(0)
    if path.suffix == ".npy":
        dtype = np.dtype(path.stem)
        with path.open("wb") as file:
            file.write(encode_npy_header((count, WIDTH), dtype))
            for start in range(0, count, CHUNK):
                size = min(CHUNK, count - start), WIDTH
                file.write(generator.standard_normal(size, np.float32).astype(dtype).tobytes())
        return
    names = list_paths(count)
    order = generator.permutation(count)
    shuffled = [names[index] for index in order]
    if path.suffix == ".npz":
        vectors = np.concatenate(
            [
                generator.standard_normal((min(CHUNK, count - start), WIDTH), np.float32).astype(np.float16)
                for start in range(0, count, CHUNK)
            ]
        )
        paths = {"paths": np.array(shuffled)} if path.stem == "paths" else {}
        np.savez(path, features=vectors, **paths)
        return
    schema = pa.schema([("path", pa.string()), ("vector", pa.list_(pa.float32(), WIDTH))])
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for start in range(0, count, CHUNK):
            numbers = generator.standard_normal(min(CHUNK, count - start) * WIDTH, np.float32)
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers), WIDTH)
            writer.write_table(pa.table([pa.array(shuffled[start : start + CHUNK]), vectors], schema))


def measure(path: Path, count: int) -> dict[str, float]:
    """Return seconds of the clock and of the CPU, and the peak of the memory in MB, of resolving one file."""
    images = ImageOrder("images", count, 0, paths=tuple(list_paths(count)), root=Path("/photos"))
    before, start, start_cpu = _peak_bytes(), time.perf_counter(), time.process_time()
    resolved = drain_events(resolve_vectors(open_feature_file(path), images))
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    assert resolved.record.count == count
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "file_mb": round(path.stat().st_size / 1e6),
        "memory_mb": round((_peak_bytes() - before) / 1e6),
    }


def _peak_bytes() -> int:
    """Return the peak of the memory of this process; unlike getrusage, without that of the process that started it."""
    (peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(peak) * 1024


def main() -> None:
    """Measure all forms, each in a process of its own."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    if len(sys.argv) > 3:
        print(json.dumps(measure(Path(sys.argv[3]), count)))
        return
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as directory:
        environment = {**os.environ, "VAETUI_HOME": f"{directory}/home", "OMP_NUM_THREADS": "1"}
        for form, name in FORMS.items():
            path = Path(directory, name)
            write_file(path, count)
            command = [sys.executable, "-m", "tests.benchmarks.features", str(count), directory, str(path)]
            output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            figures[form] = json.loads(output)
            print(form, figures[form], flush=True)
            path.unlink()
            for stored in Path(directory).glob("home/features/*"):
                stored.unlink()
    save_results("features", 0, {"count": count, "width": WIDTH, "forms": figures})


if __name__ == "__main__":
    main()
