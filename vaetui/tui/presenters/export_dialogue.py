"""The questions before an export: where to, and whether to overwrite a file."""

from __future__ import annotations

from collections.abc import Callable

from vaetui.export.format_names import FORMATS_BY_SUFFIX, find_format
from vaetui.tui.presenters.line_dialogue import LineDialogue
from vaetui.tui.presenters.yes_no_dialogue import YesNoDialogue

FORMAT_TITLES = {
    **{"csv": "CSV", "jsonl": "JSON Lines", "npz": "NumPy arrays", "idx": "IDX", "parquet": "Parquet"},
    "folders": "class folders",
}
"""The names of the formats that the name of a file or directory stands for."""
OFFERED_NAMES = {"csv": ".csv", "jsonl": ".jsonl", "npz": ".npz", "parquet": ".parquet", "folders": "folder/"}
"""The end of a name for each format that the question offers."""


def find_export_format(name: str) -> str | None:
    """Return the format that a typed name stands for, "folders" without a suffix; None if its suffix is unknown."""
    return find_format(name, without_suffix="folders")


class ExportDialogue(LineDialogue):
    """Asks for the path of the output, and names its format and the other ones while the path is typed."""

    def __init__(self, path: str, on_path: Callable[[str], None], hint: str = "") -> None:
        """Ask with `path` as the answer to edit; `on_path` receives the path. `hint` says why it is asked again."""
        super().__init__(
            format_question(path),
            on_choice=lambda value: on_path(str(value)),
            accepts_text=True,
            text=path,
            help_text="a path, relative to the directory that vaetui was started in",
            check=describe_unknown_suffix,
        )
        self.hint = hint

    def handle_key(self, key: str, character: str | None) -> bool:
        """Handle a key, and name the format of what is typed."""
        is_over = super().handle_key(key, character)
        self.question = format_question(self.text)
        return is_over

    def paste(self, text: str) -> None:
        """Insert pasted text, and name the format."""
        super().paste(text)
        self.question = format_question(self.text)


class OverwriteDialogue(YesNoDialogue):
    """Asks whether to overwrite a file; only y does."""

    def __init__(self, file_name: str, on_yes: Callable[[], None]) -> None:
        """Ask about the file; `on_yes` is called after y."""
        super().__init__(f"{file_name} exists. Overwrite? y/n", on_yes)


def format_question(name: str) -> str:
    """Return the question with the format of a name, and the names of the other formats."""
    format_name = find_export_format(name.strip()) if name.strip() else None
    others = " ".join(end for offered_format, end in OFFERED_NAMES.items() if offered_format != format_name)
    title = "?" if format_name is None else FORMAT_TITLES[format_name]
    return f"Export as {title} (or {others}) to"


def describe_unknown_suffix(name: str) -> str:
    """Return why the name of an output is refused; "" if its suffix stands for a format, or it has none."""
    return "" if find_export_format(name) else f"Unknown suffix; use {' '.join(dict.fromkeys(FORMATS_BY_SUFFIX))}"


def format_progress(activity: str, completed: int, total: int) -> str:
    """Return the notice while an export runs; percentages in steps of ten, so that it seldom changes."""
    share = f" {100 * completed // max(total, 1) // 10 * 10} %," if total > 1 else ""
    return f"Exporting:{share} {activity}"


def format_result(message: str, output: str) -> str:
    """Return the message of the session with the counts first, because a narrow screen cuts its end."""
    counts, end, other_sentences = message.removeprefix(f"{output}: ").partition(". ")
    return f"{counts.removesuffix('.')}: {output}{end}{other_sentences}"
