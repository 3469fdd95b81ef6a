"""What the tests of the watch's routes share."""

from tests.serve.conftest import tiny_models

__all__ = ["tiny_models"]
