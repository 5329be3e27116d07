"""Parse the names of arrays in an npz file: images or labels, and which subset they belong to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["images", "labels", "positional", "unknown"]
Subset: TypeAlias = Literal["", "train", "test", "validation"]

IMAGE_WORDS = frozenset(
    (
        *("x", "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "data"),
        *("pixel", "pixels", "input", "inputs", "feature", "features"),
    )
)
"""Words in the usual names of images."""
LABEL_WORDS = frozenset(
    (
        *("y", "label", "labels", "lbl", "lbls", "target", "targets"),
        *("class", "classes", "category", "categories"),
    )
)
"""Words in the usual names of labels."""
SUBSET_WORDS: dict[str, Subset] = {
    **dict.fromkeys(("train", "training", "tr", "trn", "trainset"), "train"),
    **dict.fromkeys(("test", "testing", "te", "tst", "testset"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "valset"), "validation"),
}
"""Subsets of a dataset by the words in the names of their arrays."""
IGNORED_WORDS = frozenset(("set", "split", "subset", "array"))
"""Words that do not describe an array."""
COMPOUND_WORDS = {
    compound: (role_word, subset_word)
    for role_word in IMAGE_WORDS | LABEL_WORDS
    for subset_word in SUBSET_WORDS
    for compound in (role_word + subset_word, subset_word + role_word)
}
"""Words without a separator, such as xtrain."""
CASE_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""The boundary between words in names such as xTrain or XTrain."""
WORD = re.compile(r"[^\W\d_]+|\d+")
POSITIONAL_NAME = re.compile(r"arr_\d+")
"""The names that numpy.savez gives to arrays that are passed without a name."""


@dataclass(frozen=True, slots=True)
class ArrayName:
    """The parts of an array's name."""

    role: Role
    """What the array contains."""
    subset: Subset
    """The subset of the dataset; empty if the name contains none."""
    qualifier: str = ""
    """The other words of the name of images or labels, such as "small" for x_train_small."""

    def is_pair(self, other: ArrayName) -> bool:
        """Return whether two names differ only in their role."""
        return (self.subset, self.qualifier) == (other.subset, other.qualifier)


def parse_array_name(name: str) -> ArrayName:
    """Return the parts of a name, which may be in any case."""
    if POSITIONAL_NAME.fullmatch(name):
        return ArrayName("positional", "")
    separated = CASE_BOUNDARY.sub("_", name).lower().replace("t10k", "test")
    words = [part for word in WORD.findall(separated) for part in COMPOUND_WORDS.get(word, (word,))]
    subsets = {SUBSET_WORDS[word] for word in words if word in SUBSET_WORDS}
    subset: Subset = subsets.pop() if len(subsets) == 1 else ""
    rest = [word for word in words if word not in IGNORED_WORDS and (word not in SUBSET_WORDS or not subset)]
    if any(word in LABEL_WORDS for word in rest):
        qualifier = "_".join(word for word in rest if word not in LABEL_WORDS | IMAGE_WORDS)
        return ArrayName("labels", subset, qualifier)
    if any(word in IMAGE_WORDS for word in rest):
        return ArrayName("images", subset, "_".join(word for word in rest if word not in IMAGE_WORDS))
    return ArrayName("unknown", subset)
