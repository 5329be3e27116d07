"""`vaetui export`."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import assert_refused, run_vaetui, spawn_vaetui
from tests.data.drawing import write_image_folder
from tests.session.scripted_run import create_session, start_labelling
from tests.session_templates import SessionTemplates
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Unreadable
from vaetui.engine.events import Loaded
from vaetui.engine.images import read_idx_array
from vaetui.runtime import session_runner
from vaetui.session import dataset_location, lifecycle
from vaetui.session.session_status import load_status
from vaetui.storage.lock import Lock

pytestmark = pytest.mark.usefixtures("home")


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def export(*arguments: str | Path) -> str:
    process = run_vaetui("export", *map(str, arguments))
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_csv_has_one_row_per_image(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("finished", "out")
    output = tmp_path / "labels.csv"
    stdout = export("out", "-o", output)
    rows = read_rows(output)
    assert [int(row["index"]) for row in rows] == list(range(640))
    assert {row["source"] for row in rows} >= {"answer", "classifier"}
    seen_count = sum(row["source"] == "answer" for row in rows)
    assert f"640 labels written; you saw {seen_count} images." in stdout
    assert all(0 <= float(row["uncalibrated_confidence"]) <= 1 for row in rows)
    assert sum(row["cluster"] == "" for row in rows) == 64


def test_images_that_no_answer_is_about_have_no_label_before_training(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("labelling", "out")
    stdout = export("out", "-o", tmp_path / "labels.csv")
    rows = read_rows(tmp_path / "labels.csv")
    assert {(row["label"], row["class"], row["cluster"]) for row in rows} == {("6", "6", "1")}
    assert {row["source"] for row in rows} == {"answer", "propagated"}
    message = f"{len(rows)} labels written, {640 - len(rows)} images have no label yet"
    assert f"{message}; you saw 8 images." in stdout
    stdout = export("out", "--format", "folders", "-o", tmp_path / "folders")
    assert f"{message}, in _unsure; you saw 8 images." in stdout
    counts = {path.name: len(list(path.iterdir())) for path in (tmp_path / "folders").iterdir() if path.is_dir()}
    assert counts == {"6": len(rows), "_unsure": 640 - len(rows)}
    export("out", "--format", "idx", "-o", tmp_path / "labels")
    labels = read_idx_array(tmp_path / "labels", 1)
    assert np.flatnonzero(labels == 6).tolist() == [int(row["index"]) for row in rows]
    assert (len(labels), np.count_nonzero(labels == 255)) == (640, 640 - len(rows))


def test_labels_below_the_minimum_confidence_are_omitted_and_counted(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("finished", "out")
    output = tmp_path / "labels.csv"
    export("out", "-o", output)
    confidences = sorted(float(row["uncalibrated_confidence"]) for row in read_rows(output))
    threshold = f"{confidences[320] + 1e-4:.4f}"  # above the rounding of the CSV file
    stdout = export("out", "-o", output, "--min-confidence", threshold, "--force")
    row_count = len(read_rows(output))
    assert 0 < row_count < 640
    assert f"{row_count} labels written, {640 - row_count} below {float(threshold):g} omitted; you saw" in stdout


def test_idx_labels_are_accepted_beside_the_images_they_belong_to(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    source = dataset_location.locate_source_directory(load_status("out")["data"])
    (tmp_path / "data").mkdir()
    shutil.copy(source / "train-images-idx3-ubyte", tmp_path / "data")
    export("out", "--format", "idx", "--min-confidence", "0.7", "-o", tmp_path / "data/train-labels-idx1-ubyte")
    labels = read_idx_array(tmp_path / "data/train-labels-idx1-ubyte", 1)
    assert labels[-1] == 255, "the last images have no label"
    session = create_session("again", tmp_path / "data")
    events = session.advance()
    assert any(isinstance(event, Loaded) for event in events), "loading checks that images and labels belong together"
    events.close()
    session.close()


def test_standard_output_of_a_process_can_be_the_output(templates: SessionTemplates) -> None:
    templates.copy("labelling", "out")
    process = spawn_vaetui("export", "out", "-o", "/dev/stdout")
    lines = process.stdout.splitlines()
    assert lines[0] == "index,path,label,class,uncalibrated_confidence,source,check,cluster,weight,distance"
    assert f"/dev/stdout: {len(lines) - 1} labels written" in process.stderr, "no sentence among the rows"


@pytest.mark.parametrize("format_name", ["csv", "jsonl", "npz", "idx", "parquet"])
def test_a_full_device_ends_in_one_sentence(templates: SessionTemplates, format_name: str) -> None:
    templates.copy("labelling", "out")
    assert_refused("is full", "export", "out", "--format", format_name, "-o", "/dev/full")


def test_the_suffix_of_the_output_chooses_the_format(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    for name in ("a.csv", "b.JSONL", "c.npz", "d.parquet", "e.txt"):
        export("out", "-o", tmp_path / name)
    export("out", "--format", "csv", "-o", tmp_path / "f.jsonl")
    starts = {path.name: path.read_bytes()[:4] for path in tmp_path.glob("?.*") if not path.match("*.info.json")}
    table = dict.fromkeys(("a.csv", "e.txt", "f.jsonl"), b"inde")
    assert starts == {**table, "b.JSONL": b'{"in', "c.npz": b"PK\x03\x04", "d.parquet": b"PAR1"}


def test_a_minimum_confidence_that_is_no_number_is_refused(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    process = run_vaetui("export", "out", "--min-confidence", "nan", "-o", str(tmp_path / "labels.csv"))
    assert process.returncode == 2
    assert "Invalid value for '--min-confidence': nan is out of range; use 0 to 1." in process.stderr
    assert not (tmp_path / "labels.csv").exists()


def test_an_existing_file_is_overwritten_with_force_only(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    output = tmp_path / "labels.csv"
    output.write_text("mine")
    assert_refused("exists. Choose another output, or overwrite it with --force", "export", "out", "-o", str(output))
    assert output.read_text() == "mine"
    export("out", "-o", output, "--force")
    assert len(read_rows(output)) > 8


def test_images_of_the_session_and_its_own_files_are_never_overwritten(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    directory = templates.copy("labelling", "out")
    source = dataset_location.locate_source_directory(load_status("out")["data"])
    content = (source / "train-images-idx3-ubyte").read_bytes()
    (tmp_path / "link").symlink_to(source / "train-images-idx3-ubyte")
    for output in (tmp_path / "link", source / "train-images-idx3-ubyte"):
        assert_refused("is the input", "export", "out", "--force", "-o", str(output))
    for output in (directory / "session.db", directory / "new.csv", directory):
        assert_refused("", "export", "out", "--force", "-o", str(output))
    assert (source / "train-images-idx3-ubyte").read_bytes() == content
    assert not (directory / "new.csv").exists()


def start_session_on_files(root: Path) -> list[Path]:
    """Create the session "files" on images that mine.csv lists, with one answer; return the paths of the images."""
    write_image_folder(root / "own", 60)
    paths = sorted((root / "own").rglob("*.png"))
    (root / "mine.csv").write_text("path\n" + "".join(f"{path}\n" for path in paths))
    dataset = session_runner.drain_events(import_dataset(root / "mine.csv", ImportOptions()))
    start_labelling("files", dataset.directory)
    return paths


def test_the_table_and_the_images_that_the_user_passed_are_never_overwritten(tmp_path: Path) -> None:
    paths = start_session_on_files(tmp_path)
    content = (tmp_path / "mine.csv").read_text()
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "mine.csv")
    for output in (tmp_path / "mine.csv", tmp_path / "own/../hard.csv", paths[-1]):
        for options in ((), ("--force",)):
            assert_refused("is the input", "export", "files", "--format", "csv", "-o", str(output), *options)
    assert (tmp_path / "mine.csv").read_text() == content


def test_replaced_and_missing_image_files_are_counted_and_left_out_of_directories(tmp_path: Path) -> None:
    paths = start_session_on_files(tmp_path)
    export("files", "-o", tmp_path / "labels.csv")
    labelled_paths = [Path(row["path"]) for row in read_rows(tmp_path / "labels.csv")]
    assert 5 < len(labelled_paths) < 60
    replaced, missing, other = labelled_paths[:3]
    replaced.write_bytes(other.read_bytes())
    missing.unlink()
    name = replaced  # mine.csv contains absolute paths
    process = run_vaetui("export", "files", "-o", str(tmp_path / "again.csv"))
    assert process.stderr.splitlines()[-1] == (
        "1 image file contains another picture than at the import, so its label belongs to the imported picture: "
        f"{name}."
    )
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "labels.csv").read_text()
    for format_name in ("huggingface", "folders"):
        output = tmp_path / format_name
        process = run_vaetui("export", "files", "--format", format_name, "-o", str(output))
        assert f"than at the import, so it was omitted: {name}.\n" in process.stderr
        assert f"{len(labelled_paths) - 2} labels written, " in process.stdout
        if format_name == "folders":
            assert (output / "_unsure/own").is_dir(), "paths are relative to the directory of mine.csv"
        assert (
            ", 1 omitted because its file is missing or unreadable"
            ", 1 omitted because its file contains another picture now; you saw"
        ) in process.stdout
        exported_paths = {path.resolve() for path in output.rglob("*.png")}
        expected_paths = set(paths if format_name == "folders" else labelled_paths)
        assert exported_paths == expected_paths - {replaced, missing}


def test_a_directory_export_that_failed_does_not_block_the_next_one(
    templates: SessionTemplates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates.copy("labelling", "out")
    output = tmp_path / "sorted"

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vaetui.export.labelling_tools._pair_rows", fail)
        for format_name in ("label-studio", "fiftyone", "huggingface"):
            assert run_vaetui("export", "out", "--format", format_name, "-o", str(output)).returncode
            assert os.listdir(tmp_path) == ["home"]
    export("out", "--format", "label-studio", "-o", output)
    assert sorted(os.listdir(output)) == ["config.xml", "images", "labels.info.json", "tasks.json"]
    assert_refused("is not empty", "export", "out", "--force", "--format", "folders", "-o", str(output))


def test_a_missing_directory_and_a_directory_as_file_are_refused(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    (tmp_path / "file").touch()
    missing = tmp_path / "missing"
    assert_refused(f"Directory {missing} does not exist", "export", "out", "-o", str(missing / "labels.csv"))
    assert_refused("is a directory. Name a file", "export", "out", "-o", str(tmp_path))
    assert_refused("not a directory", "export", "out", "--format", "folders", "-o", str(tmp_path / "file"))


def test_export_before_any_answer_is_refused(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("training", "early")
    assert_refused("answer", "export", "early", "-o", str(tmp_path / "x.csv"))


def test_a_session_that_is_open_elsewhere_exports_the_same_bytes_and_names_the_moment(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("finished", "out")
    export("out", "-o", tmp_path / "closed.csv")
    session = lifecycle.resume("out")
    process = run_vaetui("export", "out", "-o", str(tmp_path / "open.csv"))
    session.close()
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "open.csv").read_bytes() == (tmp_path / "closed.csv").read_bytes()
    assert process.stderr.startswith("out is open in process ")
    assert process.stderr.endswith("The labels come from 16 answers and the networks of epoch 3, as of now.\n")


def test_labels_of_answers_alone_name_no_networks(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("labelling", "out")
    session = lifecycle.resume("out")
    process = run_vaetui("export", "out", "-o", str(tmp_path / "labels.csv"))
    session.close()
    assert process.returncode == 0, process.stderr
    assert process.stderr.endswith(". The labels come from 1 answer, as of now.\n")
    templates.copy("training", "new")
    session = lifecycle.resume("new")
    assert_refused("No labels yet", "export", "new", "-o", str(tmp_path / "none.csv"))
    session.close()


def test_an_export_changes_no_file_of_the_session(templates: SessionTemplates, tmp_path: Path) -> None:
    directory = templates.copy("finished", "out")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in directory.iterdir())
    export("out", "-o", tmp_path / "labels.csv")
    assert sorted((path.name, path.stat().st_mtime_ns) for path in directory.iterdir()) == before


def test_damage_is_repaired_first_unless_another_process_has_the_session_open(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    directory = templates.copy("finished", "out")
    export("out", "-o", tmp_path / "before.csv")
    (checkpoint,) = sorted(directory.glob("checkpoint-003-*"))[-1:]
    checkpoint.write_bytes(b"damaged")
    lock = Lock(directory)
    assert_refused("checkpoints of out are damaged", "export", "out", "-o", str(tmp_path / "held.csv"))
    lock.release()
    process = run_vaetui("export", "out", "-o", str(tmp_path / "after.csv"))
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "after.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["after.csv", "before.csv"]
    for checkpoint in directory.glob("checkpoint-*"):
        checkpoint.unlink()
    process = run_vaetui("export", "out", "-o", str(tmp_path / "repeated.csv"))
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "repeated.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()


def test_a_file_with_the_name_of_the_info_file_is_overwritten_with_force_only(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("labelling", "out")
    output, info_path = tmp_path / "labels.csv", tmp_path / "labels.csv.info.json"
    info_path.write_text("mine")
    assert_refused(f"{info_path} exists. Choose another output", "export", "out", "-o", str(output))
    assert (info_path.read_text(), output.exists()) == ("mine", False)
    stdout = export("out", "-o", output, "--force")
    assert json.loads(info_path.read_text())["file"]["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
    assert stdout.endswith("Not audited; measure how many are right with: vaetui audit out\n")
    info_path.unlink()
    info_path.mkdir()
    assert_refused("is a directory, but describes the labels", "export", "out", "-o", str(output), "--force")


def test_an_input_with_the_name_of_the_info_file_is_never_overwritten(tmp_path: Path) -> None:
    paths = start_session_on_files(tmp_path)
    (tmp_path / "labels.csv.info.json").hardlink_to(paths[-1])
    content = paths[-1].read_bytes()
    assert_refused("is the input", "export", "files", "-o", str(tmp_path / "labels.csv"), "--force")
    assert paths[-1].read_bytes() == content


def test_a_minimum_confidence_without_an_audit_is_called_not_measured(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("finished", "out")
    stdout = export("out", "-o", tmp_path / "labels.csv", "--min-confidence", "0.2")
    assert "No audit has calibrated the confidence, so 0.2 is not a measured share of right labels. " in stdout
    info = json.loads((tmp_path / "labels.csv.info.json").read_text())
    assert (info["confidence"]["minimum"], info["confidence"]["calibrated"], info["audit"]) == (0.2, False, None)
    assert (info["epoch"], info["round"], info["answers"]) == (3, 2, 16)


def test_answers_about_single_images_and_borders_reach_every_kind_of_export(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("finished", "out")
    export("out", "-o", tmp_path / "before.csv")
    before = {int(row["index"]): row for row in read_rows(tmp_path / "before.csv")}
    free_rows = [row for row in before.values() if row["source"] == "classifier"]
    class_name, _ = Counter(row["class"] for row in free_rows).most_common(1)[0]
    assert class_name != "7"
    right, unreadable, *beyond = [int(row["index"]) for row in free_rows if row["class"] == class_name]
    class_id = int(before[right]["label"])
    session = lifecycle.resume("out")
    session.record_image_answers(
        [AnsweredImage(right, ClassAnswer(7), class_id), AnsweredImage(unreadable, Unreadable(), class_id)], "review"
    )
    session.record_border(class_id, beyond[:3])
    session.close()
    stdout = export("out", "-o", tmp_path / "after.csv")
    sentence = "636 labels written, 1 image is unreadable, 3 images are beyond the border of their classes"
    assert sentence in stdout
    after = {int(row["index"]): row for row in read_rows(tmp_path / "after.csv")}
    assert before.keys() - after.keys() == {unreadable, *beyond[:3]}
    assert (after[right]["class"], after[right]["source"]) == ("7", "answer")
    assert float(after[right]["uncalibrated_confidence"]) == float(after[right]["weight"]) == 1
    assert {index: row["class"] for index, row in after.items() if index != right} == {
        index: row["class"] for index, row in before.items() if index in after and index != right
    }
    stdout = export("out", "--format", "folders", "-o", tmp_path / "folders")
    assert "1 image is unreadable, in _unsure, 3 images are beyond the border of their classes, in _unsure" in stdout
    names = sorted(path.name for path in (tmp_path / "folders/_unsure").iterdir())
    assert names == sorted(f"{index:08}.png" for index in (unreadable, *beyond[:3]))
    export("out", "-o", tmp_path / "labels.idx")
    labels = read_idx_array(tmp_path / "labels.idx", 1)
    assert np.flatnonzero(labels == 255).tolist() == sorted((unreadable, *beyond[:3]))
    infos = [json.loads((tmp_path / f"{name}.csv.info.json").read_text()) for name in ("before", "after")]
    assert infos[0]["version"] != infos[1]["version"]
    assert (infos[1]["omitted"]["unreadable"], infos[1]["omitted"]["beyond_border"]) == (1, 3)
    assert infos[1]["labels"]["answer"] == infos[0]["labels"]["answer"] + 1


def test_without_any_label_no_audit_is_advised(digits: Path, tmp_path: Path) -> None:
    session = create_session("blank", digits)
    list(session.advance())
    session.record_answer((1,), Unreadable())
    session.close()
    stdout = run_vaetui("export", "blank", "-o", str(tmp_path / "labels.csv")).stdout
    assert "0 labels written" in stdout
    assert stdout.endswith("Not audited.\n")
