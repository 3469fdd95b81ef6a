"""The Open Inference Protocol, version 2: the networks alone, for clients that speak it.

https://github.com/kserve/open-inference-protocol; tensors are JSON numbers.
"""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from math import prod
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from mien import __version__
from mien.model import INPUT
from mien.serve import bodies
from mien.serve.catalogue import Entry, Tensors
from mien.serve.problems import Problem, responses
from mien.serve.service import ServiceDep, check_access

router = APIRouter(prefix="/v2", tags=["open inference protocol"])
guarded = APIRouter(dependencies=[Depends(check_access)], responses=responses(401, 429))

_MOST_CROPS: Final = 64
_DIMENSIONS: Final = 4


class ServerMetadata(BaseModel):
    """What the service is."""

    name: str
    version: str
    extensions: list[str]


class Live(BaseModel):
    """Whether the service is alive."""

    live: Literal[True] = True


class Ready(BaseModel):
    """Whether the service, or a model, is ready."""

    ready: Literal[True] = True


class ModelReady(Ready):
    """Whether a model is ready."""

    name: str


class TensorMetadata(BaseModel):
    """A tensor's name, type and shape; -1 stands for any number."""

    name: str
    datatype: Literal["UINT8", "FP32"]
    shape: list[int]


class ModelMetadata(BaseModel):
    """A model's tensors."""

    name: str
    versions: list[str]
    platform: Literal["onnxruntime_onnx"] = "onnxruntime_onnx"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class InputTensor(BaseModel):
    """Crops, as the model's card describes them."""

    name: Literal["image"]
    datatype: Literal["UINT8"]
    shape: list[Annotated[int, Field(ge=0, le=2**31)]] = Field(min_length=4, max_length=4)
    data: list[Any] = Field(description="Numbers from 0 to 255, flat or nested, row by row.")
    parameters: dict[str, Any] = {}


class WantedOutput(BaseModel):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferenceRequest(BaseModel):
    """What a network is to be run on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "inputs": [
                    {"name": "image", "datatype": "UINT8", "shape": [0, 96, 96, 3], "data": []}
                ]
            }
        }
    )

    id: str | None = Field(default=None, max_length=200)
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[WantedOutput] = Field(default=[], max_length=100, fail_fast=True)
    parameters: dict[str, Any] = {}


class OutputTensor(BaseModel):
    """What the network gives for a task."""

    name: str
    datatype: Literal["FP32"] = "FP32"
    shape: list[int]
    data: list[float]


class InferenceResponse(BaseModel):
    """What a network gave."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


@router.get("", operation_id="serverMetadata", summary="What the service is")
async def server_metadata() -> ServerMetadata:
    """Tell the service's name and version."""
    return ServerMetadata(name="mien", version=__version__, extensions=[])


@router.get("/health/live", operation_id="serverLive", summary="Whether the service is alive")
async def live() -> Live:
    """Answer as long as the service is alive."""
    return Live()


@router.get(
    "/health/ready",
    operation_id="serverReady",
    summary="Whether the service is ready",
    responses=responses(503),
)
async def ready(service: ServiceDep) -> Ready:
    """Answer 200 once the models are loaded and warmed up."""
    service.check_ready()
    return Ready()


@guarded.get(
    "/models/{name}",
    operation_id="modelMetadata",
    summary="A model's tensors",
    responses=responses(404, 422),
)
async def model_metadata(name: str, service: ServiceDep) -> ModelMetadata:
    """Tell a model's tensors."""
    entry = service.catalogue.find(name)
    side = entry.card.input.size
    return ModelMetadata(
        name=entry.name,
        versions=[entry.card.version],
        inputs=[TensorMetadata(name=INPUT, datatype="UINT8", shape=[-1, side, side, 3])],
        outputs=[
            TensorMetadata(name=task.name, datatype="FP32", shape=[-1, task.outputs])
            for task in entry.card.tasks
        ],
    )


@guarded.get(
    "/models/{name}/ready",
    operation_id="modelReady",
    summary="Whether a model is ready",
    responses=responses(404, 422, 503),
)
async def model_ready(name: str, service: ServiceDep) -> ModelReady:
    """Answer 200 once the model is loaded and warmed up."""
    entry = service.catalogue.find(name)
    service.check_ready()
    return ModelReady(name=entry.name)


@guarded.post(
    "/models/{name}/infer",
    operation_id="infer",
    summary="Run a network on crops",
    responses=responses(400, 404, 408, 413, 415, 422, 500, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {bodies.JSON: {"schema": {"$ref": "#/components/schemas/InferenceRequest"}}},
        }
    },
)
async def infer(name: str, request: Request, service: ServiceDep) -> InferenceResponse:
    """Run a network on crops, of which requests are batched together."""
    entry = service.catalogue.find(name)
    service.check_room()
    async with service.bodies.read(request) as body:
        if bodies.media_type(request) != bodies.JSON:
            raise bodies.unsupported(request, bodies.JSON)
        asked = bodies.parse_json(body, InferenceRequest)
    names = _wanted(asked.outputs, entry)
    crops = _crops(asked.inputs[0], entry.card.input.size)
    found: Tensors = (await service.run(entry.crops, [partial(_same, crops)]))[0]
    return InferenceResponse(
        model_name=entry.name,
        model_version=entry.card.version,
        id=asked.id,
        outputs=[_tensor(name, found[name]) for name in names],
    )


def _same(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return crops


def _tensor(name: str, values: NDArray[np.float32]) -> OutputTensor:
    return OutputTensor(name=name, shape=list(values.shape), data=values.ravel().tolist())


def _wanted(outputs: Sequence[WantedOutput], entry: Entry) -> list[str]:
    have = [task.name for task in entry.card.tasks]
    names = [output.name for output in outputs]
    if not set(names) <= set(have):
        raise Problem(
            422, "no-such-output", f"The model {entry.name!r} has the outputs {', '.join(have)}."
        )
    return list(dict.fromkeys(names)) or have


def _crops(tensor: InputTensor, side: int) -> NDArray[np.uint8]:
    """Return a tensor's pixels.

    Raises:
        Problem: It is of another shape than the model takes, or holds anything but bytes.
    """
    count, shape = tensor.shape[0], tensor.shape
    if shape[1:] != [side, side, 3] or count > _MOST_CROPS:
        raise Problem(
            422,
            "wrong-shape",
            f"The input's shape is {shape}; the model takes [N, {side}, {side}, 3] with N at most "
            f"{_MOST_CROPS}.",
        )
    wanted = prod(shape)
    pixels = _pixels(tensor.data, wanted)
    if pixels is None:
        raise Problem(
            422,
            "wrong-data",
            f"The input's data are not the {wanted:,} whole numbers from 0 to 255 that its "
            "shape asks for.",
        )
    return np.frombuffer(pixels, np.uint8).reshape(shape)


def _pixels(values: list[Any], wanted: int) -> bytes | None:
    """Return so many numbers, flat or nested, as bytes; None if they are anything else.

    numpy would take them too, but also text, of which a little becomes a very large array.
    """
    for _ in range(_DIMENSIONS - 1):
        if not values or len(values) > wanted or not isinstance(values[0], list):
            break
        if not all(isinstance(part, list) for part in values):
            return None
        values = list(chain.from_iterable(values))
    if len(values) != wanted or not set(map(type, values)) <= {int}:
        return None
    try:
        return bytes(values)
    except (ValueError, OverflowError):
        return None
