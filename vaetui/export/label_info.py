"""The file beside exported labels that describes them: their version, origins, confidence and audit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from vaetui.errors import format_count
from vaetui.export import file_naming
from vaetui.export.label_table import SOURCES, LabelTable
from vaetui.storage.feature_record import FeatureRecord

MAX_NAME_BYTES = 255
"""Longest file name of most file systems."""


@dataclass(frozen=True, slots=True)
class LabelInfo:
    """Facts about the labels of a session as a whole."""

    session_name: str
    """The session name."""
    version: str
    """The version of the labelling: it changes with any label."""
    epoch: int
    """The epoch of the networks behind the labels; 0 if all labels come from answers."""
    round_number: int
    """The last round with an answer."""
    answer_count: int
    """Answers given, those about single images included."""
    aliases: Mapping[str, str]
    """Merged classes: the name of each, and that of the class that it counts as."""
    audit: Mapping[str, Any] | None = None
    """The audit of this version, else the newest one, as JSON values; None without any."""
    changed_count: int | None = None
    """Labels that have changed since the audited version; None without an audit."""
    features: FeatureRecord | None = None
    """The vectors that the networks were trained on; None if they were trained on the images."""
    measured: Mapping[str, Any] | None = None
    """Estimate, interval and number of checks of the share of right labels among those of at least the minimum
    confidence; None if an audit of this version has too few checks of them."""


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """How many images an export wrote and left out."""

    written: int
    """Images that were written with their class."""
    unsure: int = 0
    """Labelled images whose confidence is below the minimum."""
    unlabelled: int = 0
    """Images that have no label yet."""
    unreadable: int = 0
    """Images without a label because a person answered that they are unreadable."""
    beyond_border: int = 0
    """Images without a label because they are beyond the border of their class."""
    missing: int = 0
    """Images that a directory lacks because their files are missing or unreadable."""
    replaced: int = 0
    """Images that a directory lacks because their files contain other pictures now."""


def find_info_path(output: Path) -> Path:
    """Return the path of the info file beside an output; of a name that is too long, the end and a hash are kept."""
    name = f"{output.name}{file_naming.INFO_SUFFIX}"
    if len(name.encode(errors="surrogateescape")) > MAX_NAME_BYTES:
        name = file_naming.make_flat_name(name, file_naming.INFO_SUFFIX)
    return output.with_name(name)


def build_info(
    info: LabelInfo, written_rows: LabelTable, counts: ExportCounts, format_name: str, min_confidence: float
) -> dict[str, Any]:
    """Return the content of the info file as JSON values; `written_rows` are the images written with their class."""
    return {
        "vaetui": metadata.version("vaetui"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "session": info.session_name,
        "version": info.version,
        "epoch": info.epoch,
        "round": info.round_number,
        "answers": info.answer_count,
        "features": None if info.features is None else describe_features(info.features),
        "format": format_name,
        "classes": list(written_rows.class_names),
        "aliases": dict(info.aliases),
        "labels": {
            "total": len(written_rows),
            **{name: int((written_rows.source_ids == source_id).sum()) for source_id, name in enumerate(SOURCES)},
        },
        "omitted": {
            "below_min_confidence": counts.unsure,
            "no_label_yet": counts.unlabelled,
            "unreadable": counts.unreadable,
            "beyond_border": counts.beyond_border,
            "missing_file": counts.missing,
            "replaced_file": counts.replaced,
        },
        "confidence": {
            "name": written_rows.confidence_column,
            "calibrated": written_rows.calibration is not None,
            "audit_version": written_rows.calibration,
            "mean": round(float(np.mean(written_rows.confidences)), 4) if len(written_rows) else None,
            "minimum": min_confidence,
            "measured": None if info.measured is None else dict(info.measured),
        },
        "audit": None if info.audit is None else dict(info.audit),
        "changed_since_audit": info.changed_count,
    }


def describe_features(features: FeatureRecord) -> dict[str, Any]:
    """Return what identifies vectors on any machine, as JSON values."""
    model = None if features.model is None else asdict(features.model)
    return {"width": features.width, "sha256": features.sha256, "model": model}


def format_audit(audit: Mapping[str, Any]) -> str:
    """Return the figures of an audit, such as "97.1 % right (95 % interval 95.2 to 98.4; 350 images checked)"."""
    estimate, low, high = (f"{100 * audit[name]:.1f}" for name in ("estimate", "low", "high"))
    return f"{estimate} % right (95 % interval {low} to {high}; {format_count(audit['checked'], 'image')} checked)"


def encode_info(document: Mapping[str, Any], file_name: str | None = None, sha256: str | None = None) -> bytes:
    """Return the info file as bytes; it names the file that it describes, and its SHA-256."""
    described_file = None if file_name is None else {"name": file_name, "sha256": sha256}
    return f"{json.dumps({**document, 'file': described_file}, indent=1)}\n".encode()
