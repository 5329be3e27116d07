"""A simulated annotator that checks the images of an audit, with errors."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import rng
from vaetui.engine.answers import ClassAnswer, Unreadable
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.events import Event
from vaetui.session.audit_views import AuditCheck, AuditResult, AuditView
from vaetui.session.session import Session


def see_classes(
    true_class_ids: NDArray[np.int64],
    shown_class_ids: NDArray[np.int64],
    class_count: int,
    error_rate: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the class that the annotator sees in each image, [M].

    `shown_class_ids` are the labels that are shown, -1 for a blind image. A wrong check of a blind image names any
    other class; on a page, it accepts a wrong label and names any other class in place of a right one.
    """
    is_error = generator.random(len(true_class_ids)) < error_rate
    other_class_ids = (true_class_ids + generator.integers(1, class_count, len(true_class_ids))) % class_count
    is_overlooked = (shown_class_ids >= 0) & (shown_class_ids != true_class_ids)
    wrong_class_ids = np.where(is_overlooked, shown_class_ids, other_class_ids)
    return np.where(is_error, wrong_class_ids, true_class_ids)


@dataclass
class AuditingAnnotator:
    """Goes through one audit of a session."""

    session: Session
    """The session."""
    true_class_ids: NDArray[np.int64]
    """The true class of each image of the data set, [A]; an image with NO_LABEL is marked as unreadable."""
    error_rate: float
    """Probability that a check is wrong."""
    image_indices: list[int] = field(default_factory=list)
    """The images that were checked."""

    def audit(self, plan: str) -> Generator[Event, None, AuditResult]:
        """Audit the labels; yields the events of the start and returns the result."""
        yield from self.session.audits.start(plan)
        while (view := self._require_view()).part != "done":
            checks = self._check_items(view)
            self.image_indices += [item.image_index for item in view.items]
            shown_class_ids = {item.position: item.shown_class_id for item in view.items}
            accepted = []
            for position, check in checks:  # each mark is a key; Enter accepts the other labels of the page
                if isinstance(check, ClassAnswer) and check.class_id == shown_class_ids[position]:
                    accepted.append((position, check))
                else:
                    self.session.audits.record([(position, check)])
            if accepted:
                self.session.audits.record(accepted)
        assert view.result is not None
        return view.result

    def _check_items(self, view: AuditView) -> list[tuple[int, AuditCheck]]:
        config = self.session.config
        true_class_ids = self.true_class_ids[[item.image_index for item in view.items]]
        shown_class_ids = [-1 if item.shown_class_id is None else item.shown_class_id for item in view.items]
        generator = rng.derive_generator(config.seed, "audit check", view.items[0].position + 1)
        seen_class_ids = see_classes(
            true_class_ids, np.array(shown_class_ids), config.network.classes, self.error_rate, generator
        )
        return [
            (item.position, Unreadable() if true_id == NO_LABEL else ClassAnswer(seen_id))
            for item, true_id, seen_id in zip(view.items, true_class_ids, seen_class_ids.tolist(), strict=True)
        ]

    def _require_view(self) -> AuditView:
        view = self.session.audits.view
        assert view is not None
        return view
