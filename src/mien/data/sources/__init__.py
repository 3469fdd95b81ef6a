"""Data sets as they lie on disk -> manifests; what is left out is counted and named."""

from typing import Final

from mien.data.sources.cifar10 import import_cifar10
from mien.data.sources.fairface import import_fairface
from mien.data.sources.ferplus import import_ferplus
from mien.data.sources.folders import import_folders
from mien.data.sources.reading import Importer
from mien.data.sources.table import import_csv
from mien.data.sources.utkface import import_utkface

SOURCES: Final[dict[str, Importer]] = {
    "folders": import_folders,
    "csv": import_csv,
    "utkface": import_utkface,
    "ferplus": import_ferplus,
    "fairface": import_fairface,
    "cifar10": import_cifar10,
}
"""Name of a layout -> what reads it."""

__all__ = [
    "SOURCES",
    "Importer",
    "import_cifar10",
    "import_csv",
    "import_fairface",
    "import_ferplus",
    "import_folders",
    "import_utkface",
]
