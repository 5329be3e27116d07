"""Lists of images in CSV, TSV and text files."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.drawing import encode_png, load_digits
from vaetui.data.image_folder import FileList, list_folder_images
from vaetui.data.image_list_csv import DELIMITERS, list_csv_images
from vaetui.data.import_options import ImportOptions
from vaetui.errors import UserError

PNG = encode_png(load_digits(1)[0][0])
NAMES = tuple(f"im/{index:03}.png" for index in range(6))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory with the files NAMES."""
    (tmp_path / "im").mkdir()
    for name in NAMES:
        (tmp_path / name).write_bytes(PNG)
    return tmp_path


def list_images(root: Path, content: str | bytes, name: str = "list.csv", **options: Any) -> FileList:
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return list_csv_images(root / name, ImportOptions(**options))


def join_rows(header: str, template: str, names: tuple[str, ...] = NAMES) -> str:
    rows = [
        template.format(index=index, path=name, label="cat" if index % 2 else "dog") for index, name in enumerate(names)
    ]
    return "\n".join([*([header] if header else []), *rows]) + "\n"


@pytest.mark.parametrize("name", ["list.csv", "list.txt", "list.tsv"])
def test_a_list_without_a_header_takes_the_first_line_too(root: Path, name: str) -> None:
    assert list_images(root, join_rows("", "{path}"), name).relative_paths == NAMES


def test_missing_files_with_image_endings_are_no_header(root: Path) -> None:
    files = list_images(root, "gone.png\n" + join_rows("", "{path}"))
    assert files.relative_paths == ("gone.png", *NAMES)


def test_paths_and_labels_without_a_header_are_taken_by_position(root: Path) -> None:
    files = list_images(root, join_rows("", "{path},{label}"), labels=True)
    assert (files.relative_paths, files.labels) == (NAMES, ("dog", "cat") * 3)
    assert files.source == "column 1 of list.csv, labels from column 2"
    swapped = list_images(root, join_rows("", "{label};{path}"), labels=True)
    assert (swapped.relative_paths, swapped.labels) == (NAMES, ("dog", "cat") * 3)


def test_several_columns_without_a_header_need_the_label_column(root: Path) -> None:
    content = join_rows("", "{path},{index},{label}")
    with pytest.raises(UserError, match=r"has no header and several columns .* Choose one with --labels: 2, 3\."):
        list_images(root, content, labels=True)
    assert list_images(root, content, labels=True, label_key="3").labels == ("dog", "cat") * 3
    assert list_images(root, content).labels is None


def test_a_text_list_with_spaces_between_path_and_label_is_split_at_the_last_space(root: Path) -> None:
    (root / "im/with space.png").write_bytes(PNG)
    files = list_images(root, "im/000.png 3\nim/with space.png 7\n", "train.txt", labels=True)
    assert (files.relative_paths, files.labels) == (("im/000.png", "im/with space.png"), ("3", "7"))
    assert list_images(root, "im/000.png\nim/with space.png\n", "list.txt").relative_paths == files.relative_paths


@pytest.mark.parametrize(
    "column",
    [
        "filepath",
        "Image Name",
        "image-file",
        "FILE_NAME",
        "Image Path",
        "imgPath",
        "Filename",
        "uri",
        "location",
        "src",
    ],
)
def test_the_path_column_is_recognised_in_any_spelling(root: Path, column: str) -> None:
    files = list_images(root, join_rows(f"id,{column},label", "{index},{path},{label}"), labels=True)
    assert (files.relative_paths, files.labels) == (NAMES, ("dog", "cat") * 3)
    assert files.source == f"column {column} of list.csv, labels from column label"


def test_the_only_column_that_names_files_is_taken(root: Path) -> None:
    assert list_images(root, join_rows("id,what", "{index},{path}")).relative_paths == NAMES
    # A usual name does not count if its cells name no file.
    assert list_images(root, join_rows("image,what", "{index},{path}")).relative_paths == NAMES


def test_several_columns_that_name_files_need_a_choice(root: Path) -> None:
    (root / "mask").mkdir()
    for index in range(6):
        (root / f"mask/{index}.png").write_bytes(PNG)
    masked = join_rows("picture a,mask", "{path},mask/{index}.png")
    with pytest.raises(UserError, match=r"names files in its columns picture a and mask\. Choose one with --images"):
        list_images(root, masked)
    assert list_images(root, masked, image_key="mask").relative_paths[0] == "mask/0.png"
    assert list_images(root, masked, image_key="Picture A").relative_paths == NAMES
    assert list_images(root, join_rows("image,mask", "{path},mask/{index}.png")).relative_paths == NAMES
    assert list_images(root, join_rows("image,path", "{path},./{path}")).relative_paths == NAMES
    with pytest.raises(UserError, match=r"has no column depth\. Choose one with --images: picture a, mask"):
        list_images(root, masked, image_key="depth")


