"""scikit-learn's classifiers and regressors by name, each with the choices to try."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal

from mien.errors import DataError

Kind = Literal["classification", "regression"]
Choice = dict[str, Any]


@dataclass(frozen=True)
class Estimator:
    """A kind of classifier or regressor.

    Attributes:
        name: What it is called here.
        title: What it is called in a sentence.
        make: Makes one, from the seed.
        scaling: "standard": each feature to mean 0 and spread 1. "unit": each picture's features
            to length 1, so that nearness is the angle between them. "none": as they are.
        grid: Parameter -> the values that cross-validation chooses from.
        weighed: Whether pictures may have weights.
    """

    name: str
    title: str
    make: Callable[[int], Any]
    scaling: Literal["standard", "unit", "none"]
    grid: Mapping[str, Sequence[Any]]
    weighed: bool = True

    def choices(self, changed: Mapping[str, Sequence[Any]] | None = None) -> list[Choice]:
        """Return all combinations of the parameters' values.

        Args:
            changed: Parameter -> values to try instead; those that it does not have do not count.
        """
        known = self.parameters()
        grid = {**self.grid, **{k: v for k, v in (changed or {}).items() if k in known}}
        return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]

    def parameters(self) -> list[str]:
        """Return the names of its parameters."""
        return sorted(self.make(0).get_params())

    def build(self, choice: Choice, seed: int) -> Any:
        """Return a scikit-learn pipeline that is not yet fitted."""
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import Normalizer, StandardScaler

        model = self.make(seed)
        model.set_params(**choice)
        scalers = {"standard": StandardScaler, "unit": Normalizer}
        steps = [("scaling", scalers[self.scaling]())] if self.scaling in scalers else []
        return Pipeline([*steps, ("model", model)])


def named(kind: Kind, names: Sequence[str]) -> list[Estimator]:
    """Return estimators by name; "all" for all of the kind.

    Raises:
        DataError: There is none of that name for the kind.
    """
    have = CLASSIFIERS if kind == "classification" else REGRESSORS
    if "all" in names:
        return list(have.values())
    for name in names:
        if name not in have:
            near = difflib.get_close_matches(name, have, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            what = "classes" if kind == "classification" else "numbers"
            raise DataError(
                f"no model {name!r} for {what}; there are {', '.join(have)}, and all{hint}"
            )
    return [have[name] for name in dict.fromkeys(names)]


def _logistic(_: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000)


def _neighbours(_: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


def _linear_svm(seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(dual="auto", max_iter=5000, random_state=seed)


def _kernel_svm(_: int) -> Any:
    from sklearn.svm import SVC

    return SVC(kernel="rbf")


def _bayes(_: int) -> Any:
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def _tree(seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=seed)


def _forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=_TREES, random_state=seed)


def _ridge(_: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge()


def _neighbours_mean(_: int) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor()


def _linear_svr(seed: int) -> Any:
    from sklearn.svm import LinearSVR

    return LinearSVR(dual="auto", loss="squared_epsilon_insensitive", random_state=seed)


def _kernel_svr(_: int) -> Any:
    from sklearn.svm import SVR

    return SVR(kernel="rbf")


def _tree_mean(seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(random_state=seed)


def _forest_mean(seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_estimators=_TREES, max_features="sqrt", random_state=seed)


_TREES: Final = 200
_NEAREST: Final = {"n_neighbors": (1, 3, 5, 9, 15, 25)}
_LEAVES: Final = {"min_samples_leaf": (1, 5, 20)}


def _by_name(*estimators: Estimator) -> dict[str, Estimator]:
    return {estimator.name: estimator for estimator in estimators}


# The ranges hold what was best on features of 1,280 numbers, with room on both sides.
CLASSIFIERS: Final = _by_name(
    Estimator(
        "logistic-regression",
        "a logistic regression",
        _logistic,
        "standard",
        {"C": (1e-4, 1e-3, 1e-2, 1e-1)},
    ),
    Estimator("k-nn", "nearest neighbours", _neighbours, "unit", _NEAREST, weighed=False),
    Estimator(
        "svm-linear",
        "a linear support vector machine",
        _linear_svm,
        "standard",
        {"C": (1e-5, 1e-4, 1e-3, 1e-2)},
    ),
    Estimator(
        "svm-kernel",
        "a support vector machine with a Gaussian kernel",
        _kernel_svm,
        "standard",
        {"C": (0.3, 1.0, 3.0, 10.0)},
    ),
    Estimator(
        "naive-bayes",
        "a Gaussian naive Bayes",
        _bayes,
        "standard",
        {"var_smoothing": (1e-9, 1e-2, 1e-1, 1.0)},
    ),
    Estimator("tree", "a decision tree", _tree, "none", _LEAVES),
    Estimator("random-forest", "a random forest", _forest, "none", {"min_samples_leaf": (1, 3)}),
)

REGRESSORS: Final = _by_name(
    Estimator("ridge", "a ridge regression", _ridge, "standard", {"alpha": (1e2, 1e3, 1e4, 1e5)}),
    Estimator(
        "k-nn", "the mean of nearest neighbours", _neighbours_mean, "unit", _NEAREST, weighed=False
    ),
    Estimator(
        "svm-linear",
        "a linear support vector regression",
        _linear_svr,
        "standard",
        {"C": (1e-5, 1e-4, 1e-3)},
    ),
    Estimator(
        "svm-kernel",
        "a support vector regression with a Gaussian kernel",
        _kernel_svr,
        "standard",
        {"C": (3.0, 10.0, 30.0, 100.0)},
    ),
    Estimator("tree", "a regression tree", _tree_mean, "none", _LEAVES),
    Estimator(
        "random-forest", "a random forest", _forest_mean, "none", {"min_samples_leaf": (1, 3)}
    ),
)
