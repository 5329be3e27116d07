"""What a session was told of its images, as text and back; it does not know the images."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from vaetui.storage.dataset_cache import DatasetOrigin, parse_origin


@dataclass(frozen=True, slots=True)
class DataRecord:
    """What the options said when the session began."""

    uses_true_labels: bool = True
    """Whether true labels, where there are any, may be looked at: to measure and to divide."""
    class_names: tuple[str, ...] = ()
    """The names of the classes in order; none where they are digits."""
    origin: DatasetOrigin | None = None
    """What the images were decoded from; None where they are used as they are."""

    def resolve_class_names(self, class_count: int) -> tuple[str, ...]:
        """Give the name of each of so many classes."""
        return self.class_names or tuple(map(str, range(class_count)))


def to_json(record: DataRecord) -> str:
    """Write it as one JSON object."""
    return json.dumps(asdict(record))


def from_json(text: str) -> DataRecord:
    """Read what `to_json` wrote.

    Raises ValueError for what it would not have written: the text may be a stranger's.
    """
    told = json.loads(text)
    if (
        not isinstance(told, dict)
        or type(told.get("uses_true_labels")) is not bool
        or not isinstance(told.get("class_names"), list)
    ):
        raise ValueError("no material")
    names = tuple(told["class_names"])
    if not all(isinstance(name, str) and name.isprintable() and 0 < len(name) <= 100 for name in names):
        raise ValueError("names that nobody can read")
    origin = told.get("origin")
    return DataRecord(told["uses_true_labels"], names, None if origin is None else parse_origin(origin))
