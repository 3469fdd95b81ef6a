"""Write the README's measured figures from the files in results/; --check only compares.

python scripts/figures.py
"""

import argparse
import csv
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_BLOCK: Final = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def face() -> str:
    """Return the packaged model's headline figures as a table."""
    rows = _rows("face-test.csv")
    overall = {(row["task"], row["name"]): row for row in rows if not row["by"]}

    def figure(task: str, name: str, form: str) -> str:
        return form.format(float(overall[task, name]["value"]))

    mae, median = figure("age", "mae", "{:.2f}"), figure("age", "median", "{:.1f}")
    coverage, width = figure("age", "coverage", "{:.1%}"), figure("age", "width", "{:.0f}")
    age = (
        f"mean absolute error **{mae} years**, median {median}; 90 % intervals hold {coverage}, "
        f"mean width {width} years"
    )
    lines = [("age", age)]
    for task in ("gender", "race", "expression"):
        accuracy = figure(task, "accuracy", "{:.1%}")
        balanced = figure(task, "balanced_accuracy", "{:.1%}")
        lines.append((task, f"accuracy **{accuracy}**, balanced over classes {balanced}"))
    table = [
        f"| {task} | {overall[task, name]['pictures']} | {text} |"
        for (task, text), name in zip(lines, ("mae", *["accuracy"] * 3), strict=True)
    ]
    return "\n".join(["| task | pictures | result |", "|---|---|---|", *table, ""])


def speed() -> str:
    """Return the benchmark's table."""
    rows = _rows("predict.csv")
    columns = [name for name in rows[0] if name not in ("machine", "versions", "seed")]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row[name] for name in columns) + " |" for row in rows]
    return "\n".join([*lines, "", f"Machine: {rows[0]['machine']}.", ""])


BLOCKS: Final[dict[str, Callable[[], str]]] = {"face": face, "speed": speed}


def main() -> int:
    """Rewrite the README, or say whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if stale")
    check = parser.parse_args().check
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    fresh = _BLOCK.sub(lambda match: match[1] + BLOCKS[match[2]]() + match[3], text)
    if check:
        if fresh != text:
            sys.stderr.write("README.md's figures are stale: run `python scripts/figures.py`\n")
        return int(fresh != text)
    readme.write_text(fresh, encoding="utf-8")
    return 0


def _rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "results" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    raise SystemExit(main())
