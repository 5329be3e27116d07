"""Choose images and labels among the arrays of an npz file, by flags or by their names; ambiguity raises UserError."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vaetui.data.array_files import ArrayFile, DatasetArrays, NpzFile, open_npz
from vaetui.data.array_layout import arrange_axes, describe_alpha, is_image_array
from vaetui.data.array_names import ArrayName, parse_array_name
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError, make_printable

MAX_LISTED_ARRAYS = 8
"""Most arrays that a message lists."""
MAX_LABEL_BYTES = 10_000
"""Most bytes of one label: names of classes are much shorter."""


def select_npz_arrays(path: Path, options: ImportOptions, expected_size: tuple[int, int] | None) -> DatasetArrays:
    """Choose the arrays of an npz file.

    The images are the array `options.image_key`, or the only array with an image shape, or the only one of those with
    a usual name and no other subset than train. Labels have a usual name with the same subset and the same other words,
    or are the array `options.label_key`. Raises UserError if a required array is ambiguous, missing or damaged.
    """
    chooser = _Chooser(path, open_npz(path))
    image_key = chooser.choose_images(options.image_key)
    image_name = chooser.names[image_key]
    images = arrange_axes(
        chooser.require(image_key), options.axes, chooser.find_label_count(image_key, options.label_key), expected_size
    )
    needs_labels = options.labels or options.label_key is not None
    label_key = chooser.choose_labels(image_key, images.shape[0], options.label_key) if needs_labels else None
    test_key = chooser.find_test_images(image_name)
    test_images, test_problem, test_label_key = None, "", None
    if test_key is not None:
        image_size = (images.shape[1], images.shape[2])
        test_images = arrange_axes(chooser.require(test_key), options.axes, expected_size=image_size)
        test_problem = _compare_with_train_images(test_images, images, image_key)
        if test_problem:
            test_key = test_images = None
        elif needs_labels:
            test_label_key = chooser.choose_labels(test_key, test_images.shape[0], None, is_required=False)
    chosen = (image_key, label_key, test_key, test_label_key)
    return DatasetArrays(
        (path,),
        images,
        None if label_key is None else chooser.require(label_key),
        test_images,
        None if test_label_key is None else chooser.require(test_label_key),
        make_printable(f"array {image_key} of {path.name}{describe_alpha(images)}{_describe_others(*chosen[1:])}"),
        chooser.list_skipped(chosen, needs_labels, test_problem),
    )


class _Chooser:
    """The arrays of one npz file and the meaning of their names."""

    def __init__(self, path: Path, npz_file: NpzFile) -> None:
        self._path, self._arrays, self._problems = path, npz_file.arrays, npz_file.problems
        self.names = {key: parse_array_name(key) for key in (*npz_file.arrays, *npz_file.problems)}

    def require(self, key: str) -> ArrayFile:
        """Return an array; raises UserError if it cannot be read."""
        if key in self._problems:
            raise UserError(f"array {key} in {self._path} {self._problems[key]}")
        return self._arrays[key]

    def choose_images(self, requested_key: str | None) -> str:
        """Return the name of the images to label."""
        if requested_key is not None:
            return self._find_key(requested_key)
        shaped = [key for key, array in self._arrays.items() if is_image_array(array)]
        candidates = [key for key in shaped if self.names[key].role != "labels"]
        main = [key for key in candidates if self.names[key].subset in ("", "train")] or candidates
        named = [key for key in main if self.names[key].role == "images"]
        for key in self._find_main_images():
            if key in self._problems and (not named or self._problems[key].is_damaged):
                self.require(key)
        named = named or main
        if not named:
            raise self._build_missing_images_error(shaped)
        if len(named) > 1:
            raise UserError(
                f"{self._path} contains several arrays that can be the images: {self._list(named)}. Choose one with "
                f"--images KEY, such as --images {named[0]}."
            )
        if self.names[named[0]].role != "images":
            unusable = [key for key in self._find_main_images() if key in self._arrays]
            if unusable:
                raise UserError(
                    f"{self._path} contains {self._list(unusable)}, which is not an array of images, and "
                    f"{self._list(named)}. Pass --images {named[0]} to import the latter."
                )
        return named[0]

    def find_test_images(self, image_name: ArrayName) -> str | None:
        """Return the name of the test images that belong to training images, if there is exactly one such array."""
        if image_name.subset not in ("", "train"):
            return None
        candidates = [
            key
            for key, name in self.names.items()
            if name.subset == "test"
            and name.role in ("images", "unknown")
            and (name.qualifier == image_name.qualifier or image_name.role != "images")
            and (is_image_array(self._arrays[key]) if key in self._arrays else name.role == "images")
        ]
        named = [key for key in candidates if self.names[key].role == "images"] or candidates
        return named[0] if len(named) == 1 else None

    def choose_labels(
        self, image_key: str, image_count: int, requested_key: str | None, *, is_required: bool = True
    ) -> str | None:
        """Return the name of the labels of the images; None if there are none and they are not required."""
        if requested_key is not None:
            key = self._find_key(requested_key)
            self._require_labels(key, image_count)
            return key
        candidates = self._list_label_candidates(image_key)
        fitting = [key for key in candidates if key in self._arrays and self._is_fitting(key, image_count)]
        if len(fitting) > 1:
            raise UserError(
                f"{self._path} contains several arrays that can be the labels of {image_key}: {self._list(fitting)}. "
                f"Choose one with --labels KEY, such as --labels {fitting[0]}."
            )
        if fitting:
            self._require_labels(fitting[0], image_count)
            return fitting[0]
        if len(candidates) == 1 or any(self.names[key].role == "labels" for key in candidates):
            self._require_labels(candidates[0], image_count)
        if not is_required:
            return None
        others = [key for key in self._arrays if key != image_key and self._is_fitting(key, image_count)]
        if not others:
            raise UserError(f"{self._path} contains no labels for {image_key}. Omit --labels.")
        raise UserError(
            f"{self._path} contains no labels for {image_key} under a usual name. Choose an array with --labels KEY: "
            f"{self._list(others)}."
        )

    def find_label_count(self, image_key: str, requested_key: str | None) -> int | None:
        """Return the number of labels that belong to images, if that is clear."""
        keys = self._list_label_candidates(image_key) if requested_key is None else [self._find_key(requested_key)]
        shapes = [self._arrays[key].shape for key in keys if key in self._arrays]
        counts = {shape[0] for shape in shapes if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)}
        return counts.pop() if len(counts) == 1 else None

    def list_skipped(
        self, chosen: Iterable[str | None], needs_labels: bool, test_problem: str
    ) -> tuple[tuple[str, str], ...]:
        """Return the arrays that were not chosen, with reasons."""
        skipped, chosen_keys = [], {key for key in chosen if key is not None}
        chosen_names = [self.names[key] for key in chosen_keys]
        for key in self.names:
            if key in chosen_keys:
                continue
            is_pair = any(self.names[key].is_pair(name) for name in chosen_names)
            if self.names[key].role == "labels" and is_pair and not needs_labels:
                continue  # without --labels, labels are not expected
            reason = self._explain_skipping(key, test_problem)
            skipped.append((make_printable(f"{key} in {self._path.name}"), make_printable(reason)))
        return tuple(skipped)

    def _explain_skipping(self, key: str, test_problem: str) -> str:
        name, array = self.names[key], self._arrays.get(key)
        if array is None:
            return self._problems[key].reason
        if name.role == "labels":
            return "has a usual name of labels, but does not belong to the chosen images"
        if not is_image_array(array):
            if array.dtype.kind not in "biuf":
                return "contains text"
            is_rank_wrong = len(array.shape) not in (3, 4)
            explanation = "; images have 3 or 4 axes" if is_rank_wrong else ", which is not that of several images"
            return f"has the shape {array.shape}{explanation}"
        return {
            "validation": "contains validation images, which are not imported",
            "test": test_problem or "contains test images that do not clearly belong to the chosen images",
        }.get(name.subset, "is not the chosen array of images")

    def _find_key(self, requested_key: str) -> str:
        """Return the array with a name, or the only one whose name differs from it in case."""
        if requested_key in self.names:
            return requested_key
        matches = [key for key in self.names if key.lower() == requested_key.lower()]
        if len(matches) == 1:
            return matches[0]
        keys = matches or sorted(self.names)
        more = f" and {len(keys) - MAX_LISTED_ARRAYS} more" if len(keys) > MAX_LISTED_ARRAYS else ""
        choices = ", ".join(keys[:MAX_LISTED_ARRAYS]) + more
        raise UserError(f"{self._path} has no array {requested_key}. Choose from: {choices}.")

    def _find_main_images(self) -> list[str]:
        """Return the arrays, readable or not, with the usual names of the images to label."""
        names = (ArrayName("images", ""), ArrayName("images", "train"))
        return [key for key, name in self.names.items() if name in names]

    def _list_label_candidates(self, image_key: str) -> list[str]:
        image_name = self.names[image_key]
        qualifier = image_name.qualifier if image_name.role == "images" else ""
        labels_name = ArrayName("labels", image_name.subset, qualifier)
        named = [key for key, name in self.names.items() if name == labels_name and key != image_key]
        if named or image_name.role != "positional":
            return named
        return [
            key
            for key, name in self.names.items()
            if name.role == "positional" and key in self._arrays and not is_image_array(self._arrays[key])
        ]

    def _is_fitting(self, key: str, image_count: int) -> bool:
        return self._arrays[key].shape in ((image_count,), (image_count, 1))

    def _require_labels(self, key: str, image_count: int) -> None:
        array = self.require(key)
        if array.dtype.itemsize > MAX_LABEL_BYTES:
            raise UserError(
                f"{array.display_name} contains texts of up to {array.dtype.itemsize:,} bytes, which are no labels. "
                "Choose another array with --labels KEY."
            )
        if not self._is_fitting(key, image_count):
            is_one_hot = len(array.shape) == 2 and array.shape[0] == image_count and array.dtype.kind in "biuf"
            raise UserError(
                f"{array.display_name} has the shape {array.shape}; one label for each of {image_count:,} images is "
                f"needed.{' If it is one-hot, save array.argmax(axis=1).' if is_one_hot else ''}"
            )

    def _build_missing_images_error(self, shaped: list[str]) -> UserError:
        if shaped:
            return UserError(
                f"{self._path} contains only arrays with the names of labels: {self._list(shaped)}. Pass --images "
                f"{shaped[0]} if it contains images."
            )
        for key, array in self._arrays.items():
            if self.names[key].role == "images" or len(self._arrays) == 1:
                try:
                    arrange_axes(array, None)
                except UserError as error:
                    return error
        for key in self._problems:
            if self._problems[key].is_damaged or not self._arrays:
                return UserError(f"array {key} in {self._path} {self._problems[key]}")
        shapes = [array.shape for array in self._arrays.values()]
        if len(shapes) > 1 and len(set(shapes)) == 1 and len(shapes[0]) in (2, 3):
            return UserError(
                f"{self._path} contains {len(shapes):,} arrays of the shape {shapes[0]}. If each of them is one image, "
                "save numpy.stack(arrays) as one array."
            )
        listing = f" but {self._list(list(self._arrays))}" if self._arrays else ""
        return UserError(
            f"{self._path} contains no images{listing}. It needs an array of shape (N, height, width), optionally with "
            "channels."
        )

    def _list(self, keys: list[str]) -> str:
        items = [f"{key} {self._arrays[key].shape}" for key in keys[:MAX_LISTED_ARRAYS]]
        more = len(keys) - len(items)
        return ", ".join(items) + (f" and {more} more" if more else "")


def _compare_with_train_images(test_images: ArrayFile, images: ArrayFile, image_key: str) -> str:
    """Return why test images cannot be scaled and resized like training images; empty if they can."""
    (height, width), (train_height, train_width) = test_images.shape[1:3], images.shape[1:3]
    if (height, width) != (train_height, train_width):
        return f"has images of {height}x{width} pixels, {image_key} of {train_height}x{train_width}"
    # Values of other types usually have another scale, such as floats from 0 to 1 beside integers from 0 to 255.
    kinds = {array.dtype.kind.replace("u", "i") for array in (test_images, images)}
    return "" if len(kinds) == 1 else f"has values of type {test_images.dtype}, {image_key} of type {images.dtype}"


def _describe_others(label_key: str | None, test_key: str | None, test_label_key: str | None) -> str:
    text = f", labels {label_key}" if label_key else ""
    text += f", test images {test_key}" if test_key else ""
    return text + (f" with {test_label_key}" if test_label_key else "")
