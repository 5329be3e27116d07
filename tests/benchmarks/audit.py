"""How often the interval of an audit contains the share of right labels, how wide it is, and how many keys it takes.

python -m tests.benchmarks.audit --cache DIRECTORY [--photos cifar10] [--device cuda] [--sets mnist,digits]

One session per image set is trained and answered by a simulated annotator; its labels after 2 and after 4 rounds are
kept in the cache. Then only the drawing of the images and the checks are repeated. A set of photographs is read from
DIRECTORY/NAME, a directory of IDX files. Finished units are kept, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.datasets import FASHION, find_dataset
from tests.benchmarks.forked_runs import NoReader
from tests.benchmarks.results import replace_json, save_results
from vaetui.engine import rng
from vaetui.engine.audit import AuditPopulation, draw_audit
from vaetui.engine.audit_estimate import estimate_audit
from vaetui.engine.audit_plans import PLANS
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.config import Device
from vaetui.engine.images import read_idx_array
from vaetui.engine.recipes import get_recipe
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.audits import build_population
from vaetui.session.session import Session
from vaetui.simulation.annotator_config import AnnotatorConfig
from vaetui.simulation.auditing_annotator import see_classes
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.run import Simulation
from vaetui.simulation.stopwatch import Stopwatch

SETS = ("mnist", "fashion", "imbalanced", "digits")
ROUND_COUNTS = (2, 4)
ERROR_RATES = (0.0, 0.02, 0.05)
AUDIT_COUNT = 600
"""Audits of each unit: the coverage of 95 % is then measured to within 1.8 points (95 %)."""
POSTERIOR_DRAWS = 4_000
"""Draws for an interval; enough for figures that are means of hundreds of audits."""
ANNOTATOR_CONFIG = AnnotatorConfig("members", answers_per_round=16, error_rate=0.02)
SEED = 0


@dataclass(frozen=True, slots=True)
class LabelledSession:
    """The labels of a session at one moment, and the truth."""

    population: AuditPopulation
    """What an audit is drawn from."""
    true_class_ids: NDArray[np.int64]
    """The true class of each image, NO_LABEL without one, [A]."""

    @property
    def accuracy(self) -> float:
        """Share of right labels."""
        is_rated = self.population.class_ids >= 0
        return float((self.population.class_ids == self.true_class_ids)[is_rated].mean())


def main() -> None:
    """Train what is missing, audit, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="directory of image sets and trained sessions")
    parser.add_argument("--sets", default=",".join(SETS), help="image sets, separated by commas")
    parser.add_argument("--photos", default="", help="names of sets of photographs in the cache directory")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--audits", type=int, default=AUDIT_COUNT)
    arguments = parser.parse_args()
    names = [name for name in f"{arguments.sets},{arguments.photos}".split(",") if name]
    units = list(measure_all(names, arguments.cache, arguments.device, arguments.audits))
    save_results("audit", SEED, {"audits": arguments.audits, "units": units})


def measure_all(names: list[str], cache: Path, device: Device, audit_count: int) -> Iterator[dict[str, Any]]:
    """Yield the figures of each set, number of rounds, plan and error rate."""
    for name in names:
        for round_count in ROUND_COUNTS:
            path = cache / "audit" / f"{name}-{round_count}-{audit_count}.json"
            if not path.exists():
                labelled_session = load_labelled_session(name, round_count, cache, device)
                figures = [
                    {"set": name, "rounds": round_count, **measure_audits(labelled_session, plan, rate, audit_count)}
                    for plan in PLANS
                    for rate in ERROR_RATES
                ]
                replace_json(path, cast("dict[str, Any]", {"units": figures}))
            for unit in json.loads(path.read_text())["units"]:
                print(describe_unit(unit), flush=True)
                yield unit


def load_labelled_session(name: str, round_count: int, cache: Path, device: Device) -> LabelledSession:
    """Return the labels of a set after some rounds; trains a session if they are not in the cache."""
    path = cache / "audit" / f"{name}-{round_count}.npz"
    if not path.exists():
        train_session(name, cache, device)
    with np.load(path) as arrays:
        columns = {field.name: arrays[field.name] for field in fields(AuditPopulation) if field.name != "class_count"}
        population = AuditPopulation(**columns, class_count=int(arrays["class_count"]))
        return LabelledSession(population, arrays["true_class_ids"])


