"""A fitted estimator as a model file: the network that made its features, and it, in one graph."""

import datetime
import warnings
from collections import Counter
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.compose import add_prefix

import mien
from mien.card import Card, Data
from mien.classic import graph
from mien.classic.fitting import LEAST, Answering, Fitted
from mien.classic.learning import Material
from mien.classic.store import Features
from mien.errors import ModelError
from mien.model import Model, open_session
from mien.training.export import with_card

TOLERANCE: Final = 1e-5
"""How far a file's answers may be from scikit-learn's, as a share of numbers above 1."""

_OPSETS: Final = {"": 17, "ai.onnx.ml": 3}
_OWN: Final = "fit."
"""Before the names of what is not the network's."""

_CHECKED: Final = 256


def card_of(
    features: Features, material: Material, name: str, *, licence: str = "", use: str = ""
) -> Card:
    """Return the card of a model of one task on stored features, before anything is fitted."""
    origin = features.origin
    trained = Counter(sample.source for sample in material.train.samples)
    network = {"backbone": origin.backbone, "weights": origin.weights or origin.name}
    return Card(
        name=name,
        version="1",
        description="",
        licence=licence or origin.licence,
        use=use or origin.use,
        limits=origin.limits,
        input=origin.input,
        tasks=(material.task,),
        data=tuple(
            Data(name=source, pictures=count, terms="not stated")
            for source, count in sorted(trained.items())
        ),
        data_fingerprint=features.data_fingerprint,
        split_hash=features.split_hash,
        priors=_priors(material),
        recipe={
            "features": origin.model_dump(mode="json", exclude={"licence", "use", "limits"}),
            **({"network": network} if origin.backbone else {}),
        },
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        created_by=f"mien {mien.__version__}",
    )


def express(fitted: Fitted, features: Features, material: Material, card: Card) -> bytes:
    """Return the model file of a fitted estimator.

    Raises:
        ModelError: It cannot be expressed: no command reads such a model, the graph cannot say
            what the estimator does, or not to 1e-5.
    """
    if material.kind == "regression" and features.origin.input.framing == "centre":
        raise ModelError("a network of whole pictures reads classes only, no numbers")
    head = expressed(fitted.answering, material)
    network = onnx.load_from_string(features.network)
    whole = graph.join(network, head)
    data = with_card(whole.SerializeToString(), _told(fitted, features, card))
    Model(data, card.name, threads=1)
    return data


def expressed_or_why(
    fitted: Fitted, features: Features, material: Material, card: Card
) -> bytes | str:
    """Return the model file of a fitted estimator, or why it cannot be one."""
    try:
        return express(fitted, features, material, card)
    except ModelError as error:
        return str(error)


def expressed(answering: Answering, material: Material) -> onnx.ModelProto:
    """Return the graph from features to the task's output, checked against scikit-learn.

    Raises:
        ModelError: The graph cannot say what the estimator does, or not to 1e-5.
    """
    rows = material.test.rows[:_CHECKED]
    wanted = answering(rows)
    worst = np.inf
    # Sums of squares, as in naive Bayes, need double precision.
    for double in (False, True):
        try:
            found = _graph(answering, material, double=double)
            session = open_session(found.SerializeToString(), "the fitted model", 1)
            (given,) = session.run(None, {graph.FEATURES: rows})
        except Exception as error:
            # Neither the converter's errors nor onnxruntime's share a class.
            if double and worst == np.inf:
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise ModelError(f"it cannot be converted ({reason:.200})") from error
            continue
        worst = min(worst, _difference(given, wanted))
        if worst <= TOLERANCE:
            return found
    raise ModelError(f"the graph's answers differ from scikit-learn's by {worst:.2g}")


def _difference(given: NDArray[Any], wanted: NDArray[np.float64]) -> float:
    if given.shape != wanted.shape:
        return float("inf")
    return float((np.abs(given - wanted) / np.maximum(1, np.abs(wanted))).max())


