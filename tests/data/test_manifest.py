"""Manifests: written and read back, moved, joined; what is wrong is named with its line."""

import dataclasses
import math
import random
import shutil
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data import manifest
from mien.data.labels import LONGEST
from mien.data.manifest import SPLITS, Manifest, Sample
from mien.errors import DataError, OutputError
from tests.disk import files_of_at_most

HEADER = "path,source,content,split"

# What file systems and CSV find hardest, but no NUL, and nothing that a path would lose.
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1
).filter(lambda name: name not in (".", ".."))
# What a model card takes for a label.
lines = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=LONGEST - 1
)
parts = st.sampled_from(["", *SPLITS])


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Manifests that may be written: identical pictures share one part."""
    columns = draw(st.lists(lines.map("x{}".format), max_size=3, unique=True))
    split_of: dict[str, str] = {}
    samples = []
    for path in draw(st.lists(names, min_size=1, max_size=5)):
        content = draw(names)
        split = split_of.setdefault(content, draw(parts))
        labels = {name: draw(lines) for name in columns if draw(st.booleans())}
        labels = {name: "1.5" if "/" in name else value for name, value in labels.items()}
        samples.append(Sample(Path("/pictures") / path, draw(names), content, split, labels))
    return Manifest(tuple(samples))


@settings(deadline=None, max_examples=50)
@given(manifests())
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, m: Manifest
) -> None:
    path = tmp_path_factory.mktemp("m") / "m.csv"
    m.write(path)
    found = manifest.read(path)
    assert found == m
    assert (found.fingerprint, found.split_hash) == (m.fingerprint, m.split_hash)


@settings(deadline=None, max_examples=50)
@given(manifests(), st.randoms(use_true_random=False))
def test_hashes_do_not_depend_on_the_order(m: Manifest, rng: random.Random) -> None:
    shuffled = list(m.samples)
    rng.shuffle(shuffled)
    mixed = Manifest(tuple(shuffled))
    assert (mixed.fingerprint, mixed.split_hash) == (m.fingerprint, m.split_hash)


@pytest.mark.parametrize(
    ("change", "split_too"),
    [
        ({"content": "other"}, True),
        ({"split": "test"}, True),
        ({"source": "other"}, False),
        ({"labels": {"age": "31"}}, False),
    ],
)
def test_hashes_tell_what_changed(change: dict[str, object], split_too: bool) -> None:
    sample = Sample(Path("a.png"), "s", "c", "train", {"age": "30"})
    old = Manifest((sample,))
    new = Manifest((dataclasses.replace(sample, **change),))  # type: ignore[arg-type]
    assert new.fingerprint != old.fingerprint
    assert (new.split_hash != old.split_hash) == split_too


def test_a_manifest_moves_with_the_pictures_below_it(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "faces").mkdir(parents=True)
    (folder / "faces" / "a.png").write_bytes(b"picture")
    Manifest((Sample(folder / "faces" / "a.png", "s", "c"),)).write(folder / "m.csv")
    shutil.move(folder, tmp_path / "moved")
    (sample,) = manifest.read(tmp_path / "moved" / "m.csv").samples
    assert sample.path.read_bytes() == b"picture"


def test_a_manifest_moves_away_from_pictures_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pictures", "lists"):
        (tmp_path / name).mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"picture")
    monkeypatch.chdir(tmp_path / "lists")
    Manifest((Sample(Path("../pictures/a.png"), "s", "c"),)).write(Path("m.csv"))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    moved = tmp_path / "deep" / "er" / "m.csv"
    shutil.move("m.csv", moved)
    (sample,) = manifest.read(moved).samples
    assert sample.path.read_bytes() == b"picture"


def test_a_linked_folder_of_pictures_may_be_linked_anew(tmp_path: Path) -> None:
    for name in ("old", "new", "set"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_text(name)
    link = tmp_path / "set" / "faces"
    link.symlink_to(tmp_path / "old")
    Manifest((Sample(link / "a.png", "s", "c"),)).write(tmp_path / "set" / "m.csv")
    link.unlink()
    link.symlink_to(tmp_path / "new")
    (sample,) = manifest.read(tmp_path / "set" / "m.csv").samples
    assert sample.path.read_text() == "new"


def test_labels_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"{HEADER},age,mood,mood/good\na,x,1,train,30,,\n\nb,y,2,,,good,3\n")
    found = manifest.read(path)
    assert [sample.labels for sample in found.samples] == [
        {"age": "30"},
        {"mood": "good", "mood/good": "3"},
    ]
    assert found.columns == ["age", "mood", "mood/good"]
    assert found.samples[0].path == tmp_path / "a"


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\na,x,1,train\r\n".encode())
    assert len(manifest.read(path).samples) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: a manifest starts with the columns path, source, content, split; .* none"),
        ("path,content\n", "line 1: .*; this one has path, content. Make one with"),
        ("path;source;content;split\n", "line 1: .* has path;source;content;split. Make"),
        (f"{HEADER},age,age\n", "line 1: each label column needs a name of its own; got 'age'$"),
        (f"{HEADER},,path\n", "line 1: each label column needs a name .* got '', 'path'$"),
        (f"{HEADER}\n", "the manifest lists no picture$"),
        (f"{HEADER},a\nx,s,c,train\n", "line 2: 5 values expected, 4 found"),
        (f"{HEADER}\nx,s,c,train,1\n", "line 2: 4 values expected, 5 found"),
        (f"{HEADER}\nx,s,c,\ny,s,c,dev\n", "line 3: split must be .* or empty, not 'dev'"),
        (f"{HEADER}\n,s,c,train\n", "line 2: no path"),
        (f"{HEADER}\nx,s,,train\n", "line 2: no content"),
        (f"{HEADER},age\nx,s,c,,-1\n", "line 2: age must be an age from 0 to 130, not '-1'"),
        (f"{HEADER},age\nx,s,c,,131\n", "line 2: age must be an age"),
        (f"{HEADER},age\nx,s,c,,nan\n", "line 2: age must be an age"),
        (f"{HEADER},age\nx,s,c,,old\n", "line 2: age must be an age .*, not 'old'"),
        (f"{HEADER},m/a\nx,s,c,,inf\n", "line 2: m/a must be a number of at least 0, not 'inf'"),
        (f"{HEADER},m/a\nx,s,c,,-2\n", "line 2: m/a must be a number"),
        (f"{HEADER},m\nx,s,c,,{'y' * 301}\n", "line 2: the label m has 301 characters, more than"),
        (f'{HEADER},m\nx,s,c,,"a\nb"\n', r"line 3: the label m holds a line break .*'a.nb'; rena"),
        (f"{HEADER},{'y' * 301}\n", "line 1: the name of a label column has 301 characters"),
        (f"{HEADER},\x1bm\n", "line 1: the name of a label column holds a line break or"),
        (f"{HEADER},age_low\nx,s,c,,3\n", "line 2: age_high is missing; an interval has both"),
        (f"{HEADER},age_low,age_high\nx,s,c,,,9\n", "line 2: age_low is missing"),
        (f"{HEADER},age_low,age_high\nx,s,c,,9,3\n", "line 2: age_low is 9, which is above age_h"),
        (f"{HEADER},age_low,age_high\nx,s,c,,9,131\n", "line 2: age_high must be an age from 0"),
        (f"{HEADER},h_low,h_high\nx,s,c,,9,tall\n", "line 2: h_high must be a number, not 'tall'"),
        (f"{HEADER}\nx,s,c,\ny\0,s,c,\n", "line 3: holds a NUL byte"),
        (f'{HEADER}\nx,s,c,\n"y"z,s,c,\n', "line 3: not a CSV table"),
        (f"{HEADER}\nx,s,c,\n{'y' * 200_000},s,c,\n", "line 3: not a CSV table .*limit"),
        (
            f"{HEADER}\nx,s,c,test\ny,s,d,\nz,s,c,train\n",
            r"line 4: the same picture as in line 2 \(content c\), but in train, not test",
        ),
    ],
)
def test_a_table_that_is_no_manifest(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=f"m.csv(, |: ){message}"):
        manifest.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEADER}\nx,s,c,\n\xff,s,c,\n".encode("latin-1"), "line 3: not UTF-8"),
        (f"{HEADER}\nx,s,c,\n".encode("utf-16"), "line 1: not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "line 1: not UTF-8"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        manifest.read(path)


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(), st.text(string.printable + "\0é").map(lambda t: t.encode())))
def test_any_bytes_are_a_manifest_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(f"{HEADER},age\n".encode() + content)
    try:
        found = manifest.read(path)
    except DataError:
        return
    assert found.samples


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.csv: cannot be read \(No such file"):
        manifest.read(tmp_path / "missing.csv")
    with pytest.raises(
        DataError, match="a folder; make a manifest of it: mien data import folders"
    ):
        manifest.read(tmp_path)


def test_a_full_disk_leaves_the_old_manifest(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    Manifest((Sample(Path("a"), "s", "c"),)).write(path)
    old = path.read_bytes()
    new = Manifest(tuple(Sample(Path("a" * 100), "s", str(i)) for i in range(1000)))
    with files_of_at_most(10_000), pytest.raises(OutputError, match=r"m\.csv: not written"):
        new.write(path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "caf\udce9.png", "s", "c")
    with pytest.raises(DataError, match=r"caf.udce9.png.*: not valid Unicode.*rename"):
        Manifest((sample,)).write(tmp_path / "m.csv")
    assert list(tmp_path.iterdir()) == []


def test_numbers() -> None:
    sample = Sample(Path("a.png"), "s", "c", "", {"age": "30.5", "years": "old", "h": "inf"})
    assert sample.number("age") == 30.5
    assert math.isnan(sample.number("height"))
    for column in ("years", "h"):
        with pytest.raises(DataError, match=rf"a\.png: {column} must be a number, not '(old|inf)'"):
            sample.number(column)


def test_intervals() -> None:
    def interval(**labels: str) -> tuple[float, float]:
        return Sample(Path("a.png"), "s", "c", "", labels).interval("age")

    assert interval(age_low="3", age_high="9") == (3, 9)
    assert interval(age_low="3", age_high="3") == (3, 3)
    assert interval(age="5") == (5, 5)
    assert interval(age="30", age_low="3", age_high="9") == (30, 30)
    assert all(math.isnan(end) for end in interval(mood="good"))
    for labels in ({"age_low": "3"}, {"age_high": "9"}, {"age_low": "9", "age_high": "3"}):
        with pytest.raises(DataError, match=r"a\.png: age_low and age_high must be an interval"):
            interval(**labels)
    with pytest.raises(DataError, match="age_low must be a number, not 'old'"):
        interval(age_low="old", age_high="9")


def test_tasks() -> None:
    first = {"age": "30", "mood/good": "2", "h_low": "1", "h_high": "2"}
    second = {"age_low": "3", "age_high": "9", "mood": "good", "weight_low": "3"}
    samples = [Sample(Path("a"), "s", "c", "", labels) for labels in (first, second)]
    found = Manifest(tuple(samples))
    assert found.tasks == ["age", "mood", "h", "weight_low"]
    assert found.intervals == {"age", "h"}


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    sample = Sample(tmp_path / "a.png", "s", "c", "", {"mood": "good\nbad"})
    with pytest.raises(DataError, match=r"a\.png: the label mood holds a line break"):
        Manifest((sample,)).write(tmp_path / "m.csv")
    assert list(tmp_path.iterdir()) == []


def test_identical_pictures_in_different_parts_may_be_read_to_mend_them(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"{HEADER}\na,x,1,train\nb,x,1,test\n")
    assert [s.split for s in manifest.read(path, parted=False).samples] == ["train", "test"]


def test_part() -> None:
    samples = [
        Sample(Path(name), "s", name, split)
        for name, split in zip("abcd", ["", *SPLITS], strict=True)
    ]
    found = Manifest(tuple(samples))
    assert found.part("train").samples == (samples[1],)
    with pytest.raises(DataError, match="no picture in the part 'test'; it has 1 in no part, 1 in"):
        Manifest(tuple(samples[:3])).part("test")


def test_what_is_predicted_is_not_known() -> None:
    guess = {"mood": "bad", "mood/bad": "0.9", "mood:predicted": "face 1"}
    sample = Sample(Path("x.png"), "s", "c", "train", {"moods": "2", "age": "3"} | guess)
    assert sample.predicted == ("mood",)
    assert sample.known.labels == {"moods": "2", "age": "3"}
    assert Manifest((sample,)).known().samples == (sample.known,)
    assert Manifest((sample,)).tasks == ["moods", "age", "mood"]
