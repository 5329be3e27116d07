"""Makes the README's tables from the committed results: python -m tests.benchmarks.tables."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks import ceiling_tables, published
from tests.benchmarks.results import RESULTS

ROOT = Path(__file__).parents[2]
UNITS = {
    "members": "vaetui, annotator `members`",
    "centre": "vaetui, annotator `centre`",
    "mean": "the same, `members`, with the mean of z (`--latent mean`)",
    "normal": "the same, `members`, from N(0, 0.02) (`--init normal`)",
    "labels": "every label given, same networks",
}
"""What was run, and how a reader knows it."""
PCA = "PCA-50 and k-means, 80 clusters named right, nothing learned"


def speed() -> str:
    """Give the table of what `speed` measured."""
    told = json.loads((RESULTS / "speed.json").read_text())
    rows = ["| what | measured | wanted | |", "| --- | --- | --- | --- |"]
    for line in told["lines"]:
        sign = "≥" if line["at_least"] else "≤"
        digits = 0 if line["unit"] == "MB" else 1 if line["unit"] == "ms" else 2
        held = "" if line["held"] else "falls short"
        what = f"{line['what']} ({line['detail']})"
        measured = f"{line['measured']:,.{digits}f} {line['unit']}".replace(" x", " x")
        rows.append(f"| {what} | {measured} | {sign} {line['bound']:g} {line['unit']} | {held} |")
    return "\n".join([f"On {told['date']}, {told['machine']}, seed {told['seed']}:", "", *rows])


def lines() -> str:
    """Give the table of what `throttled` measured over a bad line."""
    told = json.loads((RESULTS / "lines.json").read_text())
    head = "| seconds to | size | median | 95 in 100 within | all of it | without the line | kB sent | wanted | |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    for it in told["lines"]:
        bound = it["bound"]
        wanted, held = ("", "") if bound is None else (f"≤ {bound:g}", "" if it["seen"] <= bound else "falls short")
        seconds = " | ".join(f"{it[which]:.2f}" for which in ("seen", "late", "whole", "direct"))
        sent = f"{it['bytes'] / 1000:.1f}"
        rows.append(f"| {it['what']} | {it['size']} | {seconds} | {sent} | {wanted} | {held} |")
    return "\n".join([f"On {told['date']}, {told['machine']}, seed {told['seed']}:", "", *rows])


def torment() -> str:
    """Tell what kills and damaged files came to."""
    soak, fuzz = (json.loads((RESULTS / f"{name}.json").read_text()) for name in ("soak", "fuzz"))
    return "\n".join(
        [
            f"* On {soak['date']}, seed {soak['seed']}: {soak['kills']} kills of {soak['runs']} whole small runs of the"
            " real program, while it starts, trains, saves, clusters, splits, answers, exports and upgrades. Of "
            f"{soak['kept']} answers and undos told as saved {soak['lost']} were lost and {soak['invented']} invented; "
            f"{soak['equal']} of {soak['runs']} runs came to the bits of an undisturbed one.",
            f"* On {fuzz['date']}, seed {fuzz['seed']}: {fuzz['cases']:,} damages of {len(fuzz['kinds'])} kinds to the "
            f"files of small sessions. With {fuzz['works']:,} everything went on working, with {fuzz['refused']:,} "
            f"something was refused in one sentence, {fuzz['failed']} failed; none took more than "
            f"{max(fuzz['most_memory_mb'], 1)} MB of memory beyond what a whole session takes.",
        ]
    )


def million() -> str:
    """Give the table of the run with a million images."""
    told = json.loads((RESULTS / "million.json").read_text())
    rows = ["| part | seconds | most memory, MB | of it not pages of files, MB |", "| --- | --- | --- | --- |"]
    for name, it in told["parts"].items():
        rows.append(f"| {name} | {it['seconds']:,.1f} | {it['memory_mb']:,.0f} | {it['own_mb']:,.0f} |")
    return "\n".join(
        [
            f"{told['images']:,} images of 28x28, {told['answers']} answers, on {told['date']}, {told['machine']}, "
            f"seed {told['seed']}. Memory is counted beyond the {told['bare_mb']} MB of the bare process (Python, "
            "PyTorch, scikit-learn); up to the first labelling screen it is at most "
            f"{told['first_screen_mb']:,} MB. At the end {100 * told['right']:.1f} % of the exported labels are right. "
            f"Nothing went on for more than {told['unheeded_s']:.1f} s without a look at the keyboard.",
            "",
            *rows,
        ]
    )


def run() -> str:
    """Give the table of a run that a person labelled."""
    told = json.loads((RESULTS / "run-by-hand.json").read_text())
    accuracies = " | ".join(f"{100 * share:.1f}" for share in told["test_accuracy"])
    epochs = " | ".join(str(at) for at in range(1, len(told["test_accuracy"]) + 1))
    head = f"| test accuracy in %, after epoch | {epochs} |"
    return "\n".join(
        [
            f"A run labelled by hand in the app (seed {told['seed']}, {told['answers']} answers in {told['rounds']} "
            f"rounds, on {told['date']}), beside the published figures:",
            "",
            head,
            "| --- " * (head.count("|") - 1) + "|",
            f"| vaetui | {accuracies} |",
            f"| paper | {' | '.join(told['paper'])} |",
        ]
    )


def accuracies() -> str:
    """Give the table of the test accuracy by epoch, the paper's, ours and what it is held against."""
    head = "| test accuracy in %, after epoch | 1 | 2 | 3 | 4 | 5 | 6 | answers |"
    rows = [head, "| --- " * (head.count("|") - 1) + "|"]
    rows.append(_row("paper", [f"{share:.1f}" for share in published.TEST_ACCURACY], "50 to 80"))
    for unit, words in UNITS.items():
        values = published.column(unit, "test_accuracy")
        if len(values):
            answers = [run["answers"] for run in published.runs(unit) if "answers" in run]
            given = " to ".join(sorted({str(min(answers)), str(max(answers))})) if answers else "60,000"
            rows.append(_row(words, [published.spread(column) for column in values.T], given))
    for unit, words in (("plain", "no classification loss, 80 clusters named right"), ("pca", PCA)):
        rows.append(_row(words, [*[""] * 5, published.spread(published.named(unit, 80))], "80"))
    return "\n".join(rows)