def test_files_that_are_not_images_do_not_count(root: Path) -> None:
    for name in NAMES:
        (root / name).with_suffix(".xml").write_text("<annotation/>")
    content = join_rows("sample,notes", "{path},im/{index:03}.xml")
    assert list_images(root, content).relative_paths == NAMES
    with pytest.raises(UserError, match=r'its column notes contains "im/000.xml", which is not an image'):
        list_images(root, join_rows("notes,id", "im/{index:03}.xml,{index}"))


def test_a_table_without_files_names_its_columns_and_one_cell(root: Path) -> None:
    with pytest.raises(
        UserError,
        match=r'column photo contains "gone/1", which does not exist\. .*choose a column with --images: id, photo\.',
    ):
        list_images(root, "id,photo\n7,gone/1\n8,gone/2\n")
    with pytest.raises(UserError, match=r'column b contains "gone/1\.png"'):
        list_images(root, "a,b\n7,gone/1.png\n8,gone/2.png\n", image_key=None)


def test_a_first_path_that_is_missing_does_not_hide_the_path_column(root: Path) -> None:
    content = "id,path\n" + "".join(f"{index},gone{index}.png\n" for index in range(40)) + "40,im/000.png\n"
    assert len(list_images(root, content).relative_paths) == 41


@pytest.mark.parametrize("prefix", ["pixel", "px_", "", "V", "p."])
def test_a_table_of_pixel_values_is_recognised(root: Path, prefix: str) -> None:
    header = ",".join(["label", *(f"{prefix}{index}" for index in range(784))])
    content = "\n".join([header, *(",".join(["3"] + ["0"] * 784) for _ in range(12))])
    with pytest.raises(
        UserError, match=r"names no image files; it is a table of pixel values. Save the pixels as .npy"
    ):
        list_images(root, content)


def test_pixel_values_in_one_cell_are_recognised(root: Path) -> None:
    content = "emotion,pixels\n" + "".join(f"{index},{' '.join(['70'] * 2304)}\n" for index in range(12))
    with pytest.raises(UserError, match="it is a table of pixel values"):
        list_images(root, content)


@pytest.mark.parametrize(
    "write",
    [
        lambda name, root: name.replace("/", "\\"),
        lambda name, root: f"file://{root}/{name}",
        lambda name, root: f"file://localhost{root}/{name}",
        lambda name, root: f"file:{name}",
        lambda name, root: f"/data/local-files/?d={quote(name)}",
        lambda name, root: f"/data/local-files/?d={quote(str(root)[1:])}/{quote(name)}",
        lambda name, root: f"{root}/{name}",
        lambda name, root: f"./{name}",
        lambda name, root: f"  {name} ",
    ],
    ids=[
        "backslash",
        "file URL",
        "localhost",
        "relative URL",
        "Label Studio",
        "Label Studio root",
        "absolute",
        "dot",
        "spaces",
    ],
)
def test_a_path_is_understood_in_every_notation(root: Path, write: Any) -> None:
    (root / "im/a b%.png").write_bytes(PNG)
    names = (*NAMES, "im/a b%.png")
    paths = [write(name, root) for name in names]
    paths = [path.replace("%", "%25").replace(" ", "%20") if path.startswith("file:") else path for path in paths]
    files = list_images(root, "\n".join(["path", *paths]))
    assert [(root / path).resolve() for path in files.relative_paths] == [root / name for name in names]


def test_a_name_with_a_backslash_or_percent_is_preferred_as_it_is(root: Path) -> None:
    (root / "im\\000.png").write_bytes(PNG)
    (root / "a%20b.png").write_bytes(PNG)
    files = list_images(root, "path\nim\\000.png\na%20b.png\n")
    assert files.relative_paths == ("im\\000.png", "a%20b.png")


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        (r"C:\pictures\000.png", "is a path on the drive C: of a Windows computer"),
        ("file:///D:/pictures/000.png", "is a path on the drive D: of a Windows computer"),
        ("https://example.org/000.png", "is the address of a web page or server; download the images first"),
        (r"im\nowhere.png", "does not exist"),
    ],
)
def test_a_path_of_another_computer_is_explained(root: Path, cell: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        list_images(root, f"path\n{cell}\n")
    assert f'contains "{cell}", which {hint}.' in str(caught.value)


def test_paths_relative_to_the_working_directory_are_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "tables").mkdir()
    monkeypatch.chdir(root)
    files = list_images(root / "tables", join_rows("path", "{path}"))
    assert files.relative_paths == tuple(f"{root}/{name}" for name in NAMES)


