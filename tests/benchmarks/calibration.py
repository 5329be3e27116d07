"""How well confidences agree with the share of right labels, without an audit and after a quick and a full one.

python -m tests.benchmarks.calibration --cache DIRECTORY [--photos cifar10,blood32] [--device cuda] [--seeds 3]
python -m tests.benchmarks.calibration --cache DIRECTORY --fit

Each set and seed is a unit with a process of its own: a session that a simulated annotator answers, measured after
each round. Finished units are kept in the cache, so that an interrupted run goes on. Sets of photographs are read from
DIRECTORY/NAME, a directory of IDX files. --fit prints the coefficients of the uncalibrated confidence that fit the
measured units best (`tests.benchmarks.uncalibrated_fit`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.audit import ANNOTATOR_CONFIG, count_classes
from tests.benchmarks.datasets import FASHION, find_dataset
from tests.benchmarks.forked_runs import NoReader
from tests.benchmarks.results import replace_json, save_results
from tests.benchmarks.uncalibrated_fit import print_models
from vaetui.engine import calibration, rng
from vaetui.engine.audit import PLANTED_STRATUM, draw_audit
from vaetui.engine.audit_plans import PLANS
from vaetui.engine.calibration import Evidence
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.config import Device
from vaetui.engine.recipes import DEFAULT_RECIPE, get_recipe
from vaetui.export.label_table import ANSWER
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.audits import build_population
from vaetui.session.label_evidence import collect_facts
from vaetui.session.labelling import Labelling
from vaetui.session.session import Session
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.run import RoundAnswered, Simulation
from vaetui.simulation.stopwatch import Stopwatch
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.stored_arrays import EpochPredictions

SETS = ("mnist", "fashion", "digits", "imbalanced", "coloured", "background")
UNITS = (*SETS, "mnist thorough", "fashion thorough", "digits thorough")
"""Image sets, and after a space the recipe, by default the default one."""
BINS = 15
"""Bins of the expected calibration error."""
BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
"""Limits of the bands of confidence."""
AUDIT_COUNT = 10
"""Audits of each state; their calibrations differ by what they happen to draw."""
SAMPLE_IMAGES = 1500
"""Labels of each state that the coefficients are fitted to."""


def main() -> None:
    """Measure what is missing and write the figures, or fit the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="directory of image sets and finished units")
    parser.add_argument("--sets", default=",".join(UNITS), help="image sets and recipes, separated by commas")
    parser.add_argument("--photos", default="", help="names of sets of photographs in the cache directory")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1, help="units at a time")
    parser.add_argument("--fit", action="store_true", help="fit the coefficients to the finished units")
    parser.add_argument("--unit", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    directory = arguments.cache / "calibration"
    directory.mkdir(parents=True, exist_ok=True)
    if arguments.fit:
        print_models(sorted(directory.glob("*.npz")))
        return
    if arguments.unit:
        name, seed = arguments.unit.split(":")
        measure_unit(name, int(seed), arguments.cache, arguments.device)
        return
    names = [name for name in f"{arguments.sets},{arguments.photos}".split(",") if name]
    for name in names:
        find_source(name.partition(" ")[0], arguments.cache)
    units = [f"{name}:{seed}" for name in names for seed in range(arguments.seeds)]

    def run_unit(unit: str) -> list[dict[str, Any]]:
        path = directory / f"{unit.replace(':', '-')}.json"
        if not path.exists():
            options = ("--cache", str(arguments.cache), "--device", arguments.device, "--unit", unit)
            subprocess.run([sys.executable, "-m", "tests.benchmarks.calibration", *options], check=True)
        states: list[dict[str, Any]] = json.loads(path.read_text())["states"]
        for state in states:
            print(describe_state(state), flush=True)
        return states

    with ThreadPoolExecutor(arguments.processes) as pool:
        states = [state for unit_states in pool.map(run_unit, units) for state in unit_states]
    save_results("calibration", 0, {"audits": AUDIT_COUNT, "bins": BINS, "states": states})


def find_source(name: str, cache: Path) -> Path:
    """Return the directory of an image set."""
    return find_dataset(name, cache) if name != "fashion" or FASHION.exists() else cache / name


def measure_unit(name: str, seed: int, cache: Path, device: Device) -> None:
    """Train and answer a session on a set, measure its labels after each round from the second on, and keep that."""
    set_name, _, recipe_name = name.partition(" ")
    source, directory = find_source(set_name, cache), cache / "calibration" / f"{name}-{seed}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    recipe = get_recipe(recipe_name or DEFAULT_RECIPE)
    annotator = replace(ANNOTATOR_CONFIG, answers_per_round=recipe.cluster.clusters)
    network = replace(recipe.network, classes=count_classes(source))
    lifecycle.create_at(directory, str(source), replace(recipe, seed=seed, device=device, network=network))
    states, arrays = [], dict[str, Any]()
    with closing(lifecycle.resume_at(directory)) as session:
        simulation = Simulation(session, TrainedReader(NoReader(), 0.0), annotator, Stopwatch())
        for event in simulation.run_to_end():
            if isinstance(event, RoundAnswered) and event.round_number > 1:
                states.append({"set": name, "seed": seed, **measure_state(session, event.round_number - 1, arrays)})
        states.append({"set": name, "seed": seed, **measure_state(session, session.round_count, arrays)})
    shutil.rmtree(directory)
    np.savez_compressed(directory.with_suffix(".npz"), **arrays)
    replace_json(directory.with_suffix(".json"), {"states": states})


def measure_state(session: Session, rounds: int, arrays: dict[str, Any]) -> dict[str, Any]:
    """Measure the labels by networks that were trained on some rounds; add a sample of them to `arrays`."""
    labelling = drain_events(session.labellings.load())
    table, true_class_ids = labelling.label_table, find_true_classes(session)
    is_rated = (table.class_ids >= 0) & (table.source_ids != ANSWER) & (true_class_ids != NO_LABEL)
    is_right = table.class_ids == true_class_ids
    before = load_probabilities(session, labelling)
    uncalibrated = labelling.evidence.uncalibrated_confidences
    is_known = is_rated & ~np.isnan(before)
    store_sample(session, labelling, is_rated, is_right, rounds, arrays)
    return {
        "rounds": rounds,
        "accuracy": round(float(is_right[is_rated].mean()), 5),
        "before": rate(before[is_known], is_right[is_known]),
        "uncalibrated": rate(uncalibrated[is_rated], is_right[is_rated]),
        **{plan: measure_audits(session, labelling, plan, is_rated, true_class_ids) for plan in PLANS},
    }


def find_true_classes(session: Session) -> NDArray[np.int64]:
    """Return the true class of each image, NO_LABEL without one, [A]."""
    assert session.true_labels is not None
    true_labels = session.true_labels.train_validation_labels
    assert true_labels is not None
    return true_labels.class_ids.astype(np.int64)


def load_probabilities(session: Session, labelling: Labelling) -> NDArray[np.float64]:
    """Return the classifier's own probability of its class for each training image, NaN for others, [A]."""
    store = session._store
    predictions = stored_arrays.load_arrays(store, file_names.predictions_name(labelling.epoch), EpochPredictions)
    split = stored_arrays.load_train_val_split(store)
    probabilities = np.full(len(split.first_copies), np.nan)
    probabilities[split.train_indices] = predictions.confidences
    return probabilities


def rate(confidences: NDArray[np.floating[Any]], is_right: NDArray[np.bool_]) -> dict[str, float]:
    """Return the mean confidence and the expected calibration error."""
    return {"expected": round(float(confidences.mean()), 5), "ece": round(measure_error(confidences, is_right), 5)}


def measure_error(confidences: NDArray[np.floating[Any]], is_right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error (Naeini et al. 2015)."""
    bins = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, confidences - is_right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(bins))


def measure_audits(
    session: Session,
    labelling: Labelling,
    plan: str,
    is_rated: NDArray[np.bool_],
    true_class_ids: NDArray[np.int64],
) -> dict[str, Any]:
    """Repeat an audit without errors; return the calibration error on labels that were not checked, and the bands."""
    population = build_population(session._store, session._repository, labelling)
    class_ids, evidence = labelling.label_table.class_ids, labelling.evidence
    errors, gaps = [], []
    band_sums = np.zeros((len(BANDS) - 1, 3))  # labels, sum of confidences, right labels
    for number in range(AUDIT_COUNT):
        sample = draw_audit(PLANS[plan], population, rng.derive_generator(0, "calibration benchmark", number))
        indices = sample.image_indices
        rows = np.flatnonzero((sample.strata != PLANTED_STRATUM) & (true_class_ids[indices] != NO_LABEL))
        indices = indices[rows]
        fitted = calibration.fit_calibration(
            Evidence(evidence.features[indices]),
            class_ids[indices] == true_class_ids[indices],
            sample.weights[rows],
            class_ids[indices],
            population.class_count,
        )
        assert fitted is not None
        is_unchecked = is_rated.copy()
        is_unchecked[sample.image_indices] = False
        confidences = fitted.predict(evidence.select_rows(is_unchecked), class_ids[is_unchecked])
        is_right = (class_ids == true_class_ids)[is_unchecked]
        errors.append(measure_error(confidences, is_right))
        gaps.append(float(confidences.mean() - is_right.mean()))
        numbers = np.searchsorted(BANDS, confidences, side="right") - 1
        for band in range(len(BANDS) - 1):
            is_member = numbers == band
            band_sums[band] += is_member.sum(), confidences[is_member].sum(), is_right[is_member].sum()
    return {
        "ece": round(float(np.mean(errors)), 5),
        "ece_of_9_in_10": round(float(np.quantile(errors, 0.9)), 5),
        "mean_gap": round(float(np.sqrt(np.mean(np.square(gaps)))), 5),
        "bands": [
            {
                "from": low,
                "share": round(count / band_sums[:, 0].sum(), 4),
                "confidence": round(confidence_sum / count, 4),
                "accuracy": round(right_count / count, 4),
            }
            for low, (count, confidence_sum, right_count) in zip(BANDS, band_sums.tolist(), strict=False)
            if count
        ],
    }


def store_sample(
    session: Session,
    labelling: Labelling,
    is_rated: NDArray[np.bool_],
    is_right: NDArray[np.bool_],
    rounds: int,
    arrays: dict[str, Any],
) -> None:
    """Add what the coefficients are fitted to: features of some labels, whether they are right, and the facts."""
    store, repository = session._store, session._repository
    predictions = stored_arrays.load_arrays(store, file_names.predictions_name(labelling.epoch), EpochPredictions)
    facts = collect_facts(repository, session._propagator, labelling.epoch, predictions.class_ids)
    candidates = np.flatnonzero(is_rated)
    rows = rng.derive_generator(0, "calibration sample", rounds).permutation(candidates)[:SAMPLE_IMAGES]
    arrays[f"features_{rounds}"] = labelling.evidence.features[rows]
    arrays[f"is_right_{rounds}"] = is_right[rows]
    *counts, kind = astuple(facts)
    arrays[f"facts_{rounds}"], arrays[f"kind_{rounds}"] = np.array(counts), np.array(kind)


def describe_state(state: dict[str, Any]) -> str:
    """Return the figures of a state as a line."""
    figures = {key: 100 * state[key]["ece"] for key in ("before", "uncalibrated", *PLANS)}
    errors = ", ".join(f"{key} {value:.1f}" for key, value in figures.items())
    return (
        f"{state['set']:12} seed {state['seed']} after {state['rounds']} rounds: accuracy "
        f"{100 * state['accuracy']:.1f} %, expected before {100 * state['before']['expected']:.1f} and now "
        f"{100 * state['uncalibrated']['expected']:.1f}; calibration errors: {errors}"
    )


if __name__ == "__main__":
    main()
