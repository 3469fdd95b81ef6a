"""Recipe files: the published ones are valid; what is wrong is named, with the right word."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.augment import Augmentation
from mien.errors import RecipeError
from mien.training import recipe_file
from mien.training.recipe import Recipe

PUBLISHED = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))

MINIMAL = """
name = "tiny"
data = { manifest = "tiny.csv" }
input = { size = 32, framing = "face" }
network = { backbone = "test_resnet" }
stages = [{ epochs = 2, size = 24 }, { epochs = 3, size = 32 }]

[[tasks]]
name = "age"
kind = "age"

[[tasks]]
name = "gender"
kind = "classification"
labels = ["male", "female"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(MINIMAL)
    return path


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_recipes_are_valid(path: Path) -> None:
    found = recipe_file.read(path)
    assert found.name == path.stem
    assert found.description
    assert found.use
    assert found.data.sets


def test_there_are_published_recipes() -> None:
    assert PUBLISHED


def test_defaults(path: Path) -> None:
    found = recipe_file.read(path)
    assert found.data.manifest == Path("tiny.csv")
    assert found.optimiser.steps == 0
    assert found.augmentation == Augmentation()
    assert found.network.weights == "none"
    assert [task.outputs for task in found.tasks] == [101, 2]
    assert found.epochs == 5
    assert [task.trained_by for task in found.tasks] == ["dldl-v2", "cross-entropy"]


def test_a_run_folder_holds_the_recipe_unchanged(path: Path) -> None:
    found = recipe_file.read(path, ["optimiser.rate=0.1", "data.shares={a = 0.1, b = 2}"])
    text = json.dumps(found.model_dump(mode="json"))
    assert Recipe.model_validate_json(text) == found


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ("optimiser.rate=0.01", "optimiser.rate", 0.01),
        ("optimiser.batch = 8", "optimiser.batch", 8),
        ("seed=7", "seed", 7),
        ("network.weights=none", "network.weights", "none"),
        ('network.weights="none"', "network.weights", "none"),
        ("data.manifest=a folder/x=1.csv", "data.manifest", Path("a folder/x=1.csv")),
        ("description=", "description", ""),
        ("augmentation.shrink_side=[8, 16]", "augmentation.shrink_side", (8, 16)),
        ("data.shares.a=0.5", "data.shares", {"a": 0.5}),
        ("input.size=64", "input.size", 64),
    ],
)
def test_changes(change: str, place: str, value: object, path: Path) -> None:
    found: object = recipe_file.read(path, ["seed=3", change])
    for name in place.split("."):
        found = getattr(found, name)
    assert found == value


def test_a_list_is_changed_as_a_whole(path: Path) -> None:
    found = recipe_file.read(path, ["stages=[{epochs = 9, size = 16}]"])
    assert [(stage.epochs, stage.size) for stage in found.stages] == [(9, 16)]


