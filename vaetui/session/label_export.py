"""Export the labels of a session: check the output, find the source images, write, and describe the result."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.engine.events import Event, LabelsExported, Notice
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import UserError, format_count, make_printable
from vaetui.export.format_names import DIRECTORY_FORMATS
from vaetui.session import dataset_location, schedule
from vaetui.session.learned_classes import find_learned_class_ids
from vaetui.storage import output_files

if TYPE_CHECKING:
    from vaetui.export.label_info import ExportCounts, LabelInfo
    from vaetui.export.label_table import LabelTable, SourceFiles
    from vaetui.session.session_snapshot import SessionSnapshot

MAX_NAMED_FILES = 3
"""Most files that a message names."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export, and how."""

    format_name: str
    """The format, one of EXPORT_FORMATS."""
    min_confidence: float = 0.0
    """Labels below this confidence are left out, or put into _unsure."""
    copies_images: bool = False
    """Whether a directory gets copies of the images instead of links."""
    force: bool = False
    """Whether an existing file is overwritten."""


def export_labels(
    snapshot: SessionSnapshot, label_events: Generator[Event, None, LabelTable], output: Path, options: ExportOptions
) -> Generator[Event, None, str]:
    """Write the label table that `label_events` return, and a description of the labels into a file beside it.

    Return the message of LabelsExported, the last event. Raises UserError, before it computes anything, for an output
    that must not or cannot be written; an existing file is an OutputExistsError. Then nothing is changed.
    """
    is_directory = options.format_name in DIRECTORY_FORMATS
    source_directory = dataset_location.locate_source_directory(snapshot.repository.data_source)
    _require_free_output(snapshot, source_directory, output, options.force, is_directory=is_directory)
    label_table = yield from label_events
    from vaetui.engine.idx import find_idx_files
    from vaetui.engine.images import read_images_and_digest
    from vaetui.export.formats import write_labels
    from vaetui.export.label_table import ANSWER
    from vaetui.session.label_quality import assess_labels
    from vaetui.session.source_images import find_source_images

    assess = partial(assess_labels, snapshot, label_table, options.min_confidence)
    label_table, info = yield from run_in_background("assessing the labels", assess)
    sources = yield from find_source_images(source_directory, len(label_table))
    label_table = replace(label_table, source_files=sources.files, omitted_positions=sources.omitted_positions)
    images = None
    if is_directory and sources.files is None:
        images = read_images_and_digest(find_idx_files(source_directory).train_images)[0].all_pixels
    counts = yield from write_labels(
        label_table, info, options.format_name, options.min_confidence, options.copies_images, images, output
    )
    if sources.notice:
        yield Notice(make_printable(sources.notice))
    if sources.files and sources.files.replaced_indices:
        yield Notice(describe_replaced_files(sources.files, is_directory))
    answered_count = int((label_table.source_ids == ANSWER).sum())
    sentence = _describe_counts(counts, options.min_confidence, options.format_name == "folders")
    sentences = [f"{output}: {sentence}; you saw {format_count(answered_count, 'image')}."]
    if options.min_confidence > 0:
        sentences.append(describe_kept_labels(info, label_table, options.min_confidence))
    can_audit = snapshot.holder is None and bool((label_table.class_ids >= 0).any())
    sentences.append(describe_audit(info, can_audit))
    message = make_printable(" ".join(sentences))
    yield LabelsExported(message)
    return message


def describe_kept_labels(info: LabelInfo, label_table: LabelTable, min_confidence: float) -> str:
    """Return a sentence on how many of the labels of at least a minimum confidence are right."""
    from vaetui.export.label_info import format_audit

    if label_table.calibration is None:
        return f"No audit has calibrated the confidence, so {min_confidence:g} is not a measured share of right labels."
    is_kept = (label_table.class_ids >= 0) & (label_table.confidences >= min_confidence)
    if not is_kept.any():
        return "Choose a lower minimum confidence."
    if info.measured is None:
        share = round(100 * float(label_table.confidences[is_kept].mean()))
        return f"Labels of {min_confidence:g} and more: about {share} % right by the calibrated confidence."
    return f"Labels of {min_confidence:g} and more: {format_audit(info.measured)}."


def describe_audit(info: LabelInfo, can_audit: bool) -> str:
    """Return a sentence with the measured accuracy of labels; without an audit, how to measure it if that can be."""
    if info.audit is None:
        advice = f"Not audited; measure how many are right with: vaetui audit {info.session_name}"
        return advice if can_audit else "Not audited."
    from vaetui.export.label_info import format_audit

    figures = format_audit(info.audit)
    if not info.changed_count:
        return f"Audit: {figures}."
    changed = format_count(info.changed_count, "label") + (" has" if info.changed_count == 1 else " have")
    return f"An audit after round {info.audit['round']} measured {figures}; {changed} changed since."