def train_session(name: str, cache: Path, device: Device) -> None:
    """Train and answer a session on a set, and store its labels after each of the ROUND_COUNTS."""
    directory = cache / "audit" / f"{name}-session"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    source = find_dataset(name, cache) if name != "fashion" or FASHION.exists() else cache / name
    recipe = get_recipe("propagation")
    config = replace(
        recipe,
        seed=SEED,
        device=device,
        network=replace(recipe.network, classes=count_classes(source)),
        training=replace(recipe.training, rounds=ROUND_COUNTS[0]),
    )
    lifecycle.create_at(directory, str(source), config)
    with closing(lifecycle.resume_at(directory)) as session:
        answer_count = 0
        for round_count in ROUND_COUNTS:
            while session.round_count < round_count:
                session.add_round()
            reader = TrainedReader(NoReader(), 0.0)
            simulation = Simulation(session, reader, ANNOTATOR_CONFIG, Stopwatch(), earlier_answers=answer_count)
            answer_count += drain_events(simulation.run_to_end()).answers
            store_labels(session, cache / "audit" / f"{name}-{round_count}.npz")
    shutil.rmtree(directory)


def store_labels(session: Session, path: Path) -> None:
    """Store what audits of the present labels are drawn from, and the truth."""
    labelling = drain_events(session.labellings.load())
    population = build_population(session._store, session._repository, labelling)
    assert session.true_labels is not None
    true_labels = session.true_labels.train_validation_labels
    assert true_labels is not None
    columns = {field.name: getattr(population, field.name) for field in fields(AuditPopulation)}
    np.savez_compressed(path, **columns, true_class_ids=true_labels.class_ids.astype(np.int64))


def count_classes(source: Path) -> int:
    """Return the number of classes of a directory of IDX files."""
    path = next(path for path in source.iterdir() if path.name.startswith("train-labels"))
    labels = read_idx_array(path, 1)
    return int(labels[labels != NO_LABEL].max()) + 1


def measure_audits(labelled_session: LabelledSession, plan: str, error_rate: float, audit_count: int) -> dict[str, Any]:
    """Repeat an audit and return how often its interval holds, its half-width in points, keys and planted errors."""
    population, accuracy = labelled_session.population, labelled_session.accuracy
    lows, highs, estimates, keys, found_count, planted_count = [], [], [], [], 0, 0
    for number in range(audit_count):
        generator = rng.derive_generator(SEED, "audit benchmark", number + 1)
        sample = draw_audit(PLANS[plan], population, generator)
        true_class_ids = labelled_session.true_class_ids[sample.image_indices]
        is_paged = sample.pages >= 0
        shown_class_ids = np.where(is_paged, sample.class_ids, -1)
        seen_class_ids = see_classes(true_class_ids, shown_class_ids, population.class_count, error_rate, generator)
        seen_class_ids[true_class_ids == NO_LABEL] = -1
        estimate = estimate_audit(sample, seen_class_ids, POSTERIOR_DRAWS)
        lows.append(estimate.share.low)
        highs.append(estimate.share.high)
        estimates.append(estimate.share.estimate)
        mark_count = int((is_paged & (seen_class_ids != sample.class_ids)).sum())
        keys.append(int((~is_paged).sum()) + int(sample.pages.max()) + 1 + mark_count)
        found_count += estimate.catch_found
        planted_count += estimate.catch_planted
    is_too_high, is_too_low = np.array(lows) > accuracy, np.array(highs) < accuracy
    return {
        "plan": plan,
        "error_rate": error_rate,
        "accuracy": round(accuracy, 5),
        "coverage": round(float(1 - (is_too_high | is_too_low).mean()), 4),
        "too_high": round(float(is_too_high.mean()), 4),
        "too_low": round(float(is_too_low.mean()), 4),
        "half_width": round(float(np.median(np.array(highs) - np.array(lows))) / 2, 5),
        "bias": round(float(np.mean(estimates)) - accuracy, 5),
        "keys": float(np.median(keys)),
        "catch_share": round(found_count / planted_count, 4) if planted_count else None,
        "catch_planted": round(planted_count / audit_count, 1),
    }


def describe_unit(unit: dict[str, Any]) -> str:
    """Return the figures of a unit as a line."""
    return (
        f"{unit['set']:12} after {unit['rounds']} rounds, {unit['plan']:5}, errors {100 * unit['error_rate']:.0f} %: "
        f"accuracy {100 * unit['accuracy']:.2f} %, coverage {100 * unit['coverage']:.1f} %, half-width "
        f"{100 * unit['half_width']:.2f}, bias {100 * unit['bias']:+.2f}, {unit['keys']:.0f} keys, "
        f"planted errors found {unit['catch_share']}"
    )


if __name__ == "__main__":
    main()
