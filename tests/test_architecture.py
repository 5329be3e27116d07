"""Packages import only lower layers, no file grows too long, and the user interface loads without torch."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import vaetui

PACKAGE = Path(vaetui.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = {
    **{"__main__": 0, "train": 0, "cli": 1, "runtime": 2, "tui": 3, "simulation": 3, "session": 4},
    **{"features": 5, "data": 6, "export": 6, "storage": 7, "engine": 8, "signals": 9, "errors": 9, "cpu_threads": 9},
}
"""A unit imports only units of a higher number, and itself. Units with one number do not import each other."""
ENGINE_ORDER = (
    *("malloc", "audit_plans", "config", "recipes", "config_text", "answers", "classes", "clusters", "events", "rng"),
    *("slow_calls", "distributed", "rank_connection", "batch_norm", "devices", "downsampling", "epoch_batches"),
    *("idx", "images", "vectors", "duplicates", "true_labels", "pseudo_labels", "losses", "vae", "vector_vae"),
    *("patch_features", "patch_vae"),
    *("networks", "augmentation", "vector_augmentation", "device_inputs"),
    *("device_search", "kmeans", "projection", "audit", "audit_estimate", "calibration"),
    *("neighbours", "label_propagation", "query_strategy"),
    *("metrics", "image_views", "inference", "train_state", "training"),
)
"""Modules of the engine in reading order; each imports only earlier ones."""
USER_INTERFACE_LIBRARIES = {"textual", "rich", "textual_plot"}
SLOW_IMPORTS = {"torch", "sklearn"}
MAX_LINES = 500


def list_imports(path: Path) -> set[str]:
    """Return every module that a file imports anywhere, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def unit_of(module: str) -> str:
    """Return the package or module below `vaetui` that a dotted name belongs to, or an empty string."""
    return [*module.split("."), ""][1]


def module_name(path: Path) -> str:
    return ".".join(("vaetui", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_layers(path: Path) -> None:
    module, imports = module_name(path), list_imports(path)
    unit = unit_of(module)
    for imported in imports:
        other = unit_of(imported)
        if imported.split(".")[0] == "vaetui" and other in LAYERS and unit:
            assert other == unit or LAYERS[other] > LAYERS[unit], f"{module} imports {imported}"
    libraries = {name.split(".")[0] for name in imports}
    if unit in ("engine", "storage", "session", "features", "data", "export"):
        assert not libraries & USER_INTERFACE_LIBRARIES, module
    if unit in ("cli", "runtime", "tui", "storage"):
        assert not libraries & SLOW_IMPORTS, module
    assert "pickle" not in libraries


def test_there_are_at_most_fifteen_units() -> None:
    units = {unit_of(module_name(path)) for path in FILES} - {""}
    assert units == set(LAYERS)
    assert len(units) <= 15


def test_no_modules_import_each_other_in_a_cycle() -> None:
    modules = {module_name(path) for path in FILES}
    graph = {module_name(path): list_imports(path) & modules - {module_name(path)} for path in FILES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_engine_modules_import_in_reading_order() -> None:
    positions = {name: position for position, name in enumerate(ENGINE_ORDER)}
    assert set(positions) == {path.stem for path in (PACKAGE / "engine").glob("*.py")} - {"__init__"}
    for path in (PACKAGE / "engine").glob("*.py"):
        for imported in list_imports(path):
            if imported.startswith("vaetui.engine.") and path.stem in positions:
                assert positions[imported.split(".")[2]] < positions[path.stem], f"{path.stem} imports {imported}"


def test_only_measuring_code_imports_true_labels() -> None:
    importers = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        if any(name.startswith("vaetui.engine.true_labels") for name in list_imports(path))
    }
    simulation = {f"simulation/{name}.py" for name in ("annotators", "result", "reader_network", "run", "reader_cache")}
    assert importers == {"engine/metrics.py", "session/data_split.py", "session/session_true_labels.py"} | simulation


@pytest.mark.parametrize(
    "module",
    [
        "vaetui.tui.app",
        "vaetui.tui.picker_app",
        "vaetui.session.session_catalogue",
        "vaetui.cli.main",
        "vaetui.session.lifecycle",
    ],
)
def test_the_first_frame_needs_no_numerical_library(module: str) -> None:
    program = f"import sys, {module}; print(*({{'torch', 'sklearn', 'numpy'}} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == ""


def test_no_module_has_more_than_500_lines() -> None:
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_the_session_package_lists_its_modules() -> None:
    lines = (ast.get_docstring(ast.parse((PACKAGE / "session/__init__.py").read_text())) or "").splitlines()[2:]
    stems = {path.stem for path in (PACKAGE / "session").glob("*.py")} - {"__init__"}
    assert sorted(line.split()[0] for line in lines) == sorted(stems)


def test_no_two_modules_of_a_package_share_a_stem() -> None:
    """The presenters, screens and widgets of one feature may: their package says which one it is."""
    stems: dict[str, list[str]] = {}
    for path in FILES:
        if path.stem not in ("__init__", "__main__") and "tui" not in path.parts:
            stems.setdefault(path.stem, []).append(module_name(path))
    assert {stem: modules for stem, modules in stems.items() if len(modules) > 1} == {}
