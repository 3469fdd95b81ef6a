"""mien reads faces and pictures with small models that its users can train themselves."""

import os
from typing import TYPE_CHECKING, Any

# Nothing is sent anywhere: onnxruntime's own builds report their use, with a lasting number for the
# machine, unless this is said before they are loaded. Whoever wants that says 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mien.analyzer import Analyzer as Analyzer
    from mien.classifier import Classifier as Classifier
    from mien.errors import MienError as MienError
    from mien.model import Model as Model

__all__ = ["Analyzer", "Classifier", "MienError", "Model", "__version__"]

_HOMES = {
    "Analyzer": "mien.analyzer",
    "Classifier": "mien.classifier",
    "MienError": "mien.errors",
    "Model": "mien.model",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import mien` itself stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(globals().keys() | set(__all__))
