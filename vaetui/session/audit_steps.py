"""The progress of one audit: which images come next, and the checks so far, with undo and redo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.audit_plans import AuditPart
from vaetui.errors import UserError
from vaetui.session.audit_views import AuditCheck, AuditItemView, AuditResult, AuditView


@dataclass(frozen=True, slots=True)
class AuditItem:
    """An image of an audit."""

    image_index: int
    """The index of the image in the dataset."""
    part: AuditPart
    """Whether it is shown alone without a label, or on a page with one."""
    page: int
    """The page, from 0; -1 for a blind image."""
    label_class_id: int
    """The label that is checked; for a planted error, the wrong class that is shown."""


@dataclass(frozen=True, slots=True)
class CheckStep:
    """The checks of one key, which undo takes back together."""

    step_id: int
    """Its id, ascending in the order of entry."""
    checks: Sequence[tuple[int, AuditCheck]]
    """Positions of items, and their checks."""


class AuditSteps:
    """The items of one audit in the order of display, and the steps of a person who checks them."""

    def __init__(
        self,
        items: Sequence[AuditItem],
        steps: Sequence[CheckStep] = (),
        undone_steps: Sequence[CheckStep] = (),
        keys: int | None = None,
    ) -> None:
        """Continue after `steps`, oldest first; `undone_steps` can be redone, the one undone last first."""
        self.items = tuple(items)
        """The items: blind images first, then the pages."""
        self.steps = list(steps)
        """The steps in force, oldest first."""
        self.undone_steps = list(undone_steps)
        """The steps that can be redone, the next one first."""
        self.keys = len(self.steps) + len(self.undone_steps) if keys is None else keys
        """Number of answer keys pressed, those taken back included."""
        self.checks: dict[int, ClassAnswer | Unreadable] = {}
        """The checks in force, by position."""
        self._replay()

    @property
    def is_done(self) -> bool:
        """Whether every image was checked."""
        return len(self.checks) == len(self.items)

    def list_current_positions(self) -> list[int]:
        """Return the positions of the blind image or page that is to be checked; empty when done."""
        first = next((position for position in range(len(self.items)) if position not in self.checks), None)
        if first is None:
            return []
        if self.items[first].part == "blind":
            return [first]
        page = self.items[first].page
        return [position for position, item in enumerate(self.items) if item.page == page]

    def require_valid(self, checks: Sequence[tuple[int, AuditCheck]]) -> None:
        """Raise UserError for images that are not to be checked now."""
        current_positions = self.list_current_positions()
        if not checks or any(position not in current_positions for position, _ in checks):
            raise UserError("This image is not to be checked now.")

    def record(self, step: CheckStep) -> None:
        """Add a step; undone steps can no longer be redone."""
        self.steps.append(step)
        self.undone_steps.clear()
        self.keys += 1
        self._replay()

    def undo(self) -> CheckStep | None:
        """Take back the last step and return it; None if there is none."""
        if not self.steps:
            return None
        step = self.steps.pop()
        self.undone_steps.insert(0, step)
        self._replay()
        return step

    def redo(self) -> CheckStep | None:
        """Restore the step undone last and return it; None if there is none."""
        if not self.undone_steps:
            return None
        step = self.undone_steps.pop(0)
        self.steps.append(step)
        self._replay()
        return step

    def build_view(
        self, plan: str, version: str, result: AuditResult | None, canonical: Sequence[int] | None = None
    ) -> AuditView:
        """Return what a front end shows; `canonical` are the classes that classes count as, if some were merged."""
        positions = self.list_current_positions()
        part = self.items[positions[0]].part if positions else None
        blind_count = sum(item.part == "blind" for item in self.items)
        page_count = max((item.page for item in self.items), default=-1) + 1
        page_number = self.items[positions[0]].page + 1 if part == "page" else 0
        return AuditView(
            plan=plan,
            version=version,
            part=part or "done",
            position=positions[0] + 1 if part == "blind" else page_number,
            total={"blind": blind_count, "page": page_count, None: 0}[part],
            page_number=page_number,
            page_count=page_count,
            items=tuple(self._view_item(position, canonical) for position in positions),
            can_undo=bool(self.steps),
            can_redo=bool(self.undone_steps),
            keys=self.keys,
            result=result if part is None else None,
        )

    def _view_item(self, position: int, canonical: Sequence[int] | None) -> AuditItemView:
        item, check = self.items[position], self.checks.get(position)
        shown_class_id = item.label_class_id if item.part == "page" else None
        if canonical is not None:
            shown_class_id = None if shown_class_id is None else canonical[shown_class_id]
            check = ClassAnswer(canonical[check.class_id]) if isinstance(check, ClassAnswer) else check
        return AuditItemView(position, item.image_index, shown_class_id, check)

    def _replay(self) -> None:
        self.checks = {}
        for step in self.steps:
            for position, check in step.checks:
                if isinstance(check, Cleared):
                    self.checks.pop(position, None)
                else:
                    self.checks[position] = check
