"""Output files and directories are complete or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.storage import output_files
from vaetui.storage.output_files import create_output_directory, refuse_to_overwrite, write_output_file


def list_tree(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_a_file_gets_the_usual_permissions_and_keeps_those_of_the_file_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    umask = os.umask(0o022)
    try:
        write_output_file(path, b"old")
        assert path.stat().st_mode & 0o777 == 0o644
        path.chmod(0o640)
        write_output_file(path, [b"n", b"ew"])
    finally:
        os.umask(umask)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert os.listdir(tmp_path) == ["labels.csv"]


def test_the_target_of_a_link_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_output_file(tmp_path / "link", b"new")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "target").read_bytes()) == (True, b"new")


def test_a_name_of_the_largest_length_can_be_written(tmp_path: Path) -> None:
    write_output_file(tmp_path / ("x" * 255), b"new")
    with create_output_directory(tmp_path / ("y" * 255)) as directory:
        (directory / "a").touch()
    assert list_tree(tmp_path) == ["x" * 255, "y" * 255, "y" * 255 + "/a"]


def test_a_named_pipe_is_written_in_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    contents = []
    thread = threading.Thread(target=lambda: contents.append((tmp_path / "pipe").read_bytes()))
    thread.start()
    write_output_file(tmp_path / "pipe", b"content")
    thread.join()
    assert (contents, (tmp_path / "pipe").is_fifo()) == ([b"content"], True)


def test_a_full_device_raises_user_error() -> None:
    with pytest.raises(UserError, match="is full"):
        write_output_file(Path("/dev/full"), b"content")


def test_standard_output_is_written_at_its_position_when_it_is_a_file(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from vaetui.storage.output_files import write_output_file; "
        "print('before', flush=True); write_output_file(Path('/dev/stdout'), b'content\\n'); print('after')"
    )
    with (tmp_path / "output").open("wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert (tmp_path / "output").read_text() == "before\ncontent\nafter\n"


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("old")

    def fail() -> None:
        def chunks() -> list[bytes]:
            raise OSError(errno.ENOSPC, "No space left on device")

        write_output_file(tmp_path / "labels.csv", (chunk for _ in range(1) for chunk in chunks()))

    with pytest.raises(UserError, match=r"The disk that contains .* is full"):
        fail()
    assert os.listdir(tmp_path) == ["labels.csv"]
    assert (tmp_path / "labels.csv").read_text() == "old"


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("exists", [False, True])
def test_a_directory_that_is_not_finished_leaves_nothing(tmp_path: Path, error: BaseException, exists: bool) -> None:
    output = tmp_path / "out"
    if exists:
        output.mkdir()

    def fail() -> None:
        with create_output_directory(output) as directory:
            (directory / "half/a").mkdir(parents=True)
            raise error

    with pytest.raises(type(error)):
        fail()
    assert list_tree(tmp_path) == ["out"] * exists


@pytest.mark.parametrize("exists", [False, True])
def test_what_a_killed_process_left_does_not_block_the_next_try(tmp_path: Path, exists: bool) -> None:
    output = tmp_path / "out"
    if exists:
        output.mkdir()
    program = (
        "import os, signal, sys; from pathlib import Path; "
        "from vaetui.storage.output_files import create_output_directory\n"
        "with create_output_directory(Path(sys.argv[1])) as directory:\n"
        "    (directory / 'old').mkdir(); (directory / 'old/file').touch(); (directory / 'link').symlink_to('/')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    process = subprocess.run([sys.executable, "-c", program, str(output)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert len(list_tree(tmp_path)) > 1
    with create_output_directory(output) as directory:
        (directory / "new").touch()
    assert list_tree(tmp_path) == ["out", "out/new"]


def test_what_was_left_beside_an_output_is_removed_when_the_output_exists_meanwhile(tmp_path: Path) -> None:
    with create_output_directory(tmp_path / "out") as directory:
        shutil.copytree(directory, tmp_path / "left")
        partial_name = directory.name
    (tmp_path / "left").rename(tmp_path / partial_name)
    (tmp_path / partial_name / "old").touch()
    with create_output_directory(tmp_path / "out") as directory:
        (directory / "new").touch()
    assert list_tree(tmp_path) == ["out", "out/new"]


@pytest.mark.usefixtures("home")
def test_nothing_is_written_into_a_session(home: Path) -> None:
    (home / "sessions/demo").mkdir(parents=True)
    with pytest.raises(UserError, match="where vaetui keeps its data"):
        output_files.require_new_directory(home / "sessions/demo/model")


def test_the_working_directory_can_be_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino
    with create_output_directory(Path(".")) as directory:
        (directory / "a/b").mkdir(parents=True)
    assert list_tree(tmp_path) == ["a", "a/b"]
    assert tmp_path.stat().st_ino == inode, "shells in this directory must not lose it"


def test_the_output_is_locked_while_it_is_written(tmp_path: Path) -> None:
    def write_twice() -> None:
        with create_output_directory(tmp_path / "out") as directory, create_output_directory(tmp_path / "out"):
            (directory / "a").touch()

    with pytest.raises(UserError, match="Another process is writing"):
        write_twice()


def test_files_that_appear_in_the_output_meanwhile_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    def write() -> None:
        with create_output_directory(tmp_path / "out") as directory:
            (directory / "a").touch()
            (tmp_path / "out/a").write_text("of another program")

    with pytest.raises(UserError, match="is not empty"):
        write()
    assert (tmp_path / "out/a").read_text() == "of another program"
    assert list_tree(tmp_path) == ["out", "out/a"]


def test_unusable_outputs_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for check in (output_files.require_new_directory, lambda path: create_output_directory(path).__enter__()):
        with pytest.raises(UserError, match="is not a directory"):
            check(tmp_path / "file")
        with pytest.raises(UserError, match="is not empty"):
            check(tmp_path)
        with pytest.raises(UserError, match=r"Directory .*missing does not exist"):
            check(tmp_path / "missing/out")


def assert_is_refused(output: Path, message: str, *, force: bool = True, inputs: tuple[Path, ...] = ()) -> None:
    with pytest.raises(UserError, match=message):
        refuse_to_overwrite(output, force, inputs)


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("missing")
    for name in ("file", "link"):
        assert_is_refused(tmp_path / name, "exists. Choose another output, or overwrite it with --force", force=False)
        refuse_to_overwrite(tmp_path / name, True, [])
    refuse_to_overwrite(tmp_path / "new", False, [])


def test_an_input_is_refused_under_every_path_that_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "mine.csv").touch()
    (tmp_path / "link.csv").symlink_to("mine.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "mine.csv")
    (tmp_path / "directory").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "a")
    outputs = ("link.csv", "hard.csv", "directory/mine.csv", "a/../mine.csv", "mine.csv")
    for output in (*(tmp_path / name for name in outputs), Path("../mine.csv")):
        for force in (False, True):
            assert_is_refused(output, "is the input", force=force, inputs=(tmp_path / "x", tmp_path / "mine.csv"))


@pytest.mark.usefixtures("home")
def test_nothing_is_written_inside_a_session_dataset_or_stored_vectors(home: Path, tmp_path: Path) -> None:
    for directory in (home / "sessions/demo", home / "datasets/0123", home / "features"):
        directory.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home / "sessions")
    inside = ("sessions/demo/new.csv", "datasets/0123/new/deep", "features/0123.npy")
    for output in (*(home / name for name in inside), tmp_path / "link/demo/new.csv"):
        assert_is_refused(output, "where vaetui keeps its data")
    refuse_to_overwrite(home / "new.csv", False, [])


def test_pipes_and_devices_can_be_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for output in (tmp_path / "pipe", Path("/dev/null"), Path("/dev/full"), Path("/dev/stdout"), Path("/dev/fd/2")):
        refuse_to_overwrite(output, False, [tmp_path / "pipe"])