def describe_moment(snapshot: SessionSnapshot) -> str | None:
    """Return a sentence on the answers and networks behind the labels of a session that is not at rest, else None.

    At rest, no process has it open, and the networks behind the labels have completed their epoch.
    """
    epoch, step = snapshot.checkpoint_position or (0, 0)
    finished_count = len(snapshot.finished_epochs)
    has_learned = bool(find_learned_class_ids(snapshot.config, snapshot.repository, finished_count))
    is_within_epoch = has_learned and epoch > finished_count and step < snapshot.steps_per_epoch
    if snapshot.holder is None and not is_within_epoch:
        return None
    sentence = f"The labels come from {format_count(snapshot.repository.count_answers(), 'answer')}"
    if is_within_epoch:
        sentence += f" and the networks in epoch {epoch}, after {step:,} of {snapshot.steps_per_epoch:,} batches"
    elif has_learned:
        sentence += f" and the networks of epoch {epoch}"
    if snapshot.holder is None:
        return f"{sentence}."
    step_name = schedule.next_step(snapshot.config.training, snapshot.repository)
    activity = f"; epoch {finished_count + 1} is being trained" if step_name == "train" else ""
    return f"{snapshot.name} is open in {snapshot.holder}. {sentence}, as of now{activity}."


def describe_replaced_files(source_files: SourceFiles, are_omitted: bool = False) -> str:
    """Return a sentence on image files that contain other pictures now."""
    indices: Sequence[int] = sorted(source_files.replaced_indices)
    names = ", ".join(source_files.relative_paths[index] for index in indices[:MAX_NAMED_FILES])
    more = f" and {len(indices) - MAX_NAMED_FILES:,} more" if len(indices) > MAX_NAMED_FILES else ""
    if len(indices) == 1:
        subject = "1 image file contains another picture"
        consequence = "it was omitted" if are_omitted else "its label belongs to the imported picture"
    else:
        subject = f"{len(indices):,} image files contain other pictures"
        consequence = "they were omitted" if are_omitted else "their labels belong to the imported pictures"
    return make_printable(f"{subject} than at the import, so {consequence}: {names}{more}.")


def _iter_inputs(snapshot: SessionSnapshot, source_directory: Path) -> Iterator[Path]:
    """Yield the files of the session's images and vectors, which an output must not overwrite."""
    from vaetui.features.feature_sidecar import paths_path, sidecar_path
    from vaetui.session.source_images import iter_input_paths

    features = snapshot.repository.data_record.features
    if features is not None:
        path = Path(features.path)
        yield from (path, sidecar_path(path), paths_path(path))
    yield from iter_input_paths(source_directory)


def _require_free_output(
    snapshot: SessionSnapshot, source_directory: Path, output: Path, force: bool, *, is_directory: bool
) -> None:
    from vaetui.export.label_info import find_info_path

    output_files.require_parent_directory(output)
    if not is_directory and output.is_dir():
        raise UserError(f"{output} is a directory. Name a file with -o.")
    output_files.refuse_to_overwrite(output, force or is_directory, _iter_inputs(snapshot, source_directory))
    if is_directory:
        output_files.require_new_directory(output)
    elif not output_files.is_special_file(output):
        info_path = find_info_path(output)
        if info_path.is_dir():
            raise UserError(f"{info_path} is a directory, but describes the labels in {output}. Choose another output.")
        output_files.refuse_to_overwrite(info_path, force, _iter_inputs(snapshot, source_directory))


def _describe_counts(counts: ExportCounts, min_confidence: float, has_unsure_directory: bool) -> str:
    place = "in _unsure" if has_unsure_directory else "omitted"
    parts = [f"{format_count(counts.written, 'label')} written"]
    if counts.unsure:
        parts.append(f"{counts.unsure:,} below {min_confidence:g} {place}")
    if counts.unlabelled:
        verb = "image has" if counts.unlabelled == 1 else "images have"
        parts.append(f"{counts.unlabelled:,} {verb} no label yet" + ", in _unsure" * has_unsure_directory)
    if counts.unreadable:
        verb = "is" if counts.unreadable == 1 else "are"
        parts.append(
            f"{format_count(counts.unreadable, 'image')} {verb} unreadable" + ", in _unsure" * has_unsure_directory
        )
    if counts.beyond_border:
        verb, classes = ("is", "its class") if counts.beyond_border == 1 else ("are", "their classes")
        images = format_count(counts.beyond_border, "image")
        parts.append(f"{images} {verb} beyond the border of {classes}" + ", in _unsure" * has_unsure_directory)
    if counts.missing:
        files = "its file is" if counts.missing == 1 else "their files are"
        parts.append(f"{counts.missing:,} omitted because {files} missing or unreadable")
    if counts.replaced:
        files = "its file contains another picture" if counts.replaced == 1 else "their files contain other pictures"
        parts.append(f"{counts.replaced:,} omitted because {files} now")
    return ", ".join(parts)
