"""Facts about the labels so far, and whether another round is worth its answers, as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaetui.session.expected_gain import expect_gain
from vaetui.session.review_views import PAGE_IMAGES
from vaetui.tui.keymap import KeyFormatter
from vaetui.tui.presenters.accuracy_text import describe_accuracy
from vaetui.tui.presenters.disagreement_text import describe_disagreement
from vaetui.tui.presenters.expected_accuracy import fit_texts
from vaetui.tui.presenters.gain_text import describe_gain, describe_review_page
from vaetui.tui.presenters.number_format import format_percent
from vaetui.tui.presenters.unanswered_classes import format_unanswered_classes, select_class_names
from vaetui.tui.session_protocol import Session


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """Sentences about the labels, each as alternatives, longest first; empty where there is nothing to state."""

    unanswered: Sequence[str] = ()
    """The classes without an answer; then there is no other sentence but that of an audit."""
    accuracy: Sequence[str] = ()
    """The audited accuracy, or the expected one."""
    gain: Sequence[str] = ()
    """What the last rounds brought, and what another one may bring."""
    review: Sequence[str] = ()
    """What the next page of a review may correct; empty until the labels were loaded for a review or an audit."""
    disagreement: Sequence[str] = ()
    """On how many images classifier and graph differ."""
    changes: Sequence[str] = ()
    """How many predictions the last epoch changed."""
    is_gain_little: bool = False
    """Whether another round would bring little: the most important thing to know before it."""

    def fit(self, max_cells: int) -> str:
        """Return the most important sentences that fit into `max_cells` columns."""
        accuracy, gain = (self.gain, self.accuracy) if self.is_gain_little else (self.accuracy, self.gain)
        return fit_texts([self.unanswered, accuracy, gain, self.review, self.disagreement, self.changes], max_cells)

    def list_sentences(self) -> list[str]:
        """Return every sentence at its full length, but changes of predictions only in place of an expected gain."""
        facts = (self.unanswered, self.accuracy, self.gain or self.changes, self.review, self.disagreement)
        return [alternatives[0] for alternatives in facts if alternatives]


def collect_label_facts(
    session: Session,
    unanswered_class_ids: Sequence[int],
    format_key: KeyFormatter,
    *,
    is_round_open: bool = False,
    max_name_cells: int = 72,
) -> LabelFacts:
    """Return the facts about the labels of a session in phase labelling or finished.

    While a class has no answer, the networks cannot predict it and are certain of wrong classes: the names of these
    classes, in `max_name_cells` columns, replace every expectation. With `is_round_open`, a round waits for its
    answers.
    """
    curves = session.training_curves()
    epochs = curves.finished_epochs
    last_epoch = epochs[-1] if epochs else None
    audit = next(iter(session.audits.results), None)
    labelling = session.labellings.current  # None unless it was loaded: that takes seconds
    is_audit_older = audit is not None and (
        audit.epoch < len(epochs) or (labelling is not None and labelling.version != audit.version)
    )
    if unanswered_class_ids:
        names = select_class_names(session.classes.names, unanswered_class_ids)
        return LabelFacts(
            unanswered=[format_unanswered_classes(names, max_name_cells)],
            accuracy=describe_accuracy(None, audit, is_audit_older),
        )
    if last_epoch is None or not last_epoch.answer_count:
        return LabelFacts()
    gain = expect_gain(session.config.training, epochs)
    screen = "label" if is_round_open else "summary"
    audit_key, review_key = format_key(f"{screen}.audit"), format_key(f"{screen}.review")
    advice = f"check the labels with {audit_key}", f"check with {audit_key}"
    if audit is not None and not is_audit_older:
        advice = f"correct single labels with {review_key}", f"correct with {review_key}"
    changes = []
    if last_epoch.prediction_churn is not None:
        changes = [f"The last epoch changed {format_percent(last_epoch.prediction_churn).strip()} % of the predictions"]
    return LabelFacts(
        accuracy=describe_accuracy(last_epoch.expected_accuracy, audit, is_audit_older),
        gain=describe_gain(gain, advice, is_round_open=is_round_open),
        review=_describe_review(session, review_key),
        disagreement=describe_disagreement(curves.disagreement, session.classes.names),
        changes=changes,
        is_gain_little=gain is not None and gain.outlook == "little",
    )


def _describe_review(session: Session, review_key: str) -> list[str]:
    """Return what the next page of the class with the most expected errors may correct; empty without loaded labels."""
    if session.labellings.current is None:
        return []
    review_class = next(iter(session.reviews.classes()), None)
    if review_class is None:
        return []
    expected_errors = session.reviews.expected_errors_on_next_page(review_class.class_id, PAGE_IMAGES)
    page_images = min(review_class.image_count - review_class.reviewed_count, PAGE_IMAGES)
    name = session.classes.names[review_class.class_id]
    return describe_review_page(name, expected_errors, page_images, review_key) if page_images > 0 else []
