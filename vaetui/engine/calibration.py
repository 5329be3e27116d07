"""The confidence of labels: the probability that a label is right.

The classifier's own probability is too high where classes overlap, because training on its pseudo-labels pushes the
logits apart. Two estimates replace it, both logistic in features that saturate less.

Without an audit, the uncalibrated confidence of a label with features x in a session with facts f is
sigmoid(c . (1, f) + ((1 - h) b0 + h b1) . x), with h = sigmoid(c0 . (1, f)): the facts measure how easy the images are,
and the weights of the features change with it. The coefficients come from runs of several image sets.

After an audit, the calibrated confidence is sigmoid(z + d . t), with z the uncalibrated one in log odds and t the
standardised z and features, a constant, and for each class an offset and a slope. d maximises the likelihood of the
checks, weighted by the inverse of their sampling probabilities, with Gaussian priors around 0. Their precisions for
features, offsets and slopes are those with the largest marginal likelihood (empirical Bayes; Laplace approximation).
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FEATURES = ("uncalibrated_logit", "classifier_lead", "propagated_lead", "stability")
"""The features of a label: the log odds of its uncalibrated confidence; the lead of its class in the classifier's log
probabilities, as sign(lead) log(1 + |lead|); its lead in the propagated answers that the networks were trained on, -1
to 1; the share of earlier epochs that predicted it."""
LEAD_CENTRE = 2.0
"""Subtracted from the classifier's lead, so that the intercepts belong to a usual lead."""
MAX_LOGIT = 7.0
"""Largest log odds of a confidence, 99.9 %: no number of checks supports more."""
IMAGES_PER_ANSWER = 8.0
"""Images of one cluster that count as one observation, since one answer labels them."""
INTERCEPT_PRECISION, SLOPE_PRECISION = 1.0, 4.0
"""Precisions of the priors of the constant and of the coefficient of the log odds: the uncalibrated confidence is often
off by half in log odds, seldom by more than two."""
FEATURE_PRECISIONS, CLASS_PRECISIONS, CLASS_SLOPE_PRECISIONS = (2.0, 20.0, 200.0), (0.5, 2.0, 8.0, 64.0), (2.0, 20.0)
"""Precisions of the other priors to choose from; 64 allows offsets of about an eighth in log odds."""
MIN_SLOPE_CHECKS = 10
"""Fewest checks of a class with a slope of its own; with very many classes, none has one and a fit stays quick."""
NEWTON_STEPS = 40
"""Most Newton steps of a fit; 5 to 10 are usual."""
NEWTON_TOLERANCE = 1e-6
"""Largest change of a coefficient at which a fit ends."""
MAX_COEFFICIENT = 1e9
"""Largest number in a stored calibration; fitted ones are far smaller."""
MAX_NEWTON_STEP = 2.0
"""Largest change of a coefficient in one step, which keeps the first steps from overshooting."""


SessionKind: TypeAlias = Literal["narrowing", "images", "vectors"]
"""What the coefficients depend on: "narrowing" for networks of images whose later rounds ask about fewer images, the
surer the labels; "images" for other networks of images; "vectors" for networks of vectors, which reproduce nearly all
answers, so that the counts say less."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Counts from the answers of a session that measure how easy its images are."""

    later_images: int
    """Images labelled in rounds after the first, which the networks had classified before."""
    later_matches: int
    """How many of them the networks had classified as they were answered."""
    labelled_images: int
    """Images labelled in all rounds that the networks were trained on."""
    labelled_matches: int
    """How many of them the networks now classify as they were answered."""
    answers: int
    """Answers in these rounds: classes, splits and unreadable clusters."""
    class_answers: int
    """How many of them name a class."""
    kind: SessionKind
    """The kind of the session."""

    def to_logits(self) -> NDArray[np.float64]:
        """Return the log odds of agreement before training, of agreement after it and of class answers, [3]."""
        return np.array(
            [
                _smooth_logit(self.later_matches / IMAGES_PER_ANSWER, self.later_images / IMAGES_PER_ANSWER),
                _smooth_logit(self.labelled_matches / IMAGES_PER_ANSWER, self.labelled_images / IMAGES_PER_ANSWER),
                _smooth_logit(self.class_answers, self.answers),
            ]
        )


