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
    """Return the packaged model's headline figures as a table, for each data set by itself."""
    rows = _rows("face-test.csv")
    lines = ["| task | data | pictures | result |", "|---|---|---|---|"]
    for task, names, form in _SHOWN:
        found = [row for row in rows if row["task"] == task and row["name"] == names[0]]
        by_source = [row for row in found if row["by"] == "source"]
        for first in by_source or [row for row in found if not row["by"]]:
            same = {
                row["name"]: row
                for row in rows
                if (row["task"], row["by"], row["group"]) == (task, first["by"], first["group"])
            }
            source = _SOURCES.get(first["group"]) or _SOURCES[_ONLY_SOURCE[names[0], task]]
            text = form.format(*(_Figure(same[name]) for name in names))
            lines.append(f"| {task} | {source} | {int(first['pictures']):,} | {text} |")
    return "\n".join([*lines, ""])


class _Figure:
    """A row's value, and its interval, as format strings name them."""

    def __init__(self, row: dict[str, str]) -> None:
        self.value, self.low, self.high = (float(row[key]) for key in ("value", "low", "high"))


_SHOWN: Final = (
    (
        "age",
        ("mae", "median", "coverage", "width"),
        "mean absolute error **{0.value:.2f} years** ({0.low:.2f} to {0.high:.2f}), median "
        "{1.value:.1f}; 90 % intervals hold {2.value:.1%}, mean width {3.value:.0f} years",
    ),
    ("age", ("in_interval",), "within the labelled range of ages {0.value:.1%}"),
    *(
        (
            task,
            ("accuracy", "balanced_accuracy"),
            "accuracy **{0.value:.1%}** ({0.low:.1%} to {0.high:.1%}), balanced over classes "
            "{1.value:.1%}",
        )
        for task in ("gender", "race", "expression")
    ),
)

_SOURCES: Final = {"utkface": "UTKFace", "ferplus": "FER+", "fairface": "FairFace"}

_ONLY_SOURCE: Final = {
    ("mae", "age"): "utkface",
    ("in_interval", "age"): "fairface",
    ("accuracy", "expression"): "ferplus",
}
"""Which set a figure without a row by source is from: the only one that has such labels."""


def speed() -> str:
    """Return the table of the benchmark of reading."""
    return _table("predict.csv")


def service() -> str:
    """Return the table of the benchmark of the service."""
    return _table("serve.csv")


def browser() -> str:
    """Return the table of the benchmark in a browser."""
    return _table("browser.csv")


def peers() -> str:
    """Return the table of peers beside the packaged model."""
    return _table("peers.csv")


def visits() -> str:
    """Return the table of simulated days."""
    rows = _rows("watch-visits.csv")
    columns = ("mix", "figure", "of", "value", "standard error")
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row[name] for name in columns) + " |" for row in rows]
    days = f"{rows[0]['days']} days of each mix, {rows[-1]['days']} with each bias."
    return "\n".join([*lines, "", days, ""])


def video() -> str:
    """Return the table of simulated videos, one line for each frame rate."""
    found: dict[str, dict[str, str]] = {}
    rows = _rows("watch-video.csv")
    for row in rows:
        rate, _, figure = row["measure"].partition(": ")
        unit = f", {row['unit']}" if row["unit"] in ("%", "s", "years") else ""
        found.setdefault(rate, {})[figure + unit] = row["value"]
    figures = list(found["all"])
    lines = ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    lines += [
        f"| {figure} | " + " | ".join(of[figure] for of in found.values()) + " |"
        for figure in figures
    ]
    return "\n".join([*lines, ""])


def published() -> str:
    """Return published figures beside those of their networks made again, and of better ones."""
    lines = [
        "| published | figure | ours | by | split | seed | epochs | minutes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for work, figure, runs in _PUBLISHED:
        for file, name, metric in runs:
            (row,) = (row for row in _rows(file) if row["name"] == name)
            form = "{:.2f} years" if metric.startswith("age.") else "{:.1%}"
            names = (metric, f"{metric}.low", f"{metric}.high")
            value, low, high = (form.format(float(row[key])) for key in names)
            cells = [work, figure, f"**{value}** ({low} to {high})", f"`{name}`"]
            cells += [row[key] for key in ("split_hash", "seed", "epochs", "minutes")]
            lines.append("| " + " | ".join(cells) + " |")
            work = figure = ""
    return "\n".join([*lines, ""])


_PUBLISHED: Final = (
    (
        "expression, 48 pixels",
        "80 % on its test part",
        (
            ("expression.csv", "expression-published-1", "expression.accuracy"),
            ("expression.csv", "expression-published", "expression.accuracy"),
        ),
    ),
    (
        "CIFAR-10",
        "79.02 %",
        (
            ("cifar10.csv", "cifar10-published", "label.accuracy"),
            ("cifar10.csv", "cifar10", "label.accuracy"),
        ),
    ),
    (
        "transfer learning, animals",
        "more than 90 % asked",
        (
            ("animals.csv", "animals-published", "label.accuracy"),
            ("animals.csv", "animals", "label.accuracy"),
        ),
    ),
    (
        "transfer learning, flowers",
        "none given",
        (
            ("flowers.csv", "flowers-published", "label.accuracy"),
            ("flowers.csv", "flowers", "label.accuracy"),
        ),
    ),
    (
        "age by transfer learning",
        "4.48 years at best",
        (
            ("facial-age.csv", "facial-age-published", "age.mae"),
            ("facial-age.csv", "facial-age-scratch", "age.mae"),
            ("facial-age.csv", "facial-age", "age.mae"),
        ),
    ),
    (
        "age, gender and race at once, 4 epochs",
        "13.9 years, root mean square",
        (
            ("utkface.csv", "utkface-published", "age.rmse"),
            ("utkface.csv", "utkface-shared", "age.rmse"),
        ),
    ),
)
"""Published work, its figure, and our runs: file in results/, name, and column."""


def _table(name: str) -> str:
    """Return a benchmark's table as it stands, and on what machine it was measured."""
    rows = _rows(name)
    columns = [name for name in rows[0] if name not in ("machine", "versions", "seed")]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row[name] for name in columns) + " |" for row in rows]
    return "\n".join([*lines, "", f"Machine: {rows[0]['machine']}.", ""])


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "face": face,
    "speed": speed,
    "service": service,
    "browser": browser,
    "peers": peers,
    "published": published,
    "visits": visits,
    "video": video,
}


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
