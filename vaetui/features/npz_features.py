"""Choose vectors and the paths of their images among the arrays of an npz file, by the option or by their names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from vaetui.data.array_files import ArrayFile, NpzFile, open_npz
from vaetui.data.array_names import CASE_BOUNDARY, SUBSET_WORDS, WORD
from vaetui.engine.vectors import VectorArray
from vaetui.errors import UserError
from vaetui.features.feature_paths import SAMPLE_CELLS, choose_path_column
from vaetui.features.vector_arrays import (
    MAX_LISTED_NAMES,
    FeatureFile,
    build_array_features,
    get_float_type,
    list_names,
    to_float,
)

VECTOR_WORDS = frozenset(
    (
        *("feature", "features", "feat", "feats", "embedding", "embeddings", "emb", "embs", "embed", "embeds"),
        *("vector", "vectors", "latent", "latents", "representation", "representations", "code", "codes", "z"),
    )
)
"""Words in the usual names of vectors."""


def open_npz_vectors(path: Path, key: str | None) -> FeatureFile:
    """Open the vectors of an npz file, and those of test images if an array of the same name has them.

    Raises UserError if the file is damaged or it is not clear which array contains the vectors.
    """
    npz_file = open_npz(path)
    chosen = _choose_vectors(path, npz_file, key)
    feature_file = build_array_features(npz_file.arrays[chosen], path)
    stem, subset = _split_name(chosen)
    texts = {
        name: _read_texts(array)
        for name, array in npz_file.arrays.items()
        if array.dtype.kind in "US" and len(array.shape) == 1 and _split_name(name)[1] in ("", subset)
    }
    path_name = choose_path_column({name: cells[:SAMPLE_CELLS] for name, cells in texts.items()})
    for name, problem in npz_file.problems.items():
        if path_name is None and choose_path_column({name: ()}) is not None:
            raise UserError(f"array {name} in {path} {problem}")
    if path_name is not None:
        if len(texts[path_name]) != feature_file.count:
            raise UserError(
                f"array {path_name} in {path} has {len(texts[path_name]):,} paths for {feature_file.count:,} vectors. "
                "Save one path for each vector."
            )
        return replace(feature_file, paths=texts[path_name])
    if subset in ("", "train"):
        for name, array in npz_file.arrays.items():
            if _split_name(name) == (stem, "test") and _is_vector_array(array):
                return _append_test_vectors(feature_file, build_array_features(array, path))
    return feature_file


def _append_test_vectors(feature_file: FeatureFile, test_file: FeatureFile) -> FeatureFile:
    if test_file.width != feature_file.width:
        raise UserError(
            f"{feature_file.name} has vectors of {feature_file.width:,} numbers, {test_file.name} of "
            f"{test_file.width:,}. Compute both in the same way."
        )
    dtype = max(feature_file.dtype, test_file.dtype, key=lambda kind: kind.itemsize)

    def iter_blocks() -> Iterator[VectorArray]:
        blocks = itertools.chain(feature_file.iter_blocks(), test_file.iter_blocks())
        return (to_float(block, dtype) for block in blocks)

    count = feature_file.count + test_file.count
    return replace(feature_file, count=count, dtype=dtype, iter_blocks=iter_blocks, test_count=test_file.count)


def _choose_vectors(path: Path, npz_file: NpzFile, key: str | None) -> str:
    """Return the name of the array of vectors."""
    names = [*npz_file.arrays, *npz_file.problems]
    if key is not None:
        exact = [name for name in names if name == key] or [name for name in names if name.lower() == key.lower()]
        if len(exact) != 1:
            raise UserError(f"{path} has no array {key}. Choose one with --features-key: {list_names(names)}.")
        if exact[0] in npz_file.problems:
            raise UserError(f"array {exact[0]} in {path} {npz_file.problems[exact[0]]}")
        return exact[0]
    candidates = [name for name, array in npz_file.arrays.items() if _is_vector_array(array)]
    named = [name for name in names if VECTOR_WORDS & set(_split_name(name)[0])]
    for name in named:
        if name in npz_file.problems:
            raise UserError(f"array {name} in {path} {npz_file.problems[name]}")
    choices = [name for name in candidates if name in named] or candidates
    main = [name for name in choices if _split_name(name)[1] in ("", "train")] or choices
    if len(main) == 1:
        return main[0]
    if not main:
        _refuse_without_vectors(path, npz_file)
    shapes = ", ".join(f"{name} {npz_file.arrays[name].shape}" for name in main[:MAX_LISTED_NAMES])
    raise UserError(
        f"{path} contains several arrays that can be the vectors: {shapes}. Choose one with --features-key, such as "
        f"--features-key {main[0]}."
    )


def _refuse_without_vectors(path: Path, npz_file: NpzFile) -> NoReturn:
    for name, problem in npz_file.problems.items():
        raise UserError(f"array {name} in {path} {problem}")
    if len(npz_file.arrays) == 1:
        build_array_features(next(iter(npz_file.arrays.values())), path)  # raises UserError with the reason
    listed = ", ".join(f"{name} {array.shape}" for name, array in [*npz_file.arrays.items()][:MAX_LISTED_NAMES])
    more = f": {listed}" if listed else ""
    raise UserError(f"{path} contains no array of vectors, of shape (images, numbers){more}. Save one in it.")


def _is_vector_array(array: ArrayFile) -> bool:
    has_width = len([length for length in array.shape[1:] if length != 1]) == 1
    return array.dtype.kind in "biuf" and has_width and get_float_type(array.dtype).kind == "f"


def _read_texts(array: ArrayFile) -> tuple[str, ...]:
    values = array.read_all()
    if values.dtype.kind == "S":
        return tuple(value.decode("utf-8", "surrogateescape") for value in values.tolist())
    return tuple(values.tolist())


def _split_name(name: str) -> tuple[tuple[str, ...], str]:
    """Return the words of the name of an array without that of a subset, and the subset: "", train, test, ...."""
    words = WORD.findall(CASE_BOUNDARY.sub("_", name).lower())
    subsets: Mapping[str, str] = SUBSET_WORDS
    subset = next((subsets[word] for word in words if word in subsets), "")
    return tuple(word for word in words if word not in subsets), subset
