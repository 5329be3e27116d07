"""Names of exported files and directories."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given

from tests.export.unusual_names import CLASS_NAME_LISTS, FILE_PATHS
from vaetui.export import file_naming
from vaetui.export.file_naming import (
    MAX_COMPONENT_BYTES,
    make_directory_names,
    make_flat_name,
    make_safe_name,
    make_unique_names,
    shorten_path,
)


def count_bytes(name: str) -> int:
    return len(name.encode(errors="surrogatepass"))


def test_directory_names_are_safe_and_unique() -> None:
    assert make_directory_names(["cat", "Cat", "../up", "a/b", "_unsure", ".", "日本"]) == [
        *("cat", "Cat-1", "_up", "a_b", "_unsure_", "_", "日本")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "กา",
        "ก\u0e35",
        "हिन्दी",
        "🐱",
        "👩\u200d👩\u200d👧",
        "a b",
        "a\u00a0b",
        "50 %",
        "#1 [x] {y}",
        "it's",
        "__background__",
    ],
)
def test_names_that_file_systems_hold_stay(name: str) -> None:
    assert make_directory_names([name, "other"]) == [name, "other"]


@pytest.mark.parametrize(
    ("name", "directory_name"),
    [
        *(("a/b", "a_b"), ("a\\b", "a_b"), ("C:", "C_"), ("what?*", "what__"), ('"<|>"', "_____")),
        *(("a\tb\x00\x85", "a_b__"), (" .cat. ", "cat"), ("...", "_"), ("CON", "CON_"), ("con.txt", "con_.txt")),
        *(("NUL .x", "NUL _.x"), ("com1", "com1_"), ("LPT9", "LPT9_"), ("COM¹", "COM¹_"), ("CONSOLE", "CONSOLE")),
        *(("class_names.csv", "class_names.csv-0"), ("_UNSURE", "_UNSURE_"), ("\udce9", "_")),
    ],
)
def test_names_that_some_file_system_cannot_hold_are_changed(name: str, directory_name: str) -> None:
    assert make_directory_names([name]) == [directory_name]


def test_names_without_a_change_have_priority_over_changed_ones() -> None:
    assert make_directory_names(["a/b", "CON", "a_b", "con_"]) == ["a_b-0", "CON_-1", "a_b", "con_"]


def test_names_that_differ_only_in_case_or_normal_form_get_a_number() -> None:
    names = ["é", "e\u0301", "É", "straße", "STRASSE", "a", "A", "A-6"]
    directory_names = make_directory_names(names)
    assert directory_names == ["é", "e\u0301-1", "É-2", "straße", "STRASSE-4", "a", "A-7", "A-6"]


def test_long_names_keep_their_start_and_long_paths_their_end() -> None:
    name = "🐱" * 99
    directory_name, other = make_directory_names([name + "a", name + "b"])
    assert directory_name.startswith("🐱" * 40)
    assert directory_name != other
    flat_names = [make_flat_name(f"{'日本/' * 100}{number:03}.png", ".png") for number in range(3)]
    assert [flat_name[-16:-13] for flat_name in flat_names] == ["000", "001", "002"]
    assert all(180 < count_bytes(flat_name) <= MAX_COMPONENT_BYTES for flat_name in flat_names)
    assert make_flat_name("a/b c.png", ".png") == "a_b c.png"
    path = PurePosixPath("d" * 250, "f" * 250 + "7.png")
    directory, file_name = shorten_path(path, ".png").parts
    assert directory.startswith("d" * 180)
    assert file_name.startswith("f" * 170)
    assert file_name[-14:-12] == "7-"
    assert shorten_path(PurePosixPath("a/b.png"), ".png") == PurePosixPath("a/b.png")


def test_stems_become_unique_and_suffixes_stay() -> None:
    names, suffixes = ["a.png", "A.jpg", "a.tif", "a-1.png"], [".png", ".jpg", ".tif", ".png"]
    assert make_unique_names(names, suffixes) == ["a.png", "A-1.jpg", "a-2.tif", "a-1-3.png"]


@given(CLASS_NAME_LISTS)
def test_any_class_names_get_valid_and_different_directory_names(class_names: list[str]) -> None:
    names = make_directory_names(class_names)
    for name in names:
        assert 0 < count_bytes(name) <= MAX_COMPONENT_BYTES
        assert not set(name) & set('/\\:*?"<>|\0')
        assert make_safe_name(name) == name
    for form in ("NFC", "NFD"):
        folded_names = {unicodedata.normalize(form, unicodedata.normalize("NFD", name).casefold()) for name in names}
        assert len(folded_names) == len(class_names)
        assert "_unsure" not in folded_names


@given(FILE_PATHS)
def test_any_path_becomes_a_valid_file_name_with_its_suffix(path: str) -> None:
    for name in (*shorten_path(PurePosixPath(path), ".png").parts, make_flat_name(path, ".png")):
        assert 0 < count_bytes(name) <= MAX_COMPONENT_BYTES
        assert "/" not in name
    assert make_flat_name(path, ".png").endswith(".png")
    assert file_naming.FORBIDDEN_CHARACTER.search(make_flat_name(path, ".png")) is None
