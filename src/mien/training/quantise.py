"""A model file in whole numbers: int8 weights and activations, by static quantisation."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.model import INPUT


def quantise(data: bytes, batches: Iterable[NDArray[np.uint8]]) -> bytes:
    """Return a network in int8 (QDQ, a scale for each channel), its card left out.

    Convolutions and what lies between them compute in whole numbers; the first steps on the pixels
    and the heads stay in single precision.

    Args:
        data: The model file in single precision.
        batches: Pictures as the network takes them, from which the ranges are learnt.

    Raises:
        ModelError: onnxruntime cannot quantise the network.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType
    from onnxruntime.quantization import quantize_static as quantize

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self, pictures: Iterator[NDArray[np.uint8]]) -> None:
            self._pictures = pictures

        def get_next(self) -> dict[str, Any] | None:
            pixels = next(self._pictures, None)
            return None if pixels is None else {INPUT: pixels}

    with tempfile.TemporaryDirectory() as folder:
        folded, whole = Path(folder) / "folded.onnx", Path(folder) / "int8.onnx"
        _fold(data, folded)
        try:
            quantize(
                folded,
                whole,
                Reader(iter(batches)),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv", "Add", "Clip", "Relu", "GlobalAveragePool"],
                extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
            )
        except Exception as error:
            # What it cannot quantise it says in errors of many classes.
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(
                f'the network cannot be stored in int8 ({reason:.200}); take file.weights = "half"'
            ) from error
        found = onnx.load(whole)
    del found.metadata_props[:]
    quantised: bytes = found.SerializeToString()
    return quantised


def _fold(data: bytes, path: Path) -> None:
    """Write the network with its norms folded into the convolutions before them."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
