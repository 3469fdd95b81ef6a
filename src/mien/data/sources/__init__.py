"""Data sets as they lie on disk -> manifests; what is left out is counted and named."""

from typing import Final

from mien.data.sources.fairface import import_fairface
from mien.data.sources.ferplus import import_ferplus
from mien.data.sources.folders import import_folders
from mien.data.sources.utkface import import_utkface

SOURCES: Final = {
    "folders": import_folders,
    "utkface": import_utkface,
    "ferplus": import_ferplus,
    "fairface": import_fairface,
}
"""Name of a layout -> what reads it."""
