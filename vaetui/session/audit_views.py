"""Frozen values of audits that front ends show; they load no numerical library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable

AuditCheck: TypeAlias = ClassAnswer | Unreadable | Cleared
"""A check of one image: the class that a person sees, unreadable, or a check that is taken back.

A check that names the shown class accepts the label. The confidence of a class is not used.
"""
MAX_COUNT = 1_000_000_000
"""Largest number of images or keys in a stored result."""
AuditViewPart: TypeAlias = Literal["blind", "page", "done"]


@dataclass(frozen=True, slots=True)
class AuditItemView:
    """An image of the audit that is on the screen."""

    position: int
    """Its position in the audit, from 0, by which `record` refers to it."""
    image_index: int
    """The index of the image in the dataset."""
    shown_class_id: int | None
    """The label that is shown with the image; None for a blind image."""
    check: ClassAnswer | Unreadable | None
    """Its check in force; None without one."""


@dataclass(frozen=True, slots=True)
class ClassAudit:
    """The checks of the labels of one class, without planted errors and unreadable images."""

    class_id: int
    """The class of the labels."""
    name: str
    """Its name when the audit ended."""
    checked: int
    """Number of labels that were checked."""
    wrong: int
    """Number of these that were found wrong."""
    estimate: float | None
    """Estimated share of right labels among all labels of the class; None below 20 checks, as are the next two."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""


@dataclass(frozen=True, slots=True)
class StratumAudit:
    """The checks of one stratum: labels of similar doubt, without planted errors and unreadable images."""

    name: str
    """"most doubtful", "doubtful" or "others"."""
    labels: int
    """Number of labels in the stratum."""
    checked: int
    """Number of labels that were checked."""
    wrong: int
    """Number of these that were found wrong."""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit measured. Shares are from 0 to 1; they hold for the version of the labelling that was audited."""

    version: str
    """The version of the labelling."""
    plan: str
    """"quick" or "full"."""
    epoch: int
    """The epoch of the networks."""
    round: int
    """The last answered round."""
    date: str
    """When the last image was checked, as ISO 8601 in UTC."""
    estimate: float
    """Estimated share of right labels among all labels."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""
    checked: int
    """Number of labels that were checked, without planted errors and unreadable images."""
    wrong: int
    """Number of these that were found wrong."""
    keys: int
    """Number of answer keys pressed, those taken back included; moves and undo are not counted."""
    catch_found: int
    """Number of planted errors that were noticed."""
    catch_planted: int
    """Number of planted errors."""
    unreadable: int
    """Number of images marked as unreadable; they do not count as checks of a label."""
    labels: int
    """Number of labels in the labelling."""
    answered: int
    """Number of these that are answers about the image itself; they count as right."""
    abandoned: int
    """Number of audits of labels by the same networks that were begun and closed without a result."""
    classes: tuple[ClassAudit, ...]
    """The classes with labels, and those that a person saw in place of one, by class id."""
    confusion: tuple[tuple[int, int, int], ...]
    """(class of the label, class that the person saw, number of checks), only where they differ, most frequent first.
    """
    strata: tuple[StratumAudit, ...]
    """The strata, most doubtful first."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values; classes appear by name, too."""
        names = {item.class_id: item.name for item in self.classes}
        result: dict[str, Any] = {
            name: getattr(self, name) for name in self.__slots__ if name not in ("classes", "confusion", "strata")
        }
        result["classes"] = [_to_dict(item) for item in self.classes]
        result["confusion"] = [
            {
                "label": label_id,
                "label_name": names.get(label_id, str(label_id)),
                "seen": seen_id,
                "seen_name": names.get(seen_id, str(seen_id)),
                "count": count,
            }
            for label_id, seen_id, count in self.confusion
        ]
        result["strata"] = [_to_dict(item) for item in self.strata]
        return result

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AuditResult:
        """Return the result that `to_dict` described; raises KeyError, TypeError and ValueError for anything else."""
        simple_values: dict[str, Any] = {
            name: _convert(values[name], type_name)
            for name, type_name in cls.__annotations__.items()
            if type_name in ("int", "float", "str")
        }
        return cls(
            **simple_values,
            classes=tuple(_from_dict(ClassAudit, item) for item in values["classes"]),
            confusion=tuple(
                (_convert(item["label"], "int"), _convert(item["seen"], "int"), _convert(item["count"], "int"))
                for item in values["confusion"]
            ),
            strata=tuple(_from_dict(StratumAudit, item) for item in values["strata"]),
        )


@dataclass(frozen=True, slots=True)
class AuditView:
    """The open audit, or the newest finished one."""

    plan: str
    """"quick" or "full"."""
    version: str
    """The version of the labelling that is audited; it stays the same when the labels change."""
    part: AuditViewPart
    """Whether a blind image, a page or nothing more is to be checked."""
    position: int
    """Number of the blind image or of the page, from 1; 0 when done."""
    total: int
    """Number of blind images in part "blind", of pages in part "page"; 0 when done."""
    page_number: int
    """Number of the page, from 1; 0 before the first page and when done."""
    page_count: int
    """Number of pages of the audit."""
    items: tuple[AuditItemView, ...]
    """The blind image, or all images of the page in the order of display; empty when done.

    The labels of a page may be of several classes; those of one class are next to each other.
    """
    can_undo: bool
    """Whether `undo` has a step to take back; also true when done, which reopens the audit."""
    can_redo: bool
    """Whether `redo` has a step to restore."""
    keys: int
    """Number of answer keys pressed, those taken back included; moves and undo are not counted."""
    result: AuditResult | None
    """What was measured; None until part "done"."""

    @property
    def is_blind(self) -> bool:
        """Whether a blind image is to be checked."""
        return self.part == "blind"


ItemT = TypeVar("ItemT", ClassAudit, StratumAudit)


def _from_dict(item_class: type[ItemT], values: dict[str, Any]) -> ItemT:
    annotations = item_class.__annotations__.items()
    return item_class(**{name: _convert(values[name], type_name) for name, type_name in annotations})


def _convert(value: Any, type_name: str) -> Any:
    """Return a value of a result as its type; raises TypeError and ValueError for another type or range."""
    if type_name.endswith(" | None") and value is None:
        return None
    base_name = type_name.removesuffix(" | None")
    accepted_type = {"int": int, "float": int | float, "str": str}[base_name]
    if isinstance(value, bool) or not isinstance(value, accepted_type):
        raise TypeError(f"not of type {base_name}: {value!r:.40}")
    if isinstance(value, int | float) and not 0 <= value <= (1 if base_name == "float" else MAX_COUNT):
        raise ValueError(f"out of range: {value!r:.40}")
    return value


def _to_dict(item: ClassAudit | StratumAudit) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}
