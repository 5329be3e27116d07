"""The fixed sizes of an audit; loads no numerical library, so that a front end can show them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

PlanName: TypeAlias = Literal["quick", "full"]
AuditPart: TypeAlias = Literal["blind", "page"]
PAGE_IMAGES = 32
"""Images of a page: what a terminal of 120x40 shows at once."""


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """How many images an audit shows."""

    name: PlanName
    """Name of the plan."""
    blind_images: int
    """Number of single images that are shown without a label."""
    pages: int
    """Number of pages of `PAGE_IMAGES` images that are shown with their labels."""


PLANS: Mapping[str, AuditPlan] = {"quick": AuditPlan("quick", 30, 3), "full": AuditPlan("full", 30, 10)}
"""The plans by name. A small labelling needs fewer pages."""
