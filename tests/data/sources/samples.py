"""What the tests of imports share: samples by the name of their picture."""

from mien.data.manifest import Manifest, Sample


def by_name(manifest: Manifest) -> dict[str, Sample]:
    return {sample.path.name: sample for sample in manifest.samples}
