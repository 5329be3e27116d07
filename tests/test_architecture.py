"""Layers import only what is right of them, and screens stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vaetui

PACKAGE = Path(vaetui.__file__).parent
LAYERS = {
    **dict.fromkeys(("cli", "__main__", "background", "detached", "headless", "images", "knobs", "labels"), 0),
    **dict.fromkeys(("manners", "naming", "predicting", "printed", "running", "takeover"), 0),
    **{"tui": 1, "simulation": 1, "session": 2, "intake": 3, "exports": 3, "store": 4, "engine": 5},
    **{"signals": 6, "trouble": 6, "": 7},
}
WALK = (
    *("memory", "config", "recipes", "settings", "answers", "classes", "clusters", "events", "draws", "idx", "images"),
    *("truth", "seeds", "weights", "loss", "dataset", "vae", "warp", "kmeans", "graph", "asking", "metrics"),
    *("latents", "training"),
)
SCREEN = {"textual", "rich", "textual_image", "textual_plot"}
HEAVY = {"torch", "sklearn"}
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports anywhere, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def layer(module: str) -> str:
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_what_is_right_of_it(path: Path) -> None:
    module = ".".join(("vaetui", *path.relative_to(PACKAGE).with_suffix("").parts))
    here = layer(module.removesuffix(".__init__"))
    modules = imported(path)
    for other in modules:
        if other.split(".")[0] == "vaetui" and layer(other) in LAYERS:
            assert LAYERS[layer(other)] >= LAYERS[here], f"{module} imports {other}"
            assert {here, layer(other)} != {"tui", "simulation"}, f"{module} imports {other}"
    packages = {name.split(".")[0] for name in modules}
    if here in ("engine", "store", "session", "intake", "exports"):
        assert not packages & SCREEN, module
    if here in ("tui", "store") or LAYERS.get(here) == 0:
        assert not packages & HEAVY, module
    assert "pickle" not in packages
    if "textual_image" in packages:
        assert path == PACKAGE / "tui/canvas.py"


def test_the_engine_is_a_walk_in_one_direction() -> None:
    places = {name: at for at, name in enumerate(WALK)}
    assert set(places) == {path.stem for path in (PACKAGE / "engine").glob("*.py")} - {"__init__"}
    for path in (PACKAGE / "engine").glob("*.py"):
        for other in imported(path):
            if other.startswith("vaetui.engine.") and path.stem in places:
                assert places[other.split(".")[2]] < places[path.stem], f"{path.stem} imports {other}"


def test_true_labels_are_imported_only_where_they_measure_and_divide() -> None:
    knowing = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        if any(name.startswith("vaetui.engine.ground_truth") for name in imported(path))
    }
    standing_in = {f"simulation/{name}.py" for name in ("annotators", "outcome", "reader", "run", "shelf")}
    assert knowing == {"engine/metrics.py", "session/data.py", "session/truths.py"} | standing_in


@pytest.mark.parametrize("module", ["vaetui.tui.app", "vaetui.cli.main", "vaetui.session.lifecycle"])
def test_a_screen_is_there_before_torch(module: str) -> None:
    program = f"import sys, {module}; print(*({{'torch', 'sklearn', 'numpy'}} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_rooms_are_small() -> None:
    sizes = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: size for name, size in sizes.items() if size > 250} == {}