def test_an_entry_of_a_list_is_changed_by_name_or_number(path: Path) -> None:
    found = recipe_file.read(path, ["stages.0.size=16", "tasks.gender.weight=3", "tasks.0.ages=90"])
    assert [stage.size for stage in found.stages] == [16, 32]
    assert [(task.weight, task.outputs) for task in found.tasks] == [(1, 90), (3, 2)]
    with pytest.raises(RecipeError, match=r"no entry 'mood' here; there are age, gender$"):
        recipe_file.read(path, ["tasks.mood.weight=3"])
    with pytest.raises(RecipeError, match=r"no entry '2' here; there are 0, 1$"):
        recipe_file.read(path, ["stages.2.size=16"])
    with pytest.raises(RecipeError, match=r"'stages' is a list; change one of its entries"):
        recipe_file.read(path, ["stages.0={epochs = 1}"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seed", r"^'seed': a change is written key=value"),
        ("=3", r"^'=3': a change is written key=value"),
        (" = 3", r"a change is written key=value"),
        ("name.first=x", r"'name.first=x': 'name' has no keys of its own"),
        ("optimizer.rate=1", r"unknown key 'optimizer'; did you mean 'optimiser'\?"),
        ("optimiser.learning_rate=1", r"unknown key 'optimiser.learning_rate'$"),
        (
            "optimiser.weight_decai=1",
            r"key 'optimiser.weight_decai'; did you mean 'weight_decay'\?",
        ),
        ("augmentation.rotate=1", r"key 'augmentation.rotate'; did you mean 'rotation'\?"),
        ("data.sets=[{name='a', term='b'}]", r"key 'data.sets.0.term'; did you mean 'terms'\?"),
        ("data.share=1", r"unknown key 'data.share'; did you mean 'shares'\?"),
        ("stages=[{epoch = 1, size = 8}]", r"'stages.0.epoch'; did you mean 'epochs'\?"),
        ("input.frame=face", r"unknown key 'input.frame'; did you mean 'framing'\?"),
        ("input.framing=whole", r"input.framing: Input should be 'face' or 'centre', got 'whole'"),
        ("input.size=8", r"input.size: Input should be greater than or equal to 16, got 8"),
        ("input.size=big", r"input.size: Input should be a valid integer.*, got 'big'"),
        ("optimiser.rate=nan", r"optimiser.rate: Input should be a finite number, got nan"),
        ("optimiser.rate=[1]", r"optimiser.rate: Input should be a valid number, got \[1\]"),
        ("augmentation.zoom=inf", r"augmentation.zoom: Input should be"),
        (
            "augmentation.shrink_side=[9, 3]",
            r"shrink_side: the smallest stands first, .*\[9, 3",
        ),
        ("seed=-1", r"seed: Input should be greater than or equal to 0, got -1"),
        ("name=Ü", r"name: String should match pattern .*, got 'Ü'"),
        ("tasks=[]", r"tasks: Tuple should have at least 1 item"),
        ("network=3", r"network: Input should be a valid dictionary or instance of Network, got 3"),
        ("data.shares.a=0", r"data.shares.a: Input should be greater than 0"),
        (
            "stages=[{epochs = 1, size = 33}]",
            r"the whole: no stage's size may exceed the input's, 32",
        ),
        ("input.framing=centre", r"a network of whole pictures .* has one task, a classification"),
        ("choice.by=mood", r"choice.by: mood is no task; they are age, gender"),
        ("data.balance_by=over", r"data: balance_by = 'over' needs balance: the task whose"),
        ("data.balance_by=twice", r"data.balance_by: Input should be 'draws', 'under' or 'over'"),
        (
            "data={manifest = 'm', balance = 'age', balance_by = 'under', balance_strength = 0.5}",
            r"data: balance_strength is for draws; 'under' takes none",
        ),
        ("data.balance=mood", r"data.balance: mood is no task; they are age, gender"),
        ("stages=[{epochs = 1, losses = {mood = 1}}]", r"a stage's losses: mood is no task"),
        ("stages=[{epochs = 1, size = 7}]", r"a stage's size is 16 pixels or more, or 0"),
        (
            "stages=[{epochs = 1, frozen = 'heads'}]",
            r"stages.0.frozen.*: Input should be 'none' or",
        ),
        (
            "stages=[{epochs = 1, schedul = 'cosine'}]",
            r"'stages.0.schedul'; did you mean 'schedule'",
        ),
        ("choice.patiense=3", r"key 'choice.patiense'; did you mean 'patience'"),
        ("file.weights=double", r"file.weights: Input should be 'single', 'half' or 'int8'"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(change: str, message: str, path: Path) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        recipe_file.read(path, [change])
    assert "\n" not in str(caught.value)


TWO = "labels = ['a', 'b']"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (f"nmae = 'x'\nkind = 'classification'\n{TWO}", r"key 'tasks.0.nmae'; did you mean 'name'"),
        (
            f"name = 'x'\nkind = 'classes'\n{TWO}",
            r"tasks.0.kind: .*'classification', 'age' or 'regression', got",
        ),
        ("name = 'x'", r"tasks.0.kind is missing"),
        ("name = 'x'\nkind = 'classification'", r"tasks.0: a classification takes two labels"),
        ("name = 'x'\nkind = 'classification'\nlabels = ['a']", r"takes two labels or more"),
        ("name = 'x'\nkind = 'classification'\nlabels = ['a', 'a']", r"each of them once"),
        (f"name = 'x'\nkind = 'age'\n{TWO}", r"tasks.0: a task of kind 'age' takes no labels"),
        ("name = 'image'\nkind = 'age'", r"'image' is the name of the network's input"),
        ("name = 'x'\nkind = 'age'\nloss = 'focal'", r"of kind 'age' are dldl-v2, .* not 'focal'"),
        (f"name = 'x'\nkind = 'regression'\n{TWO}", r"of kind 'regression' takes no labels"),
        (
            f"name = 'x'\nkind = 'classification'\n{TWO}\nclass_weights = {{ c = 1 }}",
            r"class_weights names c, which is no label",
        ),
        ("name = 'x'\nkind = 'age'\nsmoothing = 0.1", r"smoothing and class_weights are for"),
        ("name = 'x'\nkind = 'age'\nclass_weights = 'balanced'", r"class_weights are for"),
        ("name = 'x'\nkind = 'age'\nages = 1", r"tasks.0.ages: .* greater than or equal to 2"),
        ("name = 'x y'\nkind = 'age'", r"tasks.0.name: String should match pattern"),
        (
            "name = 'x'\nkind = 'age'\n[[tasks]]\nname = 'x'\nkind = 'age'",
            r"each task needs a name of its own",
        ),
    ],
)
def test_tasks_that_cannot_be(task: str, message: str, path: Path) -> None:
    path.write_text(MINIMAL.partition("[[tasks]]")[0] + "[[tasks]]\n" + task)
    with pytest.raises(RecipeError, match=message):
        recipe_file.read(path)


def test_numbers_are_not_balanced(path: Path) -> None:
    head, _, _ = MINIMAL.partition("[[tasks]]")
    text = head.replace("data = {", "data = { balance = 'price',")
    path.write_text(text + "[[tasks]]\nname = 'price'\nkind = 'regression'")
    with pytest.raises(RecipeError, match=r"data.balance: price is a number; classes and ages can"):
        recipe_file.read(path)


@pytest.mark.parametrize("key", ["name", "data", "input", "network", "tasks", "stages"])
def test_what_is_missing_is_named(key: str, path: Path) -> None:
    lines = [line for line in MINIMAL.splitlines() if not line.startswith(f"{key} = ")]
    text = "\n".join(lines)
    path.write_text(text.partition("[[tasks]]")[0] if key == "tasks" else text)
    with pytest.raises(RecipeError, match=rf"tiny\.toml: {key} is missing$"):
        recipe_file.read(path)


@pytest.mark.parametrize(
    "content", [b"name = ", b"\xff\xfe", b"a = " + b"[" * 100_000, b"\x89PNG\r\n\x1a\n", b"a\0=1"]
)
def test_a_file_that_is_no_toml(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"tiny\.toml: not a TOML file \("):
        recipe_file.read(path)


def test_an_empty_file(path: Path) -> None:
    path.write_text("")
    with pytest.raises(RecipeError, match="name is missing"):
        recipe_file.read(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"missing\.toml: cannot be read \(No such file"):
        recipe_file.read(tmp_path / "missing.toml")
    with pytest.raises(RecipeError, match="a folder; name a TOML file"):
        recipe_file.read(tmp_path)


@settings(deadline=None)
@given(st.text())
def test_any_change_is_carried_out_or_refused(
    tmp_path_factory: pytest.TempPathFactory, change: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(MINIMAL)
    for form in (change, f"seed={change}", f"{change}=1", f"stages.{change}=1"):
        try:
            recipe_file.read(path, [form])
        except RecipeError:
            continue
        assert "=" in form


def test_freezing_needs_one_device(path: Path) -> None:
    changes = ["machine.devices=2", "stages=[{epochs = 1, frozen = 'backbone'}]"]
    with pytest.raises(RecipeError, match=r"a stage that freezes parts .* runs on one device"):
        recipe_file.read(path, changes)