def test_a_path_names_a_page_of_a_stack(root: Path) -> None:
    pages = [Image.new("L", (9, 9), page) for page in range(3)]
    pages[0].save(root / "stack.tif", save_all=True, append_images=pages[1:])
    assert list_images(root, "path\nstack.tif#2\nstack.tif#0\n").relative_paths == ("stack.tif#2", "stack.tif#0")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_quotes_and_line_ends_are_recognised(root: Path, delimiter: str, line_end: str) -> None:
    names = (*NAMES, "im/a,b;c\td.png", 'im/"quoted".png')
    for name in names:
        (root / name).write_bytes(PNG)
    rows = [["Number", "path", "class"]]
    rows += [[f"{index}", '"' + name.replace('"', '""') + '"', " cat "] for index, name in enumerate(names)]
    content = "\ufeff" + line_end.join(map(delimiter.join, rows)) + line_end
    files = list_images(root, content, labels=True)
    assert (files.relative_paths, files.labels) == (names, ("cat",) * len(names))


def test_a_name_with_a_comma_in_a_list_of_one_column_is_kept(root: Path) -> None:
    (root / "a,b.png").write_bytes(PNG)
    assert list_images(root, "path\na,b.png\n").relative_paths == ("a,b.png",)
    assert list_images(root, "a,b.png\nim/000.png\n", "list.txt").relative_paths == ("a,b.png", "im/000.png")


def test_the_separator_line_of_spreadsheets_is_used(root: Path) -> None:
    files = list_images(root, "sep=|\npath|label\nim/000.png|cat\n|dog\n", labels=True)
    assert (files.relative_paths, files.labels) == (("im/000.png",), ("cat",))
    assert files.skipped == (("list.csv line 4", "has no path"),)


def test_reasons_name_the_line_of_the_file(root: Path) -> None:
    content = '\n\npath,note,label\n\nim/000.png,"two\nlines",cat\n\n,,dog\nim/001.png,"a",b,cat\nim/002.png,,cat,\n'
    files = list_images(root, content, labels=True)
    assert files.relative_paths == ("im/000.png", "im/002.png")
    assert files.skipped == (
        ("list.csv line 8", "has no path"),
        ("list.csv line 9", "has 4 fields instead of 3"),
    )


def test_rows_with_missing_fields_have_no_label(root: Path) -> None:
    files = list_images(root, "path,label\nim/000.png,cat\nim/001.png\n", labels=True)
    assert files.labels == ("cat", "")


def test_a_path_that_is_listed_twice_is_taken_once(root: Path) -> None:
    content = "path,label\nim/000.png,cat\nim/001.png,dog\n./im/000.png,cat\nim\\001.png,cat\n"
    files = list_images(root, content, labels=True)
    assert (files.relative_paths, files.labels) == (("im/000.png", "im/001.png"), ("cat", "dog"))
    assert files.skipped == (
        ("list.csv line 4 (./im/000.png, as line 2)", "repeats the path of another line"),
        (
            'list.csv line 5 (im/001.png, label "cat"; line 3 has "dog")',
            "repeats the path of another line with another label",
        ),
    )


@pytest.mark.parametrize("column", ["Label", "CLASS", "category", "target", "y", "labels", "Class Name", "species"])
def test_the_label_column_is_recognised_in_any_spelling(root: Path, column: str) -> None:
    files = list_images(root, join_rows(f"path,{column},site", "{path},{label},{index}"), labels=True)
    assert files.labels == ("dog", "cat") * 3


