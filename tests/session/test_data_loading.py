"""The images of a session are damaged between two openings: no answer is lost, and a set is made anew."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.drawing import load_digits, write_image_folder
from tests.idx import write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG
from vaetui.cli.data_options import DataOptions
from vaetui.runtime.runner import drain
from vaetui.data.import_options import ImportOptions
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.events import Event, Loading, Notice, Progress
from vaetui.errors import UserError
from vaetui.session import lifecycle, resources
from vaetui.session.verification import verify_session
from vaetui.storage import dataset_cache
from vaetui.storage import locations as sessions
from vaetui.storage.repository import SessionRepository

COUNT = 70
CASES = 120
QUICK = replace(
    SMALL_CONFIG,
    cluster=replace(SMALL_CONFIG.cluster, clusters=4),
    network=replace(SMALL_CONFIG.network, channels=(4, 8), z_dim=4),
    training=replace(SMALL_CONFIG.training, rounds=1),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "home"))
    return tmp_path


def asked(data: Path, labels: bool = True) -> Path:
    """Make a session of these images that waits for answers, with two given, and tell where its images are."""
    taken = DataOptions(str(data), ImportOptions(labels=labels)).import_images(QUICK)
    with closing(lifecycle.create("it", taken.source, taken.config, taken.data_record)) as session:
        list(session.advance())
        session.answer((1,), ClassAnswer(6))
        session.answer((2,), Unreadable())
    return Path(taken.source)


def said() -> list[object]:
    facts = SessionRepository(sessions.find_session("it"))
    found = [saying.answer for saying in facts.list_answers(1)]
    facts.close()
    return found


def opened() -> list[Event]:
    """Open the session until PyTorch would be loaded: by then the images are."""
    found: list[Event] = []
    with closing(lifecycle.resume("it")) as session, closing(iter(session.advance())) as events:
        for event in events:  # type: ignore[attr-defined]
            if event == Loading("PyTorch"):
                return found
            found.append(event)
    raise AssertionError("it never came to that")


def finished() -> list[str]:
    """Go on to the end, and give what a person is told."""
    with closing(lifecycle.resume("it")) as session:
        told = [event.message for event in session.advance() if isinstance(event, Notice)]
        assert session.phase == "labelling"
        session.finish_round()
        list(session.advance())
        assert session.phase == "finished"
        return told


def blows(files: list[Path], seed: int) -> Iterator[Path]:
    """Damage one file after another, and put it back as it was."""
    draw = random.Random(seed)
    wholes = {path: path.read_bytes() for path in files}
    for case in range(CASES):
        path = draw.choice(files)
        damaged = bytearray(wholes[path])
        if case % 3 == 0:
            del damaged[draw.randrange(len(damaged) + 1) :]
        elif damaged:
            for _ in range(draw.randrange(1, 4)):
                damaged[draw.randrange(min(len(damaged), draw.choice([16, len(damaged)])))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        if case % 17 == 0:
            path.unlink()
        yield path
        for whole, content in wholes.items():
            whole.parent.mkdir(exist_ok=True)
            whole.write_bytes(content)


def test_damaged_source_files_lose_no_answer(place: Path) -> None:
    data = write_small_mnist(place / "data", COUNT, 20)
    asked(data)
    refused = 0
    for path in blows(sorted(data.iterdir()), seed=0):
        try:
            opened()
        except UserError as trouble:
            refused += 1
            assert str(trouble).isprintable()
            assert str(path.parent) in str(trouble)
    assert CASES // 4 < refused < CASES
    assert said() == [ClassAnswer(6), Unreadable()]
    assert finished() == []


@pytest.mark.parametrize("there", [True, False])
def test_a_damaged_set_is_made_anew_or_refused_and_loses_no_answer(place: Path, there: bool) -> None:
    write_image_folder(place / "own", COUNT, by_class=True)
    made = asked(place / "own")
    wholes = {path.name: path.read_bytes() for path in made.iterdir()}
    if not there:
        (place / "own").rename(place / "elsewhere")
    refused = mended = 0
    for path in blows(sorted(made.iterdir()), seed=1):
        try:
            mended += any(isinstance(event, Progress) for event in opened())
        except UserError as trouble:
            refused += 1
            assert not there, path
            assert f"{place / 'own'}, of which they were made, is gone" in str(trouble)
        if there and path.name != dataset_cache.SKIPPED_FILES_NAME:
            for name in (path.name, "train-images-idx3-ubyte"):
                assert (made / name).read_bytes() == wholes[name], path
    assert (refused == 0) if there else (CASES // 8 < refused < CASES)
    assert mended > CASES // 4
    assert said() == [ClassAnswer(6), Unreadable()]
    if not there:
        (place / "elsewhere").rename(place / "own")
    assert finished() == []


@pytest.mark.parametrize("kind", ["folder", "array"])
def test_a_set_that_is_gone_is_made_anew(place: Path, kind: str) -> None:
    own = place / "own"
    if kind == "array":
        own = place / "own.npy"
        np.save(own, load_digits(COUNT)[0])
    else:
        write_image_folder(own, COUNT)
    made = asked(own, labels=False)
    shutil.rmtree(dataset_cache.datasets_directory())
    (found,) = drain(verify_session("it", repair=False))
    assert (found.file_name, found.is_lost) == (str(made), True)
    assert found.remedy == f"made anew by vaetui resume, if {own} is as it was"
    assert finished() == [f"the images in {made} were lost or damaged: made anew from {own}"]
    assert said() == [ClassAnswer(6), Unreadable()]


def test_a_set_that_is_gone_is_not_made_of_other_files(place: Path) -> None:
    write_image_folder(place / "own", COUNT)
    made = asked(place / "own", labels=False)
    shutil.copytree(made, place / "kept")
    shutil.rmtree(made)
    stray = place / "own/part-0/stray.png"
    stray.write_bytes((place / "own/part-0/00000.png").read_bytes())
    with pytest.raises(
        UserError, match=r"are lost or damaged, and .*/own, of which they were made, is gone or has chan"
    ):
        opened()
    shutil.copytree(place / "kept", made)
    assert "(files: 1 new)" in finished()[0]


def test_what_is_there_is_not_replaced_by_other_images(place: Path) -> None:
    own, pixels = place / "own.npy", load_digits(COUNT)[0]
    np.save(own, pixels)
    made = asked(own, labels=False)
    moment = own.stat()
    np.save(own, 255 - pixels)  # as another version of a decoder would give them: nothing tells that from outside
    os.utime(own, ns=(moment.st_atime_ns, moment.st_mtime_ns))
    whole = (made / "train-images-idx3-ubyte").read_bytes()
    (made / dataset_cache.METADATA_NAME).write_text("spoiled")
    opened()
    assert (made / "train-images-idx3-ubyte").read_bytes() == whole
    (made / "train-images-idx3-ubyte").write_bytes(whole[:-1])
    with pytest.raises(UserError, match="is gone or has changed"):
        opened()
    assert (made / "train-images-idx3-ubyte").read_bytes() == whole[:-1]
    (made / "train-images-idx3-ubyte").write_bytes(whole)
    assert finished() == []


def test_images_of_a_person_that_are_gone_are_named(place: Path) -> None:
    data = write_small_mnist(place / "data", COUNT, 20)
    asked(data)
    data.rename(place / "elsewhere")
    with pytest.raises(UserError, match=rf"The images in {data} are lost or damaged; put them back"):
        opened()
    (place / "elsewhere").rename(data)
    assert finished() == []


def test_many_files_are_looked_at_aside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image_folder(place / "own", COUNT)
    asked(place / "own", labels=False)
    (place / "own/part-0/00000.png").unlink()
    monkeypatch.setattr(resources, "SOURCE_CHECK_TIMEOUT_S", 0.0)
    told: list[str] = []
    with closing(lifecycle.resume("it")) as session:
        while not told:  # told as soon as it is known, once
            told += [event.message for event in session.advance() if isinstance(event, Notice)]
        assert not any(isinstance(event, Notice) for event in session.advance())
    assert "(files: 1 removed)" in told[0]
