"""A recipe: all of a training in one value: data, network, tasks, stages, schedule."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mien.data.augment import Augmentation
from mien.model import INPUT
from mien.networks.activations import Activation

Schedule = Literal["one-cycle", "cosine", "triangle", "constant", "plateau"]

Stages = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2} stages?$")]
"""How many of a backbone's first stages, in words."""

LOSSES: Final[dict[str, tuple[str, ...]]] = {
    "classification": ("cross-entropy", "focal"),
    "age": (
        "dldl-v2",
        "cross-entropy",
        "mean-variance",
        "expected-l1",
        "expected-l2",
        "share-l2",
        "share-log",
    ),
    "regression": ("smooth-l1", "l1", "l2"),
}
"""Kind of task -> the losses that it can be trained by; the first is the default."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSet(_Part):
    """A data set's name as manifests call it, and the terms of its use, for the model card."""

    name: str
    terms: str


class Data(_Part):
    """What is trained on.

    Attributes:
        manifest: The manifest, relative to the working folder.
        shares: Source -> its share of every batch; empty: all pictures alike.
        sets: The data sets and their terms.
        balance: The task whose classes (an age's groups) are drawn equally often; empty: none.
        balance_by: How they come equally often: "draws" draws the rarer ones more often; "under"
            leaves pictures out, once and for all, until each class has as many as the rarest;
            "over" repeats pictures until each has as many as the most frequent.
        balance_strength: For draws: 1 draws all classes equally often, 0 each as often as it
            occurs.
    """

    manifest: Path
    shares: dict[str, Annotated[float, Field(gt=0)]] = {}
    sets: tuple[DataSet, ...] = ()
    balance: str = ""
    balance_by: Literal["draws", "under", "over"] = "draws"
    balance_strength: Annotated[float, Field(ge=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> "Data":
        if self.balance_by != "draws" and not self.balance:
            raise ValueError(
                f"balance_by = {self.balance_by!r} needs balance: the task whose classes are meant"
            )
        if self.balance_by != "draws" and self.balance_strength < 1:
            raise ValueError(f"balance_strength is for draws; {self.balance_by!r} takes none")
        return self


class Input(_Part):
    """What the network takes: its size in pixels, and how it is cut from a picture.

    Attributes:
        size: Side of the square in pixels.
        framing: "face": cut about a face's landmarks. "centre": the picture's largest square.
        colours: "rgb", or "grey": the network itself makes one channel of the three.
    """

    size: Annotated[int, Field(ge=16, le=1024)]
    framing: Literal["face", "centre"]
    colours: Literal["rgb", "grey"] = "rgb"


class Head(_Part):
    """What stands between a backbone's features and the outputs of each task.

    Attributes:
        units: Units of a hidden layer; 0 for none.
        activation: The hidden layer's activation.
    """

    units: Annotated[int, Field(ge=0)] = 0
    activation: Activation = "relu"


class Network(_Part):
    """The network.

    Attributes:
        backbone: Name of one of our own networks, or of timm's.
        branches: Instead of one backbone: task -> the name of its own, which shares nothing.
        weights: Its first weights: "none", "package", "hub", or the path of a run folder, of a
            model file, or of a safetensors file; or the name of a packaged model.
        dropout: Share of the features before the heads that is dropped in training.
        inner_dropout: Share that one of our own networks drops between its blocks; below 0 for
            its own.
        activation: Activation of the backbone; empty for its own.
        depth: How many blocks one of our own networks has, or how many of an EfficientNet's or a
            MobileNet's are kept; 0 for its own.
        width: What its numbers of channels are multiplied by.
        pooled: Whether the features are taken as they are pooled, without the layers by which
            some of timm's networks (MobileNet-V3, VGG) widen them afterwards.
        head: The heads' hidden layer.
    """

    backbone: str = ""
    branches: dict[str, str] = {}
    weights: str = "none"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    inner_dropout: Annotated[float, Field(lt=1)] = -1.0
    activation: Activation | Literal[""] = ""
    depth: Annotated[int, Field(ge=0, le=100)] = 0
    width: Annotated[float, Field(gt=0, le=16)] = 1.0
    pooled: bool = False
    head: Head = Head()

    @model_validator(mode="after")
    def _check(self) -> "Network":
        if bool(self.backbone) == bool(self.branches):
            raise ValueError("name a backbone, or branches: one backbone for each task")
        return self


class Task(_Part):
    """One output to train.

    Attributes:
        name: Name of the task, and of the manifest's column.
        kind: What the output means.
        labels: The classes of a classification.
        ages: How many ages an age distribution covers: 0 to `ages` - 1 years.
        unit: What the number of a regression counts.
        loss: One of `LOSSES`; empty: the first of its kind.
        error_weight: Weight of the expected age's error in "dldl-v2".
        smoothing: Share of a classification's target that is spread over all labels.
        gamma: How strongly "focal" turns to what is still wrong.
        class_weights: Label -> weight of its pictures in the loss; "balanced": all labels alike.
        weight: Weight of its loss.
        votes: Whether a picture's votes, where the manifest has them, are what a classification
            learns; else its label alone.
        single: Whether a classification of two labels has one score, through a sigmoid, instead
            of one for each label.
        default: Whether use reports it without being asked.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Literal["classification", "age", "regression"]
    labels: tuple[str, ...] = ()
    ages: Annotated[int, Field(ge=2, le=131)] = 101
    unit: str = ""
    loss: str = ""
    error_weight: Annotated[float, Field(ge=0)] = 0.2
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    gamma: Annotated[float, Field(ge=0)] = 2.0
    class_weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(ge=0)]] = "none"
    weight: Annotated[float, Field(gt=0)] = 1.0
    votes: bool = True
    single: bool = False
    default: bool = True

    @property
    def outputs(self) -> int:
        """How many scores the head gives."""
        return {"classification": len(self.labels), "age": self.ages, "regression": 1}[self.kind]

    @property
    def trained_by(self) -> str:
        """The loss by name."""
        return self.loss or LOSSES[self.kind][0]

    @model_validator(mode="after")
    def _check(self) -> "Task":
        if self.name == INPUT:
            raise ValueError(f"{INPUT!r} is the name of the network's input; choose another name")
        if self.kind != "classification" and self.labels:
            raise ValueError(f"a task of kind {self.kind!r} takes no labels")
        if self.kind == "classification" and len(set(self.labels)) < max(2, len(self.labels)):
            raise ValueError("a classification takes two labels or more, each of them once")
        if self.single and len(self.labels) != 2:
            raise ValueError("a single score is for a classification of two labels")
        if self.trained_by not in LOSSES[self.kind]:
            raise ValueError(
                f"the losses of a task of kind {self.kind!r} are {', '.join(LOSSES[self.kind])}; "
                f"not {self.loss!r}"
            )
        if self.kind != "classification" and (self.smoothing or self.class_weights != "none"):
            raise ValueError("smoothing and class_weights are for classifications")
        if isinstance(self.class_weights, dict):
            unknown = sorted(self.class_weights.keys() - set(self.labels))
            if unknown:
                raise ValueError(f"class_weights names {', '.join(unknown)}, which is no label")
        return self


class Stage(_Part):
    """Some epochs under one set of conditions.

    A stage with a `rate` or a `schedule` of its own begins a new course of the learning rate; one
    without goes on with the course before, which then spans both.

    Attributes:
        epochs: The most that it may take; early stopping ends it before.
        size: Input size in pixels; 0 for the network's own.
        frozen: What does not learn: "none", "backbone", the number of the backbone's first layers
            (those that have weights, in their order), or of its first stages, as in "2 stages".
        norm: BatchNorm of what is or was frozen: "inference" keeps its statistics, "training"
            renews them.
        losses: Task -> weight of its loss in this stage, where it differs.
        rate: Highest learning rate; 0 for the optimiser's.
        schedule: Course of the rate; empty for the optimiser's.
        warm_up: Share of the course in which the rate rises; below 0 for the optimiser's.
    """

    epochs: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=0, le=1024)] = 0
    frozen: Literal["none", "backbone"] | Annotated[int, Field(ge=1)] | Stages = "none"
    norm: Literal["inference", "training"] = "inference"
    losses: dict[str, Annotated[float, Field(ge=0)]] = {}
    rate: Annotated[float, Field(ge=0)] = 0.0
    schedule: Schedule | Literal[""] = ""
    warm_up: Annotated[float, Field(lt=1)] = -1.0

    @property
    def begins_course(self) -> bool:
        """Whether the learning rate begins a new course with this stage."""
        return bool(self.rate or self.schedule)


class Optimiser(_Part):
    """What moves the weights, and how far.

    Attributes:
        name: "adamw", "adam", "sgd" (with Nesterov's momentum) or "rmsprop".
        rate: Highest learning rate.
        momentum: Momentum of "sgd" and "rmsprop".
        weight_decay: Weight decay of all but biases and norms (decoupled for "adamw").
        schedule: Course of the rate: "one-cycle" rises, then falls; "cosine" falls; "triangle"
            rises and falls along straight lines; "constant"; "plateau" falls where validation no
            longer improves.
        decay: The rate is divided by 1 + decay x steps done, whatever the schedule.
        warm_up: Share of the course in which the rate rises.
        norm_bias_rate: What the rate of batch norms' biases is multiplied by; with another than 1
            they decay as the weights do.
        clip: Largest norm of the gradient; 0 for any.
        batch: Pictures in a batch.
        steps: Batches in an epoch; 0 for as many as the pictures make.
        average: Decay of the averaged weights, which are the ones kept; 0 keeps the last ones.
    """

    name: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw"
    rate: Annotated[float, Field(gt=0)] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    schedule: Schedule = "one-cycle"
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.15
    decay: Annotated[float, Field(ge=0)] = 0.0
    norm_bias_rate: Annotated[float, Field(gt=0)] = 1.0
    clip: Annotated[float, Field(ge=0)] = 0.0
    batch: Annotated[int, Field(ge=2)] = 64
    steps: Annotated[int, Field(ge=0)] = 0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998


class Choice(_Part):
    """Which epoch is the best, and when to stop looking for a better one.

    Attributes:
        by: "loss", or the task whose headline figure on the choosing half of the validation part
            decides: its accuracy, or its mean absolute error.
        patience: Epochs without a better one that end a stage early; 0: none do.
        min_delta: How much better counts as better, for early stopping.
    """

    by: str = "loss"
    patience: Annotated[int, Field(ge=0)] = 0
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class Plateau(_Part):
    """When the schedule "plateau" lowers the rate.

    Attributes:
        patience: Epochs without a better one before the rate falls.
        factor: What the rate is multiplied by.
        cooldown: Epochs after a fall in which none counts.
        min_delta: How much better counts as better.
    """

    patience: Annotated[int, Field(ge=0)] = 2
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    cooldown: Annotated[int, Field(ge=0)] = 0
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class Machine(_Part):
    """What a training runs on, in Lightning's words.

    Attributes:
        devices: Accelerators (or processes) to use on each machine.
        nodes: Machines.
        strategy: "auto", "ddp", "fsdp" and others.
        precision: "32-true", "16-mixed" or "bf16-mixed". A processor that computes in bfloat16
            (AVX-512 BF16, AMX) trains plain convolutions in half the time with "bf16-mixed"; nets
            of depthwise ones, such as EfficientNets and MobileNets, gain nothing there.
        workers: Processes that prepare batches ahead. On a processor one is best, more take the
            cores from the network; an accelerator waits for pictures unless many do it.
    """

    devices: Annotated[int, Field(ge=1)] = 1
    nodes: Annotated[int, Field(ge=1)] = 1
    strategy: str = "auto"
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    workers: Annotated[int, Field(ge=1, le=256)] = 1


class Teacher(_Part):
    """Other models whose answers the network learns, beside its labels.

    A teacher answers for every picture of the training part, also where a label is missing; what
    several say is averaged, each over the picture and its mirror image.

    Attributes:
        models: Model files, or packaged models' names; none: the labels alone are learnt.
        tasks: What they teach; empty: all tasks that one of them reads.
        weight: Share of the loss of a task that is taught which follows the teachers; the rest
            follows the labels.
        temperature: Above 1 the answers are softened, so that what is less probable counts more.
    """

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    temperature: Annotated[float, Field(gt=0)] = 1.0


class ModelFile(_Part):
    """How the model file stores the network.

    Attributes:
        weights: "single", "half" (half the size; computed in single precision) or "int8" (a
            quarter, and computed in whole numbers).
        largest_loss: By how much, as a share, a headline figure may be worse in "int8" than in
            single precision, on the validation part; where it is worse "half" is written instead.
        mirror: Whether the file also looks at the mirror image of each picture.
        shift: By how many pixels it also looks at each picture shifted both ways; 0: not at all.
            All looks' scores are averaged.
        calibrate: Whether the probabilities are made honest before they are stored. The margins
            of age intervals are measured in any case.
    """

    weights: Literal["single", "half", "int8"] = "half"
    largest_loss: Annotated[float, Field(ge=0)] = 0.01
    mirror: bool = False
    shift: Annotated[int, Field(ge=0, le=16)] = 0
    calibrate: bool = True


class Recipe(_Part):
    """All of a training; an unknown key is refused.

    Attributes:
        name: The model's name.
        version: The model's version.
        description: One sentence for the card.
        licence: Licence of the weights.
        use: What the weights may be used for.
        limits: What they should not be used for.
        seed: Seed of everything that is drawn.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: str = "1"
    description: str = ""
    licence: str = ""
    use: str = ""
    limits: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: Data
    input: Input
    augmentation: Augmentation = Augmentation()
    network: Network
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    optimiser: Optimiser = Optimiser()
    choice: Choice = Choice()
    plateau: Plateau = Plateau()
    teacher: Teacher = Teacher()
    machine: Machine = Machine()
    file: ModelFile = ModelFile()

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        names = {task.name for task in self.tasks}
        if len(names) < len(self.tasks):
            raise ValueError("each task needs a name of its own")
        if self.input.framing == "centre" and [t.kind for t in self.tasks] != ["classification"]:
            raise ValueError(
                "a network of whole pictures (framing 'centre') has one task, a "
                "classification: `mien predict` reads no other"
            )
        if max(stage.size for stage in self.stages) > self.input.size:
            raise ValueError(f"no stage's size may exceed the input's, {self.input.size} pixels")
        if any(0 < stage.size < 16 for stage in self.stages):
            raise ValueError("a stage's size is 16 pixels or more, or 0 for the input's")
        self._check_named(names)
        return self

    def _check_named(self, names: set[str]) -> None:
        named = {
            "choice.by": {self.choice.by} - {"loss"},
            "data.balance": {self.data.balance} - {""},
            "network.branches": set(self.network.branches),
            "teacher.tasks": set(self.teacher.tasks),
            "a stage's losses": {name for stage in self.stages for name in stage.losses},
        }
        for place, used in named.items():
            unknown = sorted(used - names)
            if unknown:
                raise ValueError(
                    f"{place}: {', '.join(unknown)} is no task; they are {', '.join(sorted(names))}"
                )
        if any(t.name == self.data.balance and t.kind == "regression" for t in self.tasks):
            raise ValueError(
                f"data.balance: {self.data.balance} is a number; classes and ages can be balanced"
            )
        if self.network.branches and self.network.branches.keys() != names:
            raise ValueError("network.branches names a backbone for some tasks and not for others")
        if self.machine.devices * self.machine.nodes > 1 and any(
            stage.frozen != "none" for stage in self.stages
        ):
            raise ValueError("a stage that freezes parts of the network runs on one device")

    @property
    def epochs(self) -> int:
        """The most epochs that all stages may take."""
        return sum(stage.epochs for stage in self.stages)

    def task(self, name: str) -> Task:
        """Return a task.

        Raises:
            KeyError: There is none of that name.
        """
        return {task.name: task for task in self.tasks}[name]