def test_an_unclear_label_column_needs_a_choice(root: Path) -> None:
    content = join_rows("path,class,label", "{path},{index},{label}")
    with pytest.raises(UserError, match=r"has several label columns\. Choose one with --labels: class, label"):
        list_images(root, content, labels=True)
    assert list_images(root, content, labels=True, label_key="LABEL").labels == ("dog", "cat") * 3
    with pytest.raises(UserError, match=r"has no label column\. Choose one with --labels: site"):
        list_images(root, join_rows("path,site", "{path},{label}"), labels=True)
    with pytest.raises(UserError, match=r"has no label column\. Add one, or omit --labels"):
        list_images(root, join_rows("path", "{path}"), labels=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows"),
        (b"\n\n", "has no rows"),
        (b"path,label\n", "has no rows"),
        (b"path,label\n,cat\n,dog\n", "has no paths in its column path"),
        ("path\nim/000.png\n".encode("utf-16"), "looks like UTF-16"),
        ("path\nim/000.png\n".encode("utf-16-le"), "looks like UTF-16"),
        (b"path\n" + 30 * b"im/000.png\n" + b"a\0.png\n", "line 32 contains a zero byte"),
        ("path\nim/ö.png\n".encode("latin-1"), "is not a CSV file in UTF-8"),
        (b"path,label\nim/000.png,cat\nim/001.png," + 200_000 * b"a" + b"\n", "line 3: field larger than field limit"),
        (b'path,label\nim/000.png,cat\n"im/001.png,cat\nim/002.png,cat\n', "line 3: unexpected end of data"),
    ],
)
def test_an_unreadable_table_raises_one_sentence(root: Path, content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list_images(root, content, labels=True)
    with pytest.raises(UserError, match="cannot be read"):
        list_csv_images(root / "im", ImportOptions())


FILE_NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(FILE_NAMES, min_size=1, max_size=5, unique=True), delimiter=st.sampled_from(DELIMITERS))
def test_any_file_names_survive_a_table_and_a_listing(tmp_path_factory: Any, names: list[str], delimiter: str) -> None:
    root = tmp_path_factory.mktemp("names")
    (root / "im").mkdir()
    paths = [f"im/_{name}_.png" for name in names]
    for path in paths:
        (root / path).write_bytes(PNG)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["number", "path"], *enumerate(paths)])
    assert list_images(root, text.getvalue()).relative_paths == tuple(paths)
    assert list_folder_images(root / "im", False).relative_paths == tuple(sorted(path[3:] for path in paths))


@pytest.mark.parametrize("case_count", [300, pytest.param(5_000, marks=pytest.mark.slow)])
def test_randomly_damaged_tables_are_listed_or_raise_user_error(root: Path, case_count: int) -> None:
    rng = random.Random(case_count)
    tables = [
        join_rows("id,filepath,label", '{index},"{path}",{label}').encode(),
        join_rows("", "{path};{label}").encode(),
        join_rows("", "{path}").encode("utf-8-sig"),
    ]
    inserts = [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\t", b"file://", b"#", b"\\", b"'", b";", b" ", b"%00"]
    for case in range(case_count):
        content = bytearray(rng.choice(tables))
        for _ in range(rng.randrange(1, 5)):
            position = rng.randrange(len(content))
            if rng.random() < 0.5:
                content[position:position] = rng.choice(inserts)
            else:
                content[position] ^= 1 << rng.randrange(8)
        try:
            files = list_images(root, bytes(content), labels=case % 2 == 0)
            assert files.labels is None or len(files.labels) == len(files.relative_paths)
        except UserError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(("header", "key"), [("path,label,label", "label"), ("path,Label,label", "LABEL")])
def test_columns_of_equal_names_are_never_chosen_by_their_name(root: Path, header: str, key: str) -> None:
    table = join_rows(header, "{path},{label},{index}")
    with pytest.raises(UserError, match=rf"several columns with the name {key}: .*column 2.*column 3.*Rename all but"):
        list_images(root, table, labels=True, label_key=key)


def test_of_columns_that_differ_in_case_the_exact_name_is_taken(root: Path) -> None:
    files = list_images(root, join_rows("path,Label,label", "{path},x{index},{label}"), labels=True, label_key="label")
    assert set(files.labels or ()) == {"cat", "dog"}


def test_two_path_columns_of_equal_names_are_refused(root: Path) -> None:
    with pytest.raises(UserError, match="several columns with the name path"):
        list_images(root, join_rows("path,path", "{path},other{index}"), image_key="path")


def test_row_numbers_without_a_header_are_no_labels(root: Path) -> None:
    rows = "".join(f"{index},{NAMES[0]}#{index}\n" for index in range(12))
    with pytest.raises(UserError, match=r"each row has another value in its column 1, .*Pass --labels 1 if"):
        list_images(root, rows, labels=True)
    assert list_images(root, rows, labels=True, label_key="1").labels == tuple(map(str, range(12)))


def test_a_file_that_is_listed_by_relative_and_absolute_path_is_taken_once(root: Path) -> None:
    rows = "".join(f"{name}\n{root / name}\n" for name in NAMES)
    files = list_images(root, f"path\n{rows}")
    assert files.relative_paths == NAMES
    assert {reason for _, reason in files.skipped} == {"repeats the path of another line"}
    assert len(files.skipped) == len(NAMES)
