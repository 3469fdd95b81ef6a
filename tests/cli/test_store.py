"""`mien store`."""

from pathlib import Path

from tests.cli.conftest import Mien


def test_upgrade_makes_the_tables(mien: Mien, tmp_path: Path) -> None:
    found = mien("store", "upgrade", "--store", "sqlite:///new.db")
    assert (found.code, found.out) == (0, "sqlite:///new.db is up to date\n")
    assert (tmp_path / "new.db").stat().st_size > 0


def test_by_default_it_is_the_one_that_is_read_by_default(mien: Mien) -> None:
    missing = mien("audience", "--from", "2026-03-02")
    assert missing.code == 2
    assert "mien store upgrade --store sqlite:///mien-watch.sqlite3" in missing.err

    assert mien("store", "upgrade").out == "sqlite:///mien-watch.sqlite3 is up to date\n"
    assert mien("audience", "--from", "2026-03-02").code == 0


def test_what_is_wrong_is_said_without_the_password(mien: Mien) -> None:
    found = mien("store", "upgrade", "--store", "postgresql://me:secret@127.0.0.1:1/x")
    assert found.code == 2
    assert "***@127.0.0.1" in found.err
    assert "secret" not in found.err
