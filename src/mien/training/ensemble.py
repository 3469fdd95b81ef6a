"""Several model files as one: their scores averaged, what they have in common computed once."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper
from pydantic import ValidationError

import mien
from mien.card import Card, Data, Task
from mien.data.batches import Target, targets
from mien.data.manifest import Manifest
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ModelError
from mien.evaluation.calibration import Scaling
from mien.evaluation.reading import Outputs, read, stacked
from mien.model import Model
from mien.networks.graph import FIRST_MEMBER
from mien.tomlfile import explain
from mien.training.export import with_card
from mien.training.finish import classes_of, exactly_known, scaling_of
from mien.training.recalibrate import calibration_part, settle

_LEAST: Final = 1e-20
"""Below it a probability counts as this much: single precision knows the logarithm of it."""


def ensemble(
    files: Mapping[str, bytes],
    manifest: Manifest,
    *,
    name: str,
    version: str = "1",
    threads: int = 0,
    watch: Watcher = unwatched,
) -> bytes:
    """Return one model file whose scores are the mean of several models' scores.

    The logarithms of the members' probabilities are averaged, calibrated anew (a temperature for
    ages, vector scaling for classes) on what of the validation part chose none of them, and
    measured on the test part. Averaging takes away what each network got wrong by chance, and
    costs as many networks' time as there are members, less what they have in common: weights
    that are equal are stored once, and what they compute is computed once (Hansen and Salamon
    1990; Lakshminarayanan et al. 2017).

    Args:
        files: What messages call a model file -> the file. The first one's recipe is the card's,
            and its tensors keep their names: another training that begins with the ensemble
            begins with it.
        manifest: Labelled pictures with a validation and a test part.
        name: The ensemble's name.
        version: Its version.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures of each part.

    Raises:
        ModelError: One is not a model file, there are fewer than two, or they differ in their
            tasks or their input.
        DataError: A part is missing or lacks a task's labels, or a picture cannot be read.
    """
    models = [Model(data, file, threads=threads) for file, data in files.items()]
    _check(models)
    card = _card([model.card for model in models], name, version)
    part = calibration_part(manifest, [model.card for model in models])
    parts = [onnx.load_from_string(data) for data in files.values()]
    plain = with_card(_joined(parts, card.tasks, {}), card)
    paths = [sample.path for sample in part.samples]
    found = read(Model(plain, name, threads=threads), paths, threads=threads)
    outputs = stacked(watch(found, len(paths)), card.tasks)
    scalings = _scalings(card.tasks, outputs, part)
    data = with_card(_joined(parts, card.tasks, scalings), card)
    for task, scaling in scalings.items():
        outputs[task] = _scaled(outputs[task], scaling)
    return settle(data, outputs, part, manifest, name=name, threads=threads, watch=watch)


def _check(models: Sequence[Model]) -> None:
    """Refuse models that cannot be averaged."""
    if len(models) < 2:
        raise ModelError("an ensemble takes at least two models, each of them once")
    for model in models:
        if "members" in model.card.recipe:
            raise ModelError(f"{model.name} is an ensemble itself; name its members instead")
    first = models[0]
    for other in models[1:]:
        if [_meaning(task) for task in other.card.tasks] != [*map(_meaning, first.card.tasks)]:
            raise ModelError(
                f"{other.name} and {first.name} read different things ({_told(other)}; "
                f"{_told(first)}); an ensemble takes models of the same tasks and labels"
            )
        if other.card.input != first.card.input:
            size, wanted = other.card.input.size, first.card.input.size
            raise ModelError(
                f"{other.name} takes pictures of {size} x {size} pixels and {first.name} of "
                f"{wanted} x {wanted}, or they frame them differently; an ensemble looks once"
            )


def _meaning(task: Task) -> Task:
    """Return what an output means, apart from how well it is known."""
    return task.model_copy(update={"intervals": (), "default": True})


def _told(model: Model) -> str:
    return ", ".join(
        f"{task.name} of {task.outputs}" if task.outputs > 1 else task.name
        for task in model.card.tasks
    )


def _card(cards: Sequence[Card], name: str, version: str) -> Card:
    """Return the members' card as one, without intervals and figures."""

    def said(key: str) -> str:
        return " ".join(dict.fromkeys(str(getattr(card, key)) for card in cards))

    data: dict[str, Data] = {}
    for entry in (entry for card in cards for entry in card.data):
        if entry.name not in data or data[entry.name].pictures < entry.pictures:
            data[entry.name] = entry
    first = cards[0]
    uses = dict.fromkeys(card.use for card in cards)
    members = ", ".join(f"{card.name} {card.version}" for card in cards)
    described = f"{first.description} The mean of {len(cards)} networks' scores: {members}."
    recipe = {"name": name, "version": version, "description": described}
    changes = {
        "name": name,
        "version": version,
        "description": described,
        "licence": said("licence"),
        # Each set of terms holds, and one that is not stated is none.
        "use": "; ".join(uses) if all(uses) else "",
        "tasks": tuple(task.model_copy(update={"intervals": ()}) for task in first.tasks),
        "data": tuple(data.values()),
        "limits": said("limits"),
        "metrics": (),
        "confusions": (),
        "recipe": first.recipe | recipe | {"members": [card.recipe for card in cards]},
        "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "created_by": f"mien {mien.__version__}",
    }
    try:
        return Card.model_validate(first.model_dump() | changes)
    except ValidationError as error:
        raise ModelError(
            f"the ensemble makes no valid model card: {explain(error, Card)}"
        ) from error


