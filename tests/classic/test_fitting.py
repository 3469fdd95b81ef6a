"""Fitting: the choice of parameters, calibration, figures; and every model as a model file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from mien.card import Input
from mien.classic.choosing import Plan, folds_of
from mien.classic.estimators import CLASSIFIERS, REGRESSORS, named
from mien.classic.express import card_of, express, expressed
from mien.classic.fitting import compare, fit
from mien.classic.graph import FEATURES
from mien.classic.learning import Material, material
from mien.classic.results import table
from mien.classic.store import Features
from mien.data.manifest import Manifest
from mien.errors import DataError, ModelError
from mien.evaluation.evaluate import evaluate
from mien.faces import TEMPLATE
from mien.model import Model, open_session
from tests.classic.world import PARTS, coloured, features_of, made_up

WIDTH = 24
QUICK = {"n_estimators": (20,), "C": (0.01, 1.0), "min_samples_leaf": (3,), "n_neighbors": (5,)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Features]:
    folder = tmp_path_factory.mktemp("features")
    manifest = coloured(folder / "pictures", 90)
    return manifest, features_of(manifest, folder)


@pytest.fixture(scope="module")
def many(pictures: tuple[Manifest, Features]) -> Features:
    """Return 400 rows of 24 numbers: three classes that overlap, one of them rare; and ages."""
    rng = np.random.default_rng(0)
    classes = np.where(rng.random(400) < 0.1, 2, rng.integers(0, 2, 400))
    centres = rng.normal(size=(3, WIDTH)) * 0.7
    rows = (centres[classes] + rng.normal(size=(400, WIDTH)) + 3).astype(np.float32)
    ages = np.clip(30 + 8 * rows[:, 0] + rng.normal(size=400), 1, 100)
    labels = [
        {"kind": "abc"[one], "age": f"{age:.1f}"} for one, age in zip(classes, ages, strict=True)
    ]
    parts = [PARTS[number % len(PARTS)] for number in range(400)]
    found = made_up(rows, labels, parts, pictures[1])
    face = Input(size=16, framing="face", landmarks=TEMPLATE)
    origin = found.origin.model_copy(update={"input": face})
    return Features(found.rows, found.done, found.manifest, origin, found.network, "d", "s")


def fitted_by(features: Features, task: str, plan: Plan) -> tuple[Material, list[object]]:
    given = material(features, task)
    return given, list(fit(given, card_of(features, given, "m"), plan))


@pytest.mark.parametrize("task", ["kind", "age"])
def test_every_estimator_agrees_with_its_graph(many: Features, task: str) -> None:
    plan = Plan(("all",), grid=QUICK, folds=2)
    given = material(many, task)
    found = fit(given, card_of(many, given, "m"), plan)
    assert {one.estimator.name for one in found} == set(
        CLASSIFIERS if task == "kind" else REGRESSORS
    )
    rows = given.test.rows
    for one in found:
        graph = expressed(one.answering, given)
        session = open_session(graph.SerializeToString(), one.estimator.name, 1)
        (answers,) = session.run(None, {FEATURES: rows})
        wanted = one.answering(rows)
        assert answers.dtype == np.float32
        np.testing.assert_allclose(
            answers, wanted, atol=1e-5, rtol=1e-5, err_msg=one.estimator.name
        )
        # It says more than the same for all.
        assert np.ptp(wanted[:, 0]) > 0.05


def test_a_model_file_answers_as_the_fitted_model(
    pictures: tuple[Manifest, Features], tmp_path: Path
) -> None:
    manifest, features = pictures
    given = material(features, "colour")
    card = card_of(features, given, "hues", licence="CC0")
    (one,) = fit(given, card, Plan(("logistic-regression",), grid={"C": (1.0,)}))
    path = tmp_path / "hues.onnx"
    path.write_bytes(express(one, features, given, card))
    model = Model.open(path, threads=1)
    assert model.card.name == "hues"
    assert model.card.task("colour").labels == ("blue", "green", "red")
    assert model.card.recipe["fit"] == {"model": "logistic-regression", "balance": "none", "C": 1.0}
    assert model.card.split_hash == manifest.split_hash
    assert model.card.priors["colour"] == pytest.approx((1 / 3,) * 3, abs=1e-4)
    # Measured again, from the pictures' files, it is worth what the features said.
    again = evaluate(model, manifest, threads=1)
    assert again.value("colour", "accuracy") == 1
    for metric, said in zip(again.metrics, model.card.metrics, strict=True):
        assert metric.name == said.name
        assert metric.value == pytest.approx(said.value, abs=1e-4)


def test_a_number_of_whole_pictures_is_no_model_file(many: Features) -> None:
    origin = many.origin.model_copy(update={"input": Input(size=16, framing="centre")})
    other = Features(many.rows, many.done, many.manifest, origin, many.network, "d", "s")
    given = material(other, "age")
    card = card_of(other, given, "m")
    (one,) = fit(given, card, Plan(("ridge",)))
    with pytest.raises(ModelError, match="reads classes only, no numbers"):
        express(one, other, given, card)


def test_the_choice_is_cross_validated(many: Features) -> None:
    given = material(many, "kind")
    card = card_of(many, given, "m")
    plan = Plan(("k-nn",), grid={"n_neighbors": (180, 9, 150)})
    (one,) = fit(given, card, plan)
    assert one.chosen.choice == {"n_neighbors": 9}
    wanted = []
    rows = normalize(given.train.rows)
    for inside, outside in folds_of(given.train, plan):
        own = KNeighborsClassifier(9).fit(rows[inside], given.train.values[inside])
        wanted.append(own.score(rows[outside], given.train.values[outside]))
    assert one.figure == "accuracy"
    assert one.chosen.mean == pytest.approx(np.mean(wanted))
    assert one.chosen.spread == pytest.approx(np.std(wanted))


def test_no_choice_is_measured_by_predictions(many: Features) -> None:
    def guessed(of: Callable[[int], bool]) -> Features:
        samples = tuple(
            replace(s, labels=s.labels | {"kind:predicted": "tiny 1"})
            if s.split == "train" and of(place)
            else s
            for place, s in enumerate(many.manifest.samples)
        )
        return replace(many, manifest=Manifest(samples))

    features = guessed(lambda place: place % 4 > 0)
    given = material(features, "kind")
    plan = Plan(("k-nn",), grid={"n_neighbors": (9,)})
    (one,) = fit(given, card_of(features, given, "m"), plan)

    rows, wanted = normalize(given.train.rows), []
    for inside, outside in folds_of(given.train, plan):
        known = outside[[not given.train.samples[row].predicted for row in outside]]
        own = KNeighborsClassifier(9).fit(rows[inside], given.train.values[inside])
        wanted.append(own.score(rows[known], given.train.values[known]))
    assert one.chosen.mean == pytest.approx(np.mean(wanted))

    features = guessed(lambda _: True)
    given = material(features, "kind")
    with pytest.raises(DataError, match="all training labels are predicted"):
        fit(given, card_of(features, given, "m"), plan)


def test_copies_of_a_picture_stay_on_one_side(many: Features) -> None:
    samples = [
        sample if number % 3 else many.manifest.samples[number - number % 15]
        for number, sample in enumerate(many.manifest.samples)
    ]
    copied = Features(many.rows, many.done, Manifest(tuple(samples)), many.origin, b"", "d", "s")
    train = material(copied, "kind").train
    units = train.units
    assert len(set(units.tolist())) < len(units)
    folds = folds_of(train, Plan(("x",), folds=4))
    assert len(folds) == 4
    for inside, outside in folds:
        assert not set(units[inside].tolist()) & set(units[outside].tolist())


def test_probabilities_are_calibrated_on_the_validation_part(many: Features) -> None:
    given = material(many, "kind")
    card = card_of(many, given, "m")
    (one,) = fit(given, card, Plan(("k-nn",), grid={"n_neighbors": (1,)}))
    # One neighbour is always sure of itself; honest it is not.
    assert one.answering(given.test.rows).max() < 0.95
    error = one.evaluation.value("kind", "calibration_error")
    accuracy = one.evaluation.value("kind", "accuracy")
    assert error < 1 - accuracy


def test_balancing_helps_the_rare_class(many: Features) -> None:
    given = material(many, "kind")
    card = card_of(many, given, "m")
    plans = [
        Plan(("logistic-regression",), balance, grid={"C": (0.01,)})
        for balance in ("none", "weights", "over", "smote", "under")
    ]
    found = {one.plan.balance: one for one in compare(given, card, plans)}
    assert {one.figure for one in found.values()} == {"balanced_accuracy"}
    plain = found["none"].evaluation.value("kind", "balanced_accuracy")
    for balance in ("weights", "over", "smote", "under"):
        assert found[balance].evaluation.value("kind", "balanced_accuracy") > plain
    names = [one.plan.balance for one in compare(given, card, plans)]
    scores = [found[name].chosen.mean for name in names]
    assert scores == sorted(scores, reverse=True)


def test_numbers_are_chosen_by_the_smallest_error(many: Features) -> None:
    given = material(many, "age")
    card = card_of(many, given, "m")
    found = fit(given, card, Plan(("ridge", "tree"), grid={"alpha": (1.0, 1e6)}))
    assert [one.estimator.name for one in found] == ["ridge", "tree"]
    assert found[0].chosen.choice == {"alpha": 1.0}
    assert found[0].chosen.mean < found[1].chosen.mean
    errors = np.abs(found[0].answering(given.test.rows)[:, 0] - given.test.values)
    tens = given.test.values // 10
    balanced = np.mean([errors[tens == ten].mean() for ten in np.unique(tens)])
    assert found[0].evaluation.value("age", "balanced_mae") == pytest.approx(balanced, abs=1e-4)
    assert found[0].evaluation.value("age", "mae") == pytest.approx(errors.mean(), abs=1e-4)


def test_equal_seeds_fit_equally(many: Features) -> None:
    given = material(many, "kind")
    card = card_of(many, given, "m")
    plan = Plan(("random-forest",), "over", grid={"n_estimators": (9,)}, folds=2)
    first, again = (fit(given, card, plan)[0].answering(given.test.rows) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_the_table_holds_every_figure(many: Features) -> None:
    given = material(many, "kind")
    card = card_of(many, given, "m")
    found = fit(given, card, Plan(("naive-bayes", "k-nn")))
    rows = table([(found[0], b"1234"), (found[1], "for a reason")], many)
    assert len(rows) == 10
    assert {row["model"] for row in rows} == {"naive-bayes", "k-nn"}
    assert [row["file bytes"] for row in rows[::5]] == [4, ""]
    first = rows[0]
    assert (first["name"], first["pictures"]) == ("accuracy", 80)
    assert first["value"] == round(found[0].evaluation.value("kind", "accuracy"), 5)
    assert first["low"] < first["value"] < first["high"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(("logistic",)), "no model 'logistic' for classes; .*did you mean logistic-regr"),
        (Plan(("ridge",)), "no model 'ridge' for classes"),
        (Plan(("tree",), by="mae"), "no figure 'mae' to choose by; there are accuracy"),
        (Plan(("tree",), grid={"depth": (3,)}), "no parameter 'depth' in tree; there are"),
        (Plan(("tree",), grid={"max_depth": (-3,)}), "tree cannot be fitted with .*max_depth=-3"),
        (Plan(("k-nn",), "weights"), "k-nn knows no weights of pictures"),
    ],
)
def test_what_cannot_be_fitted(many: Features, plan: Plan, message: str) -> None:
    given = material(many, "kind")
    with pytest.raises(DataError, match=message):
        fit(given, card_of(many, given, "m"), plan)


def test_all_leaves_out_what_knows_no_weights(many: Features) -> None:
    given = material(many, "age")
    lines: list[str] = []
    plan = Plan(("all",), "weights", grid=QUICK, folds=2)
    found = fit(given, card_of(many, given, "m"), plan, tell=lines.append)
    assert lines[0] == "k-nn is left out: it knows no weights of pictures"
    assert len(found) == len(REGRESSORS) - 1


def test_solvers_that_do_not_converge_are_named(many: Features) -> None:
    given = material(many, "kind")
    lines: list[str] = []
    plan = Plan(("logistic-regression",), grid={"max_iter": (2,), "C": (10.0,)})
    fit(given, card_of(many, given, "m"), plan, tell=lines.append)
    assert lines == [
        "logistic-regression: its solver stopped before it converged, with some of its parameters"
    ]


def test_more_neighbours_than_pictures_are_left_out(many: Features) -> None:
    """The defaults go up to 25, and a little set has fewer pictures in a fold."""
    kept = [row for row, s in enumerate(many.manifest.samples) if s.split != "train"][:60]
    kept += [row for row, s in enumerate(many.manifest.samples) if s.split == "train"][:21]
    samples = Manifest(tuple(many.manifest.samples[row] for row in kept))
    few = replace(many, rows=many.rows[kept], done=many.done[kept], manifest=samples)
    given = material(few, "kind")
    lines: list[str] = []
    (found,) = fit(given, card_of(few, given, "m"), Plan(("k-nn",)), tell=lines.append)
    assert found.chosen.choice["n_neighbors"] < 21
    assert any("left out: k-nn cannot be fitted with n_neighbors=25" in line for line in lines)


def test_all_among_other_names_is_all(many: Features) -> None:
    assert named("classification", ("tree", "all")) == named("classification", ("all",))
