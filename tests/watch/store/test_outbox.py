"""The outbox: what is kept, whatever happens to the file."""

from pathlib import Path

import pytest

from mien.errors import OutputError, StoreError
from mien.watch.store.outbox import Outbox
from mien.watch.visit import Visit
from tests.disk import files_of_at_most
from tests.watch.visits import crowd, visit


def kept(outbox: Outbox, after: int = 0) -> list[Visit | None]:
    return [record.visit for record in outbox.read(after, 1000)]


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.visits"))


def test_visits_come_back_in_order_also_after_a_restart(tmp_path: Path) -> None:
    made = crowd(25)
    box = Outbox(tmp_path, segment=3000)
    numbers = [box.append(v) for v in made[:20]]
    name = box.id
    box.close()

    box = Outbox(tmp_path, segment=3000)
    for v in made[20:]:
        box.append(v)

    assert numbers == list(range(1, 21))
    assert (box.id, box.last) == (name, 25)
    assert len(files(tmp_path)) > 3
    assert kept(box) == made
    assert kept(box, 13) == made[13:]
    assert [record.number for record in box.read(7, 4)] == [8, 9, 10, 11]
    assert kept(box, 11) == made[11:]
    box.close()


def test_only_files_that_are_stored_whole_are_deleted(tmp_path: Path) -> None:
    made = crowd(12)
    box = Outbox(tmp_path, segment=1500)
    for v in made:
        box.append(v)
    firsts = [int(path.stem) for path in files(tmp_path)]

    box.drop(firsts[2] - 2)
    assert [int(path.stem) for path in files(tmp_path)] == firsts[1:]
    assert kept(box, firsts[2] - 2) == made[firsts[2] - 2 :]

    box.drop(12)
    box.close()
    assert [int(path.stem) for path in files(tmp_path)] == firsts[-1:]
    box = Outbox(tmp_path)
    assert box.append(made[0]) == 13
    box.close()


def test_of_what_is_stored_no_line_stays_on_the_disk(tmp_path: Path) -> None:
    made = crowd(12)
    box = Outbox(tmp_path, segment=1500)
    for v in made:
        box.append(v)

    box.clear(11)
    assert kept(box, 11) == made[11:]
    box.clear(12)
    box.clear(12)
    assert [path.stat().st_size for path in files(tmp_path)] == [0]
    name = box.id
    box.close()

    box = Outbox(tmp_path)
    assert (box.id, box.append(made[0]), kept(box, 12)) == (name, 13, made[:1])
    box.close()


@pytest.mark.parametrize("cut", [1, 9, 100])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    made = crowd(3)
    box = Outbox(tmp_path)
    for v in made:
        box.append(v)
    box.close()
    [path] = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])

    box = Outbox(tmp_path)
    assert box.last == 2
    box.append(made[0])

    assert kept(box) == [*made[:2], made[0]]
    box.close()


@pytest.mark.parametrize("damage", [b"x", b"", b"00000000 {}"])
def test_a_damaged_line_costs_only_itself(tmp_path: Path, damage: bytes) -> None:
    made = crowd(3)
    box = Outbox(tmp_path)
    for v in made:
        box.append(v)
    [path] = files(tmp_path)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]))

    assert kept(box) == [made[0], None, made[2]]
    box.close()


def test_a_full_disk_leaves_the_outbox_as_it_was(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    box.append(first := visit())
    size = files(tmp_path)[0].stat().st_size

    with files_of_at_most(size + 40), pytest.raises(OutputError, match="free some space"):
        box.append(visit())

    assert files(tmp_path)[0].stat().st_size == size
    box.append(last := visit())
    assert kept(box) == [first, last]
    box.close()


def test_two_processes_cannot_share_one(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    with pytest.raises(StoreError, match="give each its own"):
        Outbox(tmp_path)
    box.close()
    Outbox(tmp_path).close()


def test_numbers_that_begin_anew_have_a_new_name(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    box.append(visit())
    box.close()
    files(tmp_path)[0].unlink()

    again = Outbox(tmp_path)
    assert again.id != box.id
    again.close()
