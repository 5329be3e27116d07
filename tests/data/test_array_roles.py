"""Choice of images, labels and the order of axes among the arrays of a file."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.drawing import load_digits
from tests.idx import write_idx, write_small_mnist
from vaetui.data.array_files import DatasetArrays
from vaetui.data.array_names import ArrayName, parse_array_name
from vaetui.data.array_roles import find_dataset_arrays
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError

IMAGES, CLASSES = load_digits(60)
OTHERS, OTHER_CLASSES = IMAGES[::-1][:30], CLASSES[::-1][:30]
FLAT = IMAGES.reshape(60, 784)


def find_arrays(path: Path, **options: Any) -> DatasetArrays:
    return find_dataset_arrays(path, ImportOptions(**options))


def save_npz(path: Path, *arrays: Any, **named_arrays: Any) -> Path:
    np.savez(path, *arrays, **named_arrays)
    return path


def read_chosen(dataset_arrays: DatasetArrays) -> list[NDArray[Any] | None]:
    """Return training images, training labels, test images and test labels."""
    chosen = (
        *(dataset_arrays.train_images, dataset_arrays.train_labels),
        *(dataset_arrays.test_images, dataset_arrays.test_labels),
    )
    return [None if array is None else array.read_all() for array in chosen]


# Names in npz files


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("XTrain", "YTrain", "XTest", "YTest"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("TRAIN_IMAGES", "TRAIN_LABELS", "TEST_IMAGES", "TEST_LABELS"),
        ("training_images", "training_labels", "t10k_images", "t10k_labels"),
        ("images_train", "labels_train", "images_test", "labels_test"),
        ("train/data", "train/targets", "test/data", "test/targets"),
        ("train_set_x", "train_set_y", "test_set_x", "test_set_y"),
        ("images", "labels", "test_images", "test_labels"),
        ("data", "target", "data_test", "target_test"),
        ("x", "y", "x_te", "y_te"),
        ("Image", "Class", "test_Image", "test_Class"),
    ],
)
@pytest.mark.parametrize("is_test_first", [False, True])
def test_images_and_labels_are_paired_by_name_in_any_case_and_order(
    tmp_path: Path, names: tuple[str, str, str, str], is_test_first: bool
) -> None:
    # As many test images as training images, so that the numbers of labels do not decide.
    arrays = dict(zip(names, (IMAGES[:30], CLASSES[:30], OTHERS, OTHER_CLASSES), strict=True))
    arrays = dict(reversed(arrays.items())) if is_test_first else arrays
    path = save_npz(tmp_path / "own.npz", **arrays)
    dataset_arrays = find_arrays(path, labels=True)
    for chosen, name in zip(read_chosen(dataset_arrays), names, strict=True):
        assert chosen is not None
        assert np.array_equal(chosen, arrays[name])
    images, labels, test_images, test_labels = names
    assert dataset_arrays.source == (
        f"array {images} of own.npz, labels {labels}, test images {test_images} with {test_labels}"
    )
    assert dataset_arrays.skipped == ()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("x_train_small", ArrayName("images", "train", "small")),
        ("fine_labels", ArrayName("labels", "", "fine")),
        ("image_labels", ArrayName("labels", "")),
        ("target_names", ArrayName("labels", "", "names")),
        ("valX", ArrayName("images", "validation")),
        ("arr_12", ArrayName("positional", "")),
        ("train", ArrayName("unknown", "train")),
        ("训练", ArrayName("unknown", "")),
    ],
)
def test_a_name_has_a_role_a_subset_and_other_words(name: str, parts: ArrayName) -> None:
    assert parse_array_name(name) == parts


def test_labels_of_another_subset_are_never_taken(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", x_train=IMAGES[:30], y_test=CLASSES[30:])
    with pytest.raises(UserError, match=r"no labels for x_train under a usual name.*--labels KEY: y_test \(30,\)\.$"):
        find_arrays(path, labels=True)


def test_validation_arrays_are_listed_as_not_taken(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", x_val=OTHERS, y_val=OTHER_CLASSES, x_train=IMAGES, y_train=CLASSES)
    dataset_arrays = find_arrays(path, labels=True)
    assert np.array_equal(dataset_arrays.train_images.read_all(), IMAGES)
    assert dataset_arrays.test_images is None
    assert dataset_arrays.skipped == (
        ("x_val in own.npz", "contains validation images, which are not imported"),
        ("y_val in own.npz", "has a usual name of labels, but does not belong to the chosen images"),
    )


def test_other_members_are_passed_over_and_listed(tmp_path: Path) -> None:
    path = save_npz(
        tmp_path / "own.npz",
        version=1,
        names=np.array(["a"] * 60, dtype=object),
        titles=np.array(["a"] * 60),
        mean=IMAGES.mean(0),
        spectrum=np.ones((60, 28, 28), complex),
        logo=np.zeros((64, 64, 3), np.uint8),
        landmarks=np.zeros((60, 68, 2)),
        scans=IMAGES,
        **{"line\nbreak": np.zeros(3)},
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "text")
        archive.writestr("directory/", "")
        archive.writestr("broken.npy", b"\x93NUMPY\x01\x00no header")
    dataset_arrays = find_arrays(path)
    assert np.array_equal(dataset_arrays.train_images.read_all(), IMAGES)
    assert dataset_arrays.source == "array scans of own.npz"
    reasons = dict(dataset_arrays.skipped)
    assert len(reasons) == len(dataset_arrays.skipped) == 11
    assert reasons.pop("broken in own.npz").startswith("cannot be read (")
    assert reasons == {
        "version in own.npz": "has the shape (); images have 3 or 4 axes",
        "names in own.npz": "contains Python objects, which are never loaded",
        "titles in own.npz": "contains text",
        "mean in own.npz": "has the shape (28, 28); images have 3 or 4 axes",
        "spectrum in own.npz": "contains complex numbers",
        "logo in own.npz": "has the shape (64, 64, 3), which is not that of several images",
        "landmarks in own.npz": "has the shape (60, 68, 2), which is not that of several images",
        "line\\nbreak in own.npz": "has the shape (3,); images have 3 or 4 axes",
        "notes.txt in own.npz": "is not an array",
        "directory/ in own.npz": "is not an array",
    }


@pytest.mark.parametrize("names", [("x_a", "x_b"), ("images", "x"), ("x_train", "images"), ("scans", "maps")])
def test_several_possible_image_arrays_raise_user_error_that_names_the_flag(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    path = save_npz(tmp_path / "own.npz", **dict.fromkeys(names, IMAGES))
    listing = " ".join((f"{names[0]} (60, 28, 28),", f"{names[1]} (60, 28, 28)."))
    with pytest.raises(UserError) as caught:
        find_arrays(path)
    assert f"several arrays that can be the images: {listing} Choose one with --images KEY, such as --images" in str(
        caught.value
    )
    chosen = find_arrays(path, image_key=names[1])
    assert chosen.source == f"array {names[1]} of own.npz"
    assert chosen.skipped == ((f"{names[0]} in own.npz", "is not the chosen array of images"),)


def test_unnamed_arrays_are_paired_if_there_is_one_of_each(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", CLASSES, IMAGES)
    images, labels, *_ = read_chosen(find_arrays(path, labels=True))
    assert images is not None
    assert labels is not None
    assert np.array_equal(images, IMAGES)
    assert np.array_equal(labels, CLASSES)
    with pytest.raises(UserError, match=r"images: arr_0 \(30, 28, 28\), arr_2 \(30, 28, 28\)"):
        find_arrays(save_npz(tmp_path / "four.npz", IMAGES[:30], CLASSES[:30], OTHERS, OTHER_CLASSES))
    with pytest.raises(UserError, match=r"can be the labels of arr_0: arr_1 \(60,\), arr_2 \(60,\)"):
        find_arrays(save_npz(tmp_path / "three.npz", IMAGES, CLASSES, np.arange(60)), labels=True)


def test_unnamed_images_take_named_labels(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", IMAGES, labels=CLASSES, class_names=np.array(["a", "b"]))
    labels = find_arrays(path, labels=True).train_labels
    assert labels is not None
    assert np.array_equal(labels.read_all(), CLASSES)


def test_several_possible_label_arrays_raise_user_error_that_names_the_flag(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", images=IMAGES, labels=CLASSES, targets=CLASSES % 2)
    with pytest.raises(
        UserError, match=r"labels of images: labels \(60,\), targets \(60,\)\. Choose one with --labels K"
    ):
        find_arrays(path, labels=True)
    assert find_arrays(path).train_labels is None
    labels = find_arrays(path, labels=True, label_key="Targets").train_labels
    assert labels is not None
    assert np.array_equal(labels.read_all(), CLASSES % 2)


def test_labels_with_unusual_names_are_not_guessed(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", images=IMAGES, fine_labels=CLASSES, kinds=CLASSES[:, None], other=CLASSES[:3])
    with pytest.raises(UserError, match=r"Choose an array with --labels KEY: fine_labels \(60,\), kinds \(60, 1\)\.$"):
        find_arrays(path, labels=True)
    with pytest.raises(UserError, match=r"contains no labels for images\. Omit --labels"):
        find_arrays(save_npz(tmp_path / "none.npz", images=IMAGES), labels=True)


@pytest.mark.parametrize("shape", [(60, 10), (59,), (60, 1, 1), ()])
def test_labels_that_are_not_one_per_image_raise_user_error(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = save_npz(tmp_path / "own.npz", images=IMAGES, labels=np.zeros(shape, int))
    with pytest.raises(UserError) as caught:
        find_arrays(path, labels=True)
    assert f"has the shape {shape}; one label for each of 60 images is needed." in str(caught.value)
    assert ("If it is one-hot, save array.argmax(axis=1)." in str(caught.value)) == (shape == (60, 10))
    path = save_npz(tmp_path / "own.npz", IMAGES, np.zeros(shape, int))
    with pytest.raises(UserError, match=r"arr_1 in .* has the shape|contains no labels for arr_0"):
        find_arrays(path, labels=True)


def test_labels_of_long_texts_raise_user_error(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", images=IMAGES, labels=np.array(["a", "b" * 5_000]).repeat(30))
    with pytest.raises(UserError, match="contains texts of up to 20,000 bytes, which are no labels"):
        find_arrays(path, labels=True)


def test_label_objects_raise_user_error_that_says_how_to_save_them(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", images=IMAGES, labels=CLASSES.astype(object))
    with pytest.raises(
        UserError, match=r"contains Python objects, which are never loaded. Save it .* array.astype\(str\)"
    ):
        find_arrays(path, labels=True)
    assert find_arrays(path).train_images.shape == (60, 28, 28)


def test_an_array_with_the_name_of_labels_is_no_image_set(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", labels=IMAGES)
    with pytest.raises(
        UserError, match=r"names of labels: labels \(60, 28, 28\)\. Pass --images labels if it contains im"
    ):
        find_arrays(path)
    assert find_arrays(path, image_key="labels").train_images.shape == (60, 28, 28)
    path = save_npz(tmp_path / "masks.npz", labels=IMAGES, scans=OTHERS)
    assert np.array_equal(find_arrays(path).train_images.read_all(), OTHERS)


@pytest.mark.parametrize(
    ("arrays", "name"),
    [
        ({"scans": IMAGES}, "scans"),
        ({"x_test": IMAGES, "y_test": CLASSES}, "x_test"),
        ({"images": IMAGES, "maps": OTHERS}, "images"),
        ({"train": IMAGES, "test": OTHERS}, "train"),
        ({"data": FLAT, "images": IMAGES, "target": CLASSES}, "images"),  # scikit-learn's digits
    ],
)
def test_an_unambiguous_array_is_taken_whatever_its_name(tmp_path: Path, arrays: dict[str, Any], name: str) -> None:
    dataset_arrays = find_arrays(save_npz(tmp_path / "own.npz", **arrays))
    assert dataset_arrays.source.startswith(f"array {name} of own.npz")
    assert np.array_equal(dataset_arrays.train_images.read_all(), IMAGES)


def test_an_alpha_channel_is_part_of_the_source(tmp_path: Path) -> None:
    array = np.full((60, 28, 28, 4), 255, np.uint8)
    path = save_npz(tmp_path / "own.npz", images=array, labels=CLASSES)
    assert find_arrays(path, labels=True).source == "array images of own.npz with alpha channel, labels labels"
    np.save(tmp_path / "own.npy", array)
    assert find_arrays(tmp_path / "own.npy").source == "array of own.npy with alpha channel"


def test_an_unusable_array_with_the_name_of_images_is_not_replaced_silently(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", x_train=FLAT, thumbs=IMAGES[:, ::2, ::2])
    with pytest.raises(
        UserError, match=r"x_train \(60, 784\), which is not an array of images, and thumbs \(60, 14, 14\)"
    ):
        find_arrays(path)
    path = save_npz(tmp_path / "objects.npz", x_train=np.array([None] * 60), thumbs=IMAGES)
    with pytest.raises(UserError, match=r"x_train in .*contains Python objects"):
        find_arrays(path)
    assert find_arrays(path, image_key="thumbs").train_images.shape == (60, 28, 28)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": FLAT}, r"array images in .* has the shape \(60, 784\).*save array.reshape\(-1, 28, 28\) instead"),
        ({"a": CLASSES, "b": 1}, r"contains no images but a \(60,\), b \(\)\. It needs an array of shape"),
        (
            {"photo": np.zeros((480, 640, 3))},
            r"photo in .* has the shape \(480, 640, 3\), which looks like a single image",
        ),
        ({"a": np.array([None])}, "a in .* contains Python objects"),
        (
            dict(zip("abc", IMAGES[:3], strict=True)),
            r"contains 3 arrays of the shape \(28, 28\)\. If each of them is one image, save numpy.st",
        ),
        ({}, r"contains no images\. It needs an array"),
    ],
)
def test_files_without_images_raise_user_error(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = save_npz(tmp_path / "own.npz", **arrays)
    with pytest.raises(UserError, match=message):
        find_arrays(path)


def test_an_unknown_key_raises_user_error_with_the_choices(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", X=IMAGES, x=OTHERS, kinds=CLASSES)
    for option in ("image_key", "label_key"):
        with pytest.raises(UserError, match=r"has no array sorts\. Choose from: X, kinds, x"):
            find_arrays(path, **{"image_key": "X", option: "sorts"})
    assert find_arrays(path, image_key="x", label_key=None).train_images.shape == (30, 28, 28)
    many = save_npz(tmp_path / "many.npz", **{f"a{index:02}": 1 for index in range(40)})
    with pytest.raises(UserError, match=r"a06, a07 and 32 more\.$"):
        find_arrays(many, image_key="b")


def test_a_key_of_a_single_array_raises_user_error(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", IMAGES)
    with pytest.raises(UserError, match="contains a single array, so --images cannot choose one"):
        find_arrays(tmp_path / "own.npy", image_key="x")


@pytest.mark.parametrize(
    ("test_images", "reason"),
    [
        (OTHERS[:, :20, :20], "has images of 20x20 pixels, x_train of 28x28"),
        ((OTHERS / 255).astype(np.float32), "has values of type float32, x_train of type uint8"),
        (OTHERS > 0, "has values of type bool, x_train of type uint8"),
        (OTHERS.astype(int), None),
    ],
)
def test_test_images_of_another_size_or_scale_are_listed_as_not_taken(
    tmp_path: Path, test_images: NDArray[Any], reason: str | None
) -> None:
    dataset_arrays = find_arrays(save_npz(tmp_path / "own.npz", x_train=IMAGES, x_test=test_images))
    assert (dataset_arrays.test_images is None) == (reason is not None)
    assert dataset_arrays.skipped == ((("x_test in own.npz", reason),) if reason else ())


def test_a_damaged_array_matters_only_if_it_is_needed(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (60, 28, 28)})
    for name, is_needed in (("images", True), ("x_train", True), ("notes", False), ("images_small", False)):
        path = save_npz(tmp_path / f"{name}.npz", x=IMAGES)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"{name}.npy", header.getvalue() + b"too short")
        if is_needed:
            with pytest.raises(UserError, match=f"{name} in .* cannot be read .its length differs from its header"):
                find_arrays(path)
        else:
            assert [line[0] for line in find_arrays(path).skipped] == [f"{name} in {name}.npz"]


def test_two_arrays_of_one_name_raise_user_error(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", images=IMAGES)
    content = io.BytesIO()
    np.save(content, OTHERS)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("images.npy", content.getvalue())
    with pytest.raises(UserError, match=r"array images in .* has the same name as another one\. Save them under"):
        find_arrays(path)


def test_npy_and_npz_files_are_recognised_by_their_content(tmp_path: Path) -> None:
    save_npz(tmp_path / "own.npz", images=IMAGES).rename(tmp_path / "own.npy")
    assert find_arrays(tmp_path / "own.npy").source == "array images of own.npy"
    np.save(tmp_path / "other.npy", IMAGES)
    (tmp_path / "other.npy").rename(tmp_path / "other.NPZ")
    assert find_arrays(tmp_path / "other.NPZ").source == "array of other.NPZ"


def test_a_directory_of_idx_files_has_named_sources(tmp_path: Path) -> None:
    directory = write_small_mnist(tmp_path / "own", 20, 12)
    dataset_arrays = find_arrays(directory, labels=True)
    assert dataset_arrays.source == (
        "IDX file train-images-idx3-ubyte of own, labels train-labels-idx1-ubyte, test images t10k-images-idx3-ubyte"
    )
    write_idx(directory / "train-images-idx3-ubyte", np.zeros((20, 20, 28), np.uint8))
    assert find_arrays(directory).train_images.shape == (20, 20, 28)
    write_idx(directory / "train-images-idx3-ubyte", np.zeros((20, 0, 28), np.uint8))
    with pytest.raises(UserError, match="images of 0x28 pixels"):
        find_arrays(directory)


def test_a_pipe_raises_user_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.npy")
    with pytest.raises(UserError, match="is not a regular file"):
        find_arrays(tmp_path / "own.npy")


# The order of axes


@pytest.mark.parametrize(
    ("shape", "axes", "arranged_shape"),
    [
        ((60, 28, 20), None, (60, 28, 20)),
        ((60, 20, 28), None, (60, 20, 28)),
        ((40, 64, 64), None, (40, 64, 64)),
        ((30, 48, 64), None, (30, 48, 64)),
        ((28, 28, 28), None, (28, 28, 28)),
        ((60, 1, 28, 20), None, (60, 28, 20, 1)),
        ((60, 3, 28, 20), None, (60, 28, 20, 3)),
        ((60, 28, 20, 1), None, (60, 28, 20, 1)),
        ((60, 28, 20, 3), None, (60, 28, 20, 3)),
        ((60, 28, 20, 4), None, (60, 28, 20, 4)),
        ((28, 28, 60), "NHW", (28, 28, 60)),
        ((28, 28, 60), "hwn", (60, 28, 28)),
        ((20, 28, 60), "WHN", (60, 28, 20)),
        ((60, 20, 28), "NWH", (60, 28, 20)),
        ((28, 20, 3, 60), "HWCN", (60, 28, 20, 3)),
        ((3, 28, 20, 60), "CHWN", (60, 28, 20, 3)),
        ((60, 4, 28, 20), "NCHW", (60, 28, 20, 4)),
        ((28, 28, 60, 3), "HWNC", (60, 28, 28, 3)),
    ],
)
def test_axes_are_brought_into_one_order(
    tmp_path: Path, shape: tuple[int, ...], axes: str | None, arranged_shape: tuple[int, ...]
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    np.save(tmp_path / "own.npy", array)
    images = find_arrays(tmp_path / "own.npy", axes=axes).train_images
    order = (axes or ("NCHW" if shape[1] in (1, 3) else "NHWC"[: len(shape)])).upper()
    expected = np.einsum(f"{order}->{'NHWC'[: len(shape)]}", array)
    assert images.shape == arranged_shape
    assert np.array_equal(images.read_all(), expected)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((28, 28, 60), "--axes HWN for 60 images of 28x28 pixels, or --axes NHW for 28 images of 28x60 pixels"),
        ((28, 28, 1000), "--axes HWN for 1,000 images of 28x28 pixels, or --axes NHW for 28 images of 28x1000 pixels"),
        ((28, 28, 20), "--axes HWN for 20 images of 28x28 pixels, or --axes NHW for 28 images of 28x20 pixels"),
        ((20, 30, 500), "--axes HWN for 500 images of 20x30 pixels, or --axes NHW for 20 images of 30x500 pixels"),
        ((28, 28, 60, 3), "--axes HWNC for 60 images of 28x28 pixels, or --axes NHWC for 28 images of 28x60 pixels"),
        ((28, 28, 3, 60), "Pass --axes HWCN for 60 images of 28x28 pixels."),
        ((28, 20, 1, 60), "Pass --axes HWCN for 60 images of 28x20 pixels."),
        ((3, 28, 20, 60), "Pass --axes CHWN for 60 images of 28x20 pixels, or --axes CNHW for 28 images of 20x60"),
        ((1, 60, 28, 28), "Pass --axes CHWN for 28 images of 60x28 pixels, or --axes CNHW for 60 images of 28x28"),
        ((60, 4, 28, 28), "Pass --axes NCHW for 60 images of 28x28 pixels."),
        ((60, 2, 28, 28), "has the shape (60, 2, 28, 28); images have the shape (N, height, width)"),
        ((60, 28, 28, 2), "has the shape (60, 28, 28, 2); images have the shape (N, height, width)"),
        ((480, 640, 3), "which looks like a single image"),
        ((480, 640), "has the shape (480, 640); images have 3 or 4 axes"),
        ((60, 784), "If each row is an image, save array.reshape(-1, 28, 28) instead."),
        ((60, 3072), "If each row is an image, save array.reshape(-1, 3, 32, 32) instead."),
        ((60, 600), "If each row is an image, save array.reshape(-1, height, width) instead."),
        ((60,), "images have 3 or 4 axes"),
        ((), "images have 3 or 4 axes"),
        ((2, 60, 28, 28, 3), "images have 3 or 4 axes"),
        ((60, 0, 28), "images of 0x28 pixels"),
    ],
)
def test_ambiguous_or_unsupported_shapes_raise_user_error(tmp_path: Path, shape: tuple[int, ...], message: str) -> None:
    np.save(tmp_path / "own.npy", np.zeros(shape, np.uint8))
    with pytest.raises(UserError) as caught:
        find_arrays(tmp_path / "own.npy")
    assert message in str(caught.value)


@pytest.mark.parametrize("axes", ["", "HW", "HWX", "NHHW", "NHWCN", "N HW"])
def test_an_invalid_order_of_axes_raises_user_error(tmp_path: Path, axes: str) -> None:
    np.save(tmp_path / "own.npy", IMAGES)
    with pytest.raises(UserError, match=f"--axes {axes} is not an order of axes. Use N"):
        find_arrays(tmp_path / "own.npy", axes=axes)


def test_an_order_of_another_number_of_axes_raises_user_error(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", IMAGES)
    with pytest.raises(UserError, match=r"--axes HWCN has 4 letters, but .*own.npy has the shape \(60, 28, 28\)"):
        find_arrays(tmp_path / "own.npy", axes="HWCN")


def test_the_number_of_labels_makes_an_order_likely_or_doubtful(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "last.npz", images=np.zeros((64, 48, 30), np.uint8), labels=np.arange(30))
    with pytest.raises(UserError, match="--axes HWN for 30 images of 64x48 pixels, or --axes NHW for 64 images"):
        find_arrays(path)
    dataset_arrays = find_arrays(path, axes="HWN", labels=True)
    assert dataset_arrays.train_images.shape == (30, 64, 48)
    assert dataset_arrays.train_labels is not None
    path = save_npz(tmp_path / "first.npz", images=np.zeros((28, 28, 60), np.uint8), labels=np.arange(28))
    assert find_arrays(path).train_images.shape == (28, 28, 60)


def test_a_known_size_decides_the_order(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.zeros((28, 28, 60), np.uint8))
    arrays = find_dataset_arrays(tmp_path / "own.npy", ImportOptions(), (28, 60))
    assert arrays.train_images.shape == (28, 28, 60)
    with pytest.raises(UserError, match="can be read in two ways"):
        find_dataset_arrays(tmp_path / "own.npy", ImportOptions(), (28, 28))


def test_one_order_applies_to_training_and_test_images(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "own.npz", x_train=np.moveaxis(IMAGES, 0, 2), x_test=np.moveaxis(OTHERS, 0, 2))
    images, _, test_images, _ = read_chosen(find_arrays(path, axes="HWN"))
    assert images is not None
    assert test_images is not None
    assert np.array_equal(images, IMAGES)
    assert np.array_equal(test_images, OTHERS)
