"""Audits in memory for the screens: they follow the protocol of the session's audits without networks and files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.audit_plans import PAGE_IMAGES, PLANS
from vaetui.engine.classes import ClassList
from vaetui.engine.events import Event, Progress
from vaetui.errors import UserError
from vaetui.session.audit_steps import AuditItem, AuditSteps, CheckStep
from vaetui.session.audit_views import AuditCheck, AuditResult, AuditView, ClassAudit, StratumAudit

FIRST_IMAGE_INDEX = 1_000
"""Index of the first image that an audit shows; the image at position p of the k-th audit is 1,000 k + p."""


class ScriptedAudits:
    """Audits of one labelling; a planted error is the last image of every second page."""

    def __init__(self, load_classes: Callable[[], ClassList], version: str = "0123456789ab") -> None:
        """Audit labels of the classes that `load_classes` returns."""
        self._load_classes = load_classes
        self.version = version
        """The version of the labelling; tests may change it."""
        self.refusal: str | None = None
        """The sentence with which `start` is refused; None to let it start."""
        self.start_steps = threading.Semaphore(1_000_000)
        """Holds a start back while it is 0."""
        self.calls: list[str] = []
        """The methods called, with arguments, in order."""
        self.results: tuple[AuditResult, ...] = ()
        """The results of finished audits, newest first."""
        self.abandoned_count = 0
        self.learned_count = 0
        self._steps: AuditSteps | None = None
        self._plan, self._audited_version, self._audit_count = "quick", version, 0

    def start(self, plan: str) -> Iterator[Event]:
        """Continue the open audit, or draw another one."""
        self.calls.append(f"start {plan}")
        for step in range(3):
            yield Progress("encoding the training images", step, 3)
            self.start_steps.acquire(timeout=10)
        if self.refusal is not None:
            raise UserError(self.refusal)
        if self._steps is not None and not self._steps.is_done:
            return
        self._plan, self._audited_version = plan, self.version
        self._audit_count += 1
        self._steps = AuditSteps(self._create_items(plan))

    @property
    def view(self) -> AuditView | None:
        """The open audit, or the newest finished one."""
        if self._steps is None:
            return None
        result = self.results[0] if self._steps.is_done else None
        return self._steps.build_view(self._plan, self._audited_version, result)

    def record(self, checks: Sequence[tuple[int, AuditCheck]]) -> None:
        """Record checks as one step."""
        self.calls.append(f"record {list(checks)}")
        steps = self._require_steps()
        steps.require_valid(checks)
        for _, check in checks:
            if isinstance(check, ClassAnswer):
                self._load_classes().require_active(check.class_id)
        steps.record(CheckStep(steps.keys + 1, list(checks)))
        self._update_results(was_done=False)

    def undo(self) -> bool:
        """Take back the last step."""
        self.calls.append("undo")
        steps = self._require_steps()
        was_done = steps.is_done
        is_undone = steps.undo() is not None
        self._update_results(was_done)
        return is_undone

    def redo(self) -> bool:
        """Restore the step undone last."""
        self.calls.append("redo")
        steps = self._require_steps()
        was_done = steps.is_done
        is_redone = steps.redo() is not None
        self._update_results(was_done)
        return is_redone

    def abandon(self) -> None:
        """Close the open audit without a result."""
        self.calls.append("abandon")
        if self._steps is None or self._steps.is_done:
            raise UserError("No audit is open.")
        self.abandoned_count += 1
        self._steps = None

    def learn(self) -> int:
        """Count the checks of the finished audit as learned."""
        self.calls.append("learn")
        steps = self._require_steps()
        if not steps.is_done:
            raise UserError("The audit is not finished.")
        self.learned_count += 1
        return len(steps.items) - sum(map(self._is_planted, range(len(steps.items))))

    def _create_items(self, plan: str) -> list[AuditItem]:
        """Create blind images, then pages of one class, or of several where there are more classes than pages."""
        blind_count, page_count = PLANS[plan].blind_images, PLANS[plan].pages
        first_index, active_ids = FIRST_IMAGE_INDEX * self._audit_count, self._load_classes().active_ids
        items = [
            AuditItem(first_index + position, "blind", -1, active_ids[position % len(active_ids)])
            for position in range(blind_count)
        ]
        tile_count = page_count * PAGE_IMAGES
        for tile in range(tile_count):
            class_count = min(len(active_ids), tile_count)
            class_index = (tile // PAGE_IMAGES) if class_count <= page_count else tile * class_count // tile_count
            class_id = active_ids[class_index % len(active_ids)]
            items.append(AuditItem(first_index + blind_count + tile, "page", tile // PAGE_IMAGES, class_id))
        return items

    def _is_planted(self, position: int) -> bool:
        steps = self._require_steps()
        item = steps.items[position]
        is_last = position + 1 == len(steps.items) or steps.items[position + 1].page != item.page
        return item.part == "page" and item.page % 2 == 0 and is_last

    def _require_steps(self) -> AuditSteps:
        if self._steps is None:
            raise UserError("No audit is open.")
        return self._steps

    def _update_results(self, was_done: bool) -> None:
        steps = self._require_steps()
        if was_done:
            self.results = self.results[1:]
        if steps.is_done:
            self.results = (self._create_result(steps), *self.results)

    def _create_result(self, steps: AuditSteps) -> AuditResult:
        """Return plain shares of the checks, with an interval of two points on either side."""
        planted = [position for position in range(len(steps.items)) if self._is_planted(position)]
        counted = {
            position: check.class_id
            for position, check in steps.checks.items()
            if isinstance(check, ClassAnswer) and position not in planted
        }
        wrong = [position for position, seen_id in counted.items() if seen_id != steps.items[position].label_class_id]
        pairs = [(steps.items[position].label_class_id, counted[position]) for position in wrong]
        classes = []
        for class_id in self._load_classes().active_ids:
            checked = [position for position in counted if steps.items[position].label_class_id == class_id]
            wrong_count = sum(position in wrong for position in checked)
            share = 1 - wrong_count / len(checked) if len(checked) >= 20 else None
            low, high = (None, None) if share is None else (max(share - 0.1, 0.0), min(share + 0.05, 1.0))
            name = self._load_classes().names[class_id]
            classes.append(ClassAudit(class_id, name, len(checked), wrong_count, share, low, high))
        estimate = 1 - len(wrong) / max(len(counted), 1)
        blind_count = PLANS[self._plan].blind_images
        blind_wrong = sum(position < blind_count for position in wrong)
        blind_checked = sum(position < blind_count for position in counted)
        others_checked, others_wrong = len(counted) - blind_checked, len(wrong) - blind_wrong
        return AuditResult(
            version=self._audited_version,
            plan=self._plan,
            epoch=3,
            round=2,
            date="2026-11-26T15:00:00+00:00",
            estimate=estimate,
            low=max(estimate - 0.02, 0.0),
            high=min(estimate + 0.02, 1.0),
            checked=len(counted),
            wrong=len(wrong),
            keys=steps.keys,
            catch_found=sum(
                steps.checks[position] != ClassAnswer(steps.items[position].label_class_id) for position in planted
            ),
            catch_planted=len(planted),
            unreadable=sum(isinstance(check, Unreadable) for check in steps.checks.values()),
            labels=60_000,
            answered=64,
            abandoned=self.abandoned_count,
            classes=tuple(classes),
            confusion=tuple(sorted({(*pair, pairs.count(pair)) for pair in pairs}, key=lambda item: -item[2])),
            strata=(
                StratumAudit("most doubtful", 6_000, blind_checked, blind_wrong),
                StratumAudit("doubtful", 12_000, others_checked // 3, 0),
                StratumAudit("others", 41_936, others_checked - others_checked // 3, others_wrong),
            ),
        )
