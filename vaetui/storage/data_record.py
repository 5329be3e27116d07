"""The data options of a session, stored as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from vaetui.engine.classes import require_valid_class_names
from vaetui.errors import UserError, is_printable_text
from vaetui.storage.dataset_cache import DatasetOrigin, parse_origin
from vaetui.storage.feature_record import FeatureRecord, parse_feature_record

MAX_OMITTED_IMAGES = 100_000
"""Most images that an import may leave out of an array: the session stores their indices in one value."""


@dataclass(frozen=True, slots=True)
class DataRecord:
    """The data options that a session was created with."""

    uses_true_labels: bool = True
    """Whether true labels, where there are any, may be used for evaluation and for the stratified split."""
    class_names: tuple[str, ...] = ()
    """The names of the classes in order; empty if the class numbers are the names."""
    origin: DatasetOrigin | None = None
    """What the images were imported from; None if they are used in place."""
    import_lines: dict[str, str] = field(default_factory=dict)
    """What the import took and left out, as lines of text by heading; empty for the bundled images."""
    features: FeatureRecord | None = None
    """The vectors that the networks are trained on; None if they are trained on the images."""

    def __post_init__(self) -> None:
        """Raise UserError for class names that no session can have, and for too many images that were left out."""
        if self.class_names:
            require_valid_class_names(self.class_names, "The list of classes")
        if self.origin is not None and len(self.origin.report.omitted_indices) > MAX_OMITTED_IMAGES:
            raise UserError(
                f"{len(self.origin.report.omitted_indices):,} images of {self.origin.source_path} cannot be used; at "
                f"most {MAX_OMITTED_IMAGES:,} can be left out. Remove them from the file first."
            )

    def resolve_class_names(self, class_count: int) -> tuple[str, ...]:
        """Return the names of that many classes."""
        return self.class_names or tuple(map(str, range(class_count)))


def to_json(record: DataRecord) -> str:
    """Return the record as a JSON object."""
    return json.dumps(asdict(record))


def from_json(text: str) -> DataRecord:
    """Return the record that `to_json` wrote; raises ValueError for any other text, as the session may be forged."""
    match json.loads(text):
        case {"uses_true_labels": bool(uses_true_labels), "class_names": list(names), **others}:
            if not all(isinstance(name, str) for name in names):
                raise ValueError("class names that are not text")
            origin, lines = others.get("origin"), others.get("import_lines", {})
            if not isinstance(lines, dict) or not all(map(_is_printable_block, (*lines, *lines.values()))):
                raise ValueError("import lines that are not printable text")
            features = others.get("features")
            try:
                return DataRecord(
                    uses_true_labels,
                    tuple(names),
                    None if origin is None else parse_origin(origin),
                    lines,
                    None if features is None else parse_feature_record(features),
                )
            except UserError as error:
                raise ValueError(str(error)) from error
    raise ValueError("not a data record")


def _is_printable_block(value: object) -> bool:
    return isinstance(value, str) and all(map(is_printable_text, value.split("\n")))
