"""`mien audience`."""

import csv
import io
import json
from pathlib import Path

import pytest

from mien.watch.store.store import Store
from tests.cli.conftest import Mien
from tests.watch.visits import NOON, visit

DAY = ("--from", "2026-03-02", "--store", "visits.db")


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """A store with thirty visits of youths and one of an old person, on one day."""
    path = tmp_path / "visits.db"
    store = Store(str(path))
    store.add([*(visit(30) for _ in range(30)), *(visit(50) for _ in range(9)), visit(70)])
    store.add([visit(30, kind="still", at=NOON)])
    store.close()
    return path


def test_a_table_with_raw_and_corrected_totals(mien: Mien, visits: Path) -> None:
    found = mien("audience", *DAY)

    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0].split()[:4] == ["area", "age", "visits", "corrected"]
    youth = next(line for line in lines if " youth " in line)
    assert " 30 " in youth
    assert " to " in youth
    assert "hidden" in next(line for line in lines if "senior" in line)
    assert "visits, not people" in found.err
    assert "not calibrated here" in found.err
    assert "1 counted apart: still" in found.err


def test_csv_for_machines(mien: Mien, visits: Path) -> None:
    found = mien("audience", *DAY, "--by", "area,age,hour", "--format", "csv", "--k", "1")

    rows = {row["age"]: row for row in csv.DictReader(io.StringIO(found.out))}
    assert rows["youth"]["visits"] == "30"
    assert rows["senior"]["visits"] == "1"
    assert rows["youth"]["start"] == "2026-03-02T12:00:00+00:00"
    ends = [int(rows["youth"][f"corrected{end}"]) for end in ("_low", "", "_high")]
    assert ends == sorted(ends)


def test_json_carries_the_notes(mien: Mien, visits: Path) -> None:
    found = mien("audience", *DAY, "--by", "day", "--format", "json", "--zone", "Asia/Tokyo")

    result = json.loads(found.out)
    assert [row["visits"] for row in result["rows"]] == [40]
    assert result["rows"][0]["start"] == "2026-03-02T00:00:00+09:00"
    assert result["apart"] == {"still": 1, "long": 0}
    assert any("not calibrated here" in note for note in result["notes"])


def test_a_configuration_says_store_zone_and_groups(
    mien: Mien, visits: Path, tmp_path: Path
) -> None:
    (tmp_path / "shop.toml").write_text(
        """
        age_groups = [["young", 0], ["old", 40]]
        [[cameras]]
        name = "door"
        source = 0
        [store]
        url = "sqlite:///visits.db"
        [privacy]
        k = 2
        """,
        encoding="utf-8",
    )
    found = mien(
        "audience",
        "--from",
        "2026-03-02",
        "--by",
        "age",
        "--config",
        "shop.toml",
        "--format",
        "csv",
    )
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert [(row["age"], row["visits"]) for row in rows] == [("young", "30"), ("old", "10")]


def test_a_day_without_visits(mien: Mien, visits: Path) -> None:
    found = mien("audience", "--from", "2026-03-09", "--store", "visits.db")
    assert (found.code, found.out) == (0, "no visits in that time\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--by", "month"), "cannot part by 'month'"),
        (("--by", "hour,day"), "one of hour"),
        (("--to", "2026-03-01"), "exchange them"),
        (("--zone", "Moon"), "Europe/Berlin"),
        (("--store", "new.db"), "mien store upgrade"),
    ],
)
def test_refuses(mien: Mien, visits: Path, arguments: tuple[str, str], message: str) -> None:
    found = mien("audience", *DAY, *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err