def readings() -> str:
    """Give the tables of what was read in the reconstructions, and of the labels that were spread."""
    found = published.read_by_size()
    seeds = {size: len(values) for size, values in found.items()}
    head = f"| reconstructions read right in %, z_dim | {' | '.join(map(str, found))} |"
    few = ", ".join(f"{count} for z_dim {size}" for size, count in seeds.items() if count < 3)
    ours, plain = (published.column(unit, "reading_checks") for unit in ("members", "plain"))
    gap = (ours - plain)[:, 3:]  # in the first epoch both are the same
    told = [
        ("reconstructions read right, best check, with classification loss", published.BEST_READ[0], ours.max(axis=1)),
        ("the same without", published.BEST_READ[1], plain.max(axis=1)),
        ("gap between the two in points, mean over 15 checks", published.READ_GAP, gap.mean(axis=1)),
    ]
    for weight, share in published.LABELS.items():
        for unit in ("members", "centre"):
            words = f"labels right among those of weight above {weight}, last round, annotator {unit}"
            told.append((words, share, published.labels_above(weight, unit)))
    return "\n".join(
        [
            head,
            "| --- " * (head.count("|") - 1) + "|",
            f"| paper, a person reads | {' | '.join(str(published.BY_SIZE.get(size, '')) for size in found)} |",
            f"| vaetui, a network reads | {' | '.join(published.spread(values) for values in found.values())} |",
            *(["", f"(Seeds, where not three: {few}.)"] if few else []),
            "",
            f"(The network that reads was trained on all 60,000 labelled images; of the sharp test images it reads "
            f"{published.spread(published.column('members', 'reader_accuracy'))} %.)",
            "",
            "| in % | paper, a person reads | vaetui, a network reads |",
            "| --- | --- | --- |",
            *(f"| {words} | {share:.1f} | {published.spread(values)} |" for words, share, values in told),
        ]
    )


def _row(words: str, cells: list[str], answers: str) -> str:
    return f"| {words} | {' | '.join(cells)} | {answers} |"


def main() -> None:
    readme = (ROOT / "README.md").read_text()
    tables = {
        "torment": torment,
        "speed": speed,
        "lines": lines,
        "million": million,
        "run": run,
        **{name: getattr(ceiling_tables, name) for name in ("rounds", "sets", "taken", "wrong", "removed", "seconds")},
        "accuracies": accuracies,
        "readings": readings,
    }
    for name, table in tables.items():
        before, rest = readme.split(f"<!-- {name} -->\n")
        _, after = rest.split(f"<!-- /{name} -->")
        readme = f"{before}<!-- {name} -->\n{table()}\n<!-- /{name} -->{after}"
    (ROOT / "README.md").write_text(readme)


if __name__ == "__main__":
    main()
