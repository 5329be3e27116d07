"""The examples of the page on the Python interface run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaetui
from tests.session_templates import SessionTemplates
from vaetui.session import session_reader

PAGE = Path(__file__).parents[2] / "assets/docs/api.md"
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE_NAME = re.compile(r"`(\w+)")


@pytest.mark.usefixtures("home")
def test_the_examples_run(templates: SessionTemplates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates.copy("finished", "cats")
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((28, 28), 7, np.uint8)).save(tmp_path / "photos/new.png")
    monkeypatch.chdir(tmp_path)
    blocks = PYTHON_BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 7
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), namespace)
    labels, counts = namespace["labels"], namespace["counts"]
    assert isinstance(labels, session_reader.Labels)
    assert int(counts.sum()) == len(labels) == 640  # type: ignore[attr-defined]
    assert np.shape(namespace["features"])[0] == len(labels)


def test_the_page_lists_every_public_method_and_array() -> None:
    table_names = set(TABLE_NAME.findall("\n".join(line for line in PAGE.read_text().splitlines() if line[:1] == "|")))
    methods = {name for name in vars(vaetui.session.session_reader.SessionReader) if not name.startswith("_")}
    assert methods | {"name", "class_names"} <= table_names
    assert set(session_reader.Labels.__dataclass_fields__) <= table_names
