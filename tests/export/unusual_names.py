"""Strategies for class names and file paths of any script, length and form."""

from __future__ import annotations

from hypothesis import strategies as st

from vaetui.errors import is_printable_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100)
"""Any valid text."""
CLASS_NAMES = st.one_of(
    st.sampled_from(
        [
            *(
                "CON",
                "con",
                "Nul.txt",
                "COM1",
                "lpt9.x",
                "cat",
                "Cat",
                "CAT",
                "é",
                "e\u0301",
                "É",
                "_unsure",
                "_UNSURE",
            ),
            *(
                "class_names.csv",
                "Class_Names.CSV",
                ".",
                "..",
                "...",
                "a/b",
                "a\\b",
                "a_b",
                "a:b",
                "a?",
                "_",
                "-1",
                "1",
            ),
            *("🐱", "👩\u200d👩\u200d👧", "กี", "ก\u0e35", "हिन्दी", "ß", "ss", "NA", "null", "07", "1e5", "true", "a,b"),
            *('"quoted"', "'", "=1+1", "x" * 100, "🐱" * 100, "🐱" * 99 + "x", "a b", "__init__", "train", "metadata"),
        ]
    ),
    TEXTS,
).filter(lambda name: is_printable_text(name) and name == name.strip())
"""Names of a class that an import and the class editor accept."""
CLASS_NAME_LISTS = st.lists(CLASS_NAMES, min_size=2, max_size=8, unique=True)
"""The classes of a session."""


def _is_component(name: str) -> bool:
    return name not in (".", "..") and "/" not in name and "\0" not in name and len(name.encode()) <= 230


PATH_COMPONENTS = st.one_of(
    st.sampled_from(
        [
            *(
                "CON",
                "a",
                "A",
                "é",
                "e\u0301",
                "new\nline",
                "cr\rreturn",
                "\t",
                "quo\"te'",
                "a,b",
                "%41",
                "#1 [x]*",
                "a::b",
            ),
            *(
                "e:f",
                "back\\slash",
                "\u202f",
                "\u00a0",
                "-",
                "--help",
                "~",
                "$(id)",
                "$HOME",
                "🐱",
                "x" * 220,
                "日" * 70,
                "metadata",
            ),
            *(
                "train",
                "test",
                "__x",
                "a.png",
                "x#3",
                "s.tif#3",
                " lead",
                "trail ",
                "dot.",
                "\u2028",
                "\x1b[31m",
                "a.tar",
            ),
        ]
    ),
    TEXTS.filter(_is_component),
)
"""Names of directories, and of files without their suffix."""
FILE_PATHS = st.lists(PATH_COMPONENTS, min_size=1, max_size=5).map(lambda parts: "/".join(parts) + ".png")
"""Relative paths of image files."""


def can_coexist(paths: list[str]) -> bool:
    """Return whether no path is a directory of another one."""
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


FILE_PATH_LISTS = st.lists(FILE_PATHS, min_size=5, max_size=5, unique=True).filter(can_coexist)
"""The files of a dataset of five images."""
