"""`mien store`."""

from pathlib import Path

from tests.cli.conftest import Mien


def test_upgrade_makes_the_tables(mien: Mien, tmp_path: Path) -> None:
    found = mien("store", "upgrade", "--store", "sqlite:///new.db")
    assert (found.code, found.out) == (0, "sqlite:///new.db is up to date\n")
    assert (tmp_path / "new.db").stat().st_size > 0


def test_what_is_wrong_is_said_without_the_password(mien: Mien) -> None:
    found = mien("store", "upgrade", "--store", "postgresql://me:secret@127.0.0.1:1/x")
    assert found.code == 2
    assert "***@127.0.0.1" in found.err
    assert "secret" not in found.err