def _scalings(tasks: Sequence[Task], outputs: Outputs, part: Manifest) -> dict[str, Scaling]:
    """Return task -> what makes the mean's probabilities honest; see `finish`."""
    labels = targets(part, [Target(task.name, task.labels or None) for task in tasks])
    found = {}
    for task in tasks:
        known = exactly_known(task.kind, labels[task.name])
        if task.kind == "regression":
            continue
        if not known.any():
            raise DataError(
                f"no picture of the validation part that chose none of the models has a known "
                f"{task.name}, so the ensemble's cannot be calibrated"
            )
        scores = np.log(np.maximum(outputs[task.name][known], _LEAST))
        truth = classes_of(task, labels[task.name][known])
        found[task.name] = scaling_of(task, scores, truth)
    return found


def _scaled(probabilities: NDArray[np.float32], scaling: Scaling) -> NDArray[np.float32]:
    """Return N x classes probabilities as the scaled graph gives them."""
    scale, shift = scaling
    scores = np.log(np.maximum(probabilities.astype(np.float64), _LEAST)) * scale + shift
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _joined(
    parts: Sequence[onnx.ModelProto], tasks: Sequence[Task], scalings: Mapping[str, Scaling]
) -> bytes:
    """Return the graph of all members and the mean of their scores.

    Args:
        parts: The members' graphs.
        tasks: Their outputs.
        scalings: Task -> what its mean scores are multiplied by, and what is then added.
    """
    opsets = {tuple((o.domain, o.version) for o in part.opset_import) for part in parts}
    if len(opsets) > 1:
        raise ModelError(
            "the models were made for different versions of ONNX's operators; export them anew"
        )
    whole = onnx.ModelProto()
    whole.CopyFrom(parts[0])
    del whole.graph.node[:], whole.graph.initializer[:], whole.graph.value_info[:]
    for place, part in enumerate(parts):
        member = _named_apart(part, place)
        whole.graph.node.extend(member.graph.node)
        whole.graph.initializer.extend(member.graph.initializer)
    for task in tasks:
        given = [f"{_prefix(place)}{task.name}" for place in range(len(parts))]
        nodes, constants = _mean(task, given, scalings.get(task.name))
        whole.graph.node.extend(nodes)
        whole.graph.initializer.extend(constants)
    _share(whole.graph, len(parts))
    data: bytes = whole.SerializeToString()
    return data


def _prefix(place: int) -> str:
    """Return what the names of a member begin with; of the first only its outputs' do."""
    return FIRST_MEMBER if place == 0 else f"member{place + 1}."


def _named_apart(part: onnx.ModelProto, place: int) -> onnx.ModelProto:
    """Return a member whose names are no other member's."""
    own = place > 0
    named: onnx.ModelProto = compose.add_prefix(
        part,
        _prefix(place),
        rename_nodes=own,
        rename_edges=own,
        rename_inputs=False,
        rename_outputs=True,
        rename_initializers=own,
        rename_value_infos=own,
        rename_functions=False,
    )
    return named


def _share(graph: onnx.GraphProto, members: int) -> None:
    """Store equal weights once, and compute once what is computed from the same in the same way.

    Weights count as equal where they bear one name in two members and hold the same numbers.
    """
    if any(attribute.HasField("g") for node in graph.node for attribute in node.attribute):
        return  # what graphs inside a node, as a loop's, take from outside has names of its own
    renamed: dict[str, str] = {}
    seen: dict[object, Sequence[str]] = {}
    prefixes = tuple(_prefix(place) for place in range(1, members))
    tensors = list(graph.initializer)
    del graph.initializer[:]
    for tensor in tensors:
        plain = next(
            (tensor.name.removeprefix(p) for p in prefixes if tensor.name.startswith(p)),
            tensor.name,
        )
        array = numpy_helper.to_array(tensor)
        numbers = ("numbers", plain, array.dtype.str, array.shape, array.tobytes())
        if numbers in seen:
            renamed[tensor.name] = seen[numbers][0]
        else:
            seen[numbers] = [tensor.name]
            graph.initializer.append(tensor)
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        node.name = ""
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)
        attributes = sorted(attribute.SerializeToString() for attribute in node.attribute)
        step = ("step", node.domain, node.op_type, tuple(node.input), tuple(attributes))
        twin = seen.get(step)
        if twin is None or len(twin) != len(node.output):
            seen[step] = list(node.output)
            graph.node.append(node)
        else:
            renamed.update(zip(node.output, twin, strict=True))


def _mean(
    task: Task, given: Sequence[str], scaling: Scaling | None
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return what averages a task's outputs: numbers, or the scores behind probabilities."""
    if task.kind == "regression":
        return [helper.make_node("Mean", given, [task.name])], []
    name = f"mean.{task.name}"
    scale, shift = scaling or (np.ones(task.outputs), np.zeros(task.outputs))
    numbers = {"least": _LEAST, "scale": np.asarray(scale) / len(given), "shift": shift}
    constants = [
        numpy_helper.from_array(np.asarray(value, np.float32), f"{name}.{key}")
        for key, value in numbers.items()
    ]
    nodes = []
    for place, output in enumerate(given):
        clipped, score = f"{name}.clipped{place}", f"{name}.score{place}"
        nodes.append(helper.make_node("Clip", [output, f"{name}.least"], [clipped]))
        nodes.append(helper.make_node("Log", [clipped], [score]))
    scores = [f"{name}.score{place}" for place in range(len(given))]
    nodes += [
        helper.make_node("Sum", scores, [f"{name}.sum"]),
        helper.make_node("Mul", [f"{name}.sum", f"{name}.scale"], [f"{name}.scaled"]),
        helper.make_node("Add", [f"{name}.scaled", f"{name}.shift"], [f"{name}.shifted"]),
        helper.make_node("Softmax", [f"{name}.shifted"], [task.name], axis=1),
    ]
    return nodes, constants