def _graph(answering: Answering, material: Material, *, double: bool) -> onnx.ModelProto:
    converted, output, kind = _converted(answering.pipeline, material, double=double)
    number = np.float64 if double else np.float32
    converted = add_prefix(graph.cut(converted, output), _OWN)
    (given,) = (value.name for value in converted.graph.input)
    nodes = [
        helper.make_node(
            "Cast",
            [graph.FEATURES],
            [given],
            to=TensorProto.DOUBLE if double else TensorProto.FLOAT,
        ),
        *converted.graph.node,
    ]
    last, constants = f"{_OWN}{output}", list(converted.graph.initializer)

    def then(kind: str, name: str, *values: float | NDArray[Any], **attributes: Any) -> None:
        nonlocal last
        names = [f"{_OWN}{name}.{place}" for place, _ in enumerate(values)]
        pairs = zip(values, names, strict=True)
        constants.extend(numpy_helper.from_array(np.asarray(v, number), n) for v, n in pairs)
        nodes.append(helper.make_node(kind, [last, *names], [f"{_OWN}{name}"], **attributes))
        last = f"{_OWN}{name}"

    if kind == "probabilities":
        then("Max", "least", LEAST)
        then("Log", "log")
    if material.kind == "classification":
        then("Mul", "scaled", answering.scale)
        then("Add", "shifted", answering.shift)
        then("Softmax", "softmax", axis=1)
    nodes.append(helper.make_node("Cast", [last], [material.task.name], to=TensorProto.FLOAT))
    width = material.train.rows.shape[1]
    made = helper.make_graph(
        nodes,
        "fit",
        [helper.make_tensor_value_info(graph.FEATURES, TensorProto.FLOAT, ["n", width])],
        [
            helper.make_tensor_value_info(
                material.task.name, TensorProto.FLOAT, ["n", material.task.outputs]
            )
        ],
        constants,
    )
    return graph.model_of(made, [converted])


def _converted(
    pipeline: Any, material: Material, *, double: bool
) -> tuple[onnx.ModelProto, str, str]:
    """Return skl2onnx's graph, its output that answers, and what that is."""
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    width = material.train.rows.shape[1]
    given = (DoubleTensorType if double else FloatTensorType)([None, width])
    model = pipeline.named_steps["model"]
    kind = "numbers"
    options: dict[str, Any] = {}
    if material.kind == "classification":
        kind = "probabilities" if hasattr(pipeline, "predict_proba") else "scores"
        options = {"raw_scores": True} if kind == "scores" else {}
        if hasattr(model, "predict_proba") or type(model).__name__ == "SVC":
            options["zipmap"] = False
    if "KNeighbors" in type(model).__name__:
        options["optim"] = "cdist"  # else a loop over the pictures
    with warnings.catch_warnings():
        # It still looks at attributes that scikit-learn is about to drop.
        warnings.simplefilter("ignore", FutureWarning)
        found = skl2onnx.convert_sklearn(
            pipeline,
            initial_types=[(graph.FEATURES, given)],
            options={id(model): options} if options else None,
            target_opset=_OPSETS,
        )
    return found, found.graph.output[-1].name, kind


def _told(fitted: Fitted, features: Features, card: Card) -> Card:
    """Return the card, with what was fitted, how, and what it is worth."""
    plan = fitted.plan
    even = "" if plan.balance == "none" else " Trained as if all classes were equally frequent."
    what = fitted.estimator.title
    return card.model_copy(
        update={
            "description": f"{what[0].upper()}{what[1:]} on the features of {features.origin.name}",
            "limits": (card.limits + even).strip(),
            "metrics": fitted.evaluation.metrics,
            "confusions": fitted.evaluation.confusions,
            "recipe": card.recipe
            | {
                "seed": plan.seed,
                "fit": {"model": fitted.estimator.name, "balance": plan.balance}
                | fitted.chosen.choice,
            },
        }
    )


def _priors(material: Material) -> dict[str, tuple[float, ...]]:
    """Return the shares of the classes in the training part, before any balancing."""
    if material.kind == "regression":
        return {}
    counts = np.bincount(material.train.values, minlength=len(material.task.labels))
    shares = counts / counts.sum()
    return {material.task.name: tuple(round(float(share), 5) for share in shares)}
