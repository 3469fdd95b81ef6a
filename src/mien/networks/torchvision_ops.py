"""Let torchvision import beside a torch build that its compiled operators do not fit.

torchvision's Linux wheels are built for CUDA. Beside a CPU build of torch their library does not
load, and `import torchvision` (which timm and torchmetrics do) stops with "operator
torchvision::nms does not exist", because it describes operators that nobody declared. Declaring
the two is enough for its models and transforms, which never call them.
"""

import sys
from typing import Final

import torch

_SCHEMAS: Final = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []


def ensure_importable() -> None:
    """Import torchvision, declaring its missing operators first if it cannot be imported as it is.

    Call it before anything that imports torchvision. Calling it again changes nothing.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if _declared or "torchvision::nms does not exist" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        _declared.append(library)  # the declarations last as long as this object
        for schema in _SCHEMAS:
            library.define(schema)  # type: ignore[no-untyped-call]
        import torchvision  # noqa: F401
