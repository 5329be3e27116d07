"""What a session was told of its images, as text and back; it does not know the images."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from vaetui.storage.dataset_cache import Origin, read_origin


@dataclass(frozen=True, slots=True)
class Material:
    """What the options said when the session began."""

    labels: bool = True
    """Whether true labels, where there are any, may be looked at: to measure and to divide."""
    names: tuple[str, ...] = ()
    """The names of the classes in order; none where they are digits."""
    origin: Origin | None = None
    """What the images were decoded from; None where they are used as they are."""

    def called(self, classes: int) -> tuple[str, ...]:
        """Give the name of each of so many classes."""
        return self.names or tuple(map(str, range(classes)))


def to_json(material: Material) -> str:
    """Write it as one JSON object."""
    return json.dumps(asdict(material))


def from_json(text: str) -> Material:
    """Read what `to_json` wrote.

    Raises ValueError for what it would not have written: the text may be a stranger's.
    """
    told = json.loads(text)
    if not isinstance(told, dict) or type(told.get("labels")) is not bool or not isinstance(told.get("names"), list):
        raise ValueError("no material")
    names = tuple(told["names"])
    if not all(isinstance(name, str) and name.isprintable() and 0 < len(name) <= 100 for name in names):
        raise ValueError("names that nobody can read")
    origin = told.get("origin")
    return Material(told["labels"], names, None if origin is None else read_origin(origin))