@dataclass(frozen=True, slots=True)
class UncalibratedModel:
    """Coefficients of the uncalibrated confidence; see the module."""

    low: tuple[float, ...]
    """The least of each fact in the runs; smaller ones count as this, [3]."""
    high: tuple[float, ...]
    """The largest of each fact in the runs, [3]."""
    offset: tuple[float, ...]
    """c: the constant and the coefficients of the facts, [4]."""
    ease: tuple[float, ...]
    """c0: the same for h, [4]."""
    hard_slopes: tuple[float, ...]
    """b0: coefficients of the classifier's lead and the stability where h is 0, [2]."""
    easy_slopes: tuple[float, ...]
    """b1: the same where h is 1, [2]."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for each label."""

    features: NDArray[np.float32]
    """The features of M labels, [M, len(FEATURES)]."""

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.features)

    @property
    def uncalibrated_confidences(self) -> NDArray[np.float32]:
        """The uncalibrated confidence of each label, [M]."""
        return _sigmoid(self.features[:, 0].astype(np.float64)).astype(np.float32)

    def select_rows(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Evidence:
        """Return the evidence of some labels, by indices or a mask."""
        return Evidence(self.features[rows])


NARROWING_WITH_LATER_ANSWERS = UncalibratedModel(
    low=(-2.708, 1.908, -0.185),
    high=(1.825, 3.603, 4.174),
    offset=(1.61, 0.653, -0.379, 0.753),
    ease=(-0.713, 0.528, -0.12, 0.658),
    hard_slopes=(0.1, 0.1),
    easy_slopes=(3.069, 0.1),
)
"""For networks trained on two rounds or more. Fitted by `tests.benchmarks.uncalibrated_fit` to 36 states of 14 runs of
MNIST, the same coloured, imbalanced and on photographs, Fashion-MNIST and scikit-learn digits, in which labels reached
half as far. The mean confidence is off by 4 points on average, and by 16 at most; fitted without the set in question,
by 7 and by 23."""
NARROWING_WITHOUT_LATER_ANSWERS = UncalibratedModel(
    low=(0.0, 1.237, 0.236),
    high=(0.0, 3.497, 3.497),
    offset=(-2.21, 0.0, -0.454, 2.005),
    ease=(-5.075, 0.0, 1.037, 0.793),
    hard_slopes=(0.1, 1.39),
    easy_slopes=(3.025, 0.13),
)
"""For networks trained on one round, where nothing tells how they do on new images; the first fact is ignored. Off by 4
points on average and by 11 at most, and likewise by 11 and by 44."""
IMAGES_WITH_LATER_ANSWERS = UncalibratedModel(
    low=(-2.582, 1.588, -0.906),
    high=(1.39, 3.871, 4.86),
    offset=(-1.001, 0.05, 0.11, 0.383),
    ease=(-1.481, 0.089, 0.246, 0.631),
    hard_slopes=(-0.346, -0.965),
    easy_slopes=(2.356, 3.287),
)
"""The same for other networks of images. Fitted to 108 states of 36 runs of MNIST, Fashion-MNIST, imbalanced and
coloured MNIST, scikit-learn digits, CIFAR-10 and blood cells, by a former default recipe. The mean confidence is off by
3 points on average, and by 12 at most; fitted without the set in question, by 4 and by 25."""
IMAGES_WITHOUT_LATER_ANSWERS = UncalibratedModel(
    low=(0.0, 1.713, -1.35),
    high=(0.0, 3.497, 3.497),
    offset=(0.712, 0.0, -0.678, 1.164),
    ease=(0.947, 0.0, -0.627, 0.941),
    hard_slopes=(-0.934, -0.014),
    easy_slopes=(2.763, 0.453),
)
"""For networks trained on one round: off by 5 points on average and by 18 at most, and likewise by 6 and by 22."""
VECTORS_WITH_LATER_ANSWERS = UncalibratedModel(
    low=(-1.588, 3.012, 0.49),
    high=(0.671, 4.234, 3.271),
    offset=(0.295, -0.296, -0.237, 0.535),
    ease=(-0.139, -0.327, -0.199, 0.668),
    hard_slopes=(-0.231, -0.862),
    easy_slopes=(2.146, 0.563),
)
"""For networks trained on vectors and two rounds or more. Fitted to 27 states of 9 runs of blood cells, CIFAR-10 and
Fashion-MNIST by EfficientNet-Lite0, and of MNIST by principal components; fitted without the set in question, it is off
by 6 points on average and by 13 at most. The coefficients for images are off by up to 24 here."""
VECTORS_WITHOUT_LATER_ANSWERS = UncalibratedModel(
    low=(0.0, 2.708, -0.236),
    high=(0.0, 3.434, 2.335),
    offset=(-1.56, 0.0, 0.377, 0.542),
    ease=(-1.9, 0.0, 0.502, 0.464),
    hard_slopes=(-0.771, 0.003),
    easy_slopes=(2.421, 0.021),
)
"""The same for networks trained on one round: likewise off by 5 points on average and by 10 at most."""


MODELS: dict[SessionKind, tuple[UncalibratedModel, UncalibratedModel]] = {
    "narrowing": (NARROWING_WITHOUT_LATER_ANSWERS, NARROWING_WITH_LATER_ANSWERS),
    "images": (IMAGES_WITHOUT_LATER_ANSWERS, IMAGES_WITH_LATER_ANSWERS),
    "vectors": (VECTORS_WITHOUT_LATER_ANSWERS, VECTORS_WITH_LATER_ANSWERS),
}
"""The coefficients by the kind of the session, without and with answers after the first round."""


def build_evidence(
    leads: NDArray[np.float32],
    propagated_leads: NDArray[np.float32],
    stabilities: NDArray[np.float32],
    facts: SessionFacts,
) -> Evidence:
    """Return the evidence of M labels by the leads of their classes and the stability of their prediction, 3 x [M]."""
    model = MODELS[facts.kind][facts.later_images > 0]
    scaled_leads = np.sign(leads) * np.log1p(np.abs(leads))
    logits = compute_uncalibrated_logits(model, facts, scaled_leads, stabilities)
    return Evidence(np.stack([logits, scaled_leads, propagated_leads, stabilities], axis=1).astype(np.float32))


def compute_uncalibrated_logits(
    model: UncalibratedModel,
    facts: SessionFacts,
    scaled_leads: NDArray[np.floating[Any]],
    stabilities: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """Return the log odds of the uncalibrated confidences of M labels, [M], by the model; leads are as in FEATURES."""
    row = np.concatenate([[1.0], np.clip(facts.to_logits(), model.low, model.high)])
    ease = 1 / (1 + math.exp(-float(row @ model.ease)))
    slopes = np.maximum((1 - ease) * np.array(model.hard_slopes) + ease * np.array(model.easy_slopes), 0)
    logits: NDArray[np.float64] = (
        float(row @ model.offset) + slopes[0] * (scaled_leads - LEAD_CENTRE) + slopes[1] * stabilities
    )
    np.clip(logits, -MAX_LOGIT, MAX_LOGIT, out=logits)
    return logits


@dataclass(frozen=True, slots=True)
class Calibration:
    """Coefficients that an audit gave, for labels by the same networks."""

    means: tuple[float, ...]
    """Weighted means of the features of the checked labels, [F]."""
    scales: tuple[float, ...]
    """Their standard deviations, [F]."""
    intercept: float
    """The constant, in log odds."""
    coefficients: tuple[float, ...]
    """Coefficients of the standardised features, [F]."""
    class_offsets: tuple[float, ...]
    """Offset of each class, [classes]."""
    class_slopes: tuple[float, ...]
    """Change of the coefficient of the uncalibrated log odds for each class, [classes]."""

    def predict(self, evidence: Evidence, class_ids: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the calibrated confidence of labels, [M]; a class that had no number then has no offset."""
        standardised = (evidence.features - np.array(self.means)) / np.array(self.scales)  # [M, F]
        logits = evidence.features[:, 0] + self.intercept + standardised @ np.array(self.coefficients)
        is_known = (class_ids >= 0) & (class_ids < len(self.class_offsets))
        known_ids = np.where(is_known, class_ids, 0)
        corrections = (
            np.array(self.class_offsets)[known_ids] + np.array(self.class_slopes)[known_ids] * standardised[:, 0]
        )
        logits = logits + np.where(is_known, corrections, 0)
        return _sigmoid(np.clip(logits, -MAX_LOGIT, MAX_LOGIT)).astype(np.float32)

    def to_json(self) -> str:
        """Return the coefficients as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Return the calibration that `to_json` wrote. Raises ValueError for any other text."""
        try:
            values: dict[str, Any] = {
                name: _to_float(value) if name == "intercept" else tuple(_to_float(item) for item in value)
                for name, value in json.loads(text).items()
            }
            calibration = cls(**values)
        except (TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a calibration ({error})") from error
        lengths = {len(calibration.means), len(calibration.scales), len(calibration.coefficients)}
        if lengths != {len(FEATURES)} or len(calibration.class_offsets) != len(calibration.class_slopes):
            raise ValueError("a calibration with missing coefficients")
        if not calibration.class_offsets or min(calibration.scales) <= 0:
            raise ValueError("a calibration without classes or scales")
        return calibration


def to_logits(confidences: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the log odds of confidences, [M]."""
    shares = np.clip(confidences.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.clip(np.log(shares / (1 - shares)), -MAX_LOGIT, MAX_LOGIT)


def fit_calibration(
    evidence: Evidence,
    is_right: NDArray[np.bool_],
    weights: NDArray[np.floating[Any]],
    class_ids: NDArray[np.integer[Any]],
    class_count: int,
) -> Calibration | None:
    """Return the calibration by M checked labels, with the weights of the sample, [M]; None without checks.

    The number of observations is Kish's effective sample size, (sum w)^2 / sum w^2.
    """
    is_used = (weights > 0) & (class_ids >= 0)
    if not is_used.any():
        return None
    features, labels = evidence.features[is_used].astype(np.float64), is_right[is_used].astype(np.float64)
    weights, class_ids = weights[is_used].astype(np.float64), class_ids[is_used]
    shares = weights / weights.sum()
    weights = shares / (shares**2).sum()
    means = shares @ features
    scales = np.sqrt(shares @ (features - means) ** 2) + 0.05  # a feature that hardly varies explains nothing
    standardised = (features - means) / scales
    offset_ids, counts = np.unique(class_ids, return_counts=True)  # other classes are as usual
    slope_ids = offset_ids[counts >= MIN_SLOPE_CHECKS]
    columns = np.hstack(
        [
            np.ones((len(labels), 1)),
            standardised,
            class_ids[:, None] == offset_ids,
            (class_ids[:, None] == slope_ids) * standardised[:, :1],
        ]
    )
    best_evidence, best = -np.inf, np.zeros(columns.shape[1])
    coefficients = best
    for feature_precision, class_precision, slope_precision in itertools.product(
        FEATURE_PRECISIONS, CLASS_PRECISIONS, CLASS_SLOPE_PRECISIONS if len(slope_ids) else CLASS_SLOPE_PRECISIONS[:1]
    ):
        precisions = np.concatenate(
            [
                [INTERCEPT_PRECISION, SLOPE_PRECISION],
                np.full(len(FEATURES) - 1, feature_precision),
                np.full(len(offset_ids), class_precision),
                np.full(len(slope_ids), slope_precision),
            ]
        )
        coefficients, log_evidence = _fit_logistic(columns, features[:, 0], labels, weights, precisions, coefficients)
        if log_evidence > best_evidence:
            best_evidence, best = log_evidence, coefficients
    class_offsets, class_slopes = np.zeros(class_count), np.zeros(class_count)
    feature_end, offset_end = 1 + len(FEATURES), 1 + len(FEATURES) + len(offset_ids)
    class_offsets[offset_ids], class_slopes[slope_ids] = best[feature_end:offset_end], best[offset_end:]
    return Calibration(
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        intercept=float(best[0]),
        coefficients=tuple(best[1:feature_end].tolist()),
        class_offsets=tuple(class_offsets.tolist()),
        class_slopes=tuple(class_slopes.tolist()),
    )


def fit_logit_shift(
    logits: NDArray[np.floating[Any]], is_right: NDArray[np.bool_], weights: NDArray[np.floating[Any]]
) -> float:
    """Return the constant to add to log odds [M] so that they agree with M checked labels; 0 without checks."""
    if not len(logits):
        return 0.0
    shares: NDArray[np.float64] = weights.astype(np.float64) / float(weights.sum())
    columns, precisions = np.ones((len(logits), 1)), np.array([INTERCEPT_PRECISION])
    offsets, labels = logits.astype(np.float64), is_right.astype(np.float64)
    effective_weights = shares / float((shares**2).sum())
    coefficients, _ = _fit_logistic(columns, offsets, labels, effective_weights, precisions, np.zeros(1))
    return float(coefficients[0])


def _fit_logistic(
    columns: NDArray[np.float64],
    offsets: NDArray[np.float64],
    labels: NDArray[np.float64],
    weights: NDArray[np.floating[Any]],
    precisions: NDArray[np.float64],
    start: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Return the coefficients of the largest posterior and the logarithm of the marginal likelihood (Laplace)."""
    coefficients = start
    for _ in range(NEWTON_STEPS):
        rates = _sigmoid(offsets + columns @ coefficients)
        gradient = columns.T @ (weights * (labels - rates)) - precisions * coefficients
        curvature = (columns.T * (weights * rates * (1 - rates))) @ columns + np.diag(precisions)
        step = np.clip(np.linalg.solve(curvature, gradient), -MAX_NEWTON_STEP, MAX_NEWTON_STEP)
        coefficients = coefficients + step
        if np.abs(step).max() < NEWTON_TOLERANCE:
            break
    rates = np.clip(_sigmoid(offsets + columns @ coefficients), 1e-12, 1 - 1e-12)
    likelihood = weights @ (labels * np.log(rates) + (1 - labels) * np.log(1 - rates))
    penalty = (precisions * coefficients**2).sum() / 2
    log_determinants = (np.log(precisions).sum() - np.linalg.slogdet(curvature)[1]) / 2
    return coefficients, float(likelihood - penalty + log_determinants)


def _smooth_logit(matches: float, total: float) -> float:
    share = (matches + 0.5) / (total + 1)
    return math.log(share / (1 - share))


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(values, -50, 50)))


def _to_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_COEFFICIENT:
        raise ValueError("not a number")
    return float(value)
