"""The JSON that commands print is as documented: every key, its type and its range."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import run_vaetui
from tests.data.drawing import write_image_folder
from tests.idx import write_small_mnist
from tests.json_schema import iter_problems
from tests.session.scripted_run import run_to_end
from tests.session_templates import SessionTemplates, TemplatePhase
from tests.vectors import create_session_with_features, write_vectors
from vaetui.cli.main import app
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import AddClass, MergeClass
from vaetui.engine.recipes import RECIPES
from vaetui.session import lifecycle

pytestmark = pytest.mark.usefixtures("home")
DOCUMENTS = Path(__file__).parents[2] / "assets/docs"
SCHEMAS = {path.name.split(".")[0]: json.loads(path.read_text()) for path in DOCUMENTS.glob("schemas/*.schema.json")}


def run_json(*arguments: str, status: int = 0) -> Any:
    """Run a command, check its output against the schema of the command, and return it."""
    process = run_vaetui(*arguments, "--json")
    assert process.returncode == status, process.stderr
    return check_text(arguments[0], process.stdout)


def check_text(schema_name: str, text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    value = json.loads(text, parse_constant=refuse)
    assert list(iter_problems(value, SCHEMAS[schema_name])) == []
    return value


def list_schemas(schema: Any) -> list[dict[str, Any]]:
    """Return all schemas in a schema, itself included."""
    nested = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    found = [inner for value in nested for inner in list_schemas(value)]
    return [schema, *found] if isinstance(schema, dict) and {"type", "anyOf"} & schema.keys() else found


@pytest.mark.parametrize("phase", ["training", "labelling", "finished"])
def test_show_and_sessions(templates: SessionTemplates, phase: TemplatePhase) -> None:
    directory = templates.copy(phase, "demo")
    if phase == "labelling":
        session = lifecycle.resume("demo")
        session.edit_classes(AddClass(10, "owl"))
        session.record_answer((2,), ClassAnswer(10))
        session.edit_classes(MergeClass(10, 6))
        session.close()
    shown = run_json("show", "demo")
    assert shown["phase"] == phase
    assert shown["aliases"] == ({"owl": "6"} if phase == "labelling" else {})
    templates.copy("training", "damaged")
    (directory.with_name("damaged") / "session.db").write_bytes(b"no database")
    listed = {summary["name"]: summary for summary in run_json("sessions")}
    assert set(listed["damaged"]) == {"name", "error"}
    assert listed["demo"] == {key: value for key, value in shown.items() if key != "agreements"}


def test_the_schemas_list_the_recipes() -> None:
    session_schema = next(
        schema for schema in SCHEMAS["sessions"]["items"]["anyOf"] if "recipe" in schema["properties"]
    )
    for schema in (SCHEMAS["show"], session_schema):
        assert schema["properties"]["recipe"]["enum"] == list(RECIPES)


def test_sessions_without_any_session() -> None:
    assert run_json("sessions") == []


def test_check(templates: SessionTemplates) -> None:
    directory = templates.copy("finished", "demo")
    assert run_json("check", "demo") == []
    (directory / "round-001.npz").write_bytes(b"damaged")
    (finding,) = run_json("check", "demo", status=1)
    assert finding["file_name"] == "round-001.npz"


def test_audit(templates: SessionTemplates) -> None:
    templates.copy("finished", "demo")
    assert run_json("audit", "demo") == []
    pages = "0\n" * 30 + "2=5\n" + "\n" * 40
    assert run_vaetui("audit", "demo", "--plain", "--plan", "quick", typed=pages).returncode == 0
    (result,) = run_json("audit", "demo")
    assert result["plan"] == "quick"
    assert result["low"] <= result["estimate"] <= result["high"]
    assert sum(item["checked"] for item in result["strata"]) == result["checked"]


def test_export(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("finished", "demo")
    assert run_vaetui("export", "demo", "-o", str(tmp_path / "labels.jsonl")).returncode == 0
    rows = [check_text("export", line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert {row["source"] for row in rows} >= {"answer", "classifier"}
    info = check_text("info", (tmp_path / "labels.jsonl.info.json").read_text())
    assert info["confidence"]["name"] == "uncalibrated_confidence"
    assert all("uncalibrated_confidence" in row and "confidence" not in row for row in rows)


def test_predict(templates: SessionTemplates, tmp_path: Path) -> None:
    templates.copy("finished", "demo")
    write_image_folder(tmp_path / "images", 12)
    process = run_vaetui("predict", "demo", "--format", "jsonl", str(tmp_path / "images"))
    assert process.returncode == 0, process.stderr
    assert len([check_text("predict", line) for line in process.stdout.splitlines()]) == 12


def test_inspect(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "images", 60)
    directory = next(path for path in (tmp_path / "images").iterdir() if path.is_dir())
    (directory / "notes.png").write_text("no image")
    assert "classes" not in run_json("inspect", str(tmp_path / "images"))
    labelled = run_json("inspect", str(tmp_path / "images"), "--labels")
    assert labelled["skipped"][0]["path"] == f"{directory.name}/notes.png"
    assert sum(labelled["classes"].values()) + labelled["unlabelled"] == labelled["images"]


def test_inspect_with_features(digits: Path, tmp_path: Path) -> None:
    record = write_vectors(tmp_path / "vectors.npy", digits)
    features = run_json("inspect", str(digits), "--features", record.path)["features"]
    assert (features["path"], features["count"], features["width"]) == (record.path, record.count, record.width)
    assert (features["sha256"], features["model"]) == (record.sha256, None)


def test_show_export_and_predict_with_features(digits: Path, tmp_path: Path) -> None:
    session = create_session_with_features("vectors", digits, tmp_path / "vectors.npy")
    list(run_to_end(session))
    session.close()
    shown = run_json("show", "vectors")
    assert shown["recipe"] == "features"
    assert run_json("sessions")[0]["features"] == shown["features"]
    assert run_vaetui("export", "vectors", "-o", str(tmp_path / "labels.jsonl")).returncode == 0
    info = check_text("info", (tmp_path / "labels.jsonl.info.json").read_text())
    assert info["features"]["sha256"] == shown["features"]["sha256"]
    arguments = ("--features", shown["features"]["path"], "--format", "jsonl")
    process = run_vaetui("predict", "vectors", *arguments)
    assert len([check_text("predict", line) for line in process.stdout.splitlines()]) == shown["features"]["count"]
    assert run_json("check", "vectors") == []
    Path(shown["features"]["path"]).unlink()
    (finding,) = run_json("check", "vectors", status=1)
    assert shown["features"]["path"] in finding["file_name"] + finding["problem"]


def test_simulate(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=200, test=50)
    options = ("--recipe", "paper", "--rounds", "1", "--clusters", "20", "--answers", "20")
    result = run_json("simulate", "--data", str(data), *options, "--audit", "quick", "--error-rate", "0")
    assert result["exported"] is not None
    assert result["audit"]["low"] <= result["audit"]["estimate"] <= result["audit"]["high"]
    assert result["audit"]["catch_found"] == result["audit"]["catch_planted"]
    assert result["audit"]["plan"] == "quick"
    result = run_json("simulate", "--data", str(data), *options, "--answers", "0", "--audit", "full")
    assert (result["exported"], result["audit"]) == (None, None)


def test_config(home: Path) -> None:
    assert not run_json("config")["exists"]
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text('[keys]\n"label.undo" = ["ctrl+y", "u"]\n')
    assert run_json("config")["keys"]["label.undo"]["source"] == "file"


def test_every_json_output_has_a_schema_that_the_page_links_and_describes_each_key() -> None:
    page = (DOCUMENTS / "json.md").read_text()
    commands = {name for name, command in app.commands.items() if any("--json" in p.opts for p in command.params)}
    assert commands | {"export", "info", "predict"} == set(SCHEMAS)
    for name, schema in SCHEMAS.items():
        assert f"](schemas/{name}.schema.json)" in page
        for inner in list_schemas(schema):
            for key, property_schema in inner.get("properties", {}).items():
                assert property_schema.get("description"), (name, key)


def test_the_page_lists_the_exit_statuses_of_every_command() -> None:
    page = (DOCUMENTS / "json.md").read_text()
    rows = dict(re.findall(r"^\| `?([\d+n ]+)`? \| (.+) \|$", page, re.MULTILINE))
    assert list(rows) == ["0", "1", "2", "128+n"]
    for name in ("check", "predict"):
        assert f"`{name}`" in rows["1"]
