"""Makes the README's tables from the committed results: python -m tests.benchmarks.tables."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "assets/results"


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


def main() -> None:
    readme = (ROOT / "README.md").read_text()
    for name, table in (("speed", speed), ("run", run)):
        before, rest = readme.split(f"<!-- {name} -->\n")
        _, after = rest.split(f"<!-- /{name} -->")
        readme = f"{before}<!-- {name} -->\n{table()}\n<!-- /{name} -->{after}"
    (ROOT / "README.md").write_text(readme)


if __name__ == "__main__":
    main()
