"""Listing of directories: what is taken, and the reason for each file and directory that is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.data.drawing import encode_png, load_digits
from vaetui.data.image_folder import MAX_LINKS_TO_DIRECTORY, is_unrelated, list_folder_images, list_single_file
from vaetui.errors import UserError

PNG = encode_png(load_digits(1)[0][0])


def write_files(root: Path, *names: str, content: bytes = PNG) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def list_skipped(root: Path) -> dict[str, str]:
    return dict(list_folder_images(root, False).skipped)


def test_images_are_listed_in_path_order(tmp_path: Path) -> None:
    write_files(tmp_path, "b/1.png", "b.png", "a/2.JPG", "a/b/c.TiFF", "a/1.webp")
    files = list_folder_images(tmp_path, False)
    assert files.relative_paths == ("a/1.webp", "a/2.JPG", "a/b/c.TiFF", "b.png", "b/1.png")
    assert (files.labels, files.skipped, files.source) == (None, (), f"directory {tmp_path.name}")


def test_every_file_that_is_not_an_image_is_listed_with_its_ending(tmp_path: Path) -> None:
    names = ["notes.txt", "a/model.PT", "Makefile", "Fig. 1 of 2", "x.unheardof", "png", "a.", "c.txt.png~"]
    write_files(tmp_path, *names, content=b"text")
    write_files(tmp_path, "b.png")
    assert list_skipped(tmp_path) == {
        "notes.txt": "is not an image (.txt)",
        "a/model.PT": "is not an image (.pt)",
        "Makefile": "has no image ending",
        "Fig. 1 of 2": "has no image ending",
        "x.unheardof": "is not an image (.unheardof)",
        "png": "has no image ending",
        "a.": "has no image ending",
        "c.txt.png~": "is not an image (.png~)",
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x.HEIC", "is a HEIC image, which needs pillow-heif: pip install pillow-heif"),
        ("x.jxl", "is a JPEG XL image, which needs pillow-jxl-plugin: pip install pillow-jxl-plugin"),
        ("x.CR2", "is a camera raw file; convert it to TIFF or PNG first"),
        ("x.dng", "is a camera raw file; convert it to TIFF or PNG first"),
        ("x.dcm", "is a medical image; convert it to PNG or npy first"),
        ("x.svg", "is a drawing; convert it to PNG first"),
        ("x.eps", "is a drawing; convert it to PNG first"),
        ("x.pdf", "is a document; convert its pages to PNG first"),
        ("x.MOV", "is a video; save its frames as images first"),
        ("x.zip", "is an archive; unpack it first"),
        ("x.npy", "is an array file; import it separately"),
    ],
)
def test_a_file_that_needs_a_conversion_is_explained(tmp_path: Path, name: str, reason: str) -> None:
    write_files(tmp_path, name, content=b"other content")
    assert list_skipped(tmp_path) == {name: reason}


def test_an_image_without_a_usual_ending_is_recognised_by_its_content(tmp_path: Path) -> None:
    write_files(tmp_path, "png", "IMG_1.png_large", "photo.jpg~", "x.heic")
    for name, image_format in (("jpeg.dat", "JPEG"), ("gif", "GIF"), ("tiff.lsm", "TIFF"), ("bmp", "BMP")):
        Image.new("L", (9, 9)).save(tmp_path / name, image_format)
    for name, image_format in (("webp", "WEBP"), ("avif.bin", "AVIF"), ("jp2", "JPEG2000")):
        Image.new("RGB", (9, 9)).save(tmp_path / name, image_format)
    write_files(tmp_path, "BMW", content=b"BMW is a text")
    files = list_folder_images(tmp_path, False)
    assert set(files.relative_paths) == {path.name for path in tmp_path.iterdir()} - {"BMW"}
    assert files.skipped == (("BMW", "has no image ending"),)


def test_a_pipe_without_an_ending_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list_skipped(tmp_path) == {"pipe": "has no image ending"}


def test_hidden_and_system_files_are_skipped_as_one_entry_each(tmp_path: Path) -> None:
    system = ["@eaDir", "a/@eaDir", "__MACOSX", ".@__thumb", "#recycle", "$RECYCLE.BIN", "System Volume Information"]
    write_files(tmp_path, "a.png", *(f"{name}/x/y.png" for name in system), "lost+found/y.png", ".git/x.png", ".b.png")
    write_files(tmp_path, "._a.png", "Thumbs.db", ".DS_Store", "desktop.ini")
    files = list_folder_images(tmp_path, False)
    assert files.relative_paths == ("a.png",)
    reasons = dict(files.skipped)
    for name in (*system, "lost+found"):
        assert reasons.pop(f"{name}/") == "is a directory of the system, such as for thumbnails"
    for name in ("._a.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        assert reasons.pop(name) == "is a file of the system"
    assert reasons == {".git/": "is hidden", ".b.png": "is hidden"}


def test_a_class_directory_may_be_a_link(tmp_path: Path) -> None:
    write_files(tmp_path, "source/cat/1.png", "set/dog/1.png")
    (tmp_path / "set/cat").symlink_to("../source/cat")
    files = list_folder_images(tmp_path / "set", True)
    assert (files.relative_paths, files.labels) == (("cat/1.png", "dog/1.png"), ("cat", "dog"))
    (tmp_path / "link").symlink_to("set")
    assert list_folder_images(tmp_path / "link", True).labels == ("cat", "dog")


def test_links_to_a_parent_directory_are_skipped(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, "a/b/1.png")
    write_files(tmp_path, "other/2.png")
    (root / "a/b/self").symlink_to(".")
    (root / "a/b/up").symlink_to("..")
    (root / "a/b/top").symlink_to(root)
    (root / "above").symlink_to(tmp_path)
    (root / "other").symlink_to(tmp_path / "other")
    (tmp_path / "other/back").symlink_to(root)
    files = list_folder_images(root, False)
    assert files.relative_paths == ("a/b/1.png", "other/2.png")
    names = ["a/b/self/", "a/b/top/", "a/b/up/", "above/", "other/back/"]
    assert files.skipped == tuple((name, "is a link to a directory that contains it") for name in names)


def test_directories_full_of_links_to_each_other_are_listed_in_the_end(tmp_path: Path) -> None:
    for name in "abcdefgh":
        write_files(tmp_path, f"{name}/1.png")
    for name in "abcdefgh":
        for other in "abcdefgh".replace(name, ""):
            (tmp_path / name / other).symlink_to(tmp_path / other)
    files = list_folder_images(tmp_path, False)
    assert 8 < len(files.relative_paths) <= 8 * (1 + MAX_LINKS_TO_DIRECTORY)
    assert f"is a link to a directory that {MAX_LINKS_TO_DIRECTORY} links lead to" in dict(files.skipped).values()


def test_broken_links_are_listed_for_decoding_or_skipped(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    files = list_folder_images(tmp_path, False)
    assert files.relative_paths == ("gone.png", "loop.png")
    assert files.skipped == (("loop", "has no image ending"),)


def test_an_unreadable_directory_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, "a.png")
    monkeypatch.chdir(tmp_path)
    for _ in range(20):  # the path becomes too long for the operating system
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    files = list_folder_images(tmp_path, False)
    assert files.relative_paths == ("a.png",)
    ((name, reason),) = files.skipped
    assert name.endswith("d/")
    assert reason == "cannot be read (File name too long)"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every directory")
def test_a_directory_without_permission_is_skipped(tmp_path: Path) -> None:
    write_files(tmp_path, "a.png", "locked/b.png")
    (tmp_path / "locked").chmod(0)
    assert list_skipped(tmp_path) == {"locked/": "cannot be read (Permission denied)"}
    with pytest.raises(UserError, match=r"locked cannot be read \(Permission denied\)"):
        list_folder_images(tmp_path / "locked", False)
    (tmp_path / "locked").chmod(0o700)


def test_a_missing_root_raises_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        list_folder_images(tmp_path / "gone", False)


def test_every_name_of_valid_unicode_is_taken(tmp_path: Path) -> None:
    names = ["Screenshot at 10.30.00\u202fAM.png", "Snímek\u00a0v 13.05.png", "line\nbreak\ttab.png", "\U0001faef.png"]
    names += ["a\u200db\u200e.png", "한국어.png", " .png", "-rf.png", '"$(id)".png']
    write_files(tmp_path, *names)
    (tmp_path / os.fsdecode(b"latin-\xe9.png")).write_bytes(PNG)
    files = list_folder_images(tmp_path, False)
    assert set(files.relative_paths) == set(names)
    assert files.skipped == (("latin-\\udce9.png", "has a name that is not valid UTF-8"),)


def test_images_outside_class_directories_are_named(tmp_path: Path) -> None:
    write_files(tmp_path, "cat/1.png", "dog/deep/er/1.png")
    assert list_folder_images(tmp_path, True).labels == ("cat", "dog")
    write_files(tmp_path, "cover.png")
    with pytest.raises(UserError, match=r"has images outside its class directories: cover\.png\. Move them"):
        list_folder_images(tmp_path, True)
    write_files(tmp_path, "more.png", "plan.png")
    with pytest.raises(UserError, match=r"class directories: cover\.png and 2 more\. Move them"):
        list_folder_images(tmp_path, True)
    assert len(list_folder_images(tmp_path, False).relative_paths) == 5


def test_a_single_file_is_a_list_of_one(tmp_path: Path) -> None:
    files = list_single_file(tmp_path / "stack.tif")
    assert (files.root, files.relative_paths, files.source) == (tmp_path, ("stack.tif",), "file stack.tif")


def test_exported_directories_have_the_classes_of_their_table_and_unsure_images_no_label(tmp_path: Path) -> None:
    picture = encode_png(load_digits(1)[0][0])
    for directory in ("cat", "a_b", "_unsure"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "1.png").write_bytes(picture)
    assert list_folder_images(tmp_path, True).labels == ("", "a_b", "cat")
    (tmp_path / "class_names.csv").write_text('directory,class\na_b,"a/b"\ncat,cat\n')
    assert list_folder_images(tmp_path, True).labels == ("", "a/b", "cat")
    (tmp_path / "class_names.csv").write_text("name\ncat\n")
    assert list_folder_images(tmp_path, True).labels == ("", "a_b", "cat")


def test_only_entries_that_may_hold_images_are_related_to_them() -> None:
    unrelated = (".a.png", "a/.b/", "a/._b.png", "Thumbs.db", "a/@eaDir/", "$RECYCLE.BIN/", "a/labels.CSV", "notes.txt")
    assert all(map(is_unrelated, unrelated))
    assert not any(
        map(is_unrelated, ("a.png", "a/b.heic", "no-ending", "a/", "txt", "archive.csv/", "@eadir", "a.npy"))
    )


def test_directories_of_subsets_are_no_classes_unless_they_are_named(tmp_path: Path) -> None:
    for name in ("Train/cat/a.png", "Train/dog/b.png", "test/cat/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        UserError, match=r"directories Train, test of .* look like parts of a dataset .*Pass .*/Train to"
    ):
        list_folder_images(tmp_path, True)
    assert list_folder_images(tmp_path, True, ("test", "Train")).labels == ("Train", "Train", "test")
    assert list_folder_images(tmp_path, False).labels is None
    assert list_folder_images(tmp_path / "Train", True).labels == ("cat", "dog")
    (tmp_path / "valid").mkdir()
    (tmp_path / "valid" / "d.png").write_bytes(b"x")  # images directly below are those of a class
    assert list_folder_images(tmp_path, True).labels == ("Train", "Train", "test", "valid")
